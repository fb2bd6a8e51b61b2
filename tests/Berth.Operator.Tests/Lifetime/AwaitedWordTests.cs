using Berth.Resources;
using static Berth.Operator.Tests.Lives;

namespace Berth.Operator.Tests;

/// <summary>
/// An operator that just began, or a replica of the edge that did: for the seconds until the first renewal nothing is concluded from
/// silence, neither that a workspace is unused nor that its use is unknown.
/// </summary>
public sealed class AwaitedWordTests
{
    [Fact]
    public void Announced_OperatorRestarts_NothingIsWithdrawnAndNothingWritten()
    {
        var world = Announced();
        var before = world.Status;
        Await(world);
        Assert.Empty(world.Settle());
        Assert.Equal(before.Activity, world.Status.Activity);

        world.Advance(TimeSpan.FromSeconds(30));
        Assert.Empty(world.Settle());
        Assert.DoesNotContain(world.Notes, n => n.Reason == Reasons.StopWithdrawn);
    }

    [Fact]
    public void Announced_NewReplica_NothingIsWithdrawn()
    {
        var world = Announced();
        world.Seen = world.Seen with { Edges = [Edge("edge-a", world.Now), Met("edge-b", world.Now)] };
        Assert.Empty(world.Settle());
    }

    [Fact]
    public void Announced_DueWhileTheWordIsAwaited_IsStoppedOnlyByTheWord()
    {
        var world = Announced();
        world.Advance(Warn);
        Await(world);
        Assert.Empty(world.Settle());
        Assert.Equal(LifetimePlan.WordLook, world.Last.Again);
        Assert.Contains("StopWorkspace", Pass(world, TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void Announced_TheWordDoesNotCome_IsWithdrawn()
    {
        var world = Announced();
        Await(world);
        world.Settle();

        // The next look is the one that tells: none at a time when it is still waited for.
        world.Advance(world.Last.Again!.Value);
        Assert.Equal(["Status"], world.Settle());
        Assert.Null(world.Status.Activity!.StopsAt);
        Assert.Contains("replica edge-a of the edge is silent", Freshness(world)!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Announced_UsedWhileTheWordIsAwaited_IsWithdrawn()
    {
        var world = Announced();
        world.Advance(TimeSpan.FromMinutes(1));
        Use(world, world.Now);
        Await(world);
        Assert.Equal(["Status"], world.Settle());
        Assert.Null(world.Status.Activity!.StopsAt);
    }

    [Fact]
    public void Unused_TheWordIsAwaited_IsNotAnnounced()
    {
        var world = World.Running();
        world.Advance(Idle - Warn);
        Await(world);
        Assert.Empty(world.Settle());
        Assert.Null(world.Status.Activity?.StopsAt);
        Assert.Null(Freshness(world));
    }

    [Fact]
    public void Silent_OperatorRestarts_SaysTheSameUntilItKnows()
    {
        var world = World.Running();
        world.Advance(Idle - Warn);
        var silent = Edge("edge-b", world.Now - TimeSpan.FromMinutes(2));
        world.Seen = world.Seen with { Edges = [Edge("edge-a", world.Now), silent] };
        world.Settle();
        Assert.Contains("replica edge-b of the edge is silent", Freshness(world)!.Message, StringComparison.Ordinal);

        world.Seen = world.Seen with { Edges = [Met("edge-a", world.Now), Met("edge-b", silent.RenewedAt) with { MetAt = world.Now }] };
        Assert.Empty(world.Settle());
        Assert.Equal("False", Freshness(world)!.Status);
    }

    private static void Await(World world) => world.Seen = world.Seen with { Edges = [Met("edge-a", world.Now)] };

    /// <summary>A Lease that was there when the operator began.</summary>
    private static EdgeReport Met(string name, DateTimeOffset renewed) => Edge(name, renewed) with { Confirmed = false, MetAt = renewed };

    private static Kube.Client.Models.Condition? Freshness(World world) =>
        world.Status.Conditions!.FirstOrDefault(c => c.Type == ConditionTypes.ActivityFresh);
}
