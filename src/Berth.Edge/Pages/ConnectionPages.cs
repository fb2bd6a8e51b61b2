using Berth.Accounts;

namespace Berth.Edge;

/// <summary>
/// The page on which people see the connections of this installation, and connect and disconnect them. It needs no script, and a button
/// posts a form with a token of the session.
/// </summary>
internal sealed class ConnectionPages(
    PageLayout layout, ConnectionProviders connections, UpstreamSettingsSet upstreams, ConsentFlow flow, ITokenVault vault,
    CsrfTokens csrf)
{
    /// <summary>Path of the page.</summary>
    public const string Path = "/connections";

    /// <summary>Path of the page with one connection in front.</summary>
    public static string PathOf(string connection) => $"{Path}?connection={connection}#{ConnectionHtml.Id(connection)}";

    /// <summary>The list.</summary>
    public async Task ListAsync(HttpContext context, Caller caller)
    {
        var (tokens, notice) = await TokensAsync(caller, context.RequestAborted).ConfigureAwait(false);
        var query = context.Request.Query;
        var named = query["connection"].ToString();
        var views = connections.Names.OrderByDescending(n => n == named).Select(n => View(n, tokens)).ToList();
        notice ??= Outcome(query, views);
        await layout.WriteAsync(context, new Page
        {
            Title = "Connections",
            Kind = "dashboard",
            NeedsScript = true,
            Body = Html.Of($"""
                <div class="head"><h1>Connections</h1></div>
                <p class="quiet">Programs that you run here can call these services for you, once you allow it. They never see your
                password, and programs in your workspaces do not see the access that you grant either.</p>
                {notice ?? Html.Empty}
                {ConnectionHtml.List(views, csrf.For(caller), vault is not UnconfiguredVault)}
                """),
        }).ConfigureAwait(false);
    }

    /// <summary>Begins a consent.</summary>
    public async Task ConnectAsync(HttpContext context, Caller caller, IFormCollection form)
    {
        string url;
        try
        {
            var name = (string)context.Request.RouteValues["name"]!;
            var (connection, provider) = flow.Connection(name);
            url = await flow.BeginAsync(
                caller, connection, provider, ManagerEndpoints.Purpose(form["purpose"].ToString()), PathOf(name).Split('#')[0],
                context.RequestAborted).ConfigureAwait(false);
        }
        catch (ConnectionException error)
        {
            throw Problem(error);
        }
        catch (AccountsUnavailableException error)
        {
            throw Unavailable(error);
        }

        // Not a redirect: browsers hold those that follow a form against form-action, and where a provider sends people on to is not
        // known.
        context.Response.Headers["Refresh"] = $"0; url={url}";
        var host = new Uri(url).Authority;
        await layout.WriteAsync(context, new Page
        {
            Title = "On to " + host,
            Kind = "message",
            Body = Html.Of($"""
                <article class="card center"><h1>On to {host}</h1><p>You are asked there whether you allow it, and come back here.</p>
                <div class="actions"><a class="button primary" href="{url}">Go on</a><a class="button" href="{Path}">Back</a></div>
                </article>
                """),
        }).ConfigureAwait(false);
    }

    /// <summary>Revokes a stored token of the caller's.</summary>
    public async Task DisconnectAsync(HttpContext context, Caller caller, IFormCollection form)
    {
        TokenRevocation? done = null;
        if (Guid.TryParseExact((string?)context.Request.RouteValues["id"], "D", out var id) && vault is not UnconfiguredVault)
        {
            try
            {
                done = await vault.RevokeAsync(id, ManagerEndpoints.Key(caller), dryRun: false, context.RequestAborted)
                    .ConfigureAwait(false);
            }
            catch (AccountsUnavailableException error)
            {
                throw Unavailable(error);
            }
        }

        if (done is null)
        {
            throw new ProblemException(404, "not-found", "Not found", "There is nothing of yours to disconnect at this address.");
        }

        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = Path;
    }

    // What a consent came back with. Texts of our own: an address can be made by anybody.
    private static Html? Outcome(IQueryCollection query, IReadOnlyList<ConnectionView> views)
    {
        if (Guid.TryParseExact(query["persistent_token_id"], "D", out var id)
            && views.FirstOrDefault(v => v.Tokens.Any(t => t.Id == id && t.State == StoredTokenState.Active)) is { } connected)
        {
            return Html.Of($"<div class=\"notice\" role=\"status\"><p>“{connected.Name}” is connected.</p></div>");
        }

        return query["error"].ToString() switch
        {
            "" => null,
            "consent-denied" => ConnectionHtml.Notice("You did not allow it. Nothing was stored."),
            "account-mismatch" => ConnectionHtml.Notice(
                "You allowed it with another account than the one you are signed in with here. Nothing was stored; sign in there as "
                    + "yourself."),
            "no-offline-access" => ConnectionHtml.Notice(
                "The provider grants nothing that lasts, so nothing was stored. Tell the people who run this service."),
            "provider-unavailable" => ConnectionHtml.Notice("The provider does not answer right now. Try again in a moment."),
            _ => ConnectionHtml.Notice("It did not work, and nothing was stored. Try again."),
        };
    }

    private static ProblemException Problem(ConnectionException error) =>
        new(error.Error.Status, error.Error.Code, "This did not work", error.Message, cause: error)
        {
            RetryAfter = error.Error.RetryAfter,
        };

    private static ProblemException Unavailable(AccountsUnavailableException error) => new(
        503, "vault-unavailable", "Not available right now", "What you have connected cannot be reached now. Try again in a moment.",
        cause: error)
    {
        RetryAfter = TimeSpan.FromSeconds(5),
    };

    private ConnectionView View(string name, IReadOnlyList<StoredToken> tokens)
    {
        var settings = connections.Find(name)!.Value.Settings;
        return new ConnectionView(
            name, new Uri(settings.Vault.Issuer).Authority, settings.Vault.Scopes, upstreams.Find(name)?.ProxyPath,
            [.. tokens.Where(t => t.Connection == name && t.State != StoredTokenState.Revoked)
                .OrderBy(t => t.Purpose, StringComparer.Ordinal)]);
    }

    private async Task<(IReadOnlyList<StoredToken> Tokens, Html? Notice)> TokensAsync(Caller caller, CancellationToken cancellationToken)
    {
        if (vault is UnconfiguredVault)
        {
            return ([], ConnectionHtml.Notice("This installation keeps no tokens, so nothing can be connected: an administrator has to "
                + "configure a vault."));
        }

        try
        {
            return (await vault.ListAsync(ManagerEndpoints.Key(caller), cancellationToken).ConfigureAwait(false), null);
        }
        catch (AccountsUnavailableException error)
        {
            throw Unavailable(error);
        }
    }
}

/// <summary>A connection as its person sees it.</summary>
/// <param name="Name">Name.</param>
/// <param name="Provider">Host of the provider.</param>
/// <param name="Scopes">What is asked for.</param>
/// <param name="ProxyPath">Path at which its API is called; null when it has none.</param>
/// <param name="Tokens">What the person granted and has not revoked.</param>
internal sealed record ConnectionView(
    string Name, string Provider, IReadOnlyList<string> Scopes, string? ProxyPath, IReadOnlyList<StoredToken> Tokens);
