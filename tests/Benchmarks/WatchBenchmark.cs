using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kube.Client;
using Kube.Client.Models;
using Kube.Client.Watching;

namespace Benchmarks;

/// <summary>
/// What it costs to turn the bytes of a watch into objects, beside the way that a client without a frame reader goes: a line as a string, decoded once to find
/// its type and once more for the object.
/// </summary>
internal static class WatchBenchmark
{
    private const int Events = 20_000;
    private const int Rounds = 5;

    public static async Task RunAsync()
    {
        var stream = Stream();
        await OursAsync(stream);
        await NaiveAsync(stream); // warm, both

        // In turns, so that a noisy moment of the machine hits both.
        double ours = 0,
            naive = 0;
        long ourBytes = 0,
            naiveBytes = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var (seconds, bytes) = await MeasureAsync(() => OursAsync(stream));
            ours += seconds;
            ourBytes += bytes;
            (seconds, bytes) = await MeasureAsync(() => NaiveAsync(stream));
            naive += seconds;
            naiveBytes += bytes;
        }

        Program.Print("watch.decode-speedup", naive / ours, "x-naive");
        Program.Print("watch.allocation", (double)ourBytes / naiveBytes, "of-naive");
        Program.Print("watch.decode", Events * Rounds / ours, "events/s");
        Program.Print("watch.allocated", (double)ourBytes / (Events * Rounds), "B/event");
    }

    private static async Task<int> OursAsync(byte[] stream)
    {
        var count = 0;
        using var reader = new FrameReader(PipeReader.Create(new MemoryStream(stream)), 1 << 20);
        while (await reader.ReadAsync(CancellationToken.None) is { } line)
        {
            count += WatchFrame.Parse(line.Span, Pod.JsonTypeInfo, omitManagedFields: true, out _) is WatchEvent<Pod>.Modified ? 1 : 0;
        }

        return Checked(count);
    }

    private static async Task<int> NaiveAsync(byte[] stream)
    {
        var count = 0;
        using var reader = new StreamReader(new MemoryStream(stream), Encoding.UTF8);
        while (await reader.ReadLineAsync() is { } line)
        {
            using var outer = JsonDocument.Parse(line);
            var pod = JsonSerializer.Deserialize(outer.RootElement.GetProperty("object").GetRawText(), Pod.JsonTypeInfo);
            count += outer.RootElement.GetProperty("type").GetString() == "MODIFIED" && pod is not null ? 1 : 0;
        }

        return Checked(count);
    }

    private static int Checked(int count) =>
        count == Events ? count : throw new InvalidOperationException($"{count} events were decoded, {Events} were sent.");

    private static async Task<(double Seconds, long Bytes)> MeasureAsync(Func<Task<int>> run)
    {
        GC.Collect();
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var started = TimeProvider.System.GetTimestamp();
        await run();
        return (TimeProvider.System.GetElapsedTime(started).TotalSeconds, GC.GetTotalAllocatedBytes(precise: true) - allocated);
    }

    // A pod of usual size, about 2 KB with the managed fields that a server sends.
    private static byte[] Stream()
    {
        using var buffer = new MemoryStream();
        for (var i = 0; i < Events; i++)
        {
            var pod = new Pod
            {
                Metadata = new ObjectMeta
                {
                    Name = $"ws-{i:x16}",
                    Namespace = "berth-workspaces",
                    Uid = Guid.NewGuid().ToString(),
                    ResourceVersion = $"{100_000 + i}",
                    Generation = 1,
                    Labels = new Dictionary<string, string>
                    {
                        ["app.kubernetes.io/managed-by"] = "berth",
                        ["berth.dev/workspace"] = $"ws-{i:x16}",
                    },
                    ManagedFields = JsonSerializer.SerializeToElement(ManagedFields()),
                },
                Spec = new PodSpec
                {
                    Containers =
                    [
                        new Container
                        {
                            Name = "workspace",
                            Image = "berth-studio:dev",
                            Env = [new EnvVar { Name = "PORT", Value = "8080" }],
                        },
                    ],
                    RestartPolicy = "Never",
                    NodeName = "node1",
                },
                Status = new PodStatus
                {
                    Phase = "Running",
                    PodIP = "10.0.0.1",
                    Conditions =
                    [
                        new Condition { Type = "Ready", Status = "True" },
                        new Condition { Type = "PodScheduled", Status = "True" },
                    ],
                    ContainerStatuses =
                    [
                        new ContainerStatus
                        {
                            Name = "workspace",
                            Ready = true,
                            State = new ContainerState { Running = new ContainerStateRunning() },
                        },
                    ],
                },
            };
            buffer.Write("{\"type\":\"MODIFIED\",\"object\":"u8);
            buffer.Write(JsonSerializer.SerializeToUtf8Bytes(pod, Pod.JsonTypeInfo));
            buffer.Write("}\n"u8);
        }

        return buffer.ToArray();
    }

    private static JsonArray ManagedFields() =>
        [
            .. new[] { "berth-operator", "kubelet" }.Select(manager =>
                (JsonNode)
                    new JsonObject
                    {
                        ["manager"] = manager,
                        ["operation"] = "Apply",
                        ["apiVersion"] = "v1",
                        ["fieldsType"] = "FieldsV1",
                        ["fieldsV1"] = new JsonObject(
                            Enumerable.Range(0, 20).Select(n => KeyValuePair.Create<string, JsonNode?>($"f:field{n}", new JsonObject()))
                        ),
                    }
            ),
        ];
}
