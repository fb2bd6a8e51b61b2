using System.Text.RegularExpressions;

namespace Berth.Edge;

/// <summary>The way to the identity provider and back, and the pages beside it.</summary>
internal static partial class SelfCheckSignIn
{
    private const string Pages = "let nothing in front of the edge change the headers of its answers";

    // Shapes that browsers read as another host, one for each way to write it.
    private static readonly string[] Elsewhere =
    [
        $"https://{SelfCheckProbe.Foreign}/", $"//{SelfCheckProbe.Foreign}/", $"/%5c{SelfCheckProbe.Foreign}",
            $"%5c%5c{SelfCheckProbe.Foreign}",
        $"/%09/{SelfCheckProbe.Foreign}", $"https:{SelfCheckProbe.Foreign}", $"%20//{SelfCheckProbe.Foreign}",
            $"/%2f{SelfCheckProbe.Foreign}",
        $"https%3a%2f%2f{SelfCheckProbe.Foreign}", $"%0d%0aLocation:%20https://{SelfCheckProbe.Foreign}",
    ];

    public static IReadOnlyList<SelfCheck> All { get; } =
    [
        // GHSA-qqxw-m5fj-f7gv and its followers, CVE-2022-23527.
        new("open-redirect", "no way to another host", "update the edge, and let no front proxy rewrite Location", OpenRedirectAsync),
        new("callback-without-sign-in", "refused, no session cookie", "update the edge, and route /auth/ to it and nothing else", async p =>
        {
            foreach (var query in (string[])["code=x", "code=x&state=AAAAAAAAAAAAAAAAAAAAAA", "code=x&state=a&state=b",
                "id_token=x&state=a"])
            {
                var answer = await p.GetAsync($"/auth/callback?{query}", ("Accept", "text/html"));
                if (answer.Status is 0 or 200 || Cookies(answer).Any(c => c.Name is "berth" or "__Host-berth"))
                {
                    return SelfCheckVerdict.Of(false, $"{answer.Status} for {query}");
                }
            }

            return SelfCheckVerdict.Of(true, "refused");
        }),
        new("sign-in-request", "state, nonce and PKCE, new each time", "update the edge", async p =>
        {
            var (first, second) = (await BeginAsync(p), await BeginAsync(p));
            if (first is null || second is null)
            {
                return SelfCheckVerdict.Skip("no sign-in begins: is the identity provider reachable?");
            }

            var (a, b) = (Query(first), Query(second));
            var flaw = a.GetValueOrDefault("state", "").Length < 22 || a["state"] == b.GetValueOrDefault("state") ? "state"
                : a.GetValueOrDefault("nonce", "").Length < 22 || a["nonce"] == b.GetValueOrDefault("nonce") ? "nonce"
                : a.GetValueOrDefault("code_challenge_method") != "S256" ? "code_challenge_method"
                : a.GetValueOrDefault("response_type") != "code" ? "response_type" : null;
            return SelfCheckVerdict.Of(flaw is null, flaw is null ? "all three" : $"{flaw} is missing, short or the same again");
        }),
        new("sign-in-cookies", "HttpOnly, SameSite, Path=/, no Domain; with https Secure and __Host-", Pages, async p =>
        {
            if (await BeginAsync(p) is not { } answer)
            {
                return SelfCheckVerdict.Skip("no sign-in begins: is the identity provider reachable?");
            }

            var flaw = Cookies(answer).Select(c => Flaw(c, p.Target.Edge.Scheme == "https")).FirstOrDefault(f => f is not null);
            return SelfCheckVerdict.Of(flaw is null && Cookies(answer).Count > 0, flaw ?? $"{Cookies(answer).Count} cookies");
        }),
        new("sign-in-not-cached", "Cache-Control: no-store", Pages, async p =>
        {
            var answer = await p.GetAsync("/login", ("Accept", "text/html"));
            return SelfCheckVerdict.Of(answer["Cache-Control"].Contains("no-store", StringComparison.OrdinalIgnoreCase),
                $"{answer.Status} with '{answer["Cache-Control"]}'");
        }),
        new("security-headers", "nosniff, no framing, Referrer-Policy; with https HSTS", Pages, async p =>
        {
            var answer = await p.GetAsync("/privacy", ("Accept", "text/html"));
            var missing = answer["X-Content-Type-Options"] != "nosniff" ? "X-Content-Type-Options"
                : answer["X-Frame-Options"] is not ("DENY" or "SAMEORIGIN")
                    && !answer["Content-Security-Policy"].Contains("frame-ancestors", StringComparison.Ordinal) ? "X-Frame-Options"
                : answer["Referrer-Policy"].Length == 0 ? "Referrer-Policy"
                : p.Target.Edge.Scheme == "https" && answer["Strict-Transport-Security"].Length == 0 ? "Strict-Transport-Security" : null;
            return SelfCheckVerdict.Of(missing is null, missing is null ? $"{answer.Status} with all"
                : $"{answer.Status} without {missing}");
        }),
        new("content-security-policy", "default-src 'none' or 'self', nothing unsafe", Pages, async p =>
        {
            var answer = await p.GetAsync("/tos", ("Accept", "text/html"));
            var policy = answer["Content-Security-Policy"];
            return SelfCheckVerdict.Of(Strict().IsMatch(policy) && !policy.Contains("unsafe", StringComparison.Ordinal),
                policy.Length == 0 ? $"{answer.Status} without" : $"'{policy}'");
        }),
        new("error-page-escapes", "what was asked for is not written into the page as it is", "update the edge", async p =>
        {
            const string Script = "<script>selfcheck()</script>";
            var (path, query) = (await p.GetAsync("/%3Cscript%3Eselfcheck()%3C/script%3E", ("Accept", "text/html")),
                await p.GetAsync($"/auth/callback?error=x&error_description={Uri.EscapeDataString(Script)}", ("Accept", "text/html")));
            return SelfCheckVerdict.Of(!path.Body.Contains(Script, StringComparison.Ordinal) && !query.Body.Contains(Script,
                StringComparison.Ordinal),
                $"{path.Status}");
        }),
    ];

