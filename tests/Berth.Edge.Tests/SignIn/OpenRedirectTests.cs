using System.Net;

namespace Berth.Edge.Tests;

/// <summary>Every place that takes a return target, asked over the wire with the whole corpus.</summary>
public class OpenRedirectTests
{
    [Fact]
    public void Corpus_IsLarge() => Assert.True(RedirectCorpus.All.Count >= 220, $"{RedirectCorpus.All.Count}");

    [Fact]
    public void Clean_Corpus_NeverLeavesTheEdge()
    {
        var directory = new TableDirectory();
        directory.Put(EdgeFixture.Entry(EdgeFixture.WorkspaceHost, "https://idp.example.test", "user1", 1));
        var targets = new ReturnTargets(EdgeSettingsParser.Parse(EdgeFixture.Options("https://idp.example.test")), directory);

        Assert.True(RedirectCorpus.All.Count >= 200);
        Assert.DoesNotContain(RedirectCorpus.All.Select(targets.Clean), c => RedirectCorpus.LeadsAway(c));
        Assert.DoesNotContain(RedirectCorpus.All.Select(ReturnTargets.CleanWorkspacePath),
            c => RedirectCorpus.LeadsAway(c, EdgeFixture.WorkspaceOrigin));
    }

    [Theory]
    [InlineData("/login?return=")]
    [InlineData("/login?again=1&return=")]
    [InlineData("/auth/workspace?host=ws-one.localhost&return=")]
    [InlineData("/logout?return=")]
    [InlineData("/logout?post_logout_redirect_uri=")]
    [InlineData("/auth/callback?return=")]
    [InlineData("/?return=")]
    public async Task SignedIn_AnyPlaceWithATarget_StaysHere(string place)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        var left = new List<string>();
        foreach (var target in RedirectCorpus.All)
        {
            foreach (var text in (string[])[Uri.EscapeDataString(target), Sendable(target)])
            {
                using var answer = await browser.GetAsync(EdgeFixture.Origin + place + text);
                Check(answer, target, left);
            }
        }

        Assert.Empty(left);
    }

    [Fact]
    public async Task SignIn_WholeWayWithATarget_EndsHere()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var left = new List<string>();
        foreach (var target in RedirectCorpus.All.Where((_, i) => i % 5 == 0))
        {
            var browser = edge.NewBrowser();
            using var start = await browser.GetAsync($"{EdgeFixture.Origin}/login?return={Uri.EscapeDataString(target)}");
            if (target.Any(char.IsControl))
            {
                // Refused before anything begins.
                Assert.Equal(HttpStatusCode.BadRequest, start.StatusCode);
                continue;
            }

            Assert.StartsWith(edge.Provider.Issuer + "/", start.Headers.Location!.AbsoluteUri, StringComparison.Ordinal);
            using var approved = await browser.GetAsync(start.Headers.Location.AbsoluteUri);
            using var end = await browser.GetAsync(approved.Headers.Location!.AbsoluteUri);
            Assert.Equal(HttpStatusCode.SeeOther, end.StatusCode);
            Check(end, target, left);
        }

        Assert.Empty(left);
    }

    [Fact]
    public async Task WorkspaceHost_PathOfAStranger_ComesBackToTheWorkspace()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var left = new List<string>();
        foreach (var target in RedirectCorpus.All.Where(t => t.StartsWith('/')))
        {
            var raw = await edge.RawAsync(
                $"GET {Sendable(target)} HTTP/1.1\r\nHost: ws-one.localhost:8080\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
            var location = raw.Split("\r\n").FirstOrDefault(l => l.StartsWith("Location: ", StringComparison.Ordinal))?[10..];
            const string Back = EdgeFixture.Origin + "/auth/workspace?host=ws-one.localhost&";
            if (location is not null && !location.StartsWith(Back, StringComparison.Ordinal))
            {
                left.Add($"{target} -> {location}");
            }
        }

        Assert.Empty(left);
    }

    private static void Check(HttpResponseMessage answer, string target, List<string> left)
    {
        var location = answer.Headers.TryGetValues("Location", out var values) ? values.Single() : null;
        var refresh = answer.Headers.TryGetValues("Refresh", out values) ? values.Single().Split("url=")[1] : null;
        foreach (var to in (string?[])[location, refresh])
        {
            if (to is not null && RedirectCorpus.LeadsAway(to))
            {
                left.Add($"{target} -> {to}");
            }
        }
    }

    // As it is, with what no request can hold escaped.
    private static string Sendable(string target) => string.Concat(target.Select(c =>
        c is <= ' ' or >= (char)0x7f or '#' ? Uri.EscapeDataString(c.ToString()) : c.ToString()));
}
