using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// The variables of a workspace's owner: checked, and those left out that the template has itself or does not take. They are for the
/// application alone: what runs beside it may hold more than its owner may.
/// </summary>
/// <param name="Variables">As they go into a pod, by name, so that their order in the workspace brings no restart.</param>
/// <param name="LeftOut">Names of those that the application does not get.</param>
internal sealed record EnvironmentResolution(ImmutableArray<EnvVar> Variables, ImmutableArray<string> LeftOut)
{
    /// <summary>Checks them and lists all that is wrong.</summary>
    /// <param name="workspace">Whose they are.</param>
    /// <param name="template">What they are for.</param>
    /// <param name="problems">Where to say what is wrong.</param>
    internal static EnvironmentResolution Resolve(
        UserWorkspace workspace, WorkspaceTemplate template, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var given = workspace.Spec.Environment ?? [];
        Check(given, problems);

        // Also those of parameters without a value: what the template's own scripts look for is theirs to set.
        var own = (template.Spec.Env ?? []).Select(v => v.Name)
            .Concat((template.Spec.Parameters ?? []).Select(p => p.Env).OfType<string>())
            .ToHashSet(StringComparer.Ordinal);
        var taken = given
            .Where(v => !own.Contains(v.Name) && template.Spec.PersonalVariables?.Takes(v.Name) != false)
            .OrderBy(v => v.Name, StringComparer.Ordinal)
            .ToImmutableArray();
        return new(
            [.. taken.Select(v => new EnvVar { Name = v.Name, Value = ParameterResolution.Literal(v.Value ?? "") })],
            [.. given.Except(taken).Select(v => v.Name).Order(StringComparer.Ordinal)]);
    }

    /// <summary>What is wrong with what a template says of them.</summary>
    internal static void Check(WorkspaceTemplate template, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var entries = (template.Spec.PersonalVariables?.Allow ?? []).Concat(template.Spec.PersonalVariables?.Deny ?? []);
        foreach (var entry in entries.Where(e => !TemplatePersonalVariables.IsEntry(e)))
        {
            problems.Add(TemplateProblems.Template(template,
                $"has '{TemplateProblems.Shorten(entry)}' in personalVariables, which is neither the name of a variable nor the beginning "
                    + "of names with a star behind it"));
        }
    }

    private static void Check(IReadOnlyList<WorkspaceVariable> given, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        if (given.Count > EnvironmentRules.MaximumVariables)
        {
            problems.Add(TemplateProblems.Environment(
                $"spec.environment has {given.Count} variables; at most {EnvironmentRules.MaximumVariables} are allowed."));
        }

        if (EnvironmentRules.Bytes(given) is > EnvironmentRules.MaximumBytes and var bytes)
        {
            problems.Add(TemplateProblems.Environment(
                $"spec.environment takes {bytes} bytes; at most {EnvironmentRules.MaximumBytes} are allowed."));
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var variable in given)
        {
            var problem = EnvironmentRules.Problem(variable.Name, variable.Value ?? "")
                ?? (seen.Add(variable.Name) ? null : "is there twice.");
            if (problem is not null)
            {
                problems.Add(TemplateProblems.Environment(
                    $"The variable '{TemplateProblems.Shorten(variable.Name)}' of spec.environment {problem}"));
            }
        }
    }
}
