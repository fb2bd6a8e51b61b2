namespace Berth.Edge;

/// <summary>GET /auth/workspace?host=…&amp;return=…&amp;hop=…: carries the session of the edge origin to a workspace's host.</summary>
internal sealed class WorkspaceHopEndpoint(
    EdgeSettings settings,
    SessionCookies cookies,
    WorkspaceTickets tickets,
    IWorkspaceDirectory directory,
    ISessionState state,
    IEdgePages pages,
    TimeProvider clock
)
{
    /// <summary>Its path.</summary>
    public const string Path = "/auth/workspace";

    /// <summary>Path on workspace hosts that takes the ticket.</summary>
    public const string SessionPath = "/.berth/session";

    /// <summary>Answers the request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var query = context.Request.Query;
        if (
            !QueryParameters.TrySingle(query, "host", 253, out var host)
            || !QueryParameters.TrySingle(query, "return", 4096, out var wanted)
            || !QueryParameters.TrySingle(query, "hop", 64, out var hop)
            || host is null
            || HostNames.Canonicalise(host) != host
            || !HostNames.IsOneLabelBelow(host, settings.WorkspaceDomain, out _)
        )
        {
            await pages.WriteAsync(context, EdgeMessages.BadRequest("The address of the workspace cannot be read."));
            return;
        }

        var path = ReturnTargets.CleanWorkspacePath(wanted);
        var canonical = context.GetCanonical();
        if (context.State().Session is not { } session)
        {
            // Every host gets the same answer until the person is known: a stranger learns nothing of which workspaces exist.
            var back = $"{Path}?host={host}&return={Uri.EscapeDataString(path)}" + (hop is null ? "" : $"&hop={Uri.EscapeDataString(hop)}");
            if (canonical.IsNavigation)
            {
                LoginEndpoint.Redirect(context, LoginEndpoint.LoginUrl(back));
            }
            else
            {
                await pages.WriteAsync(context, EdgeMessages.SignInRequired(LoginEndpoint.LoginUrl(back)));
            }

            return;
        }

        var caller = cookies.ToCaller(session);
        directory.TryFindByHost(host, out var entry);
        var decision = Authorizer.Decide(caller, entry, AccessRequest.Page, clock.GetUtcNow());
        if (decision is { Kind: AccessKind.Forbidden, Reason: DenyReason.StepUp })
        {
            await StepUpRequired.WriteAsync(context, pages, caller, settings.WorkspaceAddress(host) + path, settings);
            return;
        }

        if (decision.Kind != AccessKind.Allow)
        {
            await pages.WriteAsync(
                context,
                entry is null ? EdgeMessages.NoWorkspace(settings)
                    : EdgeMessages.Forbidden(caller, decision.Explanation, settings)
            );
            return;
        }

        state.Enter(session.Key, entry!.Name, clock.GetUtcNow());

        // Without a hop the browser did not come from the workspace's host: it goes there first, and is sent back here with one.
        var address = settings.WorkspaceAddress(host);
        LoginEndpoint.Redirect(
            context,
            hop is null ? address + path : $"{address}{SessionPath}?ticket={tickets.Issue(host, hop, path, session)}"
        );
    }
}
