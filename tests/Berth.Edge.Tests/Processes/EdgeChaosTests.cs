using System.Diagnostics;
using System.Net;
using Testing;

namespace Berth.Edge.Tests.Processes;

/// <summary>Parts of an installation go away at the worst moment; the edges are the shipped program.</summary>
public class EdgeChaosTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task KubernetesApi_GoesAway_WarmWorkspacesGoOnAndARestartedEdgeSaysWhyItIsNotReady()
    {
        await using var berth = await EdgeInstallation.CreateAsync(postgres);
        await using var upstream = await Upstream.StartAsync();
        var edge = await berth.NewEdgeAsync();
        var (browser, workspace) = await OpenAsync(berth, edge, upstream.Port);

        await berth.StopApiAsync();

        for (var i = 0; i < 20; i++)
        {
            using var warm = await browser.GetAsync($"{workspace}/{i}");
            Assert.Equal("from the workspace", await warm.Content.ReadAsStringAsync());
        }

        Assert.True(await edge.IsReadyAsync());
        using (var client = edge.Client(berth.TokenOf("ann")))
        using (var stop = await client.PostAsync($"/api/workspaces/{new Uri(workspace).Host.Split('.')[0]}/stop", null))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, stop.StatusCode);
            Assert.NotNull(stop.Headers.RetryAfter);
        }

        var restarted = await berth.NewEdgeThatNeedNotBeReadyAsync();
        (HttpStatusCode Status, string Text)? said = null;
        await Cluster.ClusterFixture.Until(async () => (said = await restarted.ReadinessAsync()) is not null);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, said!.Value.Status);
        Assert.Contains("the picture of the workspaces is not complete yet", said.Value.Text, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbeginning")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nbeginning\r\n")]
    public async Task Workspace_DiesInTheMiddleOfAnAnswer_ClientSeesItBreakAndTheNextRequestIsToldInWords(string head)
    {
        await using var berth = await EdgeInstallation.CreateAsync(postgres);
        using var dying = new DyingWorkspace(head);
        var edge = await berth.NewEdgeAsync();
        var (browser, workspace) = await OpenAsync(berth, edge, dying.Port, ends: false);
        using var http = new HttpClient(Loopback.Handler(edge.Port));
        using var request = new HttpRequestMessage(HttpMethod.Get, workspace + "/long");
        request.Headers.TryAddWithoutValidation("Cookie", browser.CookieHeader(request.RequestUri!));
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte[9];
        await body.ReadExactlyAsync(buffer);

        dying.Die();

        // Not an end: whoever saves this must not take it for the whole.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(Stream.Null, limit.Token));

        using var script = await browser.GetAsync(workspace + "/data", ("Accept", "application/json"));
        Assert.Equal(HttpStatusCode.BadGateway, script.StatusCode);
        Assert.Contains("saved files are kept", await script.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var page = await browser.GetAsync(workspace + "/");
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        Assert.Contains("My workspace", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Replica_IsKilledUnderLoad_OnlyWhatWasUnderWayThereFailsAndEveryRequestIsAnswered()
    {
        const int Workers = 8;
        await using var berth = await EdgeInstallation.CreateAsync(postgres);
        await using var upstream = await Upstream.StartAsync();
        var killed = await berth.NewEdgeAsync();
        var other = await berth.NewEdgeAsync();
        var (browser, workspace) = await OpenAsync(berth, killed, upstream.Port);
        await Cluster.ClusterFixture.Until(async () =>
        {
            using var seen = new HttpClient(Loopback.Handler(other.Port));
            return (await GetAsync(seen, browser, workspace)).IsSuccessStatusCode;
        });
        var balancer = new RetryingBalancer(killed.Port, other.Port);
        using var people = new HttpClient(balancer);
        var answered = 0;
        var killing = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);

        var load = Enumerable.Range(0, Workers).Select(async worker =>
        {
            // Until a good while after the kill, however quick the machine is.
            for (var after = 0; after < 50; after += killing.Task.IsCompleted ? 1 : 0)
            {
                using var answer = await GetAsync(people, browser, workspace);
                Assert.Equal("from the workspace", await answer.Content.ReadAsStringAsync());
                if (Interlocked.Increment(ref answered) == 20 * Workers)
                {
                    killed.Kill();
                    await killed.ExitAsync();
                    killing.SetResult(Stopwatch.GetTimestamp());
                }
            }
        }).ToList();
        await Task.WhenAll(load).WaitAsync(TimeSpan.FromSeconds(120));

        var gone = await killing.Task;
        Assert.NotEmpty(balancer.Failures);
        Assert.All(balancer.Failures, f => Assert.Equal(killed.Port, f.Port));
        Assert.All(balancer.Failures.Where(f => f.Began > gone), f => Assert.True(f.IsRefused, "A request to the replica that is gone was taken."));
    }

    // The workspace's address, without a slash at the end, and a browser with a session there; the workspace answers.
    private static async Task<(Browser Browser, string Workspace)> OpenAsync(
        EdgeInstallation berth, EdgeProcess edge, int port, bool ends = true)
    {
        var host = await berth.RunWorkspaceAsync(edge, "ann", port);
        var workspace = $"http://{host}:8080";
        var browser = new Browser(Loopback.Handler(edge.Port));
        await berth.SignInAsync(browser, "ann");
        await Cluster.ClusterFixture.Until(async () =>
        {
            // An answer of the dying workspace does not end, and says nothing of its type, as the progress page does.
            using var hop = await browser.GetAsync(workspace + "/");
            if (hop.Headers.Location is null)
            {
                return hop.IsSuccessStatusCode && (ends
                    ? await hop.Content.ReadAsStringAsync() == "from the workspace" : hop.Content.Headers.ContentType is null);
            }

            using var ticket = await browser.GetAsync(hop.Headers.Location.AbsoluteUri);
            if (ticket.Headers.Location is null)
            {
                return false;
            }

            using var session = await browser.GetAsync(ticket.Headers.Location.AbsoluteUri);
            return false;
        });
        return (browser, workspace);
    }

    private static async Task<HttpResponseMessage> GetAsync(HttpClient http, Browser browser, string workspace)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, workspace + "/x");
        request.Headers.TryAddWithoutValidation("Cookie", browser.CookieHeader(request.RequestUri!));
        return await http.SendAsync(request);
    }
}
