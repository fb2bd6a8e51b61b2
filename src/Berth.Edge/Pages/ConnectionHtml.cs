using Berth.Accounts;

namespace Berth.Edge;

/// <summary>How connections look; pure functions.</summary>
internal static class ConnectionHtml
{
    /// <summary>Id of a connection's element.</summary>
    public static string Id(string connection) => "c-" + connection;

    /// <summary>A notice that something is wrong.</summary>
    public static Html Notice(string text) => Html.Of($"<div class=\"notice bad\" role=\"alert\"><p>{text}</p></div>");

    /// <summary>All connections.</summary>
    public static Html List(IReadOnlyList<ConnectionView> connections, string csrf, bool canConnect) => connections.Count == 0
        ? Html.Of($"""
            <article class="card center"><h2>No connections are configured</h2>
            <p class="quiet">An administrator decides which services can be called from here.</p></article>
            """)
        : Html.Join(connections.Select(c => Card(c, csrf, canConnect)));

    private static Html Card(ConnectionView connection, string csrf, bool canConnect)
    {
        var api = connection.ProxyPath is { } path
            ? Html.Of($"<p class=\"small\">Its API is called at <code>{path}/…</code></p>") : Html.Empty;
        var isGeneral = connection.Tokens.Any(t => t.Purpose.Length == 0);
        var connect = canConnect && !isGeneral
            ? Html.Of($"<div class=\"actions\">{Connect(connection.Name, "", "Connect", csrf)}</div>") : Html.Empty;
        return Html.Of($"""
            <article class="card workspace" id="{Id(connection.Name)}">
            <header><h2>{connection.Name}</h2>{Badge(connection)}<span class="quiet small">{connection.Provider}</span></header>
            <p class="quiet small">Asks for: {string.Join(", ", connection.Scopes)}</p>{api}
            {Html.Join(connection.Tokens.Select(t => Token(t, csrf)))}{connect}
            </article>
            """);
    }

    private static Html Badge(ConnectionView connection)
    {
        var (word, kind) = connection.Tokens switch
        {
            [] => ("Not connected", ""),
            var tokens when tokens.Any(t => t.State == StoredTokenState.NeedsConsent) => ("Allow it again", "bad"),
            _ => ("Connected", "good"),
        };
        return Html.Of($"<span class=\"badge {kind}\" role=\"status\">{word}</span>");
    }

    private static Html Token(StoredToken token, string csrf)
    {
        var at = token.CreatedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm");
        var purpose = token.Purpose.Length > 0 ? Html.Of($" for “{token.Purpose}”") : Html.Empty;
        var ended = token.State == StoredTokenState.NeedsConsent;
        var why = ended ? Html.Of($"<p>{Why(token.Cause)}</p>") : Html.Empty;
        var again = ended ? Connect(token.Connection, token.Purpose, "Connect again", csrf) : Html.Empty;
        return Html.Of($"""
            {why}<p class="small">Allowed {at} (UTC){purpose}; id of the stored token: <code>{token.Id.ToString()}</code></p>
            <div class="actions">{again}<form method="post" action="{ConnectionPages.Path}/{token.Id.ToString()}/disconnect">
            <input type="hidden" name="csrf" value="{csrf}"><button class="danger">Disconnect</button></form></div>
            """);
    }

    private static Html Connect(string connection, string purpose, string label, string csrf) => Html.Of($"""
        <form method="post" action="{ConnectionPages.Path}/{connection}/connect"><input type="hidden" name="csrf" value="{csrf}">
        <input type="hidden" name="purpose" value="{purpose}"><button class="primary">{label}</button></form>
        """);

    private static string Why(ReconsentCause cause) => cause switch
    {
        ReconsentCause.Refused => "The provider does not accept any more what you allowed: it was withdrawn there, or has expired.",
        ReconsentCause.RotationLost or ReconsentCause.Interrupted => "An answer of the provider got lost, and with it the access.",
        ReconsentCause.ConnectionChanged => "The connection was changed by an administrator since you allowed it.",
        ReconsentCause.Unreadable => "What was stored cannot be read any more. Tell the people who run this service.",
        _ => "What you allowed does not work any more.",
    };
}
