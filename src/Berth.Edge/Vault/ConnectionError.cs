using System.Text;
using System.Text.Json.Nodes;

namespace Berth.Edge;

/// <summary>
/// Why a call of a connection or of the token vault did not work, as its caller is told:
/// <c>{"error", "code", "details", "operation"}</c>. Codes are for programs and do not change; sentences may.
/// </summary>
/// <param name="Code">Code, lower case with dashes; docs/upstream.md and docs/vault.md list them.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Message">A sentence that says what is wrong and what to do. It holds no token and nothing that a provider wrote.</param>
internal sealed record ConnectionError(string Code, int Status, string Message)
{
    /// <summary>More for programs, such as <c>consentUrl</c>; request id and connection are added when it is written.</summary>
    public IReadOnlyList<(string Name, string Value)> Details { get; init; } = [];

    /// <summary>When to try again; null where that would change nothing.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The same with a detail more.</summary>
    public ConnectionError With(string name, string value) => this with { Details = [.. Details, (name, value)] };

    /// <summary>Writes it as the answer.</summary>
    /// <param name="context">The request; its answer has not begun.</param>
    /// <param name="operation">What was asked for, such as <c>proxy</c>.</param>
    /// <param name="connection">The connection, where there is one.</param>
    public async Task WriteAsync(HttpContext context, string operation, string? connection)
    {
        RequestNotes.Decided(context, Code);
        var details = new JsonObject { ["requestId"] = context.TraceIdentifier };
        if (connection is not null)
        {
            details["connection"] = connection;
        }

        foreach (var (name, value) in Details)
        {
            details[name] = value;
        }

        var response = context.Response;
        response.StatusCode = Status;
        response.ContentType = "application/json; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        if (RetryAfter is { } wait)
        {
            var seconds = (int)Math.Clamp(Math.Ceiling(wait.TotalSeconds), 1, 3600);
            response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
            details["retryAfterSeconds"] = seconds;
        }

        if (Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = Code == "invalid-token" ? "Bearer error=\"invalid_token\"" : "Bearer";
        }

        var body = new JsonObject { ["error"] = Message, ["code"] = Code, ["details"] = details, ["operation"] = operation };
        await StatedBody.WriteAsync(context, Encoding.UTF8.GetBytes(body.ToJsonString())).ConfigureAwait(false);
    }
}

/// <summary>A call that ends with a <see cref="ConnectionError"/>.</summary>
internal sealed class ConnectionException(ConnectionError error) : Exception(error.Message)
{
    /// <summary>What its caller is told.</summary>
    public ConnectionError Error { get; } = error;
}
