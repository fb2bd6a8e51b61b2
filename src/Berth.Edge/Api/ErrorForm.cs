using Berth.Accounts;

namespace Berth.Edge;

/// <summary>How a group of calls tells its callers what went wrong; what counts as what is <see cref="ApiPipeline"/>'s.</summary>
internal abstract class ErrorForm
{
    /// <summary>
    /// Whether the text of an unexpected exception may be logged. False where texts of others may hold what they were given, such as
    /// tokens: then its type and place are.
    /// </summary>
    public abstract bool LogsText { get; }

    /// <summary>Answers somebody who is not known.</summary>
    public abstract Task WriteNotAuthenticatedAsync(HttpContext context, string operation);

    /// <summary>Answers while the database is away.</summary>
    public abstract Task WriteUnavailableAsync(HttpContext context, string operation, AccountsUnavailableException error);

    /// <summary>Answers with a problem.</summary>
    public abstract Task WriteAsync(HttpContext context, string operation, ProblemException problem);

    /// <summary>Answers with an error of a connection.</summary>
    public abstract Task WriteAsync(HttpContext context, string operation, ConnectionError error);
}

/// <summary>Problem documents (RFC 9457): the form of the API.</summary>
internal sealed class ProblemForm : ErrorForm
{
    /// <summary>The only one.</summary>
    public static ProblemForm Instance { get; } = new();

    /// <inheritdoc/>
    public override bool LogsText => true;

    /// <inheritdoc/>
    public override Task WriteNotAuthenticatedAsync(HttpContext context, string operation)
    {
        var bearer = context.Request.Headers.Authorization.Count > 0;
        context.Response.Headers.WWWAuthenticate = bearer ? "Bearer error=\"invalid_token\"" : "Bearer";
        return Problems.WriteAsync(context, new ProblemView
        {
            Type = "urn:berth:problem:sign-in-required",
            Title = "Sign in first",
            Status = 401,
            Detail = bearer ? "The access token is not accepted: it may have ended, or be meant for something else."
                : "Send an access token as a bearer token, or sign in.",
            Reason = "sign-in-required",
            RequestId = context.TraceIdentifier,
            LoginUrl = "/login",
        });
    }

    /// <inheritdoc/>
    public override Task WriteUnavailableAsync(HttpContext context, string operation, AccountsUnavailableException error) =>
        Problems.WriteAsync(context, new ProblemException(503, "accounts-unavailable", "Accounts cannot be reached now",
            "The database of accounts does not answer. What needs no database goes on; try this again in a few seconds.", cause: error)
        {
            RetryAfter = TimeSpan.FromSeconds(5),
        });

    /// <inheritdoc/>
    public override Task WriteAsync(HttpContext context, string operation, ProblemException problem) =>
        Problems.WriteAsync(context, problem);

    /// <inheritdoc/>
    public override Task WriteAsync(HttpContext context, string operation, ConnectionError error) =>
        Problems.WriteAsync(context, new ProblemException(error.Status, error.Code, "This did not work", error.Message)
        {
            RetryAfter = error.RetryAfter,
        });
}
