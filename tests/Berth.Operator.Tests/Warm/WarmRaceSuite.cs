using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator.Tests;

/// <summary>Many who want few pods, two operators that both believe to lead, and operators that die between any two writes.</summary>
public abstract class WarmRaceSuite : WarmTestBase
{
    private const int People = 20;

    private protected override TemplateWarmPool Pool => new() { Size = 5, RefillPerMinute = 600 };

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TwentyWorkspaces_FivePods_EachPodHasOneOwner(bool twoOperators)
    {
        SkipIfThereIsNoApi();
        var waiting = (await ReadyPoolAsync(5)).Select(p => p.Metadata.Name!).ToHashSet();
        await using var second = twoOperators ? Run("second") : null;
        if (second is not null)
        {
            await EventuallyAsync(() => Task.FromResult(second.Host.IsReady), r => r, "the second operator works");
        }

        // Looked at all the while: the rule holds at every moment, not only in the end.
        using var watching = new CancellationTokenSource();
        var watch = Task.Run(async () =>
        {
            while (!watching.IsCancellationRequested)
            {
                AssertOneEach(await PodsAsync());
                await Task.Delay(20);
            }
        });

        var names = Enumerable.Range(1, People).Select(i => $"ws-{i}").ToList();
        await Task.WhenAll(names.Select(n => CreateAsync(name: n)));
        foreach (var name in names)
        {
            await UntilAsync<UserWorkspace>(name, w => w?.Status is { PodName: not null, Storage.ClaimName: not null });
        }

        // What two operators did at one time is put right: one pod each, on the volume that the status names.
        await EventuallyAsync(
            async () => await PodsAsync(Labels.Workspace),
            p => p.Count == People && p.All(x => x.Metadata.DeletionTimestamp is null),
            "each workspace has one pod");
        var pods = await PodsAsync(Labels.Workspace);
        Assert.Equal(names.Order(), pods.Select(p => p.Metadata.Labels![Labels.Workspace]).Order());
        var workspaces = new Dictionary<string, UserWorkspace>();
        foreach (var name in names)
        {
            workspaces[name] = (await UntilAsync<UserWorkspace>(name, w =>
                w!.Status?.PodName is { } pod && pods.Any(p => p.Metadata.Name == pod && p.Metadata.Labels![Labels.Workspace] == name)))!;
        }

        Assert.All(pods, p =>
        {
            var workspace = workspaces[p.Metadata.Labels![Labels.Workspace]];
            Assert.True(OwnerReferences.IsControlledBy(p, workspace));
            Assert.Equal(PodForm.ClaimOf(p), workspace.Status!.Storage!.ClaimName);
            Assert.Equal(p.Metadata.Name!.StartsWith("pool-", StringComparison.Ordinal), workspace.Status.IdentityAudience is not null);
        });
        var taken = pods.Select(p => p.Metadata.Name!).Where(waiting.Contains).ToList();
        if (!twoOperators)
        {
            Assert.Equal(5, taken.Count);
        }

        await watching.CancelAsync();
        await watch;
    }

    [SkippableTheory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task OperatorDies_AfterAnyWrite_TheNextOneFinishesOrUndoesTheClaim(int writes)
    {
        SkipIfThereIsNoApi();
        await CreateAndDieAsync(writes);

        await using var next = Run("next");
        var workspace = await PodReadyAsync();
        var own = await PodsAsync($"{Labels.Workspace}={Name}");
        AssertOneEach(await PodsAsync());
        Assert.Single(own);
        Assert.Equal(own[0].Metadata.Name, workspace.Status!.PodName);
        Assert.StartsWith("pool-", workspace.Status.PodName, StringComparison.Ordinal);
        Assert.Equal(StartPaths.Warm, workspace.Status.Start!.Path);
        var volume = await UntilAsync<PersistentVolumeClaim>(
            workspace.Status.PodName!, v => v is not null && Children.OwnsVolume(workspace, v.Metadata));
        Assert.Null(volume!.Metadata.DeletionTimestamp);
        Assert.Single(await ClaimsAsync($"{Labels.Workspace}={Name}"));
        Assert.NotNull(await Client.TryGetAsync<NetworkPolicy>(Ns, Name, default));
    }

    [SkippableTheory]
    [InlineData("Pod")]
    [InlineData("PersistentVolumeClaim")]
    public async Task ClaimRefusedByTheApi_TheWorkspaceStartsCold(string kind)
    {
        SkipIfThereIsNoApi();
        await StopOperatorAsync();
        var client = new CrashingClient(Client);
        await using var refused = Run("refused", client);
        await ReadyPoolAsync(5);
        client.Refused = kind;
        await CreateAsync();
        await UntilAsync<Pod>(Name, p => p is not null);
        await AnswersAsync(Name);
        var workspace = await PodReadyAsync();
        var status = workspace.Status!;
        Assert.Equal((Name, Name, StartPaths.Cold), (status.PodName, status.Storage!.ClaimName, status.Start!.Path));
        await EventuallyAsync(() => PodsAsync($"{Labels.Workspace}={Name}"), p => p.Count == 1, "it has one pod");
    }

    [SkippableFact]
    public async Task VolumeGoneBetweenTheWrites_ThePodIsGivenUp_AndTheWorkspaceStartsAnew()
    {
        SkipIfThereIsNoApi();
        await CreateAndDieAsync(2);
        var half = Assert.Single(await PodsAsync($"{Labels.Workspace}={Name}"));
        Assert.Empty(await ClaimsAsync($"{Labels.Workspace}={Name}"));
        await Client.DeleteAsync<PersistentVolumeClaim>(Ns, half.Metadata.Name!, null, default);

        await using var next = Run("next");
        await UntilAsync<Pod>(half.Metadata.Name!, p => p is null);

        // Another that waits, or a new one: it is a start like any other.
        var own = await EventuallyAsync(() => PodsAsync($"{Labels.Workspace}={Name}"), p => p.Count == 1, "it has a pod");
        await AnswersAsync(own[0].Metadata.Name!);
        var workspace = await PodReadyAsync();
        Assert.Equal(own[0].Metadata.Name, workspace.Status!.PodName);
        Assert.Equal(PodForm.ClaimOf(own[0]), workspace.Status.Storage!.ClaimName);
        AssertOneEach(await PodsAsync());
    }

    /// <summary>Somebody creates a workspace, and the operator that starts it ends after a number of writes.</summary>
    private async Task CreateAndDieAsync(int writes)
    {
        await StopOperatorAsync();
        var client = new CrashingClient(Client);
        await using var dying = Run("dying", client);
        await ReadyPoolAsync(5);
        client.CrashAfter(writes);
        await CreateAsync();
        await client.Crashed.Task.WaitAsync(Deadline);
    }
}

/// <summary>The suite on the embedded API.</summary>
public sealed class WarmRaceOnKubeServerTests : WarmRaceSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync();
}

/// <summary>The suite on a real cluster.</summary>
public sealed class WarmRaceOnClusterTests : WarmRaceSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.ClusterAsync();
}
