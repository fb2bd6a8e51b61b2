using Berth.Accounts;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>Finds out who calls the proxy: a bearer token, a workspace's own token, or (where a connection wants it) the session.</summary>
internal sealed class UpstreamAuthenticator(
    BearerAuthenticator bearer, SessionCookies cookies, WorkspaceTokenReview reviews, WorkspaceWatch watch, WorkspaceOptions workspaces,
    IAccountStore accounts, EdgeSettings edge, TimeProvider clock)
{
    private const string Scheme = "Bearer ";

    /// <summary>Authenticates a request.</summary>
    /// <returns>The caller, or why there is none.</returns>
    public async ValueTask<(Caller? Caller, ConnectionError? Error)> AuthenticateAsync(
        HttpContext context, CanonicalRequest request, UpstreamSettings? settings)
    {
        var header = context.Request.Headers.Authorization;
        if (header.Count > 1)
        {
            return (null, UpstreamErrors.BadRequest);
        }

        var (caller, error) = header.Count == 1
            ? await WithTokenAsync(header.ToString(), request, context.RequestAborted).ConfigureAwait(false)
            : await WithCookieAsync(context, request, settings).ConfigureAwait(false);
        return caller is not null && accounts.Revocations.IsDisabled(new PersonKey(caller.Issuer, caller.Subject))
            ? (null, UpstreamErrors.Disabled)
            : (caller, error);
    }

    /// <summary>Whether the template of the caller's workspace opens a connection; other callers need no template.</summary>
    public bool IsOpenTo(Caller caller, string connection) => caller.Workspace is not { } name
        || (watch.Find(name) is { } workspace && watch.TemplateOf(workspace)?.Spec.Connections?.Contains(connection) == true);

    private async ValueTask<(Caller? Caller, ConnectionError? Error)> WithTokenAsync(
        string header, CanonicalRequest request, CancellationToken cancellationToken)
    {
        var token = header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim(' ') : "";
        if (WorkspaceToken.Claims(token))
        {
            return await WithWorkspaceAsync(token, cancellationToken).ConfigureAwait(false);
        }

        // Under the name of the Service only workspaces call; people's tokens are for the public origin.
        if (request.HostKind != HostKind.Edge)
        {
            return (null, UpstreamErrors.InvalidToken);
        }

        var (caller, error) = await bearer.AuthenticateScopedAsync(header, cancellationToken).ConfigureAwait(false);
        return (caller, caller is not null ? null
            : error == TokenError.Unverifiable ? UpstreamErrors.CannotVerify : UpstreamErrors.InvalidToken);
    }

    private async ValueTask<(Caller? Caller, ConnectionError? Error)> WithWorkspaceAsync(string token, CancellationToken cancellationToken)
    {
        // Looked up before the API server is asked: whoever makes tokens up would have to know the uid of a pod that runs.
        var now = clock.GetUtcNow();
        if (WorkspaceToken.Read(token, now) is not { } says || says.Namespace != workspaces.Namespace
            || watch.FindByPod(says.PodUid, says.PodName) is not { } workspace)
        {
            return (null, UpstreamErrors.InvalidToken);
        }

        switch (await reviews.ReviewAsync(token, says, cancellationToken).ConfigureAwait(false))
        {
            case ReviewOutcome.Bad:
                return (null, UpstreamErrors.InvalidToken);
            case ReviewOutcome.Unknown:
                return (null, UpstreamErrors.CannotVerify);
        }

        var owner = workspace.Spec.Owner;
        return IsRunning(workspace) && edge.Issuers.Any(i => i.Issuer == owner.Issuer)
            ? (new Caller
            {
                Kind = CallerKind.Workspace,
                Issuer = owner.Issuer,
                Subject = owner.Subject,
                Workspace = workspace.Metadata.Name,
                ExpiresAt = says.ExpiresAt,
            }, null)
            : (null, UpstreamErrors.WorkspaceNotRunning);
    }

    private static bool IsRunning(UserWorkspace workspace) => workspace.Metadata.DeletionTimestamp is null
        && workspace.Spec.DesiredState == DesiredStates.Running
        && workspace.Spec.Administration?.Frozen != true;

    private async ValueTask<(Caller? Caller, ConnectionError? Error)> WithCookieAsync(
        HttpContext context, CanonicalRequest request, UpstreamSettings? settings)
    {
        if (settings?.AllowSessionCookie != true || request.HostKind != HostKind.Edge
            || await cookies.ReadAsync(context, request).ConfigureAwait(false) is not { } session)
        {
            return (null, UpstreamErrors.NotAuthenticated);
        }

        return IsScriptOfOurs(context.Request.Headers) ? (cookies.ToCaller(session), null) : (null, UpstreamErrors.CrossSite);
    }

    // Reads too: what an API answers is not for other workspaces' pages to pull in, and not for a frame, an image or a service worker.
    private bool IsScriptOfOurs(IHeaderDictionary headers) => SameOrigin.IsProven(headers, edge.PublicOrigin)
        && (headers["Sec-Fetch-Dest"].Count == 0 || headers["Sec-Fetch-Dest"] == "empty") && !headers.ContainsKey("Service-Worker");
}
