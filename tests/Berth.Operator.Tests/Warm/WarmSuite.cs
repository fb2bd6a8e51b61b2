using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator.Tests;

/// <summary>Warm pools against an API: filled, claimed, stopped, started, deleted, rolled, aged, drained.</summary>
public abstract class WarmSuite : WarmTestBase
{
    [SkippableFact]
    public async Task Pool_IsFilled_WithVolumesOfItsOwn_AndNobodyMayReachIt()
    {
        SkipIfThereIsNoApi();
        var pods = await EventuallyAsync(WaitingAsync, p => p.Count == 3, "three pods wait");
        var template = await Client.GetAsync<WorkspaceTemplate>(Ns, "studio", default);
        Assert.All(pods, p =>
        {
            Assert.True(OwnerReferences.IsControlledBy(p, template));
            Assert.Equal(p.Metadata.Name, PodForm.ClaimOf(p));
            Assert.InRange(p.Metadata.Name!.Length, 1, 63);
            Assert.DoesNotContain(Labels.Owner, p.Metadata.Labels!.Keys);
            var variables = p.Spec!.Containers[0].Env!.ToDictionary(e => e.Name, e => e.Value);
            Assert.DoesNotContain("WORKSPACE_NAME", variables.Keys);
            Assert.DoesNotContain("WORKSPACE_URL", variables.Keys);
            Assert.Equal($"urn:berth:pod:{Ns}:{p.Metadata.Name}", variables["WORKSPACE_IDENTITY_AUDIENCE"]);
        });
        var claims = await ClaimsAsync(Labels.Pool);
        Assert.Equal(pods.Select(p => p.Metadata.Name).Order(), claims.Select(c => c.Metadata.Name).Order());
        Assert.All(claims, c => Assert.Null(c.Metadata.OwnerReferences));

        var policy = await Client.GetAsync<NetworkPolicy>(Ns, "pool.studio", default);
        Assert.True(policy.Spec!.Ingress is null or []);
        Assert.Contains("Ingress", policy.Spec.PolicyTypes!);
        Assert.Equal(Labels.Workspace, policy.Spec.PodSelector!.MatchExpressions!.Single().Key);
        await TouchAsync();
        await Task.Delay(500);
        Assert.Equal(3, (await PodsAsync()).Count);
        var now = await Client.GetAsync<NetworkPolicy>(Ns, "pool.studio", default);
        Assert.Equal(policy.Metadata.ResourceVersion, now.Metadata.ResourceVersion);
    }

