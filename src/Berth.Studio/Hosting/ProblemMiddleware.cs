using Berth.Studio.Identity;

namespace Berth.Studio.Hosting;

/// <summary>
/// Turns every failure of a request into one problem+json, or into an aborted connection when the answer has already begun.
/// </summary>
internal sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    /// <summary>Runs the rest of the pipeline.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (context.Response.StatusCode == StatusCodes.Status404NotFound && !context.Response.HasStarted)
            {
                throw new ProblemException(
                    404,
                    "no-such-page",
                    "There is nothing at this address.",
                    "No data was touched.",
                    "Check the address."
                );
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client went away: there is nobody to tell.
            context.Abort();
        }
        catch (Exception e) when (context.Response.HasStarted)
        {
            // A truncated answer must not look like a whole one.
            LogAborted(logger, context.Request.Method, context.Request.Path, e);
            context.Abort();
        }
        catch (ProblemException e)
        {
            await WriteAsync(context, e.Problem);
        }
        catch (BadHttpRequestException e)
        {
            await WriteAsync(
                context,
                new ProblemException(
                    e.StatusCode,
                    "bad-request",
                    "The request could not be read: " + e.Message,
                    "No file was changed.",
                    "Send it again."
                ).Problem
            );
        }
        catch (IdentityKeysUnavailableException)
        {
            context.Response.Headers.RetryAfter = "10";
            await WriteAsync(
                context,
                new ProblemException(
                    503,
                    "identity-keys-unavailable",
                    "Who you are cannot be checked now.",
                    "Nothing was shown and nothing was changed.",
                    "Try again in some seconds; if it stays, tell the people who run the platform that the workspace cannot reach the "
                        + "identity keys."
                ).Problem
            );
        }
        catch (Exception e)
        {
            LogFailed(logger, context.Request.Method, context.Request.Path, e);
            await WriteAsync(
                context,
                new ProblemException(
                    500,
                    "internal",
                    "The request failed inside the program.",
                    "A file that was being saved is as it was before.",
                    "Try again; the program's log has the cause."
                ).Problem
            );
        }
    }

    /// <summary>Answers with the problem.</summary>
    public static Task WriteAsync(HttpContext context, Problem problem)
    {
        context.Response.StatusCode = problem.Status;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.ContentDisposition = default;
        context.Response.Headers.ETag = default;
        context.Response.ContentLength = null;
        return context.Response.WriteAsJsonAsync(problem, StudioJson.Default.Problem, "application/problem+json", context.RequestAborted);
    }

    [LoggerMessage(1101, LogLevel.Error, "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, string method, PathString path, Exception exception);

    [LoggerMessage(1102, LogLevel.Warning, "{Method} {Path} was broken off in the middle of its answer")]
    private static partial void LogAborted(ILogger logger, string method, PathString path, Exception exception);
}
