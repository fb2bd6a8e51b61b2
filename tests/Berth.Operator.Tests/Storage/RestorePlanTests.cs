using Berth.Operator.Archives;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

public sealed class RestorePlanTests
{
    private const string Backup = "20260101-000000";

    [Fact]
    public void Archive_PodEnds_JobRestores_PodStarts()
    {
        var world = Asked();
        Assert.NotNull(world.Seen.Pod!.Metadata.DeletionTimestamp);
        Assert.Null(world.Job());
        world.PodGone();
        world.Settle();
        var job = world.Job()!;
        Assert.Equal("restore", job.Spec!.Template.Spec!.Containers.Single().Args![1]);
        Assert.Equal(Backup, job.Argument("--name"));
        Assert.Null(job.Spec.Template.Spec.Containers.Single().VolumeMounts!.Single(m => m.Name == "volume").ReadOnly);
        Assert.Null(world.Seen.Pod);
        Assert.Equal(("False", Reasons.Restoring),
            (world.Condition(ConditionTypes.StorageReady).Status, world.Condition(ConditionTypes.StorageReady).Reason));
        Assert.Equal(WorkspacePhases.Starting, world.Phase);

        world.EndJob(new ArchiveResult { Ok = true, Verified = true });
        world.Settle();
        Assert.NotNull(world.Seen.Pod);
        Assert.Equal(world.Seen.Workspace.Spec.Storage!.Restore, world.Status.Storage!.Restored);
        Assert.Empty(world.Seen.Storage.Jobs);
        Assert.Single(world.Notes, n => n.Reason == Reasons.Restored);
    }

