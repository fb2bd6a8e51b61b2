using Berth.Resources;

namespace Berth.Operator.Tests;

public sealed class EndingPlanTests
{
    [Fact]
    public void Delete_BeforeDelete_TheVolumeWaitsForItsBackup()
    {
        var world = Deleted(StorageWorld.Backup(delete: true, beforeDelete: true));
        Assert.NotNull(world.Job());
        Assert.NotNull(world.Seen.Volume);
        world.EndJob(world.Succeeded());
        world.Settle();
        Assert.Null(world.Seen.Volume);
        Assert.Empty(world.Seen.Workspace.Metadata.Finalizers!);
    }

    [Fact]
    public void Delete_BackupFails_TheVolumeStays_ItIsToldAndTriedOnAndOn()
    {
        var world = Deleted(StorageWorld.Backup(delete: true, beforeDelete: true));
        for (var i = 0; i < 6; i++)
        {
            world.EndJob(StorageWorld.Failed());
            world.Settle();
            Assert.NotNull(world.Seen.Volume);
            Assert.Contains("no room", world.Status.Message, StringComparison.Ordinal);
            Assert.Contains(Annotations.DeleteWithoutBackup, world.Status.Message, StringComparison.Ordinal);
            world.Advance(TimeSpan.FromHours(1));
            world.Settle();
        }

        Assert.NotNull(world.Job());
        world.Annotate(Annotations.DeleteWithoutBackup, "true");
        world.Settle();
        Assert.Null(world.Seen.Volume);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Delete_BackupNotVerified_IsNoBackup(bool told)
    {
        var world = Deleted(StorageWorld.Backup(delete: true, beforeDelete: true));
        world.EndJob(told ? world.Succeeded() with { Verified = false, Message = "1 could not be read" } : null, complete: true);
        world.Settle();
        Assert.NotNull(world.Seen.Volume);
    }

    [Fact]
    public void Delete_NoPlaceForBackups_TheVolumeStays()
    {
        var world = Deleted(StorageWorld.Backup(delete: true, beforeDelete: true), new BackupSettings());
        Assert.NotNull(world.Seen.Volume);
        Assert.Contains("Backup:Claim", world.Status.Message, StringComparison.Ordinal);
        world.Settings = TestData.Settings with { Backup = new BackupSettings { Mode = BackupMode.Off } };
        world.Settle();
        Assert.NotNull(world.Seen.Volume);
        Assert.Contains("switched off", world.Status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Delete_WithoutBeforeDelete_GoesAtOnce()
    {
        var world = Deleted(StorageWorld.Backup(delete: true));
        Assert.Null(world.Seen.Volume);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LegalHold_KeepsWorkspaceAndVolume_UntilItIsLifted(bool delete)
    {
        var world = Deleted(s => StorageWorld.Backup(delete: delete)(s) with
        {
            Administration = new WorkspaceAdministration { LegalHold = true },
        });
        Assert.NotNull(world.Seen.Volume);
        Assert.Contains(WorkspaceFinalizers.LegalHold, world.Seen.Workspace.Metadata.Finalizers!);
        Assert.Equal("true", world.Seen.Volume!.Metadata.Annotations![Annotations.LegalHold]);
        Assert.Contains("legal hold", world.Status.Message, StringComparison.Ordinal);

        world.Annotate(Annotations.DeleteWithoutBackup, "true");
        world.Settle();
        Assert.NotNull(world.Seen.Volume);

        world.Change(s => s with { Administration = null });
        world.Settle();
        Assert.Equal(delete, world.Seen.Volume is null);
        Assert.False(world.Seen.Volume?.Metadata.Annotations!.ContainsKey(Annotations.LegalHold) == true);
        Assert.Empty(world.Seen.Workspace.Metadata.Finalizers!);
    }

    [Fact]
    public void LegalHold_OnAndOff_TheMarkFollows()
    {
        var world = StorageWorld.Create(change: s => s with { Administration = new WorkspaceAdministration { LegalHold = true } });
        Assert.Equal("true", world.Seen.Volume!.Metadata.Annotations![Annotations.LegalHold]);
        world.Change(s => s with { Administration = null });
        world.Settle();
        Assert.False(world.Seen.Volume!.Metadata.Annotations!.ContainsKey(Annotations.LegalHold));
        Assert.Empty(world.Seen.Workspace.Metadata.Finalizers!);
    }

    [Fact]
    public void NamespaceGoes_NothingIsHeld()
    {
        var world = StorageWorld.Create(change: StorageWorld.Backup(delete: true, beforeDelete: true));
        world.Seen = world.Seen with { NamespaceTerminating = true };
        world.Delete();
        world.Settle();
        Assert.Empty(world.Seen.Workspace.Metadata.Finalizers!);
    }

    private static World Deleted(Func<UserWorkspaceSpec, UserWorkspaceSpec> change, BackupSettings? backup = null)
    {
        var world = StorageWorld.Create(backup, change);
        world.Delete();
        world.Settle();
        world.PodGone();
        world.Settle();
        return world;
    }
}
