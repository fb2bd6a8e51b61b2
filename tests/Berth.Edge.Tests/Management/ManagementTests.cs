using System.Net;
using Berth.Accounts;
using Berth.Edge.Tests.Cluster;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Edge.Tests.Management;

/// <summary>Meters belong to the process: beside other edges the figures of one could be another's.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessMeters
{
    public const string Name = "meters of the process";
}

[Collection(ProcessMeters.Name)]
public class ManagementTests
{
    [Fact]
    public async Task Probes_Ready_OkAndNotOnThePublicListener()
    {
        await using var edge = await ProductFixture.StartAsync();
        await ProductFixture.Until(() => edge.Get<ManagementServer>().NotReadyBecause().Count == 0);
        using var client = new HttpClient { BaseAddress = new Uri(edge.Get<ManagementServer>().Address!) };

        Assert.Equal("ok\n", await client.GetStringAsync("/livez"));
        Assert.Equal("ok\ntoken vault: not configured\n", await client.GetStringAsync("/readyz"));
        var browser = edge.NewBrowser();
        foreach (var path in (string[])["/livez", "/readyz", "/metrics"])
        {
            using var answer = await browser.GetAsync(ProductFixture.Origin + path);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Readyz_AccountsNotReached_503SaysWhyAndLivezIsOk()
    {
        var accounts = new BrokenAccounts { FailsToStart = true };
        await using var edge = await ProductFixture.StartAsync(services: s => s.AddSingleton<IAccountStore>(accounts));
        using var client = new HttpClient { BaseAddress = new Uri(edge.Get<ManagementServer>().Address!) };

        using var ready = await client.GetAsync("/readyz");
        using var live = await client.GetAsync("/livez");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (ready.StatusCode, live.StatusCode));
        Assert.Contains("account store", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_AfterRequests_RequestsAndOurGauges()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using var created = await api.PostAsync("/api/workspaces", null);
        using var client = new HttpClient { BaseAddress = new Uri(edge.Get<ManagementServer>().Address!) };

        var text = await MetricsAsync(client, "berth_edge_request_duration_seconds_count{route=\"api\",status=\"2xx\"} 1\n");

        Assert.Contains("\n# TYPE berth_edge_workspaces gauge\nberth_edge_workspaces 1\n", text, StringComparison.Ordinal);
        Assert.Contains("berth_edge_actions_total{action=\"workspace.create\",outcome=\"allowed\"}", text, StringComparison.Ordinal);
        Assert.Contains("berth_edge_requests_total{route=\"api\",status=\"2xx\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\nberth_edge_streams_open 0\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE kestrel_active_connections gauge", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_EveryWay_HasItsNameAndNoHostOrPath()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        foreach (
            var url in (string[])
                [
                    "http://localhost:8080/tos",
                    "http://localhost:8080/api/nix",
                    "http://ws-nix.localhost:8080/",
                    "http://other.localhost.example.localhost:8080/",
                    "http://localhost:8080/%2f",
                ]
        )
        {
            using var answer = await browser.GetAsync(url);
        }

        using var client = new HttpClient { BaseAddress = new Uri(edge.Get<ManagementServer>().Address!) };
        foreach (
            var line in (string[])
                [
                    "{route=\"pages\",status=\"2xx\"}",
                    "{route=\"api\",status=\"4xx\"}",
                    "{route=\"workspace-pages\",status=\"3xx\"}",
                    "{route=\"unknown-host\",status=\"4xx\"}",
                    "{route=\"refused\",status=\"4xx\"}",
                    "{route=\"sign-in\",status=\"3xx\"}",
                ]
        )
        {
            await MetricsAsync(client, "berth_edge_requests_total" + line);
        }
    }

    [Fact]
    public async Task Audit_RefusedSignInAndSignOut_AreNoted()
    {
        await using var edge = await ProductFixture.StartAsync();
        edge.Provider.OnIdToken = claims => claims["nonce"] = "another";
        using (var refused = await edge.NewBrowser().FollowAsync($"{ProductFixture.Origin}/login"))
        {
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        }

        // Whoever made no sign-in here writes nothing into the log.
        using (await edge.NewBrowser().GetAsync($"{ProductFixture.Origin}/auth/callback?state=x&code=y")) { }

        edge.Provider.OnIdToken = null;
        var browser = await edge.SignedInAsync("user1");
        using (await browser.SendAsync($"{ProductFixture.Origin}/logout", HttpMethod.Post, headers: [("Origin", ProductFixture.Origin)]))
        { }

        var events = await edge.Get<IAccountStore>().ListAuditAsync(new AuditQuery(), default);
        Assert.Equal(
            [("session.begin", "refused", null), ("session.begin", "allowed", "user1"), ("session.end", "allowed", "user1")],
            events.OrderBy(e => e.At).Select(e => (e.Action, e.Outcome, e.Actor?.Subject))
        );
        Assert.Contains("id-token", events.Single(e => e.Outcome == "refused").Target, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_KeysCredentialsAndDecisions_WithFewLabelsAndNoPerson()
    {
        await using var edge = await ProductFixture.StartAsync(o => o with { Edge = o.Edge with { TrustedProxies = ["127.0.0.1/32"] } });
        using var api = edge.Api("user1");
        using var made = await api.PostAsync(
            "/api/workspaces", new StringContent("""{"displayName":"Data"}""", System.Text.Encoding.UTF8, "application/json"));
        api.DefaultRequestHeaders.Authorization = new("Bearer", edge.Provider.Key.Sign(
            edge.Provider.AccessTokenClaims(EdgeFixture.Audience), "at+jwt", h => h["kid"] = "made-up-key"));
        using var refused = await api.GetAsync("/api/me");
        using var asked = await edge.NewBrowser().GetAsync("http://berth-edge.test/auth/forward/ws-none",
            ("X-Forwarded-Method", "GET"), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", "ws-none.localhost"), ("X-Forwarded-Uri",
                "/"));
        edge.Get<EdgeMetrics>().SessionRefreshed("idp", "refreshed");
        await edge.Get<IAccountStore>().RevokeSessionAsync("session-1", TimeProvider.System.GetUtcNow().AddHours(1), default);
        var issuer = edge.Get<IdentityProviders>().All[0].Settings.Key;
        using var client = new HttpClient { BaseAddress = new Uri(edge.Get<ManagementServer>().Address!) };

        await MetricsAsync(client, "berth_edge_forward_auth_decisions_total{decision=\"sign-in\"}");
        var text = await MetricsAsync(client, "berth_edge_credentials_refused_total{kind=\"bearer\",reason=\"UnknownKey\"}");

        foreach (var line in (string[])
            [
                $"berth_edge_issuer_unknown_keys_total{{issuer=\"{issuer}\"}} 1", $"berth_edge_issuer_reachable{{issuer=\"{issuer}\"}} 1",
                $"berth_edge_issuer_keys_age_seconds{{issuer=\"{issuer}\"}} ", "berth_edge_sockets_open{kind=\"websocket\"} 0",
                "berth_edge_sockets_open{kind=\"event-stream\"} 0", "berth_edge_request_bytes_total{route=\"api\"} ",
                "berth_edge_session_refreshes_total{issuer=\"idp\",outcome=\"refreshed\"}", "berth_edge_revocations_total{of=\"session\"}",
            ])
        {
            Assert.Contains("\n" + line, text, StringComparison.Ordinal);
        }

        var ours = text.Split('\n').Where(l => l.StartsWith("berth_edge", StringComparison.Ordinal)).ToList();
        Assert.DoesNotContain(ours, l => l.Contains("user1", StringComparison.Ordinal) || l.Contains("made-up", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Audit_RefusedTokensAndWorkspaces_AreNotedOnceAndCounted()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var owner = edge.Api("user1");
        using var made = await owner.PostAsync("/api/workspaces", null);
        using var stranger = edge.Api("user2");
        using var garbage = new HttpClient(edge.NewHandler()) { BaseAddress = new Uri(ProductFixture.Origin) };
        garbage.DefaultRequestHeaders.Authorization = new("Bearer", "garbage");
        for (var i = 0; i < 5; i++)
        {
            using var bad = await garbage.GetAsync("/api/me");
            using var forbidden = await stranger.GetAsync($"{edge.HostOf("user1")}/");
        }

        // An answer may reach its reader before the edge has noted it.
        await ClusterFixture.Until(async () => (await EventsAsync(edge)).Count == 2);
        edge.Get<RefusalLedger>().Flush();
        var events = await EventsAsync(edge);

        Assert.Equal(
            [
                ("bearer.use", "Malformed", null), ("bearer.use", "Malformed (4 more)", null),
                ("workspace.open", $"{edge.NameOf("user1")} forbidden: not-shared", "user2"),
                ("workspace.open", $"{edge.NameOf("user1")} forbidden: not-shared (4 more)", "user2"),
            ],
            events.Select(e => (e.Action, e.Target, e.Actor?.Subject)).OrderBy(e => e.Action).ThenBy(e => e.Target,
                StringComparer.Ordinal));
    }

    private static async Task<List<AuditEvent>> EventsAsync(ProductFixture edge) =>
        [.. (await edge.Get<IAccountStore>().ListAuditAsync(new AuditQuery(), default)).Where(e => e.Outcome == "refused")];

    // An answer may reach its reader before the edge has counted it.
    private static async Task<string> MetricsAsync(HttpClient client, string expected)
    {
        var text = "";
        await ClusterFixture.Until(async () =>
            (text = await client.GetStringAsync("/metrics")).Contains(expected, StringComparison.Ordinal)
        );
        return text;
    }
}