    [SkippableFact]
    public async Task FirstStart_TakesAWaitingPod_AndThePoolIsFilledAgain()
    {
        SkipIfThereIsNoApi();
        var waiting = await ReadyPoolAsync(3);
        var workspace = await CreateAsync();
        var status = (await PodReadyAsync()).Status!;

        Assert.Equal(WorkspacePhases.Running, status.Phase);
        Assert.Equal(StartPaths.Warm, status.Start!.Path);
        Assert.True(status.Start.ReadyAt >= workspace.Metadata.CreationTimestamp);
        Assert.Contains(status.PodName, waiting.Select(p => p.Metadata.Name));
        Assert.Equal(status.PodName, status.Storage!.ClaimName);
        Assert.Equal($"urn:berth:pod:{Ns}:{status.PodName}", status.IdentityAudience);
        Assert.NotEqual(true, status.TemplateRevision!.PendingRestart);

        var pod = await Client.GetAsync<Pod>(Ns, status.PodName!, default);
        Assert.True(OwnerReferences.IsControlledBy(pod, workspace));
        Assert.Single(pod.Metadata.OwnerReferences!);
        Assert.Equal(Name, pod.Metadata.Labels![Labels.Workspace]);
        Assert.Equal($"http://{Name}.localhost:8080", pod.Metadata.Annotations![Annotations.WorkspaceUrl]);
        var claim = await Client.GetAsync<PersistentVolumeClaim>(Ns, status.PodName!, default);
        Assert.True(Children.OwnsVolume(workspace, claim.Metadata));
        Assert.Null(await Client.TryGetAsync<Pod>(Ns, Name, default));
        Assert.Null(await Client.TryGetAsync<PersistentVolumeClaim>(Ns, Name, default));
        Assert.Equal(Name, (await Client.GetAsync<Service>(Ns, Name, default)).Spec!.Selector![Labels.Workspace]);
        Assert.NotNull(await Client.TryGetAsync<NetworkPolicy>(Ns, Name, default));
        await EventuallyAsync(WaitingAsync, p => p.Count == 3, "the pool is full again");

        // Settled: nothing is written any more, and the pod is nobody's but this workspace's.
        var version = (await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Running))!.Metadata.ResourceVersion;
        await Task.Delay(500);
        Assert.Equal(version, (await Client.GetAsync<UserWorkspace>(Ns, Name, default)).Metadata.ResourceVersion);
    }

    [SkippableFact]
    public async Task SecondStart_IsCold_OnTheSameVolume_UnderTheWorkspacesName()
    {
        SkipIfThereIsNoApi();
        await ReadyPoolAsync(3);
        await CreateAsync();
        var first = (await PodReadyAsync()).Status!;
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Stopped"}}""");
        var stopped = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Stopped);
        Assert.Null(stopped!.Status!.IdentityAudience);
        Assert.Equal(first.PodName, stopped.Status.Storage!.ClaimName);
        Assert.Null(await Client.TryGetAsync<Pod>(Ns, first.PodName!, default));

        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Running"}}""");
        var pod = await UntilAsync<Pod>(Name, p => p is not null);
        Assert.Equal(first.PodName, PodForm.ClaimOf(pod!));
        await AnswersAsync(Name);
        var second = (await PodReadyAsync()).Status!;
        Assert.Equal(StartPaths.Cold, second.Start!.Path);
        Assert.Equal(Name, second.PodName);
        Assert.Null(second.IdentityAudience);
        Assert.Contains(pod!.Spec!.Containers[0].Env!, e => e is { Name: "WORKSPACE_NAME", Value: Name });
        Assert.Null(await Client.TryGetAsync<PersistentVolumeClaim>(Ns, Name, default));
    }

    [SkippableFact]
    public async Task Deleted_Retain_TheClaimedVolumeIsFoundAgain_AndWithDeleteItGoes()
    {
        SkipIfThereIsNoApi();
        await ReadyPoolAsync(3);
        await CreateAsync();
        var volume = (await PodReadyAsync()).Status!.Storage!.ClaimName!;
        await Client.DeleteAsync<UserWorkspace>(Ns, Name, null, default);
        await UntilAsync<Pod>(volume, p => p is null);
        Assert.NotNull(await Client.TryGetAsync<PersistentVolumeClaim>(Ns, volume, default));

        await ReadyPoolAsync(3);
        await CreateAsync(s => s with { Storage = new WorkspaceStorage { DeletionPolicy = DeletionPolicies.Delete } });
        var pod = await UntilAsync<Pod>(Name, p => p is not null);
        Assert.Equal(volume, PodForm.ClaimOf(pod!));
        await UntilAsync<UserWorkspace>(Name, w => w?.Metadata.Finalizers?.Contains(WorkspaceFinalizers.Storage) == true);
        await Client.DeleteAsync<UserWorkspace>(Ns, Name, null, default);
        await UntilAsync<UserWorkspace>(Name, w => w is null);
        await UntilAsync<PersistentVolumeClaim>(volume, v => v is null || v.Metadata.DeletionTimestamp is not null);
    }

    [SkippableFact]
    public async Task ChoicesOfOnesOwn_StartCold()
    {
        SkipIfThereIsNoApi();
        await ReadyPoolAsync(3);
        await CreateAsync(s => s with { Resources = new WorkspaceResources { Memory = "2Gi" } });
        var pod = await UntilAsync<Pod>(Name, p => p is not null);
        Assert.Equal(Name, PodForm.ClaimOf(pod!));
        Assert.Equal(3, (await WaitingAsync()).Count);
    }

    [SkippableFact]
    public async Task TemplateChanged_ThePoolRollsOneByOne_AndOldPodsAreNotTaken()
    {
        SkipIfThereIsNoApi();
        var old = (await ReadyPoolAsync(3)).Select(p => p.Metadata.Name).ToHashSet();
        await PatchAsync<WorkspaceTemplate>("studio", """{"spec":{"env":[{"name":"COLOUR","value":"blue"}]}}""");
        await CreateAsync();
        Assert.Equal(Name, (await UntilAsync<Pod>(Name, p => p is not null))!.Metadata.Name);

        var most = 0;
        await EventuallyAsync(
            async () =>
            {
                var waiting = await WaitingAsync();
                most = Math.Max(most, waiting.Count);
                foreach (var pod in waiting.Where(p => !old.Contains(p.Metadata.Name) && !PoolPods.IsReady(p)))
                {
                    await AnswersAsync(pod.Metadata.Name!);
                }

                return waiting;
            },
            w => w.Count == 3 && w.All(p => !old.Contains(p.Metadata.Name)),
            "all three are new");
        Assert.Equal(4, most);
        Clock.Advance(TimeSpan.FromMinutes(2));
        await TouchAsync();
        await EventuallyAsync(() => ClaimsAsync($"{Labels.Pool},!{Labels.Workspace}"), c => c.Count == 3, "the old pods' volumes are gone");
    }

    [SkippableFact]
    public async Task Aged_AreReplaced_AndTakenUntilTheirSuccessorIsReady()
    {
        SkipIfThereIsNoApi();
        Skip.IfNot(SharesClock, "The clock of this API cannot be set forward.");
        var old = (await ReadyPoolAsync(3)).Select(p => p.Metadata.Name!).ToList();
        Clock.Advance(TimeSpan.FromDays(2));
        await TouchAsync();
        var four = await EventuallyAsync(WaitingAsync, p => p.Count == 4, "a successor is made");
        Assert.Subset(four.Select(p => p.Metadata.Name!).ToHashSet(), old.ToHashSet());

        await CreateAsync();
        Assert.Contains((await PodReadyAsync()).Status!.PodName, old);
    }

    [SkippableFact]
    public async Task Failed_AreReplacedAfterAPause_OneAtATime()
    {
        SkipIfThereIsNoApi();
        var failed = await EventuallyAsync(WaitingAsync, p => p.Count == 3, "three pods wait");
        foreach (var pod in failed)
        {
            await FailsAsync(pod.Metadata.Name!);
        }

        await Task.Delay(500);
        Assert.Equal(failed.Select(p => p.Metadata.Name).Order(), (await PodsAsync()).Select(p => p.Metadata.Name).Order());
        Clock.Advance(TimeSpan.FromSeconds(12));
        await TouchAsync();
        await EventuallyAsync(WaitingAsync, p => p.Count == 3 && p.Count(x => x.Status?.Phase == "Failed") == 2, "one is tried again");
        await Task.Delay(500);
        Assert.Equal(2, (await WaitingAsync()).Count(p => p.Status?.Phase == "Failed"));
    }

    [SkippableFact]
    public async Task TemplateGone_ThePoolGoes_AndWhatIsClaimedStays()
    {
        SkipIfThereIsNoApi();
        await ReadyPoolAsync(3);
        await CreateAsync();
        var claimed = (await PodReadyAsync()).Status!.PodName!;
        await EventuallyAsync(WaitingAsync, p => p.Count == 3, "the pool is full again");
        await Client.DeleteAsync<WorkspaceTemplate>(Ns, "studio", null, default);
        await EventuallyAsync(WaitingAsync, p => p.Count == 0, "the pool is gone");
        Clock.Advance(TimeSpan.FromMinutes(2));
        await PatchAsync<PersistentVolumeClaim>(claimed, """{"metadata":{"annotations":{"berth.tests/touched":"yes"}}}""");
        await EventuallyAsync(() => ClaimsAsync(Labels.Pool), c => c.Count == 1, "only the claimed volume is left");
        await UntilAsync<NetworkPolicy>("pool.studio", p => p is null);
        Assert.NotNull(await Client.TryGetAsync<Pod>(Ns, claimed, default));
    }

    [SkippableFact]
    public async Task NamespaceCeiling_NoMoreWaitThanMayRun()
    {
        SkipIfThereIsNoApi();
        await ReadyPoolAsync(3);
        await Client.CreateAsync(
            new BerthPolicy
            {
                Metadata = new ObjectMeta { Name = Ns },
                Spec = new BerthPolicySpec { Namespaces = [new PolicyNamespace { Name = Ns, Running = 2 }] },
            },
            null,
            default);
        try
        {
            await EventuallyAsync(WaitingAsync, p => p.Count == 2, "two wait, since two may run");
            await CreateAsync();
            await PodReadyAsync();
            await EventuallyAsync(WaitingAsync, p => p.Count == 1, "one waits, since one more may run");
        }
        finally
        {
            await Client.DeleteAsync<BerthPolicy>(null, Ns, null, default);
        }
    }

    [SkippableFact]
    public async Task Retired_ThePoolGoes()
    {
        SkipIfThereIsNoApi();
        await ReadyPoolAsync(3);
        await PatchAsync<WorkspaceTemplate>("studio", """{"spec":{"retired":{"message":"Take another."}}}""");
        await EventuallyAsync(WaitingAsync, p => p.Count == 0, "the pool is gone");
    }
}

/// <summary>The suite on the embedded API.</summary>
public sealed class WarmOnKubeServerTests : WarmSuite
{
    private protected override bool SharesClock => true;

    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync(time: Clock);
}

/// <summary>The suite on a real cluster.</summary>
public sealed class WarmOnClusterTests : WarmSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.ClusterAsync();
}
