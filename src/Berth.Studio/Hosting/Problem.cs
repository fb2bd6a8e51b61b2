using System.Text.Json.Serialization;

namespace Berth.Studio.Hosting;

/// <summary>
/// An error as the API tells it (RFC 9457): what happened (title), what it means for the data (detail), what to do (remedy).
/// </summary>
internal sealed record Problem
{
    /// <summary>A stable name of the kind of error: <c>urn:studio:problem:</c> and words with hyphens.</summary>
    [JsonPropertyName("type")]
    public required string Type { get; init; }

    /// <summary>What happened.</summary>
    [JsonPropertyName("title")]
    public required string Title { get; init; }

    /// <summary>The HTTP status.</summary>
    [JsonPropertyName("status")]
    public required int Status { get; init; }

    /// <summary>What it means for the data.</summary>
    [JsonPropertyName("detail")]
    public required string Detail { get; init; }

    /// <summary>What to do.</summary>
    [JsonPropertyName("remedy")]
    public required string Remedy { get; init; }
}

/// <summary>A request ends with this problem.</summary>
internal sealed class ProblemException(int status, string code, string title, string detail, string remedy, Exception? inner = null)
    : Exception(title + " " + detail, inner)
{
    /// <summary>What the client is told.</summary>
    public Problem Problem { get; } = new()
    {
        Type = "urn:studio:problem:" + code,
        Title = title,
        Status = status,
        Detail = detail,
        Remedy = remedy,
    };
}
