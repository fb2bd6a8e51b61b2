using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Edge.Tests.Cluster;

/// <summary>The edge's part in a workspace's life on an API that checks what is written. The test does what the operator would.</summary>
public abstract class ActivitySuite : IAsyncLifetime
{
    private const string Person = "user1";

    private readonly List<IAsyncDisposable> _started = [];
    private IAsyncDisposable? _server;
    private string? _kubeconfig;
    private string? _skip;
    private KubeClient? _client;
    private FakeProvider? _provider;
    private Upstream? _upstream;

    private string Ns { get; } = "berth-edge-" + Guid.NewGuid().ToString("N")[..8];

    private KubeClient Client => _client!;

    private string Name => WorkspaceNames.ForOwner(_provider!.Issuer, Person);

    private string Host => $"http://{Name}.localhost:8080";

    /// <summary>The API: a kubeconfig, what to dispose, or why there is none.</summary>
    private protected abstract Task<(string? Kubeconfig, IAsyncDisposable? Server, string? Skip)> OpenAsync();

    /// <summary>An address of this machine that Endpoints of this API may have.</summary>
    private protected abstract IPAddress Address { get; }

    public async Task InitializeAsync()
    {
        (_kubeconfig, _server, _skip) = await OpenAsync();
        if (_kubeconfig is null)
        {
            return;
        }

        _client = NewClient();
        await Definitions.InstallAsync(Client);
        await Client.CreateAsync(new Namespace { Metadata = new ObjectMeta { Name = Ns } }, null, default);
        _provider = await FakeProvider.StartAsync(TimeProvider.System);
        _upstream = await Upstream.StartAsync(Address);
    }

