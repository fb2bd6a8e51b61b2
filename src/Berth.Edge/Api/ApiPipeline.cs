using Berth.Accounts;

namespace Berth.Edge;

/// <summary>What is the same for every call of the API and of the token manager: who is asking, and what may go wrong.</summary>
internal static partial class ApiPipeline
{
    /// <summary>Runs a call.</summary>
    /// <param name="context">The request.</param>
    /// <param name="operation">The operation, as in the OpenAPI document.</param>
    /// <param name="form">How its errors are written.</param>
    /// <param name="handler">Answers it, or throws <see cref="ProblemException"/> or <see cref="ConnectionException"/>.</param>
    public static async Task RunAsync(HttpContext context, string operation, ErrorForm form, Func<HttpContext, Caller, Task> handler)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (context.GetCaller() is not { } caller)
        {
            await form.WriteNotAuthenticatedAsync(context, operation).ConfigureAwait(false);
            return;
        }

        try
        {
            await handler(context, caller).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client went away; nobody reads an answer.
        }
        catch (Exception error) when (!context.Response.HasStarted)
        {
            await WriteAsync(context, operation, form, error).ConfigureAwait(false);
        }
    }

    /// <summary>Answers a path below /api that is no route, or a method that the path does not have.</summary>
    public static Task UnknownAsync(HttpContext context) =>
        Problems.WriteAsync(context, new ProblemException(404, "not-found", "There is nothing here",
        "No call of the API has this method and path; /openapi/v1.json lists them."));

    private static Task WriteAsync(HttpContext context, string operation, ErrorForm form, Exception error)
    {
        switch (error)
        {
            case ConnectionException known:
                return form.WriteAsync(context, operation, known.Error);
            case ProblemException problem:
                return form.WriteAsync(context, operation, problem);
            case AccountsUnavailableException away:
                return form.WriteUnavailableAsync(context, operation, away);
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return form.WriteAsync(context, operation, new ProblemException(413, "body-too-large", "The body is too large",
                    $"A request of the API has at most {ApiRequest.MaximumBody / 1024} KiB."));
            case BadHttpRequestException bad:
                return form.WriteAsync(
                    context, operation, new ProblemException(bad.StatusCode, "bad-request", "The request cannot be read", bad.Message));
        }

        var logger = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Berth.Edge.Api");
        if (form.LogsText)
        {
            LogFailed(logger, operation, context.TraceIdentifier, error);
        }
        else
        {
            LogFailedInPlace(logger, operation, context.TraceIdentifier, error.GetType().Name, error.StackTrace);
        }

        return form.WriteAsync(context, operation, new ProblemException(500, "internal", "Something went wrong inside",
            "The request failed for a reason that is not yours. Tell an administrator the request id."));
    }

    [LoggerMessage(5201, LogLevel.Error, "The API call {Operation} failed (request {RequestId}).")]
    private static partial void LogFailed(ILogger logger, string operation, string requestId, Exception error);

    [LoggerMessage(5202, LogLevel.Error, "The API call {Operation} failed (request {RequestId}): {Type} {Trace}")]
    private static partial void LogFailedInPlace(ILogger logger, string operation, string requestId, string type, string? trace);
}
