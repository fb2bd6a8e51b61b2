using System.Collections.Immutable;

namespace Berth.Edge;

/// <summary>A request that cannot be done, in words for whoever asked. Becomes a problem document (RFC 9457) or a page.</summary>
internal sealed class ProblemException : Exception
{
    public ProblemException(int status, string reason, string title, string detail, ImmutableDictionary<string, string>? fields = null,
        Exception? cause = null)
        : base(detail, cause)
    {
        Status = status;
        Reason = reason;
        Title = title;
        Fields = fields ?? ImmutableDictionary<string, string>.Empty;
    }

    /// <summary>HTTP status.</summary>
    public int Status { get; }

    /// <summary>Stable word; the problem's type is <c>urn:berth:problem:</c> and this.</summary>
    public string Reason { get; }

    /// <summary>Short title, the same for each problem of this reason.</summary>
    public string Title { get; }

    /// <summary>What is wrong with which field of the request; empty when it is not about fields.</summary>
    public ImmutableDictionary<string, string> Fields { get; }

    /// <summary>When to try again, where that is known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Where a person gets what is missing; null for nowhere.</summary>
    public string? LoginUrl { get; init; }

    /// <summary>WWW-Authenticate of the answer; null for none.</summary>
    public string? Challenge { get; init; }

    public static ProblemException NotFound(string name) => new(404, "workspace-not-found", "No such workspace",
        $"There is no workspace named '{(name.Length <= 63 ? name : name[..63] + "…")}' that you may see. "
            + "GET /api/workspaces lists yours.");

    public static ProblemException Invalid(ImmutableDictionary<string, string> fields) =>
        new(422, "invalid-fields", "Some values cannot be used",
        string.Join(" ", fields.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}: {f.Value}")), fields);

    public static ProblemException Invalid(string field, string message) =>
        Invalid(ImmutableDictionary<string, string>.Empty.Add(field, message));
}
