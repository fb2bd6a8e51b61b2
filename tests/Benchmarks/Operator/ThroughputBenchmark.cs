using System.Text;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Benchmarks.Operator;

/// <summary>
/// Workspaces until all their children exist, beside Deployments of one replica until all their pods exist: the same API, the same number, one after
/// the other. The Deployments are the work of the cluster's own kube-controller-manager, with whatever limits it was started with.
/// </summary>
internal static class ThroughputBenchmark
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(30);
    private static readonly ResourceDescriptor[] Children =
        [Pod.Descriptor, PersistentVolumeClaim.Descriptor, Service.Descriptor, NetworkPolicy.Descriptor];

    private static readonly ResourceDescriptor Deployments = new("apps", "v1", "Deployment", "deployments");
    private static readonly ResourceDescriptor ReplicaSets = new("apps", "v1", "ReplicaSet", "replicasets");

    /// <summary>The workspaces alone, on an API beside which there is nothing to compare with.</summary>
    internal static async Task RunAloneAsync(ApiProcess process, BenchApi api, string name, int count)
    {
        // Compiles what is measured.
        await OursAsync(api, count / 4);
        var (mine, its) = (Environment.CpuUsage.TotalTime, process.Processor);
        var (seconds, objects, requests, looks) = await OursAsync(api, count);
        Program.Print($"operator.objects.{name}", objects / seconds, "objects/s");
        Program.Print($"operator.requests-to-pod.{name}", requests / (double)count, "requests/workspace");
        Program.Print($"operator.processor-to-pod.{name}", (Environment.CpuUsage.TotalTime - mine).TotalMilliseconds / count, "ms/workspace");
        Program.Print($"{name}.processor-to-pod", (process.Processor - its).TotalMilliseconds / count, "ms/workspace");
        Program.Print($"operator.looks-to-pod.{name}", looks / (double)count, "reconciles/workspace");
    }

    internal static async Task RunAsync(BenchApi api, int count)
    {
        var (ours, objects, requests, _) = await OursAsync(api, count);
        var theirs = await TheirsAsync(api, count);
        Program.Print("operator.children-time", ours / theirs, "of-kube-controller-manager");
        Program.Print("operator.objects", objects / ours, "objects/s");
        Program.Print("kube-controller-manager.objects", count * 2 / theirs, "objects/s");
        Program.Print("operator.objects-ratio", objects / ours / (count * 2 / theirs), "x-kube-controller-manager");
        Program.Print("operator.requests-to-pod.cluster", requests / (double)count, "requests/workspace");
        Program.Print("operator.workspaces", count / ours, "workspaces/s");
        Program.Print("kube-controller-manager.deployments", count / theirs, "deployments/s");
    }

    /// <summary>
    /// Seconds, how many objects were made in them (with Traefik's kinds three more for each workspace), and by how many requests and looks
    /// at a workspace; events are told besides.
    /// </summary>
    private static async Task<(double Seconds, int Objects, long Requests, long Looks)> OursAsync(BenchApi api, int count)
    {
        var ns = await api.NamespaceAsync();
        await using var running = new RunningOperator(api, ns);
        await running.UntilAsync(o => o.IsReady, Deadline);
        await running.UntilQuietAsync(Deadline);
        running.Counting.Reset();
        var before = running.Reconciles;
        var started = TimeProvider.System.GetTimestamp();
        await api.CreateManyAsync(ns, count);
        foreach (var kind in Children)
        {
            await api.UntilCountAsync(kind, ns, count, Deadline);
        }

        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var (requests, looks) = (running.Counting.Writes + running.Counting.Gets + running.Counting.Lists, running.Reconciles - before);
        var objects = 0;
        foreach (var kind in (ResourceDescriptor[])[.. Children, IngressRoute.Descriptor, Middleware.Descriptor])
        {
            objects += await api.Client.IsServedAsync(kind, default) ? await api.CountAsync(kind, ns) : 0;
        }

        await Console.Error.WriteLineAsync(running.Counting.Details());
        return (seconds, objects, requests, looks);
    }

    private static async Task<double> TheirsAsync(BenchApi api, int count)
    {
        var ns = await api.NamespaceAsync();

        // A controller manager makes the service account first, without which it makes no pods.
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        var started = TimeProvider.System.GetTimestamp();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (i, cancellationToken) => await api.Client.Raw.SendAsync(
                HttpMethod.Post, Deployments.CollectionPath(ns), Encoding.UTF8.GetBytes(Deployment($"ws-{i:d5}")), "application/json", cancellationToken));
        await api.UntilCountAsync(ReplicaSets, ns, count, Deadline);
        await api.UntilCountAsync(Pod.Descriptor, ns, count, Deadline);
        return TimeProvider.System.GetElapsedTime(started).TotalSeconds;
    }

    private static string Deployment(string name) => $$$"""
        {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"{{{name}}}"},"spec":{"replicas":1,
        "selector":{"matchLabels":{"app":"{{{name}}}"}},
        "template":{"metadata":{"labels":{"app":"{{{name}}}"}},"spec":{"nodeSelector":{"berth.dev/bench":"nowhere"},
        "automountServiceAccountToken":false,
        "containers":[{"name":"workspace","image":"berth-studio:dev","resources":{"limits":{"cpu":"1","memory":"1Gi"}}
        }]
        } } } }
        """;
}
