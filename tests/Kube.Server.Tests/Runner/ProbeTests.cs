using System.Net;
using System.Text.Json.Nodes;
using Kube.Server.Runner;
using Kube.Server.Runner.Pods;
using Kube.Server.Runner.Probes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Testing;

namespace Kube.Server.Tests.Runner;

public sealed class ProbeTests
{
    [Theory]
    [InlineData("sss", 1, 3, "+++")]
    [InlineData("fff", 1, 3, "..-")]
    [InlineData("ffsff", 1, 3, "..+..")]
    [InlineData("sfss", 2, 1, ".-.+")]
    public void Tally_Results_ReachThresholds(string results, int success, int failure, string expected)
    {
        var tally = new ProbeTally(success, failure);

        var seen = string.Concat(results.Select(r => tally.Add(r == 's') ? tally.Verdict == true ? '+' : '-' : '.'));

        Assert.Equal(expected, seen);
    }

    [Fact]
    public async Task Loop_ProgramUpLate_IsReadyLongBeforeThePeriod()
    {
        var clock = new FakeTimeProvider();
        var begun = clock.GetUtcNow();
        var failures = 0;
        var ready = new TaskCompletionSource<DateTimeOffset>();
        var loop = new ProbeLoop(Probe(ProbeKind.Readiness), (_, _) => Task.FromResult(
            new ProbeOutcome(clock.GetUtcNow() - begun >= TimeSpan.FromMilliseconds(300), "not yet")), clock);
        using var stop = new CancellationTokenSource();

        var run = loop.RunAsync((_, _) => failures++, _ => ready.TrySetResult(clock.GetUtcNow()), stop.Token);
        while (!ready.Task.IsCompleted && clock.GetUtcNow() < begun.AddSeconds(20))
        {
            clock.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        Assert.Equal(0, failures);
        Assert.True(await ready.Task - begun < TimeSpan.FromSeconds(5));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    [Theory]
    [InlineData(200, true)]
    [InlineData(302, true)]
    [InlineData(404, false)]
    [InlineData(503, false)]
    public async Task Http_Status_Decides(int status, bool success)
    {
        await using var server = await ServeAsync(c => c.Response.StatusCode = c.Request.Headers["X-Probe"] == "1" ? status : 500);
        using var probes = new NetworkProbes();
        var get = (JsonObject)JsonNode.Parse("""{"path":"/healthz","httpHeaders":[{"name":"X-Probe","value":"1"}]}""")!;

        var outcome = await probes.HttpAsync(get, Port(server), default);

        Assert.Equal(success, outcome.Success);
        Assert.Equal(success ? "" : $"HTTP probe failed with statuscode: {status}", outcome.Message);
    }

    [Fact]
    public async Task Tcp_NobodyListens_Fails()
    {
        var port = new Kube.Server.Runner.Ports.PortAllocator().Take();

        Assert.False((await NetworkProbes.TcpAsync([], port, default)).Success);
    }

    [Fact]
    public async Task Readiness_OfAPod_FollowsTheProgram()
    {
        var healthy = true;
        await using var server = await ServeAsync(c => c.Response.StatusCode = Volatile.Read(ref healthy) ? 200 : 503);
        await using var runner = await RunnerFixture.StartAsync();

        await runner.CreatePodAsync("a", "sleep 1000", containerExtra: $$$"""
            "readinessProbe":{"httpGet":{"path":"/","port":{{{Port(server)}}}},"periodSeconds":1,"failureThreshold":1}
            """);

        await runner.WaitPodAsync("a", IsReady, "ready");
        Volatile.Write(ref healthy, false);
        await runner.WaitPodAsync("a", p => !IsReady(p), "unready");
        await runner.WaitEventAsync("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503");
        Assert.Equal(0, RunnerFixture.Container(runner.Pod("a")).Number("restartCount"));
    }

    [Fact]
    public async Task Liveness_Failure_RestartsTheContainer()
    {
        await using var runner = await RunnerFixture.StartAsync();

        await runner.CreatePodAsync("a", "sleep 1000", containerExtra: """
            "livenessProbe":{"exec":{"command":["sh","-c","echo sick; exit 1"]},"periodSeconds":1,"failureThreshold":1}
            """);

        await runner.WaitPodAsync("a", p => RunnerFixture.Container(p).Number("restartCount") >= 1, "restarted");
        await runner.WaitEventAsync("Unhealthy", "Liveness probe failed: sick");
        await runner.WaitEventAsync("Killing", "Container main failed liveness probe, will be restarted");
        Assert.Equal(143, RunnerFixture.Container(runner.Pod("a")).Object("lastState").Object("terminated").Number("exitCode"));
    }

    [Fact]
    public async Task Startup_UntilItSucceeds_TheContainerIsNotStarted()
    {
        await using var runner = await RunnerFixture.StartAsync();
        var file = Path.Combine(runner.Data, "go");

        await runner.CreatePodAsync("a", "sleep 1000", containerExtra: $$$"""
            "startupProbe":{"exec":{"command":["test","-e","{{{file}}}"]},"periodSeconds":1,"failureThreshold":1000},
            "livenessProbe":{"exec":{"command":["test","-e","{{{file}}}"]},"periodSeconds":1,"failureThreshold":1}
            """);

        var pod = await runner.WaitRunningAsync("a");
        await runner.WaitEventAsync("Unhealthy", "Startup probe failed");
        Assert.False(RunnerFixture.Container(pod).Flag("started"));
        await File.WriteAllTextAsync(file, "");
        await runner.WaitPodAsync("a", p => RunnerFixture.Container(p).Flag("started") && IsReady(p), "started");
        Assert.Equal(0, RunnerFixture.Container(runner.Pod("a")).Number("restartCount"));
    }

    private static bool IsReady(JsonObject pod) =>
        pod.Object("status").Objects("conditions").Any(c => c.Text("type") == "Ready" && c.Text("status") == "True");

    private static ProbeShape Probe(ProbeKind kind) => ProbeShape.Read((JsonObject)JsonNode.Parse("""{"tcpSocket":{"port":1}}""")!, kind)!;

    private static int Port(WebApplication server) =>
        new Uri(server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;

    private static async Task<WebApplication> ServeAsync(Action<HttpContext> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(context =>
        {
            answer(context);
            return Task.CompletedTask;
        });
        await app.StartAsync();
        return app;
    }
}
