using Berth.Studio.Identity;

namespace Berth.Studio.Hosting;

/// <summary>Nobody gets past without a valid identity, except to the probe and to the page's own static files.</summary>
internal sealed partial class IdentityMiddleware(RequestDelegate next, IdentityVerifier? verifier, ILogger<IdentityMiddleware> logger)
{
    private static readonly WorkspaceIdentity Anonymous = new()
    {
        ProviderIssuer = "local",
        Subject = "anonymous",
        Role = "owner",
        Name = "Anonymous (local development)",
    };

    /// <summary>Recognises the person, or answers 401.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path;
        if (path == HealthEndpoint.Path || StaticAssets.IsPublic(path))
        {
            await next(context);
            return;
        }

        try
        {
            context.Features.Set(verifier is null ? Anonymous : await VerifyAsync(verifier, context));
        }
        catch (IdentityException e)
        {
            LogRefused(logger, context.Request.Method, path, e.Message);
            throw new ProblemException(
                401,
                "identity-required",
                "This request does not carry a valid identity. " + e.Message,
                "Nothing was shown and nothing was changed.",
                "Open the workspace through the platform's own address and sign in there; if you are signed in, load the page again.",
                e
            );
        }

        await next(context);
    }

    private static ValueTask<WorkspaceIdentity> VerifyAsync(IdentityVerifier verifier, HttpContext context) =>
        context.Request.Headers[IdentityVerifier.HeaderName] switch
        {
            { Count: 0 } => throw new IdentityException($"The header {IdentityVerifier.HeaderName} is missing."),
            { Count: > 1 } => throw new IdentityException($"The header {IdentityVerifier.HeaderName} is there more than once."),
            var one => verifier.VerifyAsync(one.ToString(), context.RequestAborted),
        };

    [LoggerMessage(1201, LogLevel.Warning, "{Method} {Path} refused: {Reason}")]
    private static partial void LogRefused(ILogger logger, string method, PathString path, string reason);
}

/// <summary>Reads what <see cref="IdentityMiddleware"/> found.</summary>
internal static class IdentityOfRequest
{
    /// <summary>The person behind the request.</summary>
    public static WorkspaceIdentity Person(this HttpContext context) =>
        context.Features.Get<WorkspaceIdentity>() ?? throw new InvalidOperationException("The request has no identity.");

    /// <summary>The person behind the request, who must be allowed to change things.</summary>
    public static WorkspaceIdentity Writer(this HttpContext context) =>
        context.Person() is { CanWrite: true } person
            ? person
            : throw new ProblemException(
                403,
                "read-only",
                $"Your role here ({context.Person().Role}) may only look.",
                "Nothing was changed.",
                "Ask the workspace's owner for a role that may edit."
            );
}
