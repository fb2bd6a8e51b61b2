using Berth.Resources;
using static Berth.Operator.Tests.Lives;

namespace Berth.Operator.Tests;

/// <summary>What workspaces, templates and policies say about life times: never, ceilings, the longest run, holds.</summary>
public sealed class BoundsTests
{
    [Fact]
    public void IdleTimeNever_IsNotLookedAtAgain()
    {
        var world = Running(new WorkspaceLifetime { IdleTimeoutSeconds = 0 });

        // Until the month ends, for which its usage is counted.
        Assert.Empty(Pass(world, TimeSpan.FromDays(20)));
        Assert.False(world.Last.Again < TimeSpan.FromDays(10));
        Assert.Null(world.Status.Activity!.StopsAt);
        Assert.Equal("Runs until somebody stops it: it has no idle time-out.", world.Status.Activity!.KeptBy);
    }

    [Fact]
    public void IdleTimeNever_WithThePolicysCeiling_IsTheCeiling()
    {
        var world = Running(new WorkspaceLifetime { IdleTimeoutSeconds = 0 }, new PolicyLifetime { MaxIdleTimeoutSeconds = 3600 });
        Pass(world, TimeSpan.FromMinutes(55));
        Assert.Equal(Ready.AddHours(1), world.Status.Activity!.StopsAt);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LongestRun_IsAnnounced_AndNothingExtendsIt(bool byPolicy)
    {
        const long hours8 = 8 * 3600;
        var lifetime = new WorkspaceLifetime
        {
            IdleTimeoutSeconds = 0,
            MaxRunSeconds = byPolicy ? null : hours8,
            KeepUntil = Ready.AddDays(1),
            Holds = [new WorkspaceHold { Name = "agent", Until = Ready.AddDays(1) }],
        };

        // Without any edge: how long it runs is known without one.
        var world = Running(lifetime, new PolicyLifetime { MaxRunSeconds = byPolicy ? hours8 : null }, edges: false);
        Assert.EndsWith("Stops at 2030-01-01 20:00:03 UTC at the latest.", world.Status.Activity!.KeptBy, StringComparison.Ordinal);
        world.Advance(TimeSpan.FromHours(8) - Warn);
        Use(world, world.Now);
        Assert.Equal(["Status"], world.Settle());
        Assert.Equal((Ready.AddHours(8), StopReasons.MaxRun), (world.Status.Activity!.StopsAt!.Value, world.Status.Activity.StopReason));
        Assert.Contains("has then run for 8 h or more", world.Status.Activity.KeptBy, StringComparison.Ordinal);

        world.Advance(Warn);
        Use(world, world.Now);
        Assert.Equal("StopWorkspace", world.Settle()[0]);
        Assert.Equal(RequestReasons.Policy, world.Seen.Workspace.Spec.LastRequest!.Reason);
    }

    [Fact]
    public void LongestRun_SeenLate_IsStillWarned()
    {
        var world = Running(new WorkspaceLifetime { MaxRunSeconds = 3600 }, edges: false);
        world.Advance(TimeSpan.FromDays(1));
        Assert.DoesNotContain("StopWorkspace", world.Settle());
        Assert.Equal(world.Now + Warn, world.Status.Activity!.StopsAt);
    }

    [Fact]
    public void LongestRun_ComesBeforeTheIdleStop_TheEarlierCounts()
    {
        var world = Running(new WorkspaceLifetime { MaxRunSeconds = 27 * 60 });
        Pass(world, TimeSpan.FromMinutes(22));
        Assert.Empty(Pass(world, TimeSpan.FromMinutes(3)));
        Assert.Equal((Ready.AddMinutes(27), StopReasons.MaxRun), (world.Status.Activity!.StopsAt!.Value, world.Status.Activity.StopReason));
    }

    [Fact]
    public void Keep_BeyondThePolicysCeiling_EndsThere()
    {
        var world = Running(
            new WorkspaceLifetime { KeepUntil = Ready.AddDays(30) }, new PolicyLifetime { MaxHoldSeconds = 7200 });
        Assert.Equal(
            "Kept on request until 2030-01-01 14:00:03 UTC, the most that is allowed.", world.Status.Activity!.KeptBy);
        Pass(world, TimeSpan.FromHours(2) - Warn);
        Assert.Equal(Ready.AddHours(2), world.Status.Activity!.StopsAt);
    }
}
