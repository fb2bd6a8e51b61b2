using System.Net;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Edge.Tests;

/// <summary>Sign-in while what it needs is away or changes. Clocks that differ: <see cref="SignInProblemTests"/>.</summary>
public class SignInChaosTests
{
    [Fact]
    public async Task Provider_Down_SignedInGoOnAndSignInSaysSo()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        var half = edge.NewBrowser();
        using var start = await half.GetAsync($"{EdgeFixture.Origin}/login");
        using var approved = await half.GetAsync(start.Headers.Location!.AbsoluteUri);
        edge.Provider.IsDown = true;

        for (var hour = 0; hour < 5; hour++)
        {
            edge.Clock.Advance(TimeSpan.FromHours(1));
            using var page = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
            Assert.Equal("from the workspace", await page.Content.ReadAsStringAsync());
            using var own = await browser.GetAsync($"{EdgeFixture.Origin}/whoami");
            Assert.Equal("Session user1 False", await own.Content.ReadAsStringAsync());
        }

        // A sign-in that is half done, and one on a replica that has never seen the provider.
        using var lost = await half.GetAsync(approved.Headers.Location!.AbsoluteUri);
        Assert.Equal(HttpStatusCode.BadRequest, lost.StatusCode);
        await using var fresh = await EdgeFixture.StartAsync(p => p.IsDown = true, waitForProvider: false);
        using var refused = await fresh.NewBrowser().GetAsync($"{EdgeFixture.Origin}/login");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Contains("those who are signed in can go on", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Provider_DownBetweenAnswerAndExchange_IsToldAndNothingStarts()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = edge.NewBrowser();
        using var start = await browser.GetAsync($"{EdgeFixture.Origin}/login");
        using var approved = await browser.GetAsync(start.Headers.Location!.AbsoluteUri);
        edge.Provider.IsDown = true;

        using var answer = await browser.GetAsync(approved.Headers.Location!.AbsoluteUri);

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Empty(browser.Cookies);
    }

    [Fact]
    public async Task Keys_RotatedUnderTraffic_NotOneRequestFails()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var old = edge.Provider.Key;
        var claims = edge.Provider.AccessTokenClaims(EdgeFixture.Audience);
        var failures = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var rotated = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, 300), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, cancellationToken) =>
        {
            if (i == 100 && Interlocked.Exchange(ref rotated, 1) == 0)
            {
                // As providers do it: the new one signs, the old one is published beside it until its tokens have ended.
                edge.Provider.MoreKeys.Add(old);
                edge.Provider.Key = TestKey.NewEc("key-2");
            }

            var token = (i % 2 == 0 ? old : edge.Provider.Key).Sign(
                System.Text.Json.Nodes.JsonNode.Parse(claims.ToJsonString())!.AsObject(), "at+jwt");
            using var answer = await edge.NewBrowser().GetAsync($"{EdgeFixture.Origin}/whoami", ("Authorization", "Bearer " + token));
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                failures.Enqueue($"{i}: {answer.StatusCode}");
            }

            if (i % 10 == 0)
            {
                var browser = edge.NewBrowser();
                using var end = await browser.FollowAsync($"{EdgeFixture.Origin}/login?return=/whoami");
                if (await end.Content.ReadAsStringAsync(cancellationToken) != "Session user1 False")
                {
                    failures.Enqueue($"sign-in {i}: {end.StatusCode}");
                }
            }
        });

        Assert.Empty(failures);
        Assert.Equal(2, edge.Provider.JwksRequests);
    }

    [Fact]
    public async Task Database_Down_SignedInGoOnAndSignInSaysSo()
    {
        var recorder = new Recorder();
        await using var edge = await EdgeFixture.StartAsync(services: s => s.AddSingleton<ISignInRecorder>(recorder));
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        recorder.IsAway = true;

        for (var hour = 0; hour < 5; hour++)
        {
            edge.Clock.Advance(TimeSpan.FromHours(1));
            using var page = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
            Assert.Equal("from the workspace", await page.Content.ReadAsStringAsync());
        }

        using var answer = await edge.NewBrowser().FollowAsync($"{EdgeFixture.Origin}/login");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("30", answer.Headers.RetryAfter?.ToString());
        Assert.Contains("account store", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private sealed class Recorder : ISignInRecorder
    {
        public bool IsAway { get; set; }

        public ValueTask<SignInRecord> RecordAsync(SignedInPerson person, CancellationToken cancellationToken) =>
            IsAway ? throw new SignInUnavailableException() : new(new SignInRecord(0));
    }
}