    [Fact]
    public void Archive_FailsUntouched_IsGivenUpAfterThreeTries_AndTheWorkspaceStartsAsItWas()
    {
        var world = Asked();
        world.PodGone();
        for (var i = 0; i < 3; i++)
        {
            world.Settle();
            Assert.Null(world.Seen.Pod);
            world.EndJob(StorageWorld.Failed("the archive is damaged"));
            world.Settle();
            world.Advance(TimeSpan.FromMinutes(10));
        }

        world.Settle();
        Assert.NotNull(world.Seen.Pod);
        Assert.Equal(Backup, world.Status.Storage!.Restored!.Backup);
        Assert.Contains("nothing was changed: the archive is damaged", world.Notes.Single(n => n.Reason == Reasons.RestoreFailed).Message,
            StringComparison.Ordinal);
        Assert.Equal(Reasons.RestoreFailed, world.Condition(ConditionTypes.StorageReady).Reason);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Archive_MayHaveTouchedTheContent_IsSeenThrough_EvenIfTheWishIsWithdrawn(bool told)
    {
        var world = Asked();
        world.PodGone();
        world.Settle();
        var id = world.Job()!.Argument("--id");
        for (var i = 0; i < 6; i++)
        {
            world.EndJob(told ? StorageWorld.Failed("disk", touched: true) : null);
            world.Settle();
            world.Advance(TimeSpan.FromMinutes(10));
            if (i == 3)
            {
                world.Change(s => s with { Storage = s.Storage! with { Restore = null } });
            }

            world.Settle();
            Assert.Null(world.Seen.Pod);
            Assert.Equal((id, Backup), (world.Job()!.Argument("--id"), world.Job()!.Argument("--name")));
        }

        world.EndJob(new ArchiveResult { Ok = true, Verified = true });
        world.Settle();
        Assert.NotNull(world.Seen.Pod);
    }

    [Fact]
    public void Archive_NameThatIsNone_IsRefusedInWords()
    {
        var world = StorageWorld.Create();
        world.Change(StorageWorld.Restore("../other", world.Now));
        world.Settle();
        world.PodGone();
        world.Settle();
        Assert.Empty(world.Seen.Storage.Jobs);
        Assert.NotNull(world.Seen.Pod);
        Assert.Contains("there is no backup '../other'", world.Condition(ConditionTypes.StorageReady).Message + world.Notes.Last(n =>
            n.Reason == Reasons.RestoreFailed).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Restore_WaitsForABackupUnderWay_AndBackupsWaitForIt()
    {
        var world = StorageWorld.Create();
        world.Change(StorageWorld.Backup(requestedAt: world.Now));
        world.Settle();
        world.Change(StorageWorld.Restore(Backup, world.Now));
        world.Settle();
        world.PodGone();
        world.Settle();
        Assert.Equal("create", Assert.Single(world.Seen.Storage.Jobs).Spec!.Template.Spec!.Containers.Single().Args![1]);
        world.EndJob(world.Succeeded());
        world.Change(s => s with { Storage = s.Storage! with { Backup = new WorkspaceBackup { RequestedAt = world.Now.AddDays(1) } } });
        world.Settle();
        Assert.Equal("restore", world.Job()!.Spec!.Template.Spec!.Containers.Single().Args![1]);
        world.EndJob(new ArchiveResult { Ok = true });
        world.Settle();
        Assert.Equal("create", world.Job()!.Spec!.Template.Spec!.Containers.Single().Args![1]);
    }

    [Fact]
    public void Stopped_StaysStopped()
    {
        var world = StorageWorld.Create(change: s => s with { DesiredState = DesiredStates.Stopped });
        world.PodGone();
        world.Change(StorageWorld.Restore(Backup, world.Now));
        world.Settle();
        world.EndJob(new ArchiveResult { Ok = true });
        world.Settle();
        Assert.Null(world.Seen.Pod);
        Assert.Equal(WorkspacePhases.Stopped, world.Phase);
        Assert.NotNull(world.Status.Storage!.Restored);
    }

    [Fact]
    public void Snapshot_ANewClaimTakesOver_AndTheOldOneIsKeptAsReleased()
    {
        var world = StorageWorld.Create();
        var old = world.Seen.Volume!;
        var snapshot = new VolumeSnapshot
        {
            Metadata = new ObjectMeta { Name = "snap", Annotations = StorageJobs.AnnotationsOf("snap", "Request x", 1) },
            Status = new VolumeSnapshotStatus { ReadyToUse = true, RestoreSize = "50Gi" },
        };
        world.Seen = world.Seen with { Storage = world.Seen.Storage with { Snapshots = [snapshot], SnapshotClass = "fast" } };
        world.Change(StorageWorld.Restore("snap", world.Now));
        world.Settle();
        world.PodGone();
        world.Seen = world.Seen with { Now = world.Now };
        var decision = Decider.Decide(world.Seen, world.Settings);
        var claim = decision.Steps.OfType<Step.CreateVolume>().Single().Object;
        Assert.DoesNotContain(decision.Steps, s => s is Step.CreatePod);
        Assert.Equal(("VolumeSnapshot", "snap", "50Gi"),
            (claim.Spec!.DataSource!.Kind, claim.Spec.DataSource.Name, claim.Spec.Resources!.Requests!["storage"]));

        // As the lookup does it: what the status names is the volume from then on.
        claim = claim with { Metadata = claim.Metadata with { Uid = "new", CreationTimestamp = world.Now } };
        world.Seen = world.Seen with { Storage = world.Seen.Storage with { OtherVolumes = [claim] } };
        decision = Decider.Decide(world.Seen, world.Settings);
        Assert.Equal(claim.Metadata.Name, decision.Status!.Storage!.ClaimName);
        Assert.Equal("snap", decision.Status.Storage.Restored!.Backup);
        Assert.DoesNotContain(decision.Steps, s => s is Step.CreatePod);
        world.Seen = world.Seen with
        {
            Workspace = world.Seen.Workspace with { Status = decision.Status },
            Volume = claim,
            Storage = world.Seen.Storage with { OtherVolumes = [old] },
        };
        world.Settle();
        Assert.Equal(claim.Metadata.Name, world.Seen.Pod!.Spec!.Volumes!.Single(v => v.PersistentVolumeClaim is not null)
            .PersistentVolumeClaim!.ClaimName);
        var kept = Assert.Single(world.Seen.Storage.OtherVolumes).Metadata.Annotations!;
        Assert.Equal(claim.Metadata.Name, kept[Annotations.ReplacedBy]);
        Assert.NotNull(Times.Parse(kept[Annotations.ReleasedAt]));

        // Found again by the same owner, the restored one comes first.
        Assert.Same(claim, VolumeLookup.Choose(
            world.Seen.Workspace with { Status = null }, null, world.Seen.Storage.OtherVolumes[0], [world.Seen.Storage.OtherVolumes[0],
                claim]));

        // And after the window the old one goes, but not with a hold on it.
        world.Seen = world.Seen with
        {
            Policy = EffectivePolicy.From(new BerthPolicySpec { Storage = new PolicyStorage { UndeleteSeconds = 3600 } }),
        };
        world.Advance(TimeSpan.FromMinutes(59));
        world.Settle();
        Assert.Single(world.Seen.Storage.OtherVolumes);
        world.Advance(TimeSpan.FromMinutes(2));
        world.Settle();
        Assert.Empty(world.Seen.Storage.OtherVolumes);
    }

    private static World Asked()
    {
        var world = StorageWorld.Create();
        world.Change(StorageWorld.Restore(Backup, world.Now));
        world.Settle();
        return world;
    }
}