    public async Task DisposeAsync()
    {
        foreach (var part in _started)
        {
            await part.DisposeAsync();
        }

        if (_client is not null)
        {
            await Client.DeleteAsync<Namespace>(null, Ns, new DeleteOptions { PropagationPolicy = "Background" }, default);
            await _upstream!.DisposeAsync();
            await _provider!.DisposeAsync();
            _client.Dispose();
        }

        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task Lease_OfEachReplica_ComesAndGoesWithIt()
    {
        var (one, two) = (await NewEdgeAsync(), await NewEdgeAsync());

        var leases = await LeasesAsync(2);
        Assert.All(leases, lease =>
        {
            Assert.StartsWith("berth-edge-activity-", lease.Metadata.Name, StringComparison.Ordinal);
            Assert.Equal(3 * EdgeLeases.RenewSeconds, lease.Spec!.LeaseDurationSeconds);
            Assert.Equal(Ns, lease.Metadata.Annotations![EdgeLeases.WorkspaceNamespace]);
            Assert.InRange(DateTimeOffset.UtcNow - lease.Spec.RenewTime!.Value, TimeSpan.FromSeconds(-2), TimeSpan.FromSeconds(15));
            Assert.InRange(DateTimeOffset.UtcNow - DateTimeOffset.Parse(lease.Metadata.Annotations[EdgeLeases.ActivityWrittenUntil]),
                TimeSpan.FromSeconds(-2), TimeSpan.FromSeconds(15));
        });

        await StopAsync(one);
        var left = Assert.Single(await LeasesAsync(1));
        Assert.Equal(two.Get<ActivityLease>().Name, left.Metadata.Name);
        await ClusterFixture.Until(async () =>
            (await Client.GetAsync<Lease>(Ns, left.Metadata.Name!, default)).Spec!.RenewTime > left.Spec!.RenewTime);
    }

    // A stop is announced, and one replica knows of use that it need not have written yet.
    [SkippableFact]
    public async Task Announced_UsedLaterAtOneReplica_IsVetoed()
    {
        var (one, two) = (await NewEdgeAsync(), await NewEdgeAsync());
        var browser = await OpenedAsync(one);
        await WriteAsync(a => a with { Last = Ago(0), Source = "Request" });
        await Task.Delay(1100);
        using (await browser.GetAsync(Host + "/again"))
        {
        }

        var used = one.Get<ActivityTable>().Find(Name)!.Last!.Value.At;
        Assert.Null(two.Get<ActivityTable>().Find(Name)?.Last);

        await AnnounceAsync();

        await ClusterFixture.Until(async () => (await ActivityAsync())!.Last == ActivityPlan.WholeSeconds(used));
        var activity = (await ActivityAsync())!;
        Assert.Equal(("Request", StopReasons.Idle), (activity.Source, activity.StopReason));
        Assert.NotNull(activity.StopsAt);
        Assert.InRange(activity.ObservedAt!.Value, ActivityPlan.WholeSeconds(used), DateTimeOffset.UtcNow);
    }

    [SkippableFact]
    public async Task Announced_BothReplicasKnowLaterUse_TheLastStands()
    {
        var (one, two) = (await NewEdgeAsync(), await NewEdgeAsync());
        await OpenedAsync(one);
        await WriteAsync(a => a with { Last = Ago(3600), Source = "Request" });
        one.Get<ActivityTable>().Of(Name).Touch(UseSource.Message, Ago(200));
        two.Get<ActivityTable>().Of(Name).Touch(UseSource.Upload, Ago(100));
        var latest = one.Get<ActivityTable>().Find(Name)!.Last!.Value.At;

        for (var i = 0; i < 5; i++)
        {
            await AnnounceAsync();
        }

        await ClusterFixture.Until(async () => (await ActivityAsync())!.Last == ActivityPlan.WholeSeconds(latest));
        await Task.Delay(500);
        Assert.Equal(ActivityPlan.WholeSeconds(latest), (await ActivityAsync())!.Last);
    }

    // An open tab keeps itself alive with pings for ever; somebody who types does not.
    [SkippableFact]
    public async Task WebSocket_PingsAreNoUse_MessagesAre()
    {
        var edge = await NewEdgeAsync();
        var browser = await OpenedAsync(edge);
        using var socket = await browser.ConnectAsync(Host.Replace("http:", "ws:", StringComparison.Ordinal) + "/socket", Host,
            pingEvery: TimeSpan.FromMilliseconds(50));
        Assert.Equal(WebSocketState.Open, socket.State);
        var opened = edge.Get<ActivityTable>().Find(Name)!.Last!.Value;
        var receiving = Task.Run(async () => await socket.ReceiveAsync(new byte[100], default));

        // Twenty pings and pongs: the connection lives, and nothing was used.
        await Task.Delay(1500);
        Assert.Equal((WebSocketState.Open, opened), (socket.State, edge.Get<ActivityTable>().Find(Name)!.Last!.Value));
        Assert.Equal(UseSource.Request, opened.Source);
        await WriteAsync(a => a with { Last = DateTimeOffset.UtcNow, Source = "Request" });

        await Task.Delay(1100);
        await socket.SendAsync("typed"u8.ToArray(), WebSocketMessageType.Text, true, default);
        await receiving;
        Assert.Equal(UseSource.Message, edge.Get<ActivityTable>().Find(Name)!.Last!.Value.Source);
        await AnnounceAsync();
        await ClusterFixture.Until(async () => (await ActivityAsync())!.Source == "Message");
    }

    [SkippableFact]
    public async Task Template_SaysWhatIsNoUse()
    {
        var edge = await NewEdgeAsync(new TemplateActivity { IgnoreMessagesBelow = 14, IgnorePaths = ["/poll", "/quiet/"] });
        var browser = await OpenedAsync(edge);
        var opened = edge.Get<ActivityTable>().Find(Name)!.Last!.Value;
        await Task.Delay(5);

        using (await browser.GetAsync(Host + "/poll?since=5"))
        using (await browser.GetAsync(Host + "/quiet/x"))
        {
            using var ignored = await browser.ConnectAsync(Host.Replace("http:", "ws:", StringComparison.Ordinal) + "/quiet/socket", Host);
            await EchoAsync(ignored, 500);
        }

        Assert.Equal(opened, edge.Get<ActivityTable>().Find(Name)!.Last!.Value);
        using var socket = await browser.ConnectAsync(Host.Replace("http:", "ws:", StringComparison.Ordinal) + "/socket", Host);
        await EchoAsync(socket, 13);
        Assert.Equal(UseSource.Request, edge.Get<ActivityTable>().Find(Name)!.Last!.Value.Source);
        await EchoAsync(socket, 14);
        Assert.Equal(UseSource.Message, edge.Get<ActivityTable>().Find(Name)!.Last!.Value.Source);
    }

    // An application that works although nobody watches, then one that does not.
    [SkippableFact]
    public async Task Announced_TemplateWithAProbe_TheApplicationIsAsked()
    {
        var edge = await NewEdgeAsync(Probe);
        await OpenedAsync(edge);
        var said = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 40);
        await WriteAsync(a => a with { Last = said.AddSeconds(-600), Source = "Request" });
        edge.Get<ActivityTable>().Remove(Name);
        _upstream!.Activity = $$$"""{"kernel":{"last":"{{{said:yyyy-MM-dd'T'HH:mm:ss'Z'}}}"}}""";

        var announced = await AnnounceAsync();

        await ClusterFixture.Until(async () => (await ActivityAsync())!.ProbedAt > announced);
        var activity = (await ActivityAsync())!;
        Assert.Equal((said, "Application"), (activity.Last!.Value, activity.Source));
        var asked = _upstream.Requests.Last(r => r.Target == "/activity");
        Assert.Equal($"{Name}.localhost:8080", Assert.Single(asked.Headers["Host"]));
        Assert.DoesNotContain("X-Workspace-Identity", asked.Headers.Keys);

        _upstream.Activity = """{"kernel":{"last":null}}""";
        var again = await AnnounceAsync();
        await ClusterFixture.Until(async () => (await ActivityAsync())!.ProbedAt > again);
        Assert.Equal(said, (await ActivityAsync())!.Last);
    }

