using System.Text;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// Ceilings at work against an API: a policy of the test's own namespace, workspaces of several people, pods that no node takes.
/// </summary>
public abstract class LimitsSuite : OperatorTestBase
{
    private protected override OperatorOptions With(OperatorOptions options) => options with
    {
        // What counts where the resource is not there yet.
        Policy = new BerthPolicySpec
        {
            PerNamespace = new PolicyCeilings { Running = 2 },
            PerPerson = new PolicyCeilings { Workspaces = 4 },
        },
    };

    [SkippableFact]
    public async Task FiveUnderACeilingOfTwo_ThreeWaitInOrder_AndEachStopLetsTheNextIn()
    {
        SkipIfThereIsNoApi();
        foreach (var name in (string[])["w1", "w2", "w3", "w4", "w5"])
        {
            await MakeAsync(name, name);
            await UntilAsync<UserWorkspace>(name, w => w?.Status?.Conditions?.Any(c => c.Type == ConditionTypes.Admitted) == true);
        }

        var third = await UntilAsync<UserWorkspace>("w3", w => w?.Status?.Queue is { Position: 1 });
        Assert.Equal(WorkspacePhases.Pending, third!.Status!.Phase);
        Assert.Equal(Reasons.Queued, third.Status.Conditions!.Single(c => c.Type == ConditionTypes.Admitted).Reason);
        Assert.Contains("2 running workspaces", third.Status.Message, StringComparison.Ordinal);
        await UntilAsync<UserWorkspace>("w4", w => w?.Status?.Queue is { Position: 2 });
        await UntilAsync<UserWorkspace>("w5", w => w?.Status?.Queue is { Position: 3 });
        Assert.Equal(["w1", "w2"], await PodsAsync());

        // The volume is made already: only the place to run is missing.
        Assert.NotNull(await Client.TryGetAsync<PersistentVolumeClaim>(Ns, "w5", default));

        await StopAsync("w1");
        var admitted = await UntilAsync<UserWorkspace>("w3", w => w?.Status is { Phase: WorkspacePhases.Starting, Queue: null });
        Assert.Equal("True", admitted!.Status!.Conditions!.Single(c => c.Type == ConditionTypes.Admitted).Status);
        await UntilAsync<UserWorkspace>("w5", w => w?.Status?.Queue is { Position: 2, Length: 2 });
        Assert.Equal(["w2", "w3"], await PodsAsync());

        await StopAsync("w4");
        await UntilAsync<UserWorkspace>("w4", w => w?.Status is { Phase: WorkspacePhases.Stopped, Queue: null });
        await Client.DeleteAsync<UserWorkspace>(Ns, "w2", null, default);
        await UntilAsync<Pod>("w5", p => p is not null);
        Assert.Equal(["w3", "w5"], await PodsAsync());
    }

    [SkippableFact]
    public async Task WorkspacesCeiling_TheFifthWaitsWithoutAVolume_UntilOneIsDeleted()
    {
        SkipIfThereIsNoApi();
        foreach (var name in (string[])["w1", "w2", "w3", "w4", "w5"])
        {
            await MakeAsync(name, "one", DesiredStates.Stopped);
            await UntilAsync<UserWorkspace>(name, w => w?.Status?.Conditions?.Any(c => c.Type == ConditionTypes.Admitted) == true);
        }

        var fifth = await UntilAsync<UserWorkspace>("w5", w => w?.Status?.Queue is { Position: 1, For: QueueReasons.Create });
        Assert.Contains("Delete a workspace", fifth!.Status!.Message, StringComparison.Ordinal);
        Assert.Null(await Client.TryGetAsync<PersistentVolumeClaim>(Ns, "w5", default));
        Assert.NotNull(await Client.TryGetAsync<PersistentVolumeClaim>(Ns, "w4", default));
        await Client.DeleteAsync<UserWorkspace>(Ns, "w1", null, default);
        await UntilAsync<PersistentVolumeClaim>("w5", v => v is not null);
        await UntilAsync<UserWorkspace>("w5", w => w?.Status is { Queue: null, Phase: WorkspacePhases.Stopped });
    }

