using System.Text.Json.Nodes;
using Kube.Server.Controllers;
using Kube.Server.Runner;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kube.Server.Tests.Runner;

/// <summary>
/// Programs that wait to be killed. Arguments: data folder and seconds that mark a pod's processes (runs that pod), or <c>writes</c> and a
/// data folder (a server that writes without end).
/// </summary>
internal static class HostProgram
{
    public static async Task<int> Main(string[] args)
    {
        if (args is ["writes", var folder])
        {
            return await Storage.WritingProgram.RunAsync(folder);
        }

        if (args is not [var data, var mark])
        {
            return 2;
        }

        var cluster = new TestCluster(TimeProvider.System);
        var catalog = Path.Combine(data, "images.yaml");
        await File.WriteAllTextAsync(catalog, "sh: { command: [sh, -c] }\n");
        using var runner = new PodRunner(new PodRunnerOptions { ImageCatalog = catalog });
        var context = new HostedControllerContext(cluster, NullLoggerFactory.Instance, TimeProvider.System, data);
        using var scheduler = new Scheduler();
        await runner.StartAsync(context, default);
        await scheduler.StartAsync(context, default);
        // One that ignores TERM, one in a session of its own.
        var script = $"trap '' TERM; setsid sleep {mark} & while :; do sleep {mark}; done";
        await cluster.CreateAsync(GroupResource.Pods, "default", (JsonObject)JsonNode.Parse($$$"""
            {"metadata":{"name":"a"},"spec":{"containers":[{"name":"main","image":"sh","args":["{{{script}}}"]}]}}
            """)!);
        while (Processes.With($"sleep {mark}").Count < 2)
        {
            await Task.Delay(20);
        }

        Console.WriteLine(runner.WatchdogPid);
        await Task.Delay(Timeout.Infinite);
        return 0;
    }
}
