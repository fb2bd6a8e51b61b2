using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kube.Server.Tests.Storage;

/// <summary>
/// A server whose writers create, change and delete without end. Each acknowledged write is a line on standard output: <c>name n</c> for
/// the number the object now holds, or <c>name gone49</c> after its deletion. The compaction is made to run all the time.
/// </summary>
internal static class WritingProgram
{
    public const int Writers = 4;

    public static KubeServerOptions Options(string folder) =>
        new() { DataDirectory = folder, CompactionBytes = 64 * 1024, BuiltInControllers = false };

    public static async Task<int> RunAsync(string folder)
    {
        await using var server = await KubeServer.StartAsync(Options(folder), NullLoggerFactory.Instance, TimeProvider.System);
        await using var output = new StreamWriter(Console.OpenStandardOutput());
        output.AutoFlush = true;
        var gate = new Lock();
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(w => Task.Run(() => WriteAsync(server.Api, $"w{w}", line =>
        {
            lock (gate)
            {
                output.WriteLine(line);
            }
        }))));
        return 0;
    }

    private static async Task WriteAsync(IClusterApi api, string name, Action<string> acknowledge)
    {
        for (var n = 0; ; n++)
        {
            var data = new JsonObject { ["n"] = n.ToString(CultureInfo.InvariantCulture), ["filler"] = new string('x', 500) };
            if (n % 50 == 0)
            {
                await api.CreateAsync(GroupResource.ConfigMaps, "default",
                    new JsonObject { ["metadata"] = new JsonObject { ["name"] = name }, ["data"] = data });
            }
            else
            {
                await api.PatchAsync(GroupResource.ConfigMaps, "default", name, new JsonObject { ["data"] = data });
            }
            acknowledge($"{name} {n}");
            if (n % 50 == 49)
            {
                await api.DeleteAsync(GroupResource.ConfigMaps, "default", name);
                acknowledge($"{name} gone{n}");
            }
        }
    }
}