    private static async Task<SelfCheckVerdict> OpenRedirectAsync(SelfCheckProbe probe)
    {
        foreach (var target in Elsewhere)
        {
            foreach (var path in (string[])["/login?return=", "/logout?return=", "/start?return=", "/auth/workspace?return=/&host="])
            {
                var answer = await probe.GetAsync(path + target, ("Accept", "text/html"));
                if (SelfCheckTargets.LeadsAway(answer) || answer.All("Location").Count() > 1 || answer.Status == 0)
                {
                    return SelfCheckVerdict.Of(false, $"{answer.Status} for {path}{target}");
                }
            }
        }

        return SelfCheckVerdict.Of(true, $"none of {Elsewhere.Length} shapes at 4 addresses");
    }

    // Where people choose between providers, by the first of them.
    private static async Task<RawAnswer?> BeginAsync(SelfCheckProbe probe)
    {
        var answer = await probe.GetAsync("/login", ("Accept", "text/html"));
        if (answer.Status == 200 && Choice().Match(answer.Body) is { Success: true } choice)
        {
            answer = await probe.GetAsync(System.Net.WebUtility.HtmlDecode(choice.Groups[1].Value), ("Accept", "text/html"));
        }

        return answer.Status is 302 or 303 && answer["Location"].Contains("client_id=", StringComparison.Ordinal) ? answer : null;
    }

    private static Dictionary<string, string> Query(RawAnswer answer) =>
        answer["Location"].Split('?', 2)[^1].Split('&').Select(p => p.Split('=', 2)).Where(p => p.Length == 2)
            .GroupBy(p => p[0], StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First()[1], StringComparer.Ordinal);

    private static List<(string Name, string[] Attributes)> Cookies(RawAnswer answer) =>
        [.. answer.All("Set-Cookie").Select(c => c.Split(';', StringSplitOptions.TrimEntries)).Select(p => (p[0].Split('=')[0], p[1..]))];

    private static string? Flaw((string Name, string[] Attributes) cookie, bool isHttps)
    {
        bool Has(string attribute) => cookie.Attributes.Any(a => a.StartsWith(attribute, StringComparison.OrdinalIgnoreCase));
        return !Has("httponly") ? $"{cookie.Name} without HttpOnly"
            : !Has("samesite=lax") && !Has("samesite=strict") ? $"{cookie.Name} without SameSite"
            : Has("domain=") ? $"{cookie.Name} with a Domain"
            : !cookie.Attributes.Any(a => a.Equals("path=/", StringComparison.OrdinalIgnoreCase)) ? $"{cookie.Name} without Path=/"
            : isHttps && (!Has("secure") || !cookie.Name.StartsWith("__Host-", StringComparison.Ordinal))
                ? $"{cookie.Name} without Secure and __Host-"
            : null;
    }

    [GeneratedRegex("""href="(/login\?provider=[^"]+)""")]
    private static partial Regex Choice();

    [GeneratedRegex("(^|;) *default-src ('none'|'self') *(;|$)")]
    private static partial Regex Strict();
}
