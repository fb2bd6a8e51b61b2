namespace Berth.Edge.Tests.Commands;

/// <summary>For each check what somebody answers who is weak there, and there only.</summary>
internal static class SelfCheckWeakness
{
    private const string Foreign = SelfCheckProbe.Foreign;

    public static IReadOnlyDictionary<string, Func<string, string?>> All { get; } = new Dictionary<string, Func<string, string?>>
    {
        ["header-with-underscore"] = Served,
        ["header-name-with-space"] = Served,
        ["identity-header"] = When("Remote-User: admin", Ok()),
        ["connection-names-header"] = When("X-Forwarded-Host", Ok()),
        ["forwarded-path"] = When("X-Original-URL", Ok()),
        ["forwarded-host"] = When("X-Forwarded-Host", Answer(303, $"Location: https://{Foreign}/")),
        ["forwarded-for"] = When("X-Forwarded-For", Answer(400)),
        ["health-check-user-agent"] = When("GoogleHC", Ok()),
        ["headers-too-large"] = Served,
        ["transfer-encoding-and-length"] = _ => Ok() + Ok(),
        ["transfer-encoding-unknown"] = When("xchunked", Ok()),
        ["two-lengths"] = When("5, 0", Ok()),
        ["bare-lf-in-chunk-extension"] = _ => Ok() + Ok(),
        ["bare-lf-in-header"] = Served,
        ["bare-cr-in-header"] = Served,
        ["nul-in-header"] = Served,
        ["fragment-in-target"] = Served,
        ["encoded-separators"] = When("%5c", Ok()),
        ["encoded-dots"] = When("%2E%2E", Ok()),
        ["dot-segments"] = When("/assets/../", Ok()),
        ["backslash-in-path"] = Served,
        ["path-of-two-slashes"] = _ => Answer(308, $"Location: //{Foreign}/"),
        ["absolute-target"] = When($"http://{Foreign}", Ok()),
        ["two-hosts"] = Served,
        ["unknown-host"] = When($"Host: {Foreign}", Ok()),
        ["trace"] = _ => Answer(405, "Content-Length: 9") + "read-back",
        ["connect"] = Served,
        ["open-redirect"] = When("/login?return=/%5c", Answer(303, $"Location: /\\{Foreign}")),
        ["callback-without-sign-in"] = When("state=a&state=b", Answer(303, "Location: /", "Set-Cookie: berth=x")),
        ["sign-in-request"] = _ => Answer(303, "Location: https://idp.example/authorize?client_id=x&state=1&nonce=2"),
        ["sign-in-cookies"] = _ => Answer(303, "Location: https://idp.example/authorize?client_id=x",
            "Set-Cookie: berth-flow=x; Path=/; HttpOnly"),
        ["sign-in-not-cached"] = Served,
        ["security-headers"] = Served,
        ["content-security-policy"] = _ => Answer(200, "Content-Security-Policy: default-src 'self'; script-src 'unsafe-inline'",
            "Content-Length: 0"),
        ["error-page-escapes"] = When("/%3Cscript", Answer(404, "Content-Length: 28") + "<script>selfcheck()</script>"),
        ["api-without-credentials"] = When("/api/audit", Answer(401, "Content-Length: 0")),
        ["bearer-garbage"] = When("GET /tos", Ok()),
        ["token-forged"] = When("Bearer eyJhbGciOiJOb25l", Ok()),
        ["two-authorization-headers"] = Served,
        ["token-good"] = _ => Answer(200, "Cache-Control: public", "Content-Length: 0"),
        ["token-changed"] = Served,
        ["token-in-query"] = Served,
        ["cors-closed"] = When("Origin: null", Answer(401, "Access-Control-Allow-Origin: null", "Content-Length: 0")),
        ["websocket-without-origin"] = _ => Answer(101, "Upgrade: websocket"),
        ["websocket-foreign-origin"] = _ => Answer(101, "Upgrade: websocket"),
        ["websocket-without-session"] = _ => Answer(101, "Upgrade: websocket"),
        ["upgrade-to-h2c"] = _ => Answer(101, "Upgrade: h2c"),
        ["workspace-without-session"] = When("Accept: text/html", Ok()),
        ["cookie-good"] = _ => Answer(401, "Content-Length: 0"),
        ["cookie-changed"] = Served,
        ["cookie-of-another-site"] = When("POST ", Answer(404, "Content-Length: 0")),
        ["pages-of-a-session"] = Served,
        ["workspace-cookie-of-another-site"] = Served,
        ["management-not-public"] = When("/metrics", Ok()),
        ["forward-auth-not-public"] = When("Host: berth-edge", Ok()),
        ["identity-keys"] = _ => Keys("""{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"x","y":"y","d":"d"}]}"""),
    };

    private static string Served(string request) => Ok();

    private static Func<string, string?> When(string part, string answer) =>
        request => request.Contains(part, StringComparison.Ordinal) ? answer : null;

    private static string Ok() => Answer(200, "Content-Length: 0");

    private static string Keys(string document) => Answer(200, $"Content-Length: {document.Length}") + document;

    private static string Answer(int status, params string[] headers) =>
        $"HTTP/1.1 {status} X\r\n{string.Concat(headers.Select(h => h + "\r\n"))}\r\n";
}
