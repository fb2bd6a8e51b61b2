using System.Collections.Immutable;
using System.Net;
using Berth.Edge.Tests.Cluster;
using Testing;

namespace Berth.Edge.Tests.Processes;

/// <summary>
/// Two replicas of the shipped program renew one session, in front of a provider that rotates refresh tokens always and ends the grant
/// when an old one is used again.
/// </summary>
public class SessionRefreshOnReplicasTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private const string Spent = "UPDATE berth.vault_tokens SET access_expires_at = berth.vault_now() - interval '1 second'";

    [SkippableFact]
    public async Task Tabs_AtOnceAtTwoEdges_OneTokenRequestAndNobodySignedOut()
    {
        await using var berth = await EdgeInstallation.CreateAsync(postgres);
        EdgeProcess[] edges = [await NewEdgeAsync(berth), await NewEdgeAsync(berth)];
        var cookie = await SignInAsync(berth, edges[0], "ann");
        await berth.ExecuteAsync(Spent);
        var before = berth.Calendar.Proxy.Refreshes;
        var old = Aged(cookie, TimeSpan.FromMinutes(16));

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => MeAsync(edges[i % 2], old)));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.Status));
        await ProductFixture.Until(() => berth.Calendar.Proxy.Refreshes > before);

        // Both know what it brought: the replica that did not ask, too, and the cookies of before are as good as the new ones.
        foreach (var edge in edges)
        {
            await ClusterFixture.Until(async () => (await MeAsync(edge, old)).ClaimsAt > Read(old).ClaimsAt);
        }

        Assert.Equal(1, berth.Calendar.Proxy.Refreshes - before);
    }

    [SkippableFact]
    public async Task Provider_503ThenInvalidGrant_TheFirstKeepsTheSessionTheSecondEndsIt()
    {
        await using var berth = await EdgeInstallation.CreateAsync(postgres);
        EdgeProcess[] edges = [await NewEdgeAsync(berth), await NewEdgeAsync(berth)];
        var cookie = await SignInAsync(berth, edges[0], "ann");
        await berth.ExecuteAsync(Spent);
        var old = Aged(cookie, TimeSpan.FromMinutes(16));
        await berth.Calendar.WithdrawAsync("ann");

        berth.Calendar.Proxy.Spoil = 503;
        Assert.Equal(HttpStatusCode.OK, (await MeAsync(edges[0], old)).Status);
        Assert.Equal(HttpStatusCode.OK, (await MeAsync(edges[0], old)).Status);

        // The other replica has not failed yet and asks as soon as the first one's lease and its own back-off let it.
        berth.Calendar.Proxy.Spoil = null;
        await ClusterFixture.Until(async () => (await MeAsync(edges[1], old)).Status == HttpStatusCode.Unauthorized);
        await ClusterFixture.Until(async () => (await MeAsync(edges[0], old)).Status == HttpStatusCode.Unauthorized);
    }

    private static Task<EdgeProcess> NewEdgeAsync(EdgeInstallation berth) => berth.NewEdgeAsync(
        ("Berth__Edge__Issuers__0__Issuer", berth.Calendar.Issuer),
        ("Berth__Edge__Issuers__0__ClientId", ForeignProvider.ClientId),
        ("Berth__Edge__Issuers__0__ClientSecret", ForeignProvider.Secret),
        ("Berth__Edge__Issuers__0__RefreshSessions", "true"),
        ("Berth__Edge__Issuers__0__Prompt", "consent"),
        ("Berth__Edge__Issuers__0__Scopes__0", "openid"),
        ("Berth__Edge__Issuers__0__Scopes__1", "offline_access"));

    private static async Task<string> SignInAsync(EdgeInstallation berth, EdgeProcess edge, string person)
    {
        var browser = new Browser(Loopback.Handler(edge.Port));
        using var start = await browser.GetAsync(ProductFixture.Origin + "/login?return=/tos");
        var back = await berth.Calendar.AuthorizeAsync(start.Headers.Location!.AbsoluteUri, person);
        using var end = await browser.GetAsync(back);
        Assert.Equal("/tos", end.Headers.Location?.OriginalString);
        return browser.Cookies[("localhost", "berth")];
    }

    // The cookie as it would be after a while without a request.
    private static string Aged(string cookie, TimeSpan by)
    {
        var session = Read(cookie);
        return Protector().Protect(
            ProtectionPurpose.EdgeSession, "berth", SessionCodec.Write(session with { ClaimsAt = session.ClaimsAt - by }));
    }

    private static EdgeSession Read(string cookie) =>
        SessionCodec.Read(Protector().Unprotect(ProtectionPurpose.EdgeSession, "berth", cookie)!)!;

    private static CookieProtector Protector() => new([[.. Convert.FromBase64String(ClusterFixture.CookieKey).ToImmutableArray()]]);

    private static async Task<(HttpStatusCode Status, DateTimeOffset? ClaimsAt)> MeAsync(EdgeProcess edge, string cookie)
    {
        var browser = new Browser(Loopback.Handler(edge.Port));
        browser.Cookies[("localhost", "berth")] = cookie;
        using var answer = await browser.GetAsync(ProductFixture.Origin + "/api/me", ("Accept", "application/json"));
        return (answer.StatusCode, Read(browser.Cookies[("localhost", "berth")]).ClaimsAt);
    }
}
