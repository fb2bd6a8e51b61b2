using System.Text;

namespace Berth.Edge;

/// <summary>The frame of every page of the edge, on its own origin and on workspace hosts.</summary>
internal sealed class PageLayout(EdgeAssets assets, PageOptions options, EdgeOptions edge, ConnectionProviders connections)
{
    // One policy for all pages: nothing inline, nothing from elsewhere, no framing. On a workspace's host the style sheet and the script
    // still come from the edge: a person who may not use the workspace gets nothing from its host, and the page that says so should be
    // readable.
    private readonly string _ownPolicy = Policy("'self'");
    private readonly string _workspacePolicy = Policy(edge.PublicOrigin);

    /// <summary>Writes a page.</summary>
    public async Task WriteAsync(HttpContext context, Page page)
    {
        var response = context.Response;
        response.StatusCode = page.Status;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentSecurityPolicy = IsEdge(context) ? _ownPolicy : _workspacePolicy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.XFrameOptions = "DENY";

        // Not no-referrer: it would make the Origin of the forms "null", which the same-origin check refuses.
        response.Headers["Referrer-Policy"] = "same-origin";
        await StatedBody.WriteAsync(context, Encoding.UTF8.GetBytes(Render(context, page).ToString())).ConfigureAwait(false);
    }

    /// <summary>Origin of the edge, for links from workspace hosts; empty on the edge itself.</summary>
    public string EdgeOrigin(HttpContext context) => IsEdge(context) ? "" : edge.PublicOrigin;

    private static bool IsEdge(HttpContext context) => context.State().Canonical?.HostKind == HostKind.Edge;

    private static string Policy(string assets) => $"default-src 'none'; style-src {assets}; script-src {assets}; img-src {assets}; "
        + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private Html Render(HttpContext context, Page page)
    {
        var origin = EdgeOrigin(context);
        var folder = origin + "/assets/";
        var refresh = page.RefreshSeconds is { } seconds
            ? Html.Of($"<noscript><meta http-equiv=\"refresh\" content=\"{seconds}\"></noscript>") : Html.Empty;
        var script = page.NeedsScript ? Html.Of($"<script src=\"{folder}{assets.Script}\" defer></script>") : Html.Empty;
        return Html.Of($"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>{page.Title} · {options.ProductName}</title>
            <link rel="icon" href="{folder}{assets.Icon}" type="image/svg+xml">
            <link rel="stylesheet" href="{folder}{assets.Style}">
            {script}{refresh}
            </head>
            <body class="{page.Kind}">
            <a class="skip" href="#content">Skip to the content</a>
            <header class="bar"><a class="brand" href="{origin}/">
            <img src="{folder}{assets.Icon}" alt="" width="26" height="26">{options.ProductName}</a>{Menu(context, origin)}</header>
            <main id="content">{page.Body}</main>
            <footer><nav aria-label="About"><a href="{origin}/tos">Terms</a><a href="{origin}/privacy">Privacy</a>{Support()}</nav>
            <span class="request">Request {context.TraceIdentifier}</span></footer>
            </body>
            </html>
            """);
    }

    private Html Menu(HttpContext context, string origin) => context.GetCaller() is { } caller
        ? Html.Of($"""
            <nav class="menu" aria-label="Account"><a href="{origin}/dashboard">Workspaces</a>{Connections(origin)}
            <a href="{origin}{TokenPages.Path}">Tokens</a>
            <span class="person" title="{caller.Email ?? caller.Subject}">{caller.DisplayName}</span>
            <a href="{origin}/logout">Sign out</a></nav>
            """)
        : Html.Of($"""<nav class="menu" aria-label="Account"><a href="{origin}/login">Sign in</a></nav>""");

    private Html Connections(string origin) =>
        connections.Names.Any() ? Html.Of($"<a href=\"{origin}{ConnectionPages.Path}\">Connections</a>") : Html.Empty;

    private Html Support() => options.SupportUrl is { } url ? Html.Of($"<a href=\"{url}\">Help</a>") : Html.Empty;
}

/// <summary>A page to be written.</summary>
internal sealed record Page
{
    /// <summary>HTTP status. The default is 200.</summary>
    public int Status { get; init; } = 200;

    /// <summary>Title, without the product's name.</summary>
    public required string Title { get; init; }

    /// <summary>Contents of the main element.</summary>
    public required Html Body { get; init; }

    /// <summary>Class of the body, for the style sheet.</summary>
    public string Kind { get; init; } = "text";

    /// <summary>Whether the page uses the script; it works without.</summary>
    public bool NeedsScript { get; init; }

    /// <summary>Reload after this time where there is no script.</summary>
    public int? RefreshSeconds { get; init; }
}
