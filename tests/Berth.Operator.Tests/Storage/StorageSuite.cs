using System.Text;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// Storage against an API whose volumes nobody provisions: the test says what a provisioner, a resizer and a snapshot controller would.
/// </summary>
public abstract class StorageSuite : OperatorTestBase
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

    private string Class => $"{Ns}-class";

    private protected override WorkspaceTemplateSpec Studio =>
        base.Studio with { Storage = new TemplateStorage { Size = "1Gi", StorageClassName = Class } };

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Volume_IsToGrow_DoesWhereItsClassAllowsIt_AndIsToldWhereNot(bool allowed)
    {
        SkipIfThereIsNoApi();
        await ClassAsync(allowed);
        await BoundAsync();
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"resources":{"storage":"2Gi"}}}""");
        if (allowed)
        {
            await UntilAsync<PersistentVolumeClaim>(Name, v => v?.Spec?.Resources?.Requests?["storage"] == "2Gi");
            await UntilAsync<UserWorkspace>(Name, w => Storage(w)?.Reason == Reasons.Growing);
            await PatchAsync<PersistentVolumeClaim>(Name,
                """{"status":{"conditions":[{"type":"FileSystemResizePending","status":"True"}]}}""", "status");
            await UntilAsync<UserWorkspace>(Name, w => Storage(w)?.Reason == Reasons.ResizePending);
            await PatchAsync<PersistentVolumeClaim>(Name, """{"status":{"conditions":null,"capacity":{"storage":"2Gi"}}}""", "status");
            await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Storage?.Capacity == "2Gi" && Storage(w)?.Reason == Reasons.Bound);
            return;
        }

        var told = await UntilAsync<UserWorkspace>(Name, w => Storage(w)?.Reason == Reasons.GrowthRefused);
        Assert.Equal("True", Storage(told)!.Status);
        Assert.Contains(Class, Storage(told)!.Message, StringComparison.Ordinal);
        var volume = await Client.GetAsync<PersistentVolumeClaim>(Ns, Name, default);
        Assert.Equal("1Gi", volume.Spec!.Resources!.Requests!["storage"]);

        // No write is tried again and again, and other changes still come through.
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"owner":{"name":"Ada L."}}}""");
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.ObservedGeneration == w?.Metadata.Generation);
        var later = await Client.GetAsync<PersistentVolumeClaim>(Ns, Name, default);
        Assert.Equal(volume.Metadata.ResourceVersion, later.Metadata.ResourceVersion);
    }

    [SkippableFact]
    public async Task Retained_IsMarked_FoundAgain_AndTheMarkGoes()
    {
        SkipIfThereIsNoApi();
        await ClassAsync(true);
        await BoundAsync();
        var uid = (await Client.GetAsync<PersistentVolumeClaim>(Ns, Name, default)).Metadata.Uid;
        await Client.DeleteAsync<UserWorkspace>(Ns, Name, null, default);
        var marked = await UntilAsync<PersistentVolumeClaim>(Name, v => v is not null && VolumeLookup.ReleasedAt(v.Metadata) is not null);
        Assert.Equal(uid, marked!.Metadata.Uid);

        await CreateAsync();
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Storage?.ClaimName == Name);
        var taken = await UntilAsync<PersistentVolumeClaim>(Name, v => v is not null && VolumeLookup.ReleasedAt(v.Metadata) is null);
        Assert.Equal(uid, taken!.Metadata.Uid);
    }

    [SkippableFact]
    public async Task Retained_WhileNoOperatorWasThere_IsMarkedByTheNextOne()
    {
        SkipIfThereIsNoApi();
        await ClassAsync(true);
        await BoundAsync();
        await StopOperatorAsync();
        await Client.DeleteAsync<UserWorkspace>(Ns, Name, null, default);
        await UntilAsync<UserWorkspace>(Name, w => w is null);
        await using var next = Run("two");
        await UntilAsync<PersistentVolumeClaim>(Name, v => v is not null && VolumeLookup.ReleasedAt(v.Metadata) is not null);
    }

    [SkippableFact]
    public async Task UndeleteWindow_Ends_TheVolumeGoes_ButNotUnderALegalHold()
    {
        SkipIfThereIsNoApi();
        await Client.CreateAsync(
            new BerthPolicy
            {
                Metadata = new ObjectMeta { Name = Ns },
                Spec = new BerthPolicySpec { Storage = new PolicyStorage { UndeleteSeconds = 2 } },
            },
            null,
            default);
        try
        {
            await ClassAsync(true);
            await BoundAsync();
            await CreateAsync(name: "ws-held");
            await UntilAsync<PersistentVolumeClaim>("ws-held", v => v is not null);
            await PatchAsync<PersistentVolumeClaim>("ws-held",
                $$$$$$$"""{"metadata":{"annotations":{"{{{{{{{Annotations.ReleasedAt}}}}}}}":"2020-01-01T00:00:00Z"}}}""");
            await UntilAsync<PersistentVolumeClaim>("ws-held", v => VolumeLookup.ReleasedAt(v!.Metadata) is null);
            await StopOperatorAsync();
            foreach (var name in new[] { Name, "ws-held" })
            {
                await Client.DeleteAsync<UserWorkspace>(Ns, name, null, default);
                await UntilAsync<UserWorkspace>(name, w => w is null);
            }

            await PatchAsync<PersistentVolumeClaim>("ws-held",
                $$$$$$$"""{"metadata":{"annotations":{"{{{{{{{Annotations.LegalHold}}}}}}}":"true"}}}""");
            await using var next = Run("two");
            await UntilAsync<PersistentVolumeClaim>(Name, v => v is null || v.Metadata.DeletionTimestamp is not null);
            var held = await UntilAsync<PersistentVolumeClaim>("ws-held", v => VolumeLookup.ReleasedAt(v!.Metadata) is not null);
            await Task.Delay(TimeSpan.FromSeconds(4));
            Assert.Null((await Client.GetAsync<PersistentVolumeClaim>(Ns, "ws-held", default)).Metadata.DeletionTimestamp);

            // Lifted by hand, it goes as well.
            await PatchAsync<PersistentVolumeClaim>("ws-held",
                $$$$$$$"""{"metadata":{"annotations":{"{{{{{{{Annotations.LegalHold}}}}}}}":null}}}""");
            await UntilAsync<PersistentVolumeClaim>("ws-held", v => v is null || v.Metadata.DeletionTimestamp is not null);
            Assert.NotNull(held);
        }
        finally
        {
            await Client.DeleteAsync<BerthPolicy>(null, Ns, null, default);
        }
    }

    [SkippableFact]
    public async Task Snapshots_AreMadeKeptAndRestored_WhereTheDriverHasAClass()
    {
        SkipIfThereIsNoApi();
        await SnapshotsAsync();
        await ClassAsync(true);
        await Client.CreateAsync(
            new VolumeSnapshotClass
            {
                Metadata = new ObjectMeta { Name = Class },
                Driver = Class + ".example.com",
                DeletionPolicy = "Delete",
            },
            null,
            default);
        try
        {
            await BoundAsync(StorageWorld.Backup(keep: 1));
            var names = new List<string>();
            for (var day = 1; day <= 2; day++)
            {
                await PatchAsync<UserWorkspace>(Name,
                    $$$$$$$"""{"spec":{"storage":{"backup":{"requestedAt":"2026-01-0{{{{{{{day}}}}}}}T00:00:00Z"}}}}""");
                var pending = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Storage?.Backups?[0].State == "Pending"
                    && !names.Contains(w.Status.Storage.Backups[0].Name));
                names.Add(pending!.Status!.Storage!.Backups![0].Name);
                await UntilAsync<VolumeSnapshot>(names[^1], s => s is not null);
                await PatchAsync<VolumeSnapshot>(names[^1],
                    """{"status":{"readyToUse":true,"restoreSize":"1Gi","creationTime":"2026-01-01T00:00:00Z"}}""", "status");
                await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Storage?.Backups?[0] is { State: "Succeeded", Kind: "Snapshot" });
            }

            await UntilAsync<VolumeSnapshot>(names[0], s => s is null);
            await PatchAsync<UserWorkspace>(Name,
                $$$$$$$"""{"spec":{"storage":{"restore":{"backup":"{{{{{{{names[1]}}}}}}}","requestedAt":"2026-01-03T00:00:00Z"}}}}""");
            var moved = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Storage?.Restored?.Backup == names[1]);
            var claim = moved!.Status!.Storage!.ClaimName!;
            Assert.NotEqual(Name, claim);
            var source = (await Client.GetAsync<PersistentVolumeClaim>(Ns, claim, default)).Spec!.DataSource;
            if (source is not null)
            {
                // Servers that know no snapshots leave it out; what asks for it is looked at in the plan's own tests.
                Assert.Equal(names[1], source.Name);
            }

            await UntilAsync<Pod>(Name, p => p?.Spec?.Volumes?.Any(v => v.PersistentVolumeClaim?.ClaimName == claim) == true);
            await UntilAsync<PersistentVolumeClaim>(Name, v => v?.Metadata.Annotations?.GetValueOrDefault(Annotations.ReplacedBy) == claim);
        }
        finally
        {
            await Client.DeleteAsync<VolumeSnapshotClass>(null, Class, null, default);
        }
    }

    private async Task ClassAsync(bool grows) => await Client.CreateAsync(
        new StorageClass
        {
            Metadata = new ObjectMeta
            {
                Name = Class,

                // The namespace is deleted after the test, and with it what it owns.
                OwnerReferences = [new OwnerReference
                {
                    ApiVersion = "v1", Kind = "Namespace", Name = Ns,
                    Uid = (await Client.GetAsync<Namespace>(null, Ns, default)).Metadata.Uid!,
                }],
            },
            Provisioner = Class + ".example.com",
            AllowVolumeExpansion = grows,
        },
        null,
        default);

    private async Task BoundAsync(Func<UserWorkspaceSpec, UserWorkspaceSpec>? change = null)
    {
        await CreateAsync(change);
        await UntilAsync<PersistentVolumeClaim>(Name, v => v is not null);
        await PatchAsync<PersistentVolumeClaim>(Name,
            """{"status":{"phase":"Bound","capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"]}}""", "status");
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Storage?.Capacity == "1Gi");
    }

    private static Condition? Storage(UserWorkspace? workspace) =>
        workspace?.Status?.Conditions?.FirstOrDefault(c => c.Type == ConditionTypes.StorageReady);

    /// <summary>As much of the definitions of the external snapshotter as is written and read here.</summary>
    private async Task SnapshotsAsync()
    {
        foreach (var (plural, kind, scope, status) in new[]
        {
            ("volumesnapshots", "VolumeSnapshot", "Namespaced", ""","subresources":{"status":{}}"""),
            ("volumesnapshotclasses", "VolumeSnapshotClass", "Cluster", ""),
        })
        {
            var definition = $$$$$$"""
                {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
                 "metadata":{"name":"{{{{{{plural}}}}}}.snapshot.storage.k8s.io",
                  "annotations":{"api-approved.kubernetes.io":"https://github.com/kubernetes-csi/external-snapshotter/pull/814"}},
                 "spec":{"group":"snapshot.storage.k8s.io","scope":"{{{{{{scope}}}}}}",
                  "names":{"kind":"{{{{{{kind}}}}}}","listKind":"{{{{{{kind}}}}}}List",
                   "plural":"{{{{{{plural}}}}}}","singular":"{{{{{{kind.ToLowerInvariant()}}}}}}"},
                  "versions":[{"name":"v1","served":true,"storage":true,
                   "schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}{{{{{{status}}}}}}}]}}
                """;
            await Client.Raw.SendAsync(
                HttpMethod.Patch,
                $"{Definitions}/{plural}.snapshot.storage.k8s.io?fieldManager=berth-tests&force=true",
                Encoding.UTF8.GetBytes(definition),
                "application/apply-patch+yaml",
                default);
        }

        using var deadline = new CancellationTokenSource(Deadline);
        foreach (var kind in new[] { VolumeSnapshot.Descriptor, VolumeSnapshotClass.Descriptor })
        {
            while (!await Client.IsServedAsync(kind, deadline.Token))
            {
                await Task.Delay(50, deadline.Token);
            }
        }
    }
}

/// <summary>The suite on the embedded API.</summary>
public sealed class StorageOnKubeServerTests : StorageSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync();
}

/// <summary>The suite on the embedded API, where every other write fails.</summary>
public sealed class StorageWithFaultsTests : StorageSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync();

    private protected override IKubeClient ForOperator(IKubeClient client) => new FaultyClient(client);
}

/// <summary>The suite on a real cluster.</summary>
public sealed class StorageOnClusterTests : StorageSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.ClusterAsync();
}
