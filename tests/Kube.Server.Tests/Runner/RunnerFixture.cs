using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Kube.Server.Controllers;
using Kube.Server.Pki;
using Kube.Server.Runner;
using Kube.Server.Runner.Logs;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kube.Server.Tests.Runner;

/// <summary>
/// A runner with its controllers over a <see cref="TestCluster"/> and a folder of its own, on the real clock and with real processes.
/// </summary>
internal sealed class RunnerFixture : IAsyncDisposable
{
    private readonly List<IHostedController> _started = [];

    private RunnerFixture(string data, TestCluster cluster)
    {
        Data = data;
        Cluster = cluster;
    }

    public string Data { get; }

    public TestCluster Cluster { get; }

    public PodRunner Runner { get; private set; } = null!;

    public string Catalog => Path.Combine(Data, "images.yaml");

    public static async Task<RunnerFixture> StartAsync(string images = "", Func<PodRunnerOptions, PodRunnerOptions>? change = null)
    {
        var data = Directory.CreateTempSubdirectory("runner-test-").FullName;
        var fixture = new RunnerFixture(data, new TestCluster(TimeProvider.System));
        await File.WriteAllTextAsync(fixture.Catalog, "sh: { command: [sh, -c] }\n" + images);
        await fixture.StartRunnerAsync(change);
        return fixture;
    }

    internal ServiceAccountTokens Tokens { get; } = new(TimeProvider.System);

    public async Task StartRunnerAsync(Func<PodRunnerOptions, PodRunnerOptions>? change = null)
    {
        var options = new PodRunnerOptions
        {
            ImageCatalog = Catalog,
            BackoffBase = TimeSpan.FromMilliseconds(50),
            RetryInterval = TimeSpan.FromMilliseconds(50),
            ShutdownGrace = TimeSpan.FromSeconds(1),
        };
        Runner = new PodRunner(change?.Invoke(options) ?? options);
        var context = new HostedControllerContext(Cluster, NullLoggerFactory.Instance, TimeProvider.System, Data)
        {
            Tokens = Tokens,
        };
        foreach (var controller in new IHostedController[] { new VolumeBinder(), new Scheduler(), new EndpointsController(), Runner })
        {
            await controller.StartAsync(context, default);
            _started.Add(controller);
        }
    }

    public async Task StopRunnerAsync()
    {
        foreach (var controller in Enumerable.Reverse(_started))
        {
            await controller.StopAsync(default);
            (controller as IDisposable)?.Dispose();
        }

        _started.Clear();
    }

    /// <summary>A pod with one container "main" of image sh that runs the script.</summary>
    public Task<JsonObject> CreatePodAsync(string name, string script, string? extra = null, string? containerExtra = null) =>
        CreateAsync(GroupResource.Pods, $$$"""
        {"metadata":{"name":"{{{name}}}","labels":{"app":"{{{name}}}"}},
         "spec":{"terminationGracePeriodSeconds":5,"containers":[{"name":"main","image":"sh",
          "args":[{{{Quote(script)}}}]{{{Comma(containerExtra)}}}}]{{{Comma(extra)}}}}}
        """);

    public Task<JsonObject> CreateAsync(GroupResource resource, string json) =>
        Cluster.CreateAsync(resource, "default", (JsonObject)JsonNode.Parse(json)!);

    public JsonObject? Pod(string name) => Cluster.Get(GroupResource.Pods, "default", name);

    public static JsonObject? Container(JsonObject? pod, string name = "main") => pod.Object("status").Objects("containerStatuses")
        .Concat(pod.Object("status").Objects("initContainerStatuses")).FirstOrDefault(c => c.Text("name") == name);

    public Task<JsonObject> WaitPodAsync(string name, Func<JsonObject, bool> condition, string what) =>
        WaitAsync(() => Pod(name), condition, what);

    public Task<JsonObject> WaitRunningAsync(string name) =>
        WaitPodAsync(name, p => Container(p).Object("state").Object("running") is not null, "running");

    public Task WaitGoneAsync(string name) => WaitAsync(() => Pod(name) is null ? new JsonObject() : null, _ => true, $"{name} gone");

    public Task<JsonObject> WaitEventAsync(string reason, string text) => WaitAsync(
        () => Cluster.List(GroupResource.Events).Items.FirstOrDefault(e =>
            e.Text("reason") == reason && e.Text("message")!.Contains(text, StringComparison.Ordinal)),
        _ => true, $"event {reason} '{text}'");

    public async Task<JsonObject> WaitAsync(Func<JsonObject?> read, Func<JsonObject, bool> condition, string what)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            var value = read();
            if (value is not null && condition(value))
            {
                return value;
            }

            if (Stopwatch.GetElapsedTime(begun) > TimeSpan.FromSeconds(30))
            {
                var events = string.Join("\n",
                    Cluster.List(GroupResource.Events).Items.Select(e => $"{e.Text("reason")}: {e.Text("message")}"));
                throw new TimeoutException($"{what} did not come true; last: {value?.ToJsonString()}\n{events}");
            }

            await Task.Delay(20);
        }
    }

    public async Task<string> LogAsync(string pod, Func<PodLogRequest, PodLogRequest>? change = null)
    {
        var request = new PodLogRequest
        {
            Namespace = "default",
            Pod = pod,
            Uid = Pod(pod).Object("metadata").Text("uid")!,
            Container = "main"
        };
        var text = new StringBuilder();
        await foreach (var chunk in await Runner.OpenAsync(change?.Invoke(request) ?? request, default))
        {
            text.Append(Encoding.UTF8.GetString(chunk.Span));
        }

        return text.ToString();
    }

    /// <summary>Waits until the log holds the text.</summary>
    public async Task<string> WaitLogAsync(string pod, string text)
    {
        var found = "";
        await WaitAsync(() => new JsonObject(), _ =>
        {
            found = ReadLog(pod);
            return found.Contains(text, StringComparison.Ordinal);
        }, $"log of {pod} with '{text}'");
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        await StopRunnerAsync();
        Directory.Delete(Data, recursive: true);
    }

    private string ReadLog(string pod)
    {
        var folder = Path.Combine(Data, "runner", "pods", Pod(pod).Object("metadata").Text("uid")!, "logs", "main");
        // Without the times of the entries: digits that a test waits for may well be part of one.
        return Directory.Exists(folder)
            ? string.Concat(Directory.GetFiles(folder, "*.log").SelectMany(f => File.ReadAllLines(f))
                .Select(l => l[Math.Min(l.Length, LogLine.TimeLength)..] + "\n"))
            : "";
    }

    private static string Quote(string text) => JsonValue.Create(text).ToJsonString();

    private static string Comma(string? text) => text is null ? "" : "," + text;
}
