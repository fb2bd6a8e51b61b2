using Berth.Accounts;

namespace Berth.Edge;

/// <summary>What is the same for every call of the API: who is asking, and problems as documents.</summary>
internal static partial class ApiPipeline
{
    /// <summary>Runs a route.</summary>
    public static async Task RunAsync(HttpContext context, ApiRoute route)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (context.GetCaller() is not { } caller)
        {
            await UnauthenticatedAsync(context).ConfigureAwait(false);
            return;
        }

        try
        {
            await route.Handler(context.RequestServices.GetRequiredService<ApiHandlers>())(context, caller).ConfigureAwait(false);
        }
        catch (ProblemException problem) when (!context.Response.HasStarted)
        {
            await Problems.WriteAsync(context, problem).ConfigureAwait(false);
        }
        catch (AccountsUnavailableException error) when (!context.Response.HasStarted)
        {
            await Problems.WriteAsync(context, new ProblemException(503, "accounts-unavailable", "Accounts cannot be reached now",
                "The database of accounts does not answer. What needs no database goes on; try this again in a few seconds.", cause: error)
            {
                RetryAfter = TimeSpan.FromSeconds(5),
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client went away; nobody reads an answer.
        }
        catch (BadHttpRequestException error) when (!context.Response.HasStarted)
        {
            await Problems.WriteAsync(context, new ProblemException(error.StatusCode, "bad-request", "The request cannot be read",
                error.Message))
                .ConfigureAwait(false);
        }
        catch (Exception error) when (!context.Response.HasStarted)
        {
            var logger = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Berth.Edge.Api");
            LogFailed(logger, route.OperationId, context.TraceIdentifier, error);
            await Problems.WriteAsync(context, new ProblemException(500, "internal", "Something went wrong inside",
                "The request failed for a reason that is not yours. Tell an administrator the request id.")).ConfigureAwait(false);
        }
    }

    /// <summary>Answers a path below /api that is no route, or a method that the path does not have.</summary>
    public static Task UnknownAsync(HttpContext context) =>
        Problems.WriteAsync(context, new ProblemException(404, "not-found", "There is nothing here",
        "No call of the API has this method and path; /openapi/v1.json lists them."));

    private static Task UnauthenticatedAsync(HttpContext context)
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

    [LoggerMessage(5201, LogLevel.Error, "The API call {Operation} failed (request {RequestId}).")]
    private static partial void LogFailed(ILogger logger, string operation, string requestId, Exception error);
}
