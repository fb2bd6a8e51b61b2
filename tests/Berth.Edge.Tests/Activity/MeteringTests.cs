using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Testing;

namespace Berth.Edge.Tests.Activity;

/// <summary>Where use is noted on the way of a request, and that nothing else happens to it.</summary>
public class MeteringTests
{
    [Fact]
    public async Task FrameMeter_AnyBytes_AreTheSameBehindIt()
    {
        var clock = new FakeTimeProvider();
        var table = new ActivityTable();
        var random = new Random(4711);
        var bytes = new byte[100_000];
        random.NextBytes(bytes);
        await using var stream = new ClientSocket(
            new MemoryStream(bytes), new UseInProgress(table.Of("w"), 0, clock), null, TimeSpan.FromSeconds(30), clock);
        var read = new MemoryStream();
        var buffer = new byte[4096];
        while (true)
        {
            // YARP waits for data with an empty buffer.
            Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty));
            var length = await stream.ReadAsync(buffer.AsMemory(0, random.Next(1, buffer.Length)));
            if (length == 0)
            {
                break;
            }

            read.Write(buffer, 0, length);
        }

        Assert.Equal(bytes, read.ToArray());
        Assert.Equal(UseSource.Message, table.Find("w")!.Last!.Value.Source);
    }

    [Fact]
    public async Task FrameMeter_Writes_PassThrough()
    {
        var inner = new MemoryStream();
        var clock = new FakeTimeProvider();
        await using var stream = new ClientSocket(
            inner, new UseInProgress(new ActivityTable().Of("w"), 0, clock), null, TimeSpan.FromSeconds(30), clock);

        await stream.WriteAsync("from the workspace"u8.ToArray());
        await stream.FlushAsync();

        Assert.Equal("from the workspace"u8.ToArray(), inner.ToArray());
    }

    // A body that takes a minute is use each second that bytes come; when they stop, so does the use.
    [Fact]
    public async Task Upload_Long_CountsWhileBytesFlow()
    {
        var clock = new FakeTimeProvider();
        var use = new ActivityTable().Of("w");
        use.Touch(UseSource.Request, clock.GetUtcNow());
        var body = new EndNotingStream(new MemoryStream(new byte[30]), () => { }, new UseInProgress(use, 0, clock));
        var buffer = new byte[10];

        Assert.Equal(10, await body.ReadAsync(buffer.AsMemory()));
        Assert.Equal(UseSource.Request, use.Last!.Value.Source);
        clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(10, await body.ReadAsync(buffer.AsMemory()));
        var during = use.Last!.Value;
        clock.Advance(TimeSpan.FromMilliseconds(900));
        Assert.Equal(10, await body.ReadAsync(buffer.AsMemory()));
        var soon = use.Last!.Value;
        clock.Advance(TimeSpan.FromSeconds(100));
        Assert.Equal(0, await body.ReadAsync(buffer.AsMemory()));

        Assert.Equal((UseSource.Upload, "00:00:20"), (during.Source, during.At.ToString("HH:mm:ss")));
        Assert.Equal((during, during), (soon, use.Last!.Value));
    }

    [Fact]
    public async Task ForwardAuth_Allowed_IsARequest_RefusedIsNone()
    {
        var meter = new RecordingMeter();
        await using var edge = await EdgeFixture.StartAsync(
            options: o => o with { TrustedProxies = ["127.0.0.1/32"] }, services: s => s.AddSingleton<IActivityMeter>(meter));
        var owner = await WorkspaceHostTests.EnterAsync(edge);
        meter.Seen.Clear();

        foreach (var (browser, status) in new[] { (owner, HttpStatusCode.OK), (edge.NewBrowser(), HttpStatusCode.Unauthorized) })
        {
            using var answer = await browser.SendAsync("http://berth-edge.test/auth/forward/ws-one", headers:
            [
                ("X-Forwarded-Method", "GET"), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", "ws-one.localhost:8080"),
                ("X-Forwarded-Uri", "/page"), ("X-Forwarded-For", "192.0.2.1"), ("Accept", "application/json"),
                ("Cookie", owner == browser ? owner.CookieHeader(EdgeFixture.WorkspaceHost) : "x=1"),
            ]);
            Assert.Equal(status, answer.StatusCode);
        }

        Assert.Equal(["ws-one /page"], meter.Seen);
    }

    [Fact]
    public async Task Forwarded_RefusedOrReserved_IsNoUse()
    {
        var meter = new RecordingMeter();
        await using var edge = await EdgeFixture.StartAsync(services: s => s.AddSingleton<IActivityMeter>(meter));
        var owner = await WorkspaceHostTests.EnterAsync(edge);
        meter.Seen.Clear();

        using var page = await owner.GetAsync(EdgeFixture.WorkspaceOrigin + "/a?b=c");
        using var reserved = await owner.GetAsync(EdgeFixture.WorkspaceOrigin + "/.berth/nothing");
        using var stranger = await edge.NewBrowser().GetAsync(EdgeFixture.WorkspaceOrigin + "/a", ("Accept", "application/json"));

        Assert.Equal(["ws-one /a"], meter.Seen);
    }

    [Fact]
    public async Task Api_ShowsActivityQueueAndHolds_AndSoDoesTheStream()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using var created = await api.PostAsync("/api/workspaces", null);
        var name = edge.NameOf("user1");
        using var stream = await api.GetAsync("/api/workspaces/events", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await stream.Content.ReadAsStreamAsync());

        edge.SetStatus(name, new Resources.UserWorkspaceStatus
        {
            Activity = new() { StopsAt = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero), StopReason = "Idle", KeptBy = "Stops." },
            Queue = new() { Position = 2, Length = 3 },
        });

        string? line;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        do
        {
            line = await reader.ReadLineAsync(limit.Token);
        }
        while (line?.Contains("stopsAt", StringComparison.Ordinal) != true);
        var one = JsonNode.Parse(await api.GetStringAsync($"/api/workspaces/{name}"))!;
        Assert.Equal(("2030-01-01T12:00:00+00:00", "Idle", 2),
            ((string?)one["activity"]!["stopsAt"], (string?)one["activity"]!["stopReason"], (int?)one["queue"]!["position"]));
    }

    private sealed class RecordingMeter : IActivityMeter
    {
        public List<string> Seen { get; } = [];

        public UseInProgress? Begin(WorkspaceEntry workspace, string path)
        {
            Seen.Add($"{workspace.Name} {path}");
            return null;
        }
    }
}
