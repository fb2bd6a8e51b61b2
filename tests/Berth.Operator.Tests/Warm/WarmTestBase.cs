using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>An operator with a warm pool against an API; no node takes the pods, so the tests say what a kubelet would.</summary>
public abstract class WarmTestBase : OperatorTestBase
{
    private readonly ShiftedTime _time = new();

    private protected ShiftedTime Clock => _time;

    private protected override TimeProvider Time => _time;

    /// <summary>Whether the API has the operator's clock, so that what is made after a shift is not old at once.</summary>
    private protected virtual bool SharesClock => false;

    private protected virtual TemplateWarmPool Pool => new() { Size = 3, RefillPerMinute = 600 };

    private protected override WorkspaceTemplateSpec Studio => base.Studio with { WarmPool = Pool };

    private protected async Task<List<Pod>> PodsAsync(string? selector = null)
    {
        List<Pod> pods = [];
        await foreach (var pod in Client.ListAllAsync<Pod>(Ns, new ListOptions { LabelSelector = selector }))
        {
            pods.Add(pod);
        }

        return pods;
    }

    private protected async Task<List<PersistentVolumeClaim>> ClaimsAsync(string? selector = null)
    {
        List<PersistentVolumeClaim> claims = [];
        await foreach (var claim in Client.ListAllAsync<PersistentVolumeClaim>(Ns, new ListOptions { LabelSelector = selector }))
        {
            claims.Add(claim);
        }

        return claims;
    }

    private protected async Task<List<Pod>> WaitingAsync() => [.. (await PodsAsync(Labels.Pool)).Where(PoolPods.IsWaiting)];

    private protected async Task<T> EventuallyAsync<T>(Func<Task<T>> look, Func<T, bool> condition, string what)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            var last = await look();
            if (condition(last))
            {
                return last;
            }

            if (deadline.IsCancellationRequested)
            {
                throw new TimeoutException($"It did not come to be that {what}.");
            }

            await Task.Delay(30);
        }
    }

    /// <summary>Waits until a number of pods wait, and says of each that it is ready.</summary>
    private protected async Task<List<Pod>> ReadyPoolAsync(int size)
    {
        var pods = await EventuallyAsync(WaitingAsync, p => p.Count == size, $"{size} pods wait");
        foreach (var pod in pods.Where(p => !PoolPods.IsReady(p)))
        {
            await AnswersAsync(pod.Metadata.Name!);
        }

        await PoolFigures.UntilReadyAsync(Ns, size, Deadline);
        return pods;
    }

    private protected async Task FailsAsync(string pod) => await PatchAsync<Pod>(
        pod,
        """
        {"status":{"phase":"Failed","containerStatuses":[{"name":"workspace","ready":false,"restartCount":0,"image":"a","imageID":"",
         "state":{"terminated":{"exitCode":3,"reason":"Error"}}}]}}
        """,
        "status");

    /// <summary>Gives the pool's controller a reason to look.</summary>
    private protected Task TouchAsync() =>
        PatchAsync<WorkspaceTemplate>("studio", $$$"""{"metadata":{"annotations":{"berth.tests/touched":"{{{Guid.NewGuid()}}}"} } }""");

    /// <summary>No volume has two pods, and no workspace either.</summary>
    private protected static void AssertOneEach(IReadOnlyCollection<Pod> pods)
    {
        var alive = pods.Where(p => p.Status?.Phase is not ("Failed" or "Succeeded")).ToList();
        Assert.All(alive.GroupBy(PodForm.ClaimOf), g => Assert.True(g.Count() == 1, $"{g.Count()} pods use volume {g.Key}"));
    }
}
