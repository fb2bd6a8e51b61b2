namespace Berth.Edge;

/// <summary>Request targets, hosts and methods that can be read in more than one way.</summary>
internal static class SelfCheckTargets
{
    private const string Paths = "leave the encoded characters of paths alone in the front proxy (Traefik: no allowEncoded…), and "
        + "let the edge see them";
    private const string Hosts = "route by exact host names in the front proxy, and let the edge refuse the rest";

    public static IReadOnlyList<SelfCheck> All { get; } =
    [
        // GHSA-pxq7-h93f-9jrg, CVE-2023-45539.
        new("fragment-in-target", "refused", Paths, p => p.RefusedAsync(("#", Get("/tos#/../api/me")))),
        // CVE-2025-66490.
        new("encoded-separators", "refused", Paths, p => p.RefusedAsync([.. ((string[])
            [
                "/x%2f..%2ftos", "/x%2F..%2Ftos", "/x%252f..%252ftos", "/x%5c..%5ctos", "/tos%00", "/tos%23", "/tos%3fa=b", "/tos%0d%0a",
            ]).Select(t => (t, Get(t)))])),
        new("encoded-dots", "refused", Paths, p => p.RefusedAsync([.. ((string[])
            ["/x/%2e%2e/tos", "/x/%2E%2E/tos", "/x/.%2e/tos", "/%2e/tos"]).Select(t => (t, Get(t)))])),
        // Dots may be taken away by a proxy; what is left then must not open what needs a sign-in.
        new("dot-segments", "refused, or 401 as for the path they lead to", Paths, p => p.RefusedAsync([.. ((string[])
            ["/tos/../api/me", "/assets/../api/me", "/tos/..;/api/me", "/./api/me"]).Select(t => (t, Get(t)))])),
        new("backslash-in-path", "refused", Paths, p => p.RefusedAsync(("\\", Get("/x\\..\\tos")))),
        new("path-of-two-slashes", "no way to another host", Paths, async p =>
        {
            var answer = await p.GetAsync($"//{SelfCheckProbe.Foreign}/%2e%2e");
            var more = await p.GetAsync($"//{SelfCheckProbe.Foreign}/");
            return SelfCheckVerdict.Of(!LeadsAway(answer) && !LeadsAway(more), $"{answer.Status} {answer["Location"]}".Trim());
        }),
        new("absolute-target", "refused", Hosts, p => p.RefusedAsync(
            ("a foreign host in it", $"GET http://{SelfCheckProbe.Foreign}/tos HTTP/1.1\r\n@Connection: close\r\n\r\n"),
            ("no path", "GET * HTTP/1.1\r\n@Connection: close\r\n\r\n"))),
        new("two-hosts", "refused", Hosts, p => p.RefusedAsync(
            ("two Host headers", $"GET /tos HTTP/1.1\r\n@Host: {SelfCheckProbe.Foreign}\r\nConnection: close\r\n\r\n"))),
        new("unknown-host", "refused", Hosts, p => p.RefusedAsync(
            ("a foreign Host", Host(p, SelfCheckProbe.Foreign)), ("no Host", $"GET /tos HTTP/1.1\r\n{p.Marker}Connection: close\r\n\r\n"),
            ("a user in Host", Host(p, $"{p.Target.Edge.Host}@{SelfCheckProbe.Foreign}")))),
        new("trace", "refused, nothing read back", "refuse TRACE at the front proxy", async p =>
        {
            var answer = await p.RequestAsync("TRACE", "/tos", ("X-Selfcheck-Secret", "read-back"));
            return SelfCheckVerdict.Of(answer.Status >= 400 && !answer.Mentions("read-back"), $"{answer.Status}");
        }),
        new("connect", "refused", "refuse CONNECT at the front proxy", p => p.RefusedAsync(
            ("CONNECT", $"CONNECT {SelfCheckProbe.Foreign}:443 HTTP/1.1\r\nHost: {SelfCheckProbe.Foreign}:443\r\n{p.Marker}\r\n"))),
    ];

    /// <summary>Whether an answer sends its reader to the foreign host.</summary>
    public static bool LeadsAway(RawAnswer answer)
    {
        var location = answer["Location"].Replace('\\', '/').TrimStart('\t', ' ');
        return Uri.TryCreate(location.StartsWith("//", StringComparison.Ordinal) ? "http:" + location : location, UriKind.Absolute,
            out var uri)
            && uri.Host.EndsWith(SelfCheckProbe.Foreign, StringComparison.OrdinalIgnoreCase);
    }

    private static string Get(string target) => $"GET {target} HTTP/1.1\r\n@Connection: close\r\n\r\n";

    private static string Host(SelfCheckProbe probe, string host) =>
        $"GET /tos HTTP/1.1\r\nHost: {host}\r\n{probe.Marker}Connection: close\r\n\r\n";
}
