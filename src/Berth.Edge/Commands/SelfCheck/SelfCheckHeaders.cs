namespace Berth.Edge;

/// <summary>Headers that say who somebody is or where a request came from, sent by somebody who may not say so.</summary>
internal static class SelfCheckHeaders
{
    private const string Underscores =
        "have the front proxy reject them (Traefik: underscoreHeadersStrategy: reject); applications read X_Y as X-Y";

    private const string Trust = "have the front proxy replace X-Forwarded headers, and name only its own network in TrustedProxies";

    public static IReadOnlyList<SelfCheck> All { get; } =
    [
        // CVE-2025-64484, CVE-2026-39858.
        new("header-with-underscore", "refused", Underscores, p => p.RefusedAsync(
            ("X_Forwarded_User", "GET /tos HTTP/1.1\r\n@X_Forwarded_User: admin\r\nConnection: close\r\n\r\n"),
            ("X_Workspace_Identity", "GET /tos HTTP/1.1\r\n@X_Workspace_Identity: admin\r\nConnection: close\r\n\r\n"),
            ("X_Forwarded_Proto", "GET /tos HTTP/1.1\r\n@X_Forwarded_Proto: http\r\nConnection: close\r\n\r\n"))),
        new("header-name-with-space", "refused", "put a server in front that keeps to RFC 9112, 5.1", p => p.RefusedAsync(
            ("a space before the colon", "GET /tos HTTP/1.1\r\n@X-Forwarded-User : admin\r\nConnection: close\r\n\r\n"))),
        new("identity-header", "401, whoever the header names",
            "let the edge, and nothing behind a front proxy alone, decide who somebody is",
            p => StatusAsync(p, 401, "/api/me",
                [("X-Workspace-Identity", "e30.e30.e30")], [("X-Forwarded-User", "admin")], [("Remote-User", "admin")],
                [("X-Forwarded-Email", "admin@example.com")])),
        // CVE-2024-45410: a hop-by-hop list that takes the proxy's own headers out.
        new("connection-names-header", "refused, or answered as without it", "update the front proxy: CVE-2024-45410", async p =>
        {
            var plain = await p.GetAsync("/api/me");
            var named = await p.GetAsync("/api/me", ("Connection", "close, X-Forwarded-Host, X-Forwarded-For, X-Workspace-Identity, Host"));
            return SelfCheckVerdict.Of(named.Status == plain.Status || named.Status is >= 400 and < 500 && plain.Status >= 400,
                $"{named.Status}");
        }),
        // CVE-2026-40575, GHSA-7rh7-c77v-6434.
        new("forwarded-path", "401: paths of headers and queries decide nothing", Trust, p => StatusAsync(p, 401, "/api/me?path=/tos",
            [("X-Forwarded-Uri", "/tos")], [("X-Original-URL", "/tos")], [("X-Rewrite-URL", "/tos")],
            [("X-Forwarded-Prefix", "/tos"), ("X-Forwarded-Method", "OPTIONS")])),
        new("forwarded-host", "answered as without it", Trust, async p =>
        {
            var plain = await p.GetAsync("/login", ("Accept", "text/html"));
            var forged = await p.GetAsync("/login", ("Accept", "text/html"), ("X-Forwarded-Host", SelfCheckProbe.Foreign));
            return SelfCheckVerdict.Of(forged.Status == plain.Status && !forged.Mentions(SelfCheckProbe.Foreign),
                forged.Mentions(SelfCheckProbe.Foreign) ? $"{forged.Status}, which names the forged host" : $"{forged.Status}");
        }),
        new("forwarded-for", "answered as without it", Trust, async p =>
        {
            // Who believes it has to read it, and cannot.
            var plain = await p.GetAsync("/tos");
            var forged = await p.GetAsync("/tos", ("X-Forwarded-For", "no-address"), ("X-Forwarded-Proto", "gopher"));
            return SelfCheckVerdict.Of(forged.Status == plain.Status, $"{forged.Status}");
        }),
        // GHSA-5hvv-m4w4-gf6v: a health check's name opened every path.
        new("health-check-user-agent", "401: no User-Agent opens anything", "take exceptions for health checks out of the front proxy", p =>
            StatusAsync(p, 401, "/api/me",
                [("User-Agent", "kube-probe/1.33")], [("User-Agent", "GoogleHC/1.0")], [("User-Agent", "ELB-HealthChecker/2.0")])),
        new("headers-too-large", "refused", "limit headers at the front proxy to 64 KiB", p => p.RefusedAsync(
            ("80 KiB of headers", $"GET /tos HTTP/1.1\r\n@X-Large: {new string('a', 80 * 1024)}\r\nConnection: close\r\n\r\n"))),
    ];

    /// <summary>Whether the same status comes for each set of headers; the first other one is told.</summary>
    public static async Task<SelfCheckVerdict> StatusAsync(
        SelfCheckProbe probe, int expected, string path, params (string Name, string Value)[][] headers)
    {
        foreach (var set in headers)
        {
            var answer = await probe.GetAsync(path, set);
            if (answer.Status != expected && !(answer.Status is >= 400 and < 500))
            {
                return SelfCheckVerdict.Of(false, $"{answer.Status} with {set[0].Name}: {set[0].Value}");
            }
        }

        return SelfCheckVerdict.Of(true, $"{expected}");
    }
}
