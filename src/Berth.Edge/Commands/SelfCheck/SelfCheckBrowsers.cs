namespace Berth.Edge;

/// <summary>What pages of other origins can have a browser do.</summary>
internal static class SelfCheckBrowsers
{
    private const string Evil = "https://" + SelfCheckProbe.Foreign;
    private const string Cors = "take CORS headers out of the front proxy, and name single origins in Cors:Origins";
    private const string Origin = "let the edge see Origin, and route upgrades to it";

    private static readonly (string Name, string Value)[] Upgrade =
    [
        ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key",
            "YmVydGgtc2VsZmNoZWNrIQ=="),
    ];

    public static IReadOnlyList<SelfCheck> All { get; } =
    [
        new("cors-closed", "no leave for a foreign page", Cors, async p =>
        {
            foreach (var origin in (string[])[Evil, "null"])
            {
                var asked = await p.RequestAsync("OPTIONS", "/api/me", ("Origin", origin), ("Access-Control-Request-Method", "POST"),
                    ("Access-Control-Request-Headers", "authorization"));
                var read = await p.GetAsync("/api/me", ("Origin", origin));
                if (Allows(asked, origin) || Allows(read, origin))
                {
                    return SelfCheckVerdict.Of(false,
                        $"Access-Control-Allow-Origin: {(Allows(asked, origin) ? asked : read)["Access-Control-Allow-Origin"]}");
                }
            }

            return SelfCheckVerdict.Of(true, "none");
        }),
        // CVE-2023-26114.
        new("websocket-without-origin", "refused", Origin, async p => Refused(await p.WorkspaceAsync("GET", "/", [.. Upgrade,
            .. Cookie(p)]))),
        new("websocket-foreign-origin", "refused", Origin, async p =>
            Refused(await p.WorkspaceAsync("GET", "/", [.. Upgrade, .. Cookie(p), ("Origin", Evil)]))),
        // CVE-2024-28179.
        new("websocket-without-session", "refused", Origin, async p => Refused(await p.WorkspaceAsync("GET", "/",
            [.. Upgrade, ("Origin", (p.Target.Workspace ?? p.Target.Edge).GetLeftPart(UriPartial.Authority))])), SelfCheckNeeds.Workspace),
        new("upgrade-to-h2c", "not switched", "take h2c out of the front proxy", async p =>
        {
            var answer = await p.GetAsync("/tos", ("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings",
                "AAMAAABk"));
            return SelfCheckVerdict.Of(answer.Status != 101, $"{answer.Status}");
        }),
        new("workspace-without-session", "a page leads to the edge's sign-in, a script gets 401",
            "route workspaces' hosts to the edge, or ask it about each "
            + "request (ForwardAuth)", async p =>
        {
            var page = await p.WorkspaceAsync("GET", "/", ("Accept", "text/html"));
            var script = await p.WorkspaceAsync("GET", "/", ("Accept", "application/json"), ("Sec-Fetch-Mode", "cors"));
            var leads = page["Location"].StartsWith(p.Target.Edge.GetLeftPart(UriPartial.Authority) + "/",
                StringComparison.OrdinalIgnoreCase);
            return SelfCheckVerdict.Of(page.Status is 302 or 303 && leads && script.Status == 401,
                $"{page.Status} {page["Location"]}, and {script.Status}".Replace("  ", " ", StringComparison.Ordinal));
        }, SelfCheckNeeds.Workspace),
        new("cookie-good", "200", "give the Cookie header of a browser that is signed in", async p =>
        {
            var answer = await p.GetAsync("/api/me", ("Cookie", p.Target.Cookie!));
            return SelfCheckVerdict.Of(answer.Status == 200, $"{answer.Status}");
        }, SelfCheckNeeds.Cookie),
        new("cookie-changed", "401", "update the edge", p => SelfCheckHeaders.StatusAsync(
            p, 401, "/api/me", [("Cookie", SelfCheckTokens.Changed(p.Target.Cookie!))]), SelfCheckNeeds.Cookie),
        new("cookie-of-another-site", "not a session for what another page pulls in; changes refused",
            "let the edge see Origin and Sec-Fetch-Site", async p =>
        {
            // Nothing is there to be changed, so that nothing is where the cookie should count.
            var read = await p.GetAsync("/api/me", ("Cookie", p.Target.Cookie!), ("Origin", Evil), ("Sec-Fetch-Site", "cross-site"),
                ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty"));
            var change = await p.RequestAsync("POST", "/api/selfcheck-nothing", ("Cookie", p.Target.Cookie!), ("Origin", Evil),
                ("Content-Length", "0"));
            return SelfCheckVerdict.Of(read.Status is 401 or 403 && change.Status is 401 or 403,
                $"{read.Status}, and {change.Status} for a change");
        }, SelfCheckNeeds.Cookie),
        // CVE-2025-48947.
        new("pages-of-a-session", "Cache-Control: no-store", "let no front proxy or CDN cache or change the edge's answers", async p =>
        {
            var answer = await p.GetAsync("/dashboard", ("Cookie", p.Target.Cookie!), ("Accept", "text/html"));
            return SelfCheckVerdict.Of(answer["Cache-Control"].Contains("no-store", StringComparison.OrdinalIgnoreCase),
                $"{answer.Status} with '{answer["Cache-Control"]}'");
        }, SelfCheckNeeds.Cookie),
        new("workspace-cookie-of-another-site", "refused", "let the edge see Origin and Sec-Fetch-Site", async p =>
        {
            var answer = await p.WorkspaceAsync("GET", "/", ("Cookie", p.Target.WorkspaceCookie!), ("Accept", "*/*"), ("Sec-Fetch-Site",
                "same-site"),
                ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "script"));
            return SelfCheckVerdict.Of(answer.Status is >= 400 and < 500, $"{answer.Status}");
        }, SelfCheckNeeds.Workspace | SelfCheckNeeds.WorkspaceCookie),
    ];

    private static bool Allows(RawAnswer answer, string origin) => answer["Access-Control-Allow-Origin"] is var allowed
        && (allowed == origin || allowed == "*" || answer["Access-Control-Allow-Credentials"].Length > 0);

    private static (string Name, string Value)[] Cookie(SelfCheckProbe probe) =>
        probe.Target.WorkspaceCookie is { } cookie ? [("Cookie", cookie)] : [];

    private static SelfCheckVerdict Refused(RawAnswer answer) => SelfCheckVerdict.Of(answer.Status is >= 400 and < 500, $"{answer.Status}");
}
