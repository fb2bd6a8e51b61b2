using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

public sealed class GrowthTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Larger_WhereItMay_OrNobodyKnows_IsAskedFor(bool known)
    {
        var world = Grown(known ? GrowthVerdict.Allowed : GrowthVerdict.Unknown);
        Assert.Contains("ApplyVolume", world.Settle());
        Assert.Equal("20Gi", world.Seen.Volume!.Spec!.Resources!.Requests!["storage"]);
        Assert.Empty(world.Settle());
    }

    [Fact]
    public void Larger_WhereItMayNot_IsToldOnce_AndTheWorkspaceRuns()
    {
        var world = Grown(GrowthVerdict.Refused);
        world.Seen = world.Seen with
        {
            Storage = world.Seen.Storage with
            {
                Growth = new Growth(GrowthVerdict.Refused,
            "Its class says no.")
            }
        };
        world.Settle();
        var condition = world.Condition(ConditionTypes.StorageReady);
        Assert.Equal(("True", Reasons.GrowthRefused), (condition.Status, condition.Reason));
        Assert.Contains("1Gi and cannot grow to 20Gi: Its class says no.", condition.Message, StringComparison.Ordinal);
        Assert.Equal("1Gi", world.Seen.Volume!.Spec!.Resources!.Requests!["storage"]);
        Assert.Equal(WorkspacePhases.Running, world.Phase);
        Assert.Empty(world.Settle());
        Assert.Single(world.Notes, n => n.Reason == Reasons.GrowthRefused);
    }

    [Fact]
    public void Larger_NotBoundYet_WaitsUntilItIs()
    {
        var world = Grown(GrowthVerdict.Allowed);
        world.Seen = world.Seen with
        {
            Volume = world.Seen.Volume! with { Status = new PersistentVolumeClaimStatus { Phase = "Pending" } },
        };
        world.Settle();
        Assert.Equal("1Gi", world.Seen.Volume!.Spec!.Resources!.Requests!["storage"]);
        world.VolumeBound();
        world.Settle();
        Assert.Equal("20Gi", world.Seen.Volume!.Spec!.Resources!.Requests!["storage"]);
    }

    [Fact]
    public void Grown_CapacityIsTold_AndWhenTheFileSystemFollows()
    {
        var world = Grown(GrowthVerdict.Allowed);
        world.Settle();
        Status("1Gi");
        world.Settle();
        Assert.Equal((Reasons.Growing, "1Gi"), (world.Condition(ConditionTypes.StorageReady).Reason, world.Status.Storage!.Capacity));
        Status("1Gi", new Condition { Type = "FileSystemResizePending", Status = "True" });
        world.Settle();
        Assert.Equal(Reasons.ResizePending, world.Condition(ConditionTypes.StorageReady).Reason);
        Assert.Contains("at the next start", world.Condition(ConditionTypes.StorageReady).Message, StringComparison.Ordinal);
        Status("20Gi");
        world.Settle();
        Assert.Equal((Reasons.Bound, "20Gi"), (world.Condition(ConditionTypes.StorageReady).Reason, world.Status.Storage!.Capacity));

        void Status(string capacity, params Condition[] conditions) => world.Seen = world.Seen with
        {
            Volume = world.Seen.Volume! with
            {
                Status = new PersistentVolumeClaimStatus
                {
                    Phase = "Bound",
                    Capacity = new Dictionary<string, string> { ["storage"] = capacity },
                    Conditions = conditions,
                },
            },
        };
    }

    private static World Grown(GrowthVerdict verdict)
    {
        var world = World.Running();
        world.Seen = world.Seen with { Storage = world.Seen.Storage with { Growth = new Growth(verdict) } };
        world.Change(s => s with { Resources = new WorkspaceResources { Storage = "20Gi" } });
        return world;
    }
}