    [SkippableFact]
    public async Task Policy_RaisedLoweredAndTooSmall_IsFollowedAtOnce()
    {
        SkipIfThereIsNoApi();
        await Client.CreateAsync(new BerthPolicy { Metadata = new ObjectMeta { Name = Ns }, Spec = Ceiling(1) }, null, default);
        try
        {
            await MakeAsync("w1", "one");
            await UntilAsync<Pod>("w1", p => p is not null);
            await MakeAsync("w2", "two");
            await UntilAsync<UserWorkspace>("w2", w => w?.Status?.Queue is { Position: 1 });
            await PatchPolicyAsync("""{"spec":{"perNamespace":{"running":2}}}""");
            await UntilAsync<Pod>("w2", p => p is not null);

            // Lowered: nobody who runs is pushed out.
            await PatchPolicyAsync("""{"spec":{"perNamespace":{"running":1}}}""");
            await MakeAsync("w3", "three");
            await UntilAsync<UserWorkspace>("w3", w => w?.Status?.Queue is { Position: 1 });
            Assert.Equal(["w1", "w2"], await PodsAsync());
            await PatchPolicyAsync("""{"spec":{"perNamespace":{"running":9,"cpu":"10"}}}""");
            var never = await UntilAsync<UserWorkspace>("w3", w => w?.Status?.Queue is { Position: null });
            Assert.Contains("4000 CPU", never!.Status!.Message, StringComparison.Ordinal);
            Assert.Contains("spec.resources.cpu", never.Status.Message, StringComparison.Ordinal);
            await Client.DeleteAsync<BerthPolicy>(null, Ns, null, default);
            await StopAsync("w1");
            await UntilAsync<Pod>("w3", p => p is not null);
        }
        finally
        {
            if (await Client.TryGetAsync<BerthPolicy>(null, Ns, default) is not null)
            {
                await Client.DeleteAsync<BerthPolicy>(null, Ns, null, default);
            }
        }
    }

    [SkippableFact]
    public async Task OperatorStartedAnew_NobodyGetsIn_AndTheQueueStands()
    {
        SkipIfThereIsNoApi();
        foreach (var name in (string[])["w1", "w2", "w3", "w4"])
        {
            await MakeAsync(name, name);
            await UntilAsync<UserWorkspace>(name, w => w?.Status?.Conditions?.Any(c => c.Type == ConditionTypes.Admitted) == true);
        }

        var before = await UntilAsync<UserWorkspace>("w4", w => w?.Status?.Queue is { Position: 2 });
        await StopOperatorAsync();
        await StopAsync("w2");
        await using var second = Run("two");
        await UntilAsync<Pod>("w3", p => p is not null);
        var after = await UntilAsync<UserWorkspace>("w4", w => w?.Status?.Queue is { Position: 1 });
        Assert.Equal(before!.Status!.Queue!.Since, after!.Status!.Queue!.Since);
        Assert.Equal(["w1", "w3"], await PodsAsync());
    }

    private protected Task<UserWorkspace> MakeAsync(string name, string subject, string desired = DesiredStates.Running) =>
        Client.CreateAsync(
        TestData.Workspace(s => s with { DesiredState = desired, Owner = s.Owner with { Subject = subject } }, name) with
        {
            Metadata = new ObjectMeta { Name = name, Namespace = Ns },
        },
        null,
        default);

    private protected Task StopAsync(string name) => PatchAsync<UserWorkspace>(name, """{"spec":{"desiredState":"Stopped"}}""");

    private static BerthPolicySpec Ceiling(int running) => new() { PerNamespace = new PolicyCeilings { Running = running } };

    private Task<BerthPolicy> PatchPolicyAsync(string json) =>
        Client.PatchAsync<BerthPolicy>(null, Ns, KubePatch.Merge(Encoding.UTF8.GetBytes(json)), null, default);

    private async Task<IEnumerable<string>> PodsAsync() =>
        (await Client.ListPageAsync<Pod>(Ns, new ListOptions(), default)).Items.Where(p => p.Metadata.DeletionTimestamp is null)
            .Select(p => p.Metadata.Name!).Order(StringComparer.Ordinal);
}

/// <summary>The suite on the embedded API.</summary>
public sealed class LimitsOnKubeServerTests : LimitsSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync();
}

/// <summary>The suite on a real cluster.</summary>
public sealed class LimitsOnClusterTests : LimitsSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.ClusterAsync();
}
