using System.Net;

namespace Berth.Edge.Tests;

/// <summary>Every cookie that the edge sets: its attributes, its end, its cache, and what is made of bad ones.</summary>
public class CookieHardeningTests
{
    private const string Origin = "http://berth.test";
    private const string Workspace = "http://ws-one.workspaces.test";

    // CVE-2025-55162: a deletion without Secure deletes no __Host- cookie.
    [Fact]
    public async Task EveryCookieOverHttps_HasThePrefixAndAllAttributes_AndGoesWithTheSame()
    {
        var all = new List<string>();
        await using var edge = await SecureAsync();
        var browser = await EnterAsync(edge, all);
        using var refused = await SendAsync(browser, $"{Origin}/login?prompt=login", all);
        using var renewed = await LaterAsync(edge, browser, all);
        using var leave = await browser.SendAsync($"{Origin}/logout", HttpMethod.Post, headers: [("Origin", "https://berth.test")]);
        all.AddRange(Cookies(leave));

        Assert.Equal(HttpStatusCode.OK, leave.StatusCode);
        foreach (var cookie in all)
        {
            Assert.StartsWith("__Host-berth", cookie, StringComparison.Ordinal);
            Assert.True(CookieNames.IsOurs(cookie.Split('=')[0]), cookie);
            foreach (var attribute in (string[])["; path=/", "; secure", "; httponly", "; samesite=lax"])
            {
                Assert.Contains(attribute, cookie, StringComparison.OrdinalIgnoreCase);
            }

            Assert.DoesNotContain("domain=", cookie, StringComparison.OrdinalIgnoreCase);
            Assert.Single(cookie.Split(';'), a => a.Trim().StartsWith("path=", StringComparison.OrdinalIgnoreCase));
        }

        // All kinds were seen, and each of them being deleted.
        var names = new CookieNames(isHttps: true);
        foreach (var name in (string[])[names.Session, names.Workspace, names.Hop, names.FlowPrefix])
        {
            Assert.Contains(all, c => c.StartsWith(name, StringComparison.Ordinal) && !IsDeletion(c));
            if (name != names.Workspace)
            {
                Assert.Contains(all, c => c.StartsWith(name, StringComparison.Ordinal) && IsDeletion(c));
            }
        }

        // On the edge's origin nothing is left; that of the workspace's host is out of reach there, and worth nothing any more.
        Assert.DoesNotContain(browser.Cookies.Keys, c => c.Host == "berth.test");
        using var after = await browser.GetAsync($"{Workspace}/", ("Accept", "application/json"));
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }

    // CVE-2026-40372: authentication of the wrong bytes made forged cookies pass.
    [Fact]
    public async Task AnyCookie_AnyCharacterChanged_IsRefusedOverTheWire()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        (string Host, string Name, string Url)[] kinds =
        [
            ("localhost", "berth", $"{EdgeFixture.Origin}/whoami"),
            (EdgeFixture.WorkspaceHost, "berth-ws", $"{EdgeFixture.WorkspaceOrigin}/"),
        ];
        foreach (var (host, name, url) in kinds)
        {
            var good = browser.Cookies[(host, name)];
            var passed = new List<int>();
            for (var i = 0; i < good.Length; i++)
            {
                var thief = edge.NewBrowser();
                thief.Cookies[(host, name)] = good[..i] + (good[i] == 'A' ? 'B' : 'A') + good[(i + 1)..];
                using var answer = await thief.GetAsync(url, ("Accept", "application/json"));
                if (await answer.Content.ReadAsStringAsync() is "from the workspace" || (name == "berth"
                    && await answer.Content.ReadAsStringAsync() != "stranger"))
                {
                    passed.Add(i);
                }
            }

            Assert.Empty(passed);
        }

