using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>Turns a person's change (RFC 7396 on the API's own form) into a merge patch of the resource; a pure function.</summary>
internal static class WorkspaceChanges
{
    private static readonly ImmutableArray<string> ResourceNames = ["cpu", "memory", "storage"];

    /// <summary>Makes the patch.</summary>
    /// <exception cref="ProblemException">Names every field that cannot be used.</exception>
    public static JsonObject ToPatch(UserWorkspace workspace, WorkspaceTemplate? template, JsonObject changes)
    {
        var problems = NewWorkspace.NewProblems();
        var spec = new JsonObject();
        var patch = new JsonObject();
        foreach (var (name, value) in changes)
        {
            switch (name)
            {
                case "displayName":
                    var text = Text(value, name, problems);
                    if (NewWorkspace.DisplayNameProblem(text) is { } problem)
                    {
                        problems[name] = problem;
                    }

                    patch["metadata"] = new JsonObject
                    {
                        [
                        "annotations"] = new JsonObject { [NewWorkspace.DisplayNameAnnotation] = text }
                    };
                    break;
                case "parameters":
                    spec["parameters"] = Strings(value, name, problems);
                    CheckParameters(workspace, template, spec["parameters"] as JsonObject, problems);
                    break;
                case "resources":
                    spec["resources"] = Resources(value, problems);
                    break;
                default:
                    problems[name] = "cannot be changed; displayName, parameters and resources can.";
                    break;
            }
        }

        if (problems.Count > 0)
        {
            throw ProblemException.Invalid(problems.ToImmutable());
        }

        if (spec.Count > 0)
        {
            patch["spec"] = spec;
        }

        return patch;
    }

    private static void CheckParameters(
        UserWorkspace workspace, WorkspaceTemplate? template, JsonObject? change, ImmutableDictionary<string, string>.Builder problems)
    {
        if (template is null)
        {
            return;
        }

        var values = change is null ? [] : new
            Dictionary<string, string>(workspace.Spec.Parameters ?? ImmutableDictionary<string, string>.Empty, StringComparer.Ordinal);
        foreach (var (name, value) in change ?? [])
        {
            if (value is null)
            {
                values.Remove(name);
            }
            else if (value.GetValueKind() == JsonValueKind.String)
            {
                values[name] = value.GetValue<string>();
            }
        }

        TemplateParameters.Check(template.Spec, values, problems);
    }

    private static JsonObject? Resources(JsonNode? value, ImmutableDictionary<string, string>.Builder problems)
    {
        var wishes = Strings(value, "resources", problems);
        foreach (var (name, _) in wishes ?? [])
        {
            if (!ResourceNames.Contains(name))
            {
                problems[$"resources.{name}"] = "is not known; cpu, memory and storage are.";
            }
        }

        return wishes;
    }

    private static JsonObject? Strings(JsonNode? value, string field, ImmutableDictionary<string, string>.Builder problems)
    {
        if (value is null)
        {
            return null;
        }

        if (value is not JsonObject given)
        {
            problems[field] = "must be an object.";
            return null;
        }

        var result = new JsonObject();
        foreach (var (name, item) in given)
        {
            result[name] = Text(item, $"{field}.{name}", problems);
        }

        return result;
    }

    private static string? Text(JsonNode? value, string field, ImmutableDictionary<string, string>.Builder problems)
    {
        if (value is null)
        {
            return null;
        }

        if (value.GetValueKind() == JsonValueKind.String)
        {
            return value.GetValue<string>();
        }

        problems[field] = "must be a string.";
        return null;
    }
}
