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

        var text = await MetricsAsync(client, "berth_edge_request_duration_seconds_count{route=\"api\"} 1\n");

        Assert.Contains("\n# TYPE berth_edge_workspaces gauge\nberth_edge_workspaces 1\n", text, StringComparison.Ordinal);
        Assert.Contains("berth_edge_actions_total{action=\"workspace.create\",outcome=\"allowed\"}", text, StringComparison.Ordinal);
        Assert.Contains("berth_edge_requests_total{route=\"api\",status=\"2xx\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\nberth_edge_streams_open 0\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE http_server_request_duration_seconds histogram", text, StringComparison.Ordinal);
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
