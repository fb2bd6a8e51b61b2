using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Resources;

namespace Berth.Edge.Tests.Cluster;

/// <summary>The composed edge over real HTTP on a Kubernetes API that checks, counts versions and runs pods.</summary>
public class EdgeOnKubernetesTests
{
    [Fact]
    public async Task Api_LifeOfAWorkspace_CreateStopStartDelete()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var edge = await cluster.NewEdgeAsync();
        using var api = edge.Api("user1");
        var name = edge.NameOf("user1");

        using (var created = await api.PostAsync("/api/workspaces", null))
        using (var again = await api.PostAsync("/api/workspaces", null))
        {
            Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (created.StatusCode, again.StatusCode));
        }

        var spec = (await cluster.FindAsync(name))!.Spec;
        Assert.Equal(("user1", "studio", DesiredStates.Running), (spec.Owner.Subject, spec.Template.Name, spec.DesiredState));

        using var stopped = await api.PostAsync($"/api/workspaces/{name}/stop", null);
        Assert.Equal(HttpStatusCode.Accepted, stopped.StatusCode);
        Assert.Equal(DesiredStates.Stopped, (await cluster.FindAsync(name))!.Spec.DesiredState);

        using var started = await api.PostAsync($"/api/workspaces/{name}/start", null);
        var running = (await cluster.FindAsync(name))!;
        Assert.Equal((DesiredStates.Running, "user"), (running.Spec.DesiredState, running.Spec.LastRequest!.By));

        using var twice = await api.PostAsync($"/api/workspaces/{name}/start", null);
        Assert.Equal(running.Metadata.ResourceVersion, (await cluster.FindAsync(name))!.Metadata.ResourceVersion);

        using var deleted = await api.DeleteAsync($"/api/workspaces/{name}");
        Assert.True(deleted.IsSuccessStatusCode);
        Assert.Null(await cluster.FindAsync(name));
        using var gone = await api.GetAsync($"/api/workspaces/{name}");
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    // What only the API's schema knows comes back as a problem of the person's own fields, not as a failure.
    [Theory]
    [InlineData("""{"resources":{"storage":"-5Gi"}}""", "storage")]
    [InlineData("""{"template":"nix"}""", "template")]
    [InlineData("""{"parameters":{"x":"y"}}""", "parameters")]
    public async Task Api_BadWish_OneClearAnswerAndNothingMade(string wish, string field)
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var edge = await cluster.NewEdgeAsync();
        using var api = edge.Api("user1");

        using var answer = await api.PostAsync("/api/workspaces", new StringContent(wish, Encoding.UTF8, "application/json"));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains(field, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Null(await cluster.FindAsync(edge.NameOf("user1")));
    }

    [Fact]
    public async Task Change_WithTheVersionSeen_SecondWriterIsTold()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var (one, two) = (await cluster.NewEdgeAsync(), await cluster.NewEdgeAsync());
        using var first = one.Api("user1");
        using var second = two.Api("user1");
        using var created = await first.PostAsync("/api/workspaces", null);
        var path = $"/api/workspaces/{one.NameOf("user1")}";
        await ClusterFixture.Until(async () => (await second.GetAsync(path)).IsSuccessStatusCode);
        using var seen = await second.GetAsync(path);
        var version = seen.Headers.ETag!.ToString();

        async Task<HttpStatusCode> NameItAsync(HttpClient api, string name)
        {
            using var request = new HttpRequestMessage(HttpMethod.Patch, path) { Content = JsonContent.Create(new { displayName = name }) };
            request.Headers.TryAddWithoutValidation("If-Match", version);
            using var answer = await api.SendAsync(request);
            return answer.StatusCode;
        }

        var answers = await Task.WhenAll(NameItAsync(first, "One"), NameItAsync(second, "Two"));

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.PreconditionFailed], answers.Order());
    }

    [Fact]
    public async Task Log_AndEvents_OfAPodThatReallyRuns()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var edge = await cluster.NewEdgeAsync();
        using var api = edge.Api("user1");
        var name = edge.NameOf("user1");
        using var created = await api.PostAsync("/api/workspaces", null);
        using var none = await api.GetAsync($"/api/workspaces/{name}/logs");
        Assert.Equal(HttpStatusCode.Conflict, none.StatusCode);

        await cluster.RunAsync(name, "echo one; echo two; exec sleep 4521");
        await ClusterFixture.Until(async () => await api.GetStringAsync($"/api/workspaces/{name}/logs") == "one\ntwo\n");

        Assert.Equal("two\n", await api.GetStringAsync($"/api/workspaces/{name}/logs?tail=1"));
        using var follow = await api.GetAsync($"/api/workspaces/{name}/logs?follow=true", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await follow.Content.ReadAsStreamAsync());
        Assert.Equal("one", await reader.ReadLineAsync());
        await ClusterFixture.Until(async () =>
        {
            var events = JsonNode.Parse(await api.GetStringAsync($"/api/workspaces/{name}/events"))!["items"]!.AsArray();
            return events.Any(e => (string?)e!["reason"] == "Started");
        });
        using var stranger = edge.Api("user2");
        using var refused = await stranger.GetAsync($"/api/workspaces/{name}/logs");
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
    }

    [Fact]
    public async Task TwoReplicas_SignInsAtOnce_OneWorkspace()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        ProductFixture[] edges = [await cluster.NewEdgeAsync(), await cluster.NewEdgeAsync()];
        cluster.Provider.Subject = "user1";

        var visits = await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(i => edges[i % 2].NewBrowser().FollowAsync($"{ProductFixture.Origin}/login?login_hint=user1")));

        foreach (var visit in visits)
        {
            using (visit)
            {
                Assert.Equal(HttpStatusCode.OK, visit.StatusCode);
                Assert.Equal(edges[0].HostOf("user1") + "/", visit.RequestMessage!.RequestUri!.AbsoluteUri);
                Assert.Contains("is starting", await visit.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }
        }

        var page = await cluster.Client.ListPageAsync<UserWorkspace>(ProductFixture.Namespace, new Kube.Client.ListOptions(), default);
        Assert.Single(page.Items);
    }

    // Signed in at one replica, served by the other: progress, then the workspace by HTTP and WebSocket.
    [Fact]
    public async Task TwoReplicas_ProgressThenTheWorkspace_OnTheOther()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var (one, two) = (await cluster.NewEdgeAsync(), await cluster.NewEdgeAsync());
        await using var upstream = await Upstream.StartAsync();
        var name = one.NameOf("user1");
        var browser = await one.SignedInAsync("user1");
        using (await browser.FollowAsync($"{ProductFixture.Origin}/start"))
        {
        }

        var other = new Browser(two.NewHandler());
        foreach (var (key, value) in browser.Cookies)
        {
            other.Cookies[key] = value;
        }

        await ProductFixture.Until(() => two.Get<WorkspaceTable>().TryFindByHost($"{name}.localhost", out _));
        using var stream = await other.GetAsync($"{two.HostOf("user1")}/.berth/progress", ("Accept", "text/event-stream"));
        using var reader = new StreamReader(await stream.Content.ReadAsStreamAsync());
        Assert.Contains("update", await NextAsync(reader), StringComparison.Ordinal);
        await cluster.SetStatusAsync(name, w => new UserWorkspaceStatus
        {
            Phase = WorkspacePhases.Failed,
            ObservedGeneration = w.Metadata.Generation,
            Message = "The image cannot be fetched.",
        });
        Assert.Contains("update", await NextAsync(reader), StringComparison.Ordinal);

        await cluster.AddressAsync(name, upstream.Port);
        await cluster.SetStatusAsync(name, w =>
            new UserWorkspaceStatus { Phase = WorkspacePhases.Running, ObservedGeneration = w.Metadata.Generation });
        string last;
        do
        {
            last = await NextAsync(reader);
        }
        while (!last.Contains("ready", StringComparison.Ordinal));

        using var page = await other.GetAsync(two.HostOf("user1") + "/");
        using var socket = await other.ConnectAsync(two.HostOf("user1").Replace("http:", "ws:", StringComparison.Ordinal) + "/socket",
            two.HostOf("user1"));
        Assert.Equal("from the workspace", await page.Content.ReadAsStringAsync());
        Assert.Equal(WebSocketState.Open, socket.State);

        // Stopped through one replica: the other cuts what is open and forwards no more.
        using var api = one.Api("user1");
        using var stop = await api.PostAsync($"/api/workspaces/{name}/stop", null);
        var buffer = new byte[16];
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await socket.ReceiveAsync(buffer, deadline.Token);
        Assert.Equal(4002, (int)socket.CloseStatus!);
        using var after = await other.GetAsync(two.HostOf("user1") + "/", ("Accept", "application/json"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, after.StatusCode);
    }

    // The name of an event and its data.
    private static async Task<string> NextAsync(StreamReader reader)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await reader.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new EndOfStreamException();
    }
}
