using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Operator.Tests;

/// <summary>
/// The sweeper against an API: objects that bear our labels and belong to nobody, beside those of a workspace that lives.
/// </summary>
public abstract class SweeperSuite : OperatorTestBase
{
    private protected override WorkspaceTemplateSpec Studio => new()
    {
        Image = "berth-studio:dev",
        Resources = new TemplateResources { Requests = new ComputeResources { Cpu = "4000" } },
    };

    [SkippableFact]
    public async Task Orphans_GoWithoutData_AndVolumesOnlyOnceToldTo()
    {
        SkipIfThereIsNoApi();
        await CreateAsync();
        await UntilAsync<Pod>(Name, p => p is not null);
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Starting);

        // It counts the window of whatever volume has lost its workspace; here nobody did.
        await StopOperatorAsync();
        await Client.CreateAsync(new Service
        {
            Metadata = Orphan("lost"),
            Spec = new ServiceSpec { Ports = [new ServicePort { Port = 80 }] },
        }, null, default);
        await Client.CreateAsync(Volume("lost", null), null, default);
        await Client.CreateAsync(Volume("kept", Times.Text(DateTimeOffset.UtcNow)), null, default);

        var dry = await SweepAsync(dryRun: true);
        Assert.Equal(["Delete Service lost", "Report PersistentVolumeClaim lost"], dry);
        await UntilAsync<Service>("lost", s => s is null);
        Assert.NotNull(await Client.TryGetAsync<PersistentVolumeClaim>(Ns, "lost", default));

        Assert.Equal(["Delete PersistentVolumeClaim lost"], await SweepAsync(dryRun: false));
        await UntilAsync<PersistentVolumeClaim>("lost", v => v is null || v.Metadata.DeletionTimestamp is not null);
        Assert.Null((await Client.GetAsync<PersistentVolumeClaim>(Ns, "kept", default)).Metadata.DeletionTimestamp);
        Assert.NotNull(await Client.TryGetAsync<Pod>(Ns, Name, default));
        Assert.NotNull(await Client.TryGetAsync<Service>(Ns, Name, default));
        Assert.NotNull(await Client.TryGetAsync<PersistentVolumeClaim>(Ns, Name, default));
    }

    private async Task<IEnumerable<string>> SweepAsync(bool dryRun)
    {
        using var informers = new InformerFactory(Client, TimeProvider.System, NullLoggerFactory.Instance);
        var caches = new WorkspaceCaches(informers, Ns, Ns, () => EffectivePolicy.Default);
        using var metrics = new OperatorMetrics(caches.Workspaces.Store.List);
        using var stop = new CancellationTokenSource();
        var running = informers.RunAsync(stop.Token);
        try
        {
            await informers.WaitForSyncAsync(stop.Token);
            var events = new EventRecorder(Client, "berth-tests", TimeProvider.System, NullLogger<EventRecorder>.Instance);
            var sweeper = new Sweeper(Client, caches, new SweeperOptions { MinAgeSeconds = -60, DryRun = dryRun }, events, metrics,
                TimeProvider.System, NullLogger.Instance);
            return (await sweeper.SweepAsync(stop.Token)).Select(o => $"{o.Action} {o.Object.Kind} {o.Object.Metadata.Name}")
                .Order(StringComparer.Ordinal).ToList();
        }
        finally
        {
            await stop.CancelAsync();
            await running;
        }
    }

    private ObjectMeta Orphan(string name) => new()
    {
        Name = name,
        Namespace = Ns,
        Labels = new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByValue, [Labels.Workspace] = name },
    };

    private PersistentVolumeClaim Volume(string name, string? released) => new()
    {
        Metadata = Orphan(name) with
        {
            Annotations = released is null ? null : new Dictionary<string, string> { [Annotations.ReleasedAt] = released },
        },
        Spec = new PersistentVolumeClaimSpec
        {
            AccessModes = ["ReadWriteOnce"],
            Resources = new ResourceRequirements { Requests = new Dictionary<string, string> { ["storage"] = "1Gi" } },
        },
    };
}

/// <summary>The suite on the embedded API.</summary>
public sealed class SweeperOnKubeServerTests : SweeperSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync();
}

/// <summary>The suite on a real cluster.</summary>
public sealed class SweeperOnClusterTests : SweeperSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.ClusterAsync();
}
