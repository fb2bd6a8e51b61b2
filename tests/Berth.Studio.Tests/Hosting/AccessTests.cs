using System.Net;
using Berth.Studio.Hosting;
using Berth.Studio.Identity;

namespace Berth.Studio.Tests.Hosting;

/// <summary>Who gets in, and whose page may call.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private StudioServer _server = null!;

    public async Task InitializeAsync() => _server = await StudioServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/api/whoami")]
    [InlineData("GET", "/api/files")]
    [InlineData("GET", "/api/files/content?path=a")]
    [InlineData("PUT", "/api/files/content?path=a")]
    [InlineData("DELETE", "/api/files?path=a")]
    [InlineData("GET", "/api/terminal")]
    [InlineData("GET", "/nothing")]
    [InlineData("GET", "/ASSETS/app.js")]
    [InlineData("GET", "/healthz/x")]
    [InlineData("GET", "/assets/../api/files")]
    [InlineData("GET", "/assets/%2e%2e/api/files")]
    public async Task AnyRequest_WithoutIdentity_Is401(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Add(SameOriginMiddleware.RequestHeader, "1");

        await StudioServer.ProblemAsync(await _server.Http.SendAsync(request), HttpStatusCode.Unauthorized, "identity-required");
    }

    [Fact]
    public async Task Whoami_TwoIdentities_Is401()
    {
        using var request = _server.Request(HttpMethod.Get, "/api/whoami");
        request.Headers.Add(IdentityVerifier.HeaderName, _server.Token("bob"));

        await StudioServer.ProblemAsync(await _server.Http.SendAsync(request), HttpStatusCode.Unauthorized, "identity-required");
    }

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/assets/app.js")]
    [InlineData("/assets/vendor/xterm/LICENSE")]
    public async Task OpenPaths_WithoutIdentity_Answer(string path) =>
        Assert.Equal(HttpStatusCode.OK, (await _server.Http.GetAsync(path)).StatusCode);

    [Theory]
    [InlineData("/assets/index.html")]
    [InlineData("/assets/nothing.js")]
    [InlineData("/assets/../../Program.cs")]
    public async Task Assets_ThatAreNone_AreNotServed(string path) =>
        Assert.NotEqual(HttpStatusCode.OK, (await _server.Http.GetAsync(path)).StatusCode);

    [Fact]
    public async Task Page_HasAPolicyWithoutInlineCodeAndOnlyRelativeAddresses()
    {
        var answer = await _server.GetAsync("/");
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        var page = await answer.Content.ReadAsStringAsync();

        Assert.Contains("default-src 'none'; script-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("{{nonce}}", page, StringComparison.Ordinal);
        Assert.DoesNotMatch("(src|href)=\"(/|http)", page);
        Assert.DoesNotMatch(" on[a-z]+=|<style|style=", page);
    }

    [Fact]
    public async Task Asset_TheBrowserHasIt_IsNotSentAgain()
    {
        var first = await _server.Http.GetAsync("/assets/app.js");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/assets/app.js");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);

        Assert.Equal(HttpStatusCode.NotModified, (await _server.Http.SendAsync(request)).StatusCode);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Sec-Fetch-Site", "none")]
    [InlineData("Origin", "http://evil.test")]
    [InlineData("Origin", "null")]
    public async Task Change_FromAnotherSite_IsRefusedAndChangesNothing(string header, string value)
    {
        var answer = await _server.PutAsync("/api/files/content?path=a", "x", ("If-None-Match", "*"), (header, value));

        await StudioServer.ProblemAsync(answer, HttpStatusCode.Forbidden, "cross-origin");
        Assert.False(File.Exists(Path.Combine(_server.Root, "a")));
    }

    [Fact]
    public async Task Change_WithoutThePagesHeader_IsRefused()
    {
        using var request = _server.Request(HttpMethod.Post, "/api/files/folder?path=d");
        request.Headers.Remove(SameOriginMiddleware.RequestHeader);

        await StudioServer.ProblemAsync(await _server.Http.SendAsync(request), HttpStatusCode.Forbidden, "cross-origin");
    }

    [Fact]
    public async Task Change_FromThePageItself_IsTaken()
    {
        var own = _server.Address.GetLeftPart(UriPartial.Authority);
        var answer = await _server.PutAsync(
            "/api/files/content?path=a",
            "x",
            ("If-None-Match", "*"),
            ("Origin", own),
            ("Sec-Fetch-Site", "same-origin")
        );

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    [Theory]
    [InlineData("view")]
    [InlineData("unheard-of")]
    public async Task Change_ByARoleThatMayOnlyLook_IsRefusedWhileReadingWorks(string role)
    {
        await File.WriteAllTextAsync(Path.Combine(_server.Root, "a"), "x");
        foreach (
            var (method, path) in new[]
            {
                ("PUT", "/api/files/content?path=a"),
                ("DELETE", "/api/files?path=a"),
                ("POST", "/api/files/folder?path=d"),
            }
        )
        {
            using var change = _server.Request(new HttpMethod(method), path, "bob", role);
            change.Headers.TryAddWithoutValidation("If-Match", "*");
            await StudioServer.ProblemAsync(await _server.Http.SendAsync(change), HttpStatusCode.Forbidden, "read-only");
        }

        using var read = _server.Request(HttpMethod.Get, "/api/files/content?path=a", "bob", role);
        Assert.Equal("x", await (await _server.Http.SendAsync(read)).Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Unknown_Path_IsAProblemToo() =>
        await StudioServer.ProblemAsync(await _server.GetAsync("/api/nothing"), HttpStatusCode.NotFound, "no-such-page");
}