        Assert.Single(edge.Upstream.Requests);
    }

    [Fact]
    public async Task Flow_AnyCharacterChanged_IsRefusedOverTheWire()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = edge.NewBrowser();
        using var start = await browser.GetAsync($"{EdgeFixture.Origin}/login");
        using var approved = await browser.GetAsync(start.Headers.Location!.AbsoluteUri);
        var (key, good) = browser.Cookies.Single();
        for (var i = 0; i < good.Length; i++)
        {
            browser.Cookies[key] = good[..i] + (good[i] == 'A' ? 'B' : 'A') + good[(i + 1)..];
            using var answer = await browser.GetAsync(approved.Headers.Location!.AbsoluteUri);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        }

        Assert.Equal(0, edge.Provider.TokenRequests);
        browser.Cookies[key] = good;
        using var end = await browser.GetAsync(approved.Headers.Location!.AbsoluteUri);
        Assert.Equal(HttpStatusCode.SeeOther, end.StatusCode);
    }

    // CVE-2024-24814, CVE-2023-28625: cookie headers that crash, or cost without bound.
    [Fact]
    public void CookieHeader_AnyText_IsReadInBoundedTimeAndOursNeverPass()
    {
        var random = new Random(31);
        string[] parts =
        [
            ";", "; ", "=", "==", "berth", "__Host-berth", "__host-BERTH", "__Secure-berth-ws", "berth-flow-", "berth-hop", " ", "\t", ",", "\"",
            "a", "theirs", "%3d", "\u00e9", "\u0000", "\ud800", new('x', 300), "=;=;", "__Host-", "berth-flow-0123456789abcdef",
        ];
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => parts[random.Next(parts.Length)]));
            var headers = new Microsoft.AspNetCore.Http.HeaderDictionary { ["Cookie"] = text };

            Assert.True(CookieHeader.ValuesOf(headers, "berth").Count <= 200);
            Assert.All(CookieHeader.NamesWith(headers, "berth-flow-"), n => Assert.StartsWith("berth-flow-", n, StringComparison.Ordinal));
            var left = CookieHeader.WithoutOurs(headers["Cookie"]) ?? "";
            Assert.DoesNotContain(left.Split(';'), p => CookieNames.IsOurs(p.Split('=')[0]));
        }

        var many = new Microsoft.AspNetCore.Http.HeaderDictionary { ["Cookie"] = string.Join(';', Enumerable.Repeat("berth=x", 100_000)) };
        Assert.True(CookieHeader.ValuesOf(many, "berth").Count <= 200);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(500)]
    public async Task Session_ManyBadOnesOfItsName_CostNoMoreThanAFew(int count)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = edge.NewBrowser();

        using var answer = await browser.GetAsync(
            $"{EdgeFixture.Origin}/whoami", ("Cookie", string.Join("; ", Enumerable.Repeat("berth=" + new string('A', 40), count))));

        Assert.Equal("stranger", await answer.Content.ReadAsStringAsync());
    }

    private static Task<EdgeFixture> SecureAsync() => EdgeFixture.StartAsync(
        options: o => o with { PublicOrigin = "https://berth.test", WorkspaceDomain = "workspaces.test" });

    private static async Task<Browser> EnterAsync(EdgeFixture edge, List<string> all)
    {
        edge.Directory.Put(EdgeFixture.Entry("ws-one.workspaces.test", edge.Provider.Issuer, "user1", edge.Upstream.Port));
        var browser = edge.NewBrowser();
        using var end = await SendAsync(browser, $"{Workspace}/", all);
        Assert.Equal("from the workspace", await end.Content.ReadAsStringAsync());
        return browser;
    }

    private static async Task<HttpResponseMessage> LaterAsync(EdgeFixture edge, Browser browser, List<string> all)
    {
        edge.Clock.Advance(TimeSpan.FromHours(1));
        return await SendAsync(browser, $"{Origin}/whoami", all);
    }

    // TLS ends before the edge, so what it calls https is asked for without.
    private static async Task<HttpResponseMessage> SendAsync(Browser browser, string url, List<string> all)
    {
        var answer = await browser.GetAsync(url);
        all.AddRange(Cookies(answer));
        for (var i = 0; i < 15 && answer.Headers.Location is { } location; i++)
        {
            url = new Uri(new Uri(url), location).AbsoluteUri.Replace("https://", "http://", StringComparison.Ordinal);
            answer.Dispose();
            answer = await browser.GetAsync(url);
            all.AddRange(Cookies(answer));
        }

        return answer;
    }

    private static bool IsDeletion(string cookie) => cookie.Contains("max-age=0", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<string> Cookies(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("Set-Cookie", out var values) ? [.. values] : [];
}
