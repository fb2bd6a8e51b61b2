using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

public sealed class BackupPlanTests
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    [Fact]
    public void Schedule_Comes_AJobIsMade_RecordedAndTidiedAway()
    {
        var world = StorageWorld.Create(change: StorageWorld.Backup("0 3 * * *"));
        var planned = world.Status.Storage!.NextBackupAt!.Value;
        Assert.Equal(3, planned.Hour);
        Assert.Null(world.Job());
        Assert.Equal(world.Last.Again, planned - world.Now is var until && until < world.Last.Again ? until : world.Last.Again);

        world.Now = planned;
        world.Settle();
        var job = world.Job()!;
        Assert.Equal("create", job.Spec!.Template.Spec!.Containers.Single().Args![1]);
        Assert.Equal("3", job.Argument("--keep"));
        var pending = Assert.Single(world.Status.Storage!.Backups!);
        Assert.Equal((job.Argument("--name"), "Pending", "Archive"), (pending.Name, pending.State, pending.Kind));

        world.Advance(TimeSpan.FromMinutes(1));
        world.EndJob(world.Succeeded("20200101-000000"));
        world.Settle();
        Assert.Empty(world.Seen.Storage.Jobs);
        Assert.Equal(["Succeeded", "Succeeded"], world.Status.Storage!.Backups!.Select(b => b.State));
        Assert.True(world.Status.Storage.Backups![0].Verified);
        Assert.Equal(planned + Day, world.Status.Storage.NextBackupAt);
        Assert.Single(world.Notes, n => n.Reason == Reasons.BackedUp);
        Assert.Empty(world.Settle());
    }

    [Fact]
    public void Schedule_MissedSeveralTimes_IsMadeUpForOnce()
    {
        var world = StorageWorld.Create(change: StorageWorld.Backup("0 3 * * *"));
        world.Advance(5 * Day);
        world.Settle();
        world.EndJob(world.Succeeded());
        world.Settle();
        Assert.True(world.Status.Storage!.NextBackupAt > world.Now);
        Assert.Null(world.Job());
    }

    [Fact]
    public void Schedule_Changed_ThePlanFollows_AndWithoutOneThereIsNone()
    {
        var world = StorageWorld.Create(change: StorageWorld.Backup("0 3 * * *"));
        world.Change(StorageWorld.Backup("0 5 * * *"));
        world.Settle();
        Assert.Equal(5, world.Status.Storage!.NextBackupAt!.Value.Hour);
        world.Change(StorageWorld.Backup());
        world.Settle();
        Assert.Null(world.Status.Storage!.NextBackupAt);
        world.Seen = world.Seen with
        {
            Policy = EffectivePolicy.From(new BerthPolicySpec { Storage = new PolicyStorage { BackupSchedule = "0 6 * * *" } }),
        };
        world.Settle();
        Assert.Equal(6, world.Status.Storage!.NextBackupAt!.Value.Hour);
    }

    [Fact]
    public void Schedule_ThatIsNone_IsTold_AndNothingIsMade()
    {
        var world = StorageWorld.Create(change: StorageWorld.Backup("every day"));
        var condition = world.Condition(ConditionTypes.StorageReady);
        Assert.Equal(("True", Reasons.InvalidSchedule), (condition.Status, condition.Reason));
        Assert.Null(world.Status.Storage!.NextBackupAt);
    }

    [Fact]
    public void Request_IsServedOnce_AndAnotherTimeAsksAgain()
    {
        var world = StorageWorld.Create();
        world.Change(StorageWorld.Backup(requestedAt: world.Now));
        world.Settle();
        Assert.Null(world.Status.Storage!.BackupRequestedAt);
        world.EndJob(world.Succeeded());
        world.Settle();
        Assert.Equal(world.Seen.Workspace.Spec.Storage!.Backup!.RequestedAt, world.Status.Storage!.BackupRequestedAt);
        Assert.Null(world.Job());
        world.Advance(Day);
        world.Change(StorageWorld.Backup(requestedAt: world.Now));
        world.Settle();
        Assert.NotNull(world.Job());
    }

    [Fact]
    public void Request_WhileAnotherIsUnderWay_Waits()
    {
        var world = StorageWorld.Create(change: StorageWorld.Backup("0 3 * * *"));
        world.Now = world.Status.Storage!.NextBackupAt!.Value;
        world.Settle();
        var first = world.Job();
        world.Change(StorageWorld.Backup("0 3 * * *", requestedAt: world.Now));
        world.Settle();
        Assert.Single(world.Seen.Storage.Jobs);
        world.EndJob(world.Succeeded());
        world.Settle();
        Assert.NotEqual(first!.Metadata.Name, world.Job()!.Metadata.Name);
    }

    [Fact]
    public void Job_FailsThreeTimes_IsGivenUp_AndTheNextTimeComes()
    {
        var world = StorageWorld.Create(change: StorageWorld.Backup("0 3 * * *"));
        world.Now = world.Status.Storage!.NextBackupAt!.Value;
        for (var i = 1; i <= 3; i++)
        {
            world.Settle();
            Assert.Equal($"{i}", world.Job()!.Metadata.Annotations![Annotations.StorageTry]);
            world.EndJob(StorageWorld.Failed());
            world.Settle();
            Assert.Null(world.Job());
            Assert.Equal("Failed", world.Status.Storage!.Backups![0].State);
            Assert.Equal(Reasons.BackupFailed, world.Condition(ConditionTypes.StorageReady).Reason);
            Assert.Equal("True", world.Condition(ConditionTypes.StorageReady).Status);
            world.Advance(TimeSpan.FromHours(1));
        }

        world.Settle();
        Assert.Null(world.Job());
        Assert.True(world.Status.Storage!.NextBackupAt > world.Now);
        Assert.Contains("no room", world.Notes.Single(n => n.Reason == Reasons.BackupFailed).Message, StringComparison.Ordinal);
        Assert.Single(world.Seen.Storage.Jobs);
        world.Now = world.Status.Storage.NextBackupAt!.Value;
        world.Settle();
        world.EndJob(world.Succeeded());
        world.Settle();
        Assert.Empty(world.Seen.Storage.Jobs);
        Assert.Equal("Succeeded", Assert.Single(world.Status.Storage.Backups!).State);
    }

    [Fact]
    public void Job_MadeByAPassThatDied_IsTheSameAgain()
    {
        var world = StorageWorld.Create();
        world.Change(StorageWorld.Backup(requestedAt: world.Now));
        var first = Decider.Decide(world.Seen, world.Settings).Steps.OfType<Step.CreateJob>().Single().Object;
        var later = Decider.Decide(world.Seen with { Now = world.Now + TimeSpan.FromSeconds(7) }, world.Settings);
        Assert.Equal(first.Metadata.Name, later.Steps.OfType<Step.CreateJob>().Single().Object.Metadata.Name);
        Assert.True(first.Metadata.Name!.Length <= 63);
    }

    [Fact]
    public void Job_OfARunningWorkspace_IsOnItsNode_ReadOnly_AndMayDoNothing()
    {
        var world = StorageWorld.Create();
        world.Change(StorageWorld.Backup(requestedAt: world.Now));
        world.Settle();
        var pod = world.Job()!.Spec!.Template.Spec!;
        Assert.Contains("\"values\":[\"node1\"]", pod.Affinity!.Value.GetRawText(), StringComparison.Ordinal);
        Assert.False(pod.AutomountServiceAccountToken);
        Assert.Equal(world.Seen.Pod!.Spec!.SecurityContext!.RunAsUser, pod.SecurityContext!.RunAsUser);
        var container = pod.Containers.Single();
        Assert.True(container.VolumeMounts!.Single(m => m.Name == "volume").ReadOnly);
        Assert.StartsWith(world.Seen.Workspace.Metadata.Name + "-", container.VolumeMounts!.Single(m => m.Name == "backup").SubPath,
            StringComparison.Ordinal);
        Assert.True(container.SecurityContext!.ReadOnlyRootFilesystem);
        Assert.Equal(["ALL"], container.SecurityContext.Capabilities!.Drop);
        Assert.DoesNotContain(Labels.Workspace, world.Job()!.Spec!.Template.Metadata!.Labels!.Keys);
        Assert.Null(world.Job()!.Metadata.OwnerReferences);
        var network = StorageNetworkPolicy.Make(world.Seen.Workspace, world.Settings).Spec!;
        Assert.Empty(network.Egress!);
        Assert.Equal(["Ingress", "Egress"], network.PolicyTypes!);
    }

    [Fact]
    public void Job_ToAnObjectStore_HasItsOwnPrefix_AndReachesOnlyTheStore()
    {
        var store = new ObjectStoreSettings
        {
            Endpoint = new Uri("https://s3.example.com:9000"),
            Bucket = "b",
            Secret = "keys",
            Prefix = "/berth/",
            Networks = ["192.0.2.0/24"],
        };
        var world = StorageWorld.Create(new BackupSettings { ObjectStore = store });
        world.Change(StorageWorld.Backup(requestedAt: world.Now));
        world.Settle();
        Assert.StartsWith($"berth/{world.Seen.Workspace.Metadata.Namespace}/{world.Seen.Workspace.Metadata.Name}-",
            world.Job()!.Argument("--prefix"), StringComparison.Ordinal);
        Assert.Equal("keys", world.Job()!.Spec!.Template.Spec!.Containers.Single().EnvFrom!.Single().SecretRef!.Name);
        var egress = StorageNetworkPolicy.Make(world.Seen.Workspace, world.Settings).Spec!.Egress!;
        Assert.Equal(2, egress.Count);
        Assert.Equal("192.0.2.0/24", egress[1].To!.Single().IpBlock!.Cidr);
    }

    [Fact]
    public void Job_OfAStoppedWorkspace_GoesFirstWhenItsPodComesElsewhere()
    {
        var world = StorageWorld.Create(change: s => s with { DesiredState = DesiredStates.Stopped });
        world.PodGone();
        world.Change(StorageWorld.Backup(requestedAt: world.Now));
        world.Settle();
        Assert.Null(world.Job()!.Spec!.Template.Spec!.Affinity);
        world.Change(s => s with { DesiredState = DesiredStates.Running });
        world.Settle();
        world.PodStatus(new PodStatus { Phase = "Pending" });
        world.Settle();
        Assert.Contains("node1", world.Job()!.Spec!.Template.Spec!.Affinity!.Value.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void NoPlace_IsToldAndServed_NotTriedForEver()
    {
        var world = StorageWorld.Create(new BackupSettings());
        world.Change(StorageWorld.Backup(requestedAt: world.Now));
        world.Settle();
        Assert.Contains("Backup:Claim", world.Notes.Single(n => n.Reason == Reasons.BackupFailed).Message, StringComparison.Ordinal);
        Assert.NotNull(world.Status.Storage!.BackupRequestedAt);
        Assert.Empty(world.Settle());
    }

    [Fact]
    public void Off_NothingIsPlannedOrMade()
    {
        var world = StorageWorld.Create(new BackupSettings { Mode = BackupMode.Off }, StorageWorld.Backup("0 3 * * *"));
        world.Advance(2 * Day);
        world.Settle();
        Assert.Null(world.Job());
        Assert.Null(world.Status.Storage!.NextBackupAt);
    }

    [Fact]
    public void JobsNotKnownYet_NothingIsMade()
    {
        var world = StorageWorld.Create();
        world.Seen = world.Seen with { Storage = world.Seen.Storage with { JobsKnown = false } };
        world.Change(StorageWorld.Backup(requestedAt: world.Now));
        world.Settle();
        Assert.Empty(world.Seen.Storage.Jobs);
        Assert.Equal(TimeSpan.FromSeconds(5), world.Last.Again);
    }

    [Fact]
    public void Snapshot_WhereTheDriverMakesThem_ReadyIsSuccess_AndTheOldestGo()
    {
        var world = StorageWorld.Create();
        world.Seen = world.Seen with { Storage = world.Seen.Storage with { Snapshots = [], SnapshotClass = "fast" } };
        for (var i = 0; i < 4; i++)
        {
            world.Advance(Day);
            world.Change(StorageWorld.Backup(keep: 2, requestedAt: world.Now));
            world.Settle();
            var made = world.Seen.Storage.Snapshots!.Value.Last();
            Assert.Equal((world.Seen.Volume!.Metadata.Name, "fast"),
                (made.Spec!.Source!.PersistentVolumeClaimName, made.Spec.VolumeSnapshotClassName));
            Assert.Equal("Pending", world.Status.Storage!.Backups![0].State);
            Assert.Equal(TimeSpan.FromSeconds(5), world.Last.Again);
            Ready(world, made, true);
            world.Settle();
            world.Settle();
        }

        Assert.Equal(2, world.Seen.Storage.Snapshots!.Value.Length);
        Assert.Equal(world.Seen.Storage.Snapshots.Value.Select(s => s.Metadata.Name).Reverse(), world.Status.Storage!.Backups!.Select(b =>
            b.Name));
        Assert.Empty(world.Seen.Storage.Jobs);
    }

    // Asked for again within the second in which the one before was made: an API server's times do not tell them apart.
    [Fact]
    public void Snapshot_TwoWithinOneSecond_TheSecondIsToldWhileItIsUnderWay()
    {
        var world = StorageWorld.Create();
        world.Seen = world.Seen with { Storage = world.Seen.Storage with { Snapshots = [], SnapshotClass = "fast" } };
        world.Change(StorageWorld.Backup(keep: 2, requestedAt: world.Now));
        world.Settle();
        var first = Assert.Single(world.Seen.Storage.Snapshots!.Value);
        Ready(world, first, true);
        world.Settle();
        world.Change(StorageWorld.Backup(keep: 2, requestedAt: world.Now + TimeSpan.FromSeconds(1)));
        world.Settle();
        world.Settle();

        var second = world.Seen.Storage.Snapshots!.Value.Single(s => s.Metadata.Name != first.Metadata.Name);
        Assert.Equal(first.Metadata.CreationTimestamp, second.Metadata.CreationTimestamp);
        Assert.Equal([$"{second.Metadata.Name} Pending", $"{first.Metadata.Name} Succeeded"],
            world.Status.Storage!.Backups!.Select(b => $"{b.Name} {b.State}"));
    }

    [Fact]
    public void Snapshot_LegalHold_NoneGoes()
    {
        var world = StorageWorld.Create(change: s => s with { Administration = new WorkspaceAdministration { LegalHold = true } });
        world.Seen = world.Seen with { Storage = world.Seen.Storage with { Snapshots = [], SnapshotClass = "fast" } };
        for (var i = 0; i < 3; i++)
        {
            world.Advance(Day);
            world.Change(StorageWorld.Backup(keep: 1, requestedAt: world.Now));
            world.Settle();
            Ready(world, world.Seen.Storage.Snapshots!.Value.Last(), true);
            world.Settle();
        }

        Assert.Equal(3, world.Seen.Storage.Snapshots!.Value.Length);
    }

    [Fact]
    public void Snapshot_WithAnError_IsTriedAgain_AndTheFailedOnesGo()
    {
        var world = StorageWorld.Create();
        world.Seen = world.Seen with { Storage = world.Seen.Storage with { Snapshots = [], SnapshotClass = "fast" } };
        world.Change(StorageWorld.Backup(requestedAt: world.Now));
        for (var i = 0; i < 3; i++)
        {
            world.Settle();
            Ready(world, world.Seen.Storage.Snapshots!.Value.Last(), false, "quota");
            world.Advance(TimeSpan.FromHours(1));
        }

        world.Settle();
        Assert.Empty(world.Seen.Storage.Snapshots!.Value);
        Assert.Contains("quota", world.Notes.Single(n => n.Reason == Reasons.BackupFailed).Message, StringComparison.Ordinal);
    }

    private static void Ready(World world, VolumeSnapshot snapshot, bool ready, string? error = null)
    {
        var done = snapshot with
        {
            Status = new VolumeSnapshotStatus
            {
                ReadyToUse = ready,
                CreationTime = world.Now,
                Error = error is null ? null : new VolumeSnapshotError { Message = error },
            },
        };
        world.Seen = world.Seen with
        {
            Storage = world.Seen.Storage with
            {
                Snapshots = [.. world.Seen.Storage.Snapshots!.Value.Select(s => s.Metadata.Name == snapshot.Metadata.Name ? done : s)],
            },
        };
    }
}
