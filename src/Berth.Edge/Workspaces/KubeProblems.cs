using System.Collections.Immutable;
using Kube.Client;

namespace Berth.Edge;

/// <summary>Turns refusals of the Kubernetes API into words for people, with the names of the fields that people sent.</summary>
internal static class KubeProblems
{
    /// <summary>The problem for a failed call about one workspace.</summary>
    /// <param name="error">What the API said.</param>
    /// <param name="name">The workspace.</param>
    public static ProblemException From(KubeException error, string name)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error switch
        {
            { IsNotFound: true } => ProblemException.NotFound(name),
            { IsAlreadyExists: true } => new(409, "workspace-exists", "The name is taken",
                $"You already have a workspace named '{name}'. Choose another name.", cause: error),
            { IsConflict: true } => new(412, "workspace-changed", "Somebody was faster",
                $"The workspace '{name}' was changed since you read it. Read it again and repeat your change.", cause: error),
            { Code: 422 or 400 } => Invalid(error),
            { Code: 403 } when IsQuota(error) => new(403, "quota", "The installation's limit is reached",
                $"The cluster does not allow more: {Clean(error.Message)} Delete a workspace you no longer need, or ask an administrator.",
                    cause: error),
            { Code: 403 } => new(502, "not-permitted", "Berth may not do this",
                $"The cluster refused Berth itself: {Clean(error.Message)} An administrator has to correct the permissions of the edge.",
                    cause: error),
            { Code: 401 } => new(502, "not-permitted", "Berth may not do this",
                "The cluster does not accept the credentials of the edge. An administrator has to correct them.", cause: error),
            _ => new(503, "cluster-unavailable", "The cluster does not answer",
                $"The workspace '{name}' cannot be changed right now. Nothing was lost; try again in a moment.", cause: error)
            {
                RetryAfter = error.RetryAfter ?? TimeSpan.FromSeconds(5),
            },
        };
    }

    private static ProblemException Invalid(KubeException error)
    {
        var fields = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var causes = error.Status.Details?.Causes ?? [];
        foreach (var cause in causes)
        {
            // "Some validation rules were not checked": true of every invalid object, and of no field.
            if (cause.Field is null or "" or "<nil>" && causes.Count > 1)
            {
                continue;
            }

            var field = FieldOf(cause.Field ?? "");
            var message = Clean(cause.Message ?? cause.Reason ?? "is not valid");
            fields[field] = fields.TryGetValue(field, out var known) ? $"{known} {message}" : message;
        }

        return fields.Count > 0
            ? ProblemException.Invalid(fields.ToImmutable())
            : new ProblemException(422, "invalid-fields", "Some values cannot be used", Clean(error.Message), cause: error);
    }

    // People send "resources.cpu"; the API speaks of "spec.resources.cpu".
    private static string FieldOf(string field) => field switch
    {
        "spec.template.name" or "spec.template" => "template",
        "metadata.name" => "name",
        "" or "<nil>" => "workspace",
        _ when field.StartsWith("spec.", StringComparison.Ordinal) => field["spec.".Length..],
        _ => field,
    };

    private static bool IsQuota(KubeException error) => error.Message.Contains("quota", StringComparison.OrdinalIgnoreCase);

    // One line, at most 500 characters: what a hostile value repeats in the API's message must not become a page of its own.
    private static string Clean(string message)
    {
        var line = new string([.. message.Select(c => char.IsControl(c) ? ' ' : c).Take(500)]).Trim();
        return line.EndsWith('.') ? line : line + ".";
    }
}
