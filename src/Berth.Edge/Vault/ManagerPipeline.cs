using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>What is the same for every call of the token manager: who asks, and errors in one form.</summary>
internal static partial class ManagerPipeline
{
    /// <summary>Beginning of the paths.</summary>
    public const string Prefix = "/api/auth/manager/";

    /// <summary>Runs a call.</summary>
    public static async Task RunAsync(HttpContext context, string operation, Func<HttpContext, Caller, Task> handler)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            if (context.GetCaller() is not { } caller)
            {
                context.Response.Headers.WWWAuthenticate = "Bearer";
                throw new ManagerException(401, "missing_token",
                    "Send an access token in the Authorization header (Bearer), or sign in at /login.");
            }

            await handler(context, caller).ConfigureAwait(false);
        }
        catch (Exception error) when (!context.Response.HasStarted)
        {
            if (error is OperationCanceledException && context.RequestAborted.IsCancellationRequested)
            {
                return;
            }

            await WriteAsync(context, operation, Translate(context, operation, error)).ConfigureAwait(false);
        }
    }

    /// <summary>Answers in the manager's form what the pipeline before it refuses.</summary>
    public static Task WriteAsync(HttpContext context, EdgeMessage message) => WriteAsync(
        context, "authenticate", new ManagerException(message.Status, message.Reason.Replace('-', '_'), message.Detail));

    /// <summary>Answers with JSON.</summary>
    public static async Task WriteAsync<T>(HttpContext context, int status, JsonTypeInfo<T> type, T value)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        await JsonSerializer.SerializeAsync(context.Response.Body, value, type, context.RequestAborted).ConfigureAwait(false);
    }

    private static async Task WriteAsync(HttpContext context, string operation, ManagerException error)
    {
        if (error.RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = ((int)Math.Clamp(Math.Ceiling(wait.TotalSeconds), 1, 3600)).ToString();
        }

        context.Response.Headers.CacheControl = "no-store";
        await WriteAsync(
            context, error.Status, ManagerJson.Default.ManagerErrorView,
            new ManagerErrorView(error.Message, error.Code, error.Details, operation)).ConfigureAwait(false);
    }

    private static ManagerException Translate(HttpContext context, string operation, Exception error)
    {
        switch (error)
        {
            case ManagerException known:
                return known;
            case ProblemException { Status: 413 or 415 or 400 } problem:
                return new ManagerException(problem.Status, problem.Reason.Replace('-', '_'), problem.Message);
            case BadHttpRequestException bad:
                return new ManagerException(bad.StatusCode, "bad_request", "The request cannot be read.");
            case AccountsUnavailableException:
                return new ManagerException(503, "vault_unavailable", "The token vault cannot be reached now. Try again soon.",
                    TimeSpan.FromSeconds(5));
            default:
                // The type and the place, not the text: texts of others may hold what they were given.
                var logger = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Berth.Edge.Vault");
                LogFailed(logger, operation, context.TraceIdentifier, error.GetType().Name, error.StackTrace);
                return new ManagerException(500, "internal", "Something went wrong inside. Tell an administrator when it was.");
        }
    }

    [LoggerMessage(5610, LogLevel.Error, "The call {Operation} failed (request {RequestId}): {Type} {Trace}")]
    private static partial void LogFailed(ILogger logger, string operation, string requestId, string type, string? trace);
}
