using System.Globalization;
using System.Text;
using Kube.Client;
using Kube.Client.Models;

namespace Benchmarks.Operator;

/// <summary>Plays the nodes: each pod runs and answers at once, so that what is measured is the operator.</summary>
internal sealed class Kubelet : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    internal Kubelet(KubeClient client, string ns)
    {
        _running = Task.Run(() => Parallel.ForEachAsync(
            PodsAsync(client, ns, _stop.Token),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = _stop.Token },
            async (pod, cancellationToken) =>
            {
                var now = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
                var status = $$$"""
                    {"status":{"phase":"Running","conditions":[
                    {"type":"PodScheduled","status":"True","lastTransitionTime":"{{{now}}}"},
                    {"type":"Ready","status":"True","lastTransitionTime":"{{{now}}}"}]}}
                    """;
                await client.PatchAsync<Pod>(ns, pod, KubePatch.Merge(Encoding.UTF8.GetBytes(status)), null, cancellationToken, "status");
            }));
    }

    private static async IAsyncEnumerable<string> PodsAsync(
        KubeClient client, string ns, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var version = "0";
        while (!cancellationToken.IsCancellationRequested)
        {
            await foreach (var frame in client.WatchAsync<Pod>(ns, new WatchOptions { ResourceVersion = version }, cancellationToken))
            {
                if (frame is WatchEvent<Pod>.Added { Object: var pod })
                {
                    version = pod.Metadata.ResourceVersion!;
                    yield return pod.Metadata.Name!;
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ContinueWith(static _ => { }, TaskScheduler.Default);
        _stop.Dispose();
    }
}