    [SkippableTheory]
    [InlineData("<html>not JSON</html>")]
    [InlineData("""{"kernel":{}}""")]
    [InlineData("")]
    [InlineData("long")]
    public async Task Announced_AnswerOfNoUse_NothingIsWritten(string answer)
    {
        var edge = await NewEdgeAsync(Probe);
        await OpenedAsync(edge);
        await WriteAsync(a => a with { Last = Ago(600), Source = "Request" });
        edge.Get<ActivityTable>().Remove(Name);
        _upstream!.Activity = answer == "long" ? $$$"""{"kernel":{"last":true},"x":"{{{new string('x', 70_000)}}}"}""" : answer;

        await AnnounceAsync();
        await ClusterFixture.Until(() => Task.FromResult(_upstream.Requests.Any(r => r.Target == "/activity")));
        await Task.Delay(300);

        var activity = (await ActivityAsync())!;
        Assert.Equal((null, "Request"), (activity.ProbedAt, activity.Source));
        using var page = await edge.NewBrowser().GetAsync(ProductFixture.Origin + "/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }

    [SkippableFact]
    public async Task Holds_ComeAndGoByTheApi_WithinThePolicysBound()
    {
        var edge = await NewEdgeAsync();
        await Client.CreateAsync(
            new BerthPolicy
            {
                Metadata = new ObjectMeta { Name = Ns },
                Spec = new BerthPolicySpec { Lifetime = new PolicyLifetime { MaxHoldSeconds = 3600 } },
            },
            null,
            default);
        try
        {
            var second = await NewEdgeAsync();
            await OpenedAsync(edge);
            await Until(() => second.Get<PolicyReader>().Lifetime is not null && second.Get<WorkspaceWatch>().Find(Name) is not null);
            using var api = second.Api(Person);
            var path = $"/api/workspaces/{Name}";

            using var put = await api.PutAsJsonAsync(path + "/holds/build-17", new { seconds = 600, reason = "nightly" });
            using var long_ = await api.PutAsJsonAsync(path + "/holds/agent", new { seconds = 86400 });
            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (put.StatusCode, long_.StatusCode));
            Assert.Null(JsonNode.Parse(await put.Content.ReadAsStringAsync())!["notice"]);
            Assert.Contains("an hour from its start", (string?)JsonNode.Parse(await long_.Content.ReadAsStringAsync())!["notice"],
                StringComparison.Ordinal);
            var holds = (await Client.GetAsync<UserWorkspace>(Ns, Name, default)).Spec.Lifetime!.Holds!;
            Assert.Equal(["build-17", "agent"], holds.Select(h => h.Name));
            Assert.InRange(holds[1].Until, DateTimeOffset.UtcNow.AddSeconds(3500), DateTimeOffset.UtcNow.AddSeconds(3600));
            Assert.Equal(UseSource.Hold, second.Get<ActivityTable>().Find(Name)!.Last!.Value.Source);

            // Ten programs at once, through two replicas: none loses its hold.
            using var other = edge.Api(Person);
            var answers = await Task.WhenAll(Enumerable.Range(0, 4)
                .Select(i => (i % 2 == 0 ? api : other).PutAsJsonAsync($"{path}/holds/p{i}", new { seconds = 60 })));
            Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
            Assert.Equal(6, (await Client.GetAsync<UserWorkspace>(Ns, Name, default)).Spec.Lifetime!.Holds!.Count);

            using var gone = await api.DeleteAsync(path + "/holds/build-17");
            using var twice = await api.DeleteAsync(path + "/holds/build-17");
            using var bad = await api.PutAsJsonAsync(path + "/holds/x", new { hours = 5 });
            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.BadRequest),
                (gone.StatusCode, twice.StatusCode, bad.StatusCode));

            using var keep = await api.PostAsync(path + "/keep", null);
            Assert.Equal(HttpStatusCode.OK, keep.StatusCode);
            var kept = JsonNode.Parse(await keep.Content.ReadAsStringAsync())!;
            Assert.NotNull(kept["lifetime"]!["keepUntil"]);
            using var unkeep = await api.DeleteAsync(path + "/keep");
            Assert.Null((await Client.GetAsync<UserWorkspace>(Ns, Name, default)).Spec.Lifetime!.KeepUntil);

            using var stranger = second.Api("user2");
            using var refused = await stranger.PutAsJsonAsync(path + "/holds/x", new { seconds = 60 });
            Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        }
        finally
        {
            await Client.DeleteAsync<BerthPolicy>(null, Ns, null, default);
        }
    }

    private static TemplateActivity Probe => new() { Probe = new ActivityProbe { Path = "/activity", Field = "kernel.last" } };

    private static DateTimeOffset Ago(int seconds) => ActivityPlan.WholeSeconds(DateTimeOffset.UtcNow.AddSeconds(-seconds));

    private static async Task Until(Func<bool> condition) => await ClusterFixture.Until(() => Task.FromResult(condition()));

    private static async Task EchoAsync(WebSocket socket, int length)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes(new string('x', length)), WebSocketMessageType.Text, true, default);
        await socket.ReceiveAsync(new byte[1024], default);
    }

    private KubeClient NewClient() => KubeClient.Create(KubeConfig.Parse(_kubeconfig!), new KubeClientOptions());

    private async Task<ProductFixture> NewEdgeAsync(TemplateActivity? activity = null)
    {
        Skip.IfNot(_skip is null, _skip);
        if (await Client.TryGetAsync<WorkspaceTemplate>(Ns, "studio", default) is null)
        {
            var template = ProductFixture.Template();
            await Client.CreateAsync(
                template with { Metadata = template.Metadata with { Namespace = Ns }, Spec = template.Spec with { Activity = activity } },
                null, default);
        }

        var edge = await ProductFixture.StartAsync(
            o => o with
            {
                Edge = o.Edge with { Session = new SessionOptions { Keys = [ClusterFixture.CookieKey] } },
                Workspaces = new WorkspaceOptions { Namespace = Ns, PolicyName = Ns },
            },
            provider: _provider, api: NewClient());
        _started.Add(edge);
        return edge;
    }

    private async Task StopAsync(ProductFixture edge)
    {
        _started.Remove(edge);
        await edge.StopAsync();
    }

    /// <summary>The person's workspace, running, and a browser that has opened it.</summary>
    private async Task<Browser> OpenedAsync(ProductFixture edge)
    {
        var browser = await edge.SignedInAsync(Person);
        using (await browser.FollowAsync($"{ProductFixture.Origin}/start"))
        {
        }

        await Client.CreateAsync(
            new Endpoints
            {
                Metadata = new ObjectMeta { Name = Name, Namespace = Ns },
                Subsets = [new EndpointSubset { Addresses = [new EndpointAddress { IP = Address.ToString() }],
                    Ports = [new EndpointPort { Name = "http", Port = _upstream!.Port }] }],
            },
            null,
            default);
        await Until(() => _started.OfType<ProductFixture>()
            .All(e => e.Get<WorkspaceTable>().TryFindByHost($"{Name}.localhost", out var entry) && entry.IsReady));
        using var page = await browser.FollowAsync(Host + "/");
        Assert.Equal("from the workspace", await page.Content.ReadAsStringAsync());
        return browser;
    }

    private async Task<IReadOnlyList<Lease>> LeasesAsync(int count)
    {
        IReadOnlyList<Lease> leases = [];
        await ClusterFixture.Until(async () =>
        {
            leases = (await Client.ListPageAsync<Lease>(
                Ns, new ListOptions { LabelSelector = $"{EdgeLeases.Component}={EdgeLeases.ComponentValue}" }, default)).Items;
            return leases.Count == count && leases.All(l => l.Metadata.Annotations!.ContainsKey(EdgeLeases.ActivityWrittenUntil));
        });
        return leases;
    }

    private async Task<WorkspaceActivity?> ActivityAsync() => (await Client.GetAsync<UserWorkspace>(Ns, Name, default)).Status?.Activity;

    private async Task<DateTimeOffset> AnnounceAsync()
    {
        var now = ActivityPlan.WholeSeconds(DateTimeOffset.UtcNow);
        await WriteAsync(a => a with { AnnouncedAt = now, StopsAt = now.AddSeconds(300), StopReason = StopReasons.Idle });
        return now;
    }

    /// <summary>Writes the whole status with the version that was read, as the operator does.</summary>
    private async Task WriteAsync(Func<WorkspaceActivity, WorkspaceActivity> change)
    {
        while (true)
        {
            var now = await Client.GetAsync<UserWorkspace>(Ns, Name, default);
            try
            {
                var status = now.Status ?? new UserWorkspaceStatus { Phase = WorkspacePhases.Running };
                status = status with { Activity = change(status.Activity ?? new()) };
                await Client.ReplaceStatusAsync(now with { Status = status }, null, default);
                return;
            }
            catch (KubeException error) when (error.IsConflict)
            {
                // The edge was faster: look again.
            }
        }
    }
}
