using Berth.Resources;
using Kube.Client.Models;
using static Berth.Operator.Tests.Lives;

namespace Berth.Operator.Tests;

/// <summary>
/// When a workspace stops by itself, and when it does not: an idle time of 30 min, announced 5 min before, as nobody says otherwise.
/// </summary>
public sealed class LifetimePlanTests
{
    [Fact]
    public void Unused_NotYetTime_CostsNoWrite_AndIsLookedAtWhenItIs()
    {
        var world = World.Running();
        for (var i = 0; i < 24 * 6; i++)
        {
            Assert.Empty(Pass(world, TimeSpan.FromSeconds(10)));
        }

        Assert.Equal(Ready + Idle - Warn - world.Now, world.Last.Again);
        Assert.Equal("In use: stops after 30 min without use.", world.Status.Activity!.KeptBy);
        Assert.DoesNotContain(world.Status.Conditions!, c => c.Type == ConditionTypes.ActivityFresh);
    }

    [Fact]
    public void Unused_WarningTime_IsAnnouncedOnce()
    {
        var world = Announced();
        var activity = world.Status.Activity!;
        Assert.Equal(
            (Ready + Idle, Ready + Idle - Warn, StopReasons.Idle), (activity.StopsAt!.Value, activity.AnnouncedAt!.Value,
                activity.StopReason));
        Assert.Contains("nobody has used it since 2030-01-01 12:00:03 UTC", activity.KeptBy, StringComparison.Ordinal);
        Assert.Equal(Warn, world.Last.Again);
        Assert.Equal(DesiredStates.Running, world.Seen.Workspace.Spec.DesiredState);
        Assert.Equal(WorkspacePhases.Running, world.Phase);
        Assert.Null(world.Status.Message);
        Assert.Empty(Pass(world, TimeSpan.FromMinutes(2)));
        Assert.Single(world.Notes, n => n.Reason == Reasons.StopAnnounced);
    }

    [Fact]
    public void Announced_TimeIsOver_IsStoppedAsAPersonWould()
    {
        var world = Announced();
        var writes = Pass(world, Warn);
        Assert.Equal("StopWorkspace", writes[0]);
        Assert.Contains("DeletePod", writes);
        var request = world.Seen.Workspace.Spec.LastRequest!;
        Assert.Equal((RequestedBy.Operator, RequestReasons.Idle, world.Now), (request.By, request.Reason, request.At));
        Assert.Equal(WorkspacePhases.Stopping, world.Phase);
        Assert.Contains(world.Notes, n => n.Message.Contains("asked by operator (Idle)", StringComparison.Ordinal));

        world.PodGone();
        world.Settle();
        Assert.Equal(WorkspacePhases.Stopped, world.Phase);
        Assert.Null(world.Status.Activity?.StopsAt);
        Assert.Null(world.Status.Activity?.KeptBy);
        Assert.Null(world.Last.Again);
    }

    [Fact]
    public void Announced_NotYetOver_IsNotStopped() => Assert.Empty(Pass(Announced(), Warn - TimeSpan.FromSeconds(1)));

    [Fact]
    public void Unused_SeenLate_IsStillWarnedInFull()
    {
        var world = World.Running();
        Pass(world, TimeSpan.FromHours(9));
        Assert.Equal(world.Now + Warn, world.Status.Activity!.StopsAt);
        Assert.DoesNotContain("StopWorkspace", Pass(world, Warn - TimeSpan.FromSeconds(1)));
        Assert.Contains("StopWorkspace", Pass(world, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void Announced_UseIsWritten_IsWithdrawn()
    {
        var world = Announced();
        var used = world.Now.AddMinutes(1);
        world.Advance(TimeSpan.FromMinutes(2));
        Use(world, used);
        Assert.Equal(["Status"], Pass(world, TimeSpan.Zero));
        Assert.Null(world.Status.Activity!.StopsAt);
        Assert.Equal(used, world.Status.Activity.Last);
        var note = Assert.Single(world.Notes, n => n.Reason == Reasons.StopWithdrawn);
        Assert.Contains("it was used at 2030-01-01 12:26:03 UTC", note.Message, StringComparison.Ordinal);

        Assert.Equal(used + Idle - Warn - world.Now, world.Last.Again);
        Assert.Empty(Pass(world, Warn));
    }

    [Fact]
    public void Announced_SomebodyComes_IsWithdrawn()
    {
        var world = Announced();
        world.Advance(TimeSpan.FromMinutes(1));
        world.Change(s => s with
        {
            LastRequest = new WorkspaceRequest
            {
                By = RequestedBy.Edge,
                Reason = RequestReasons.Visit,
                At = world.Now
            }
        });
        Pass(world, TimeSpan.Zero);
        Assert.Null(world.Status.Activity!.StopsAt);
    }

    [Fact]
    public void Announced_HoldAppears_IsWithdrawn_AndStopsWhenTheHoldEnds()
    {
        var world = Announced();
        var until = world.Now.AddHours(2);
        world.Change(s => s with
        {
            Lifetime = new WorkspaceLifetime { Holds = [new WorkspaceHold { Name = "build-17", Until = until, Reason = "compiling" }] },
        });
        Pass(world, TimeSpan.FromMinutes(1));
        Assert.Null(world.Status.Activity!.StopsAt);
        Assert.Equal("Held by build-17 (compiling) until 2030-01-01 14:25:03 UTC.", world.Status.Activity.KeptBy);
        Assert.Contains("held by build-17", world.Notes.Single(n => n.Reason == Reasons.StopWithdrawn).Message, StringComparison.Ordinal);

        Pass(world, until - Warn - world.Now);
        Assert.Equal(until, world.Status.Activity!.StopsAt);
        Assert.Contains("StopWorkspace", Pass(world, Warn));
    }

    [Fact]
    public void Announced_EvidenceGoesStale_IsWithdrawn_SaysSo_AndStaysReady()
    {
        var world = Announced();
        world.Seen = world.Seen with { Edges = [Edge("edge-a", world.Now)] };
        world.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(["Status"], world.Settle());
        Assert.Null(world.Status.Activity!.StopsAt);
        var fresh = world.Condition(ConditionTypes.ActivityFresh);
        Assert.Equal(("False", Reasons.Stale), (fresh.Status, fresh.Reason));
        Assert.Contains("replica edge-a of the edge is silent", fresh.Message, StringComparison.Ordinal);
        Assert.Equal("True", world.Condition(ConditionTypes.Ready).Status);
        Assert.Equal(WorkspacePhases.Running, world.Phase);
        Assert.Null(world.Status.Message);
        Assert.Equal(LifetimePlan.SilenceLook, world.Last.Again);

        // Back again: a warning in full before anything happens.
        Pass(world, TimeSpan.FromMinutes(4));
        Assert.Equal("True", world.Condition(ConditionTypes.ActivityFresh).Status);
        Assert.Equal(world.Now + Warn, world.Status.Activity!.StopsAt);
    }

    [Fact]
    public void NoEdgeAtAll_IsNeverStopped_AndSaysSoOnce()
    {
        var world = World.Running();
        world.Advance(Idle);
        Assert.Equal(["Status"], world.Settle());
        Assert.Equal("False", world.Condition(ConditionTypes.ActivityFresh).Status);
        Assert.Contains("no replica of the edge reports use", world.Status.Activity!.KeptBy, StringComparison.Ordinal);
        for (var day = 0; day < 30; day++)
        {
            world.Advance(TimeSpan.FromDays(1));
            Assert.Empty(world.Settle());
        }
    }

    [Fact]
    public void OneReplicaDies_UseItMayHaveSeenUntilThen_CountsAsUse()
    {
        var world = Announced();
        var silent = Edge("edge-b", world.Now);
        world.Advance(Warn);
        world.Seen = world.Seen with { Edges = [Edge("edge-a", world.Now), silent] };
        Assert.DoesNotContain("StopWorkspace", world.Settle());
        Assert.Null(world.Status.Activity!.StopsAt);

        // Dead from here on: people may have come through it until now, and nobody wrote it.
        var death = world.Now;
        world.Advance(Idle - Warn);
        world.Seen = world.Seen with { Edges = [Edge("edge-a", world.Now), silent] };
        world.Settle();
        Assert.Equal(death + Idle, world.Status.Activity!.StopsAt);
        world.Advance(Warn);
        world.Seen = world.Seen with { Edges = [Edge("edge-a", world.Now), silent] };
        Assert.Contains("StopWorkspace", world.Settle());
    }

    [Fact]
    public void Due_NotAllUseIsWritten_WaitsForEachReplica()
    {
        var world = Announced();
        world.Advance(Warn);
        var behind = Edge("edge-b", world.Now, world.Now.AddSeconds(-1));
        world.Seen = world.Seen with { Edges = [Edge("edge-a", world.Now), behind] };
        Assert.Empty(world.Settle());
        Assert.Equal(LifetimePlan.WordLook, world.Last.Again);

        // Told only when it takes long.
        world.Advance(LifetimePlan.WordPatience);
        world.Seen = world.Seen with
        {
            Edges = [Edge("edge-a", world.Now), behind with { RenewedAt = world.Now,
            WrittenUntil = world.Now.AddSeconds(-21) }]
        };
        Assert.Equal(["Status"], world.Settle());
        Assert.Contains("edge-b", world.Condition(ConditionTypes.ActivityFresh).Message, StringComparison.Ordinal);

        Assert.Contains("StopWorkspace", Pass(world, TimeSpan.FromSeconds(10)));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void Due_TemplateHasAProbe_WaitsForItsAnswer(int? secondsAfterAnnouncement, bool stops)
    {
        var world = World.Running();
        world.Seen = world.Seen with
        {
            Template = TestData.Template(s => s with
            {
                Activity = new TemplateActivity { Probe = new ActivityProbe { Path = "/api/status", Field = "last_activity" } },
            }),
        };
        Pass(world, Idle - Warn);
        Activity(world, a =>
            a with { ProbedAt = world.Status.Activity!.AnnouncedAt + TimeSpan.FromSeconds(secondsAfterAnnouncement ?? -3600) });
        Assert.Equal(stops, Pass(world, Warn).Contains("StopWorkspace"));
    }

    [Fact]
    public void Due_ProbedByAClockThatIsAhead_IsNotTakenForAnAnswer()
    {
        var world = World.Running();
        world.Seen = world.Seen with
        {
            Template = TestData.Template(s => s with
            {
                Activity = new TemplateActivity { Probe = new ActivityProbe { Path = "/api/status", Field = "last_activity" } },
            }),
        };
        Pass(world, Idle - Warn);

        // Probed half a minute before the announcement, by a clock that is a minute ahead.
        Activity(world, a => a with { ProbedAt = world.Now.AddSeconds(30) });
        world.Advance(Warn);
        world.Seen = world.Seen with { Edges = [Edge("edge-a", world.Now) with { Behind = TimeSpan.FromMinutes(-1) }] };
        Assert.DoesNotContain("StopWorkspace", world.Settle());
    }

    [Fact]
    public void Unused_EdgesClockIsBehind_UseCountsByOurs()
    {
        var world = World.Running();
        Use(world, world.Now.AddMinutes(9));
        world.Advance(Idle - Warn + TimeSpan.FromMinutes(9));
        world.Seen = world.Seen with { Edges = [Edge("edge-a", world.Now) with { Behind = TimeSpan.FromMinutes(1) }] };
        Assert.DoesNotContain("StopWorkspace", world.Settle());
        Assert.Null(world.Status.Activity!.StopsAt);
        Assert.Equal(TimeSpan.FromMinutes(1), world.Last.Again);
    }

    [Fact]
    public void UseInTheFuture_KeepsIt_AndNeverThrows()
    {
        var world = World.Running();
        Use(world, DateTimeOffset.MaxValue);
        Pass(world, TimeSpan.FromDays(3));
        Assert.Null(world.Status.Activity!.StopsAt);
        Use(world, DateTimeOffset.MinValue);
        Pass(world, TimeSpan.Zero);
        Assert.NotNull(world.Status.Activity!.StopsAt);
    }

    [Fact]
    public void ShortIdleTime_LongerWarning_IsNotAnnouncedWhileItIsUsed()
    {
        var world = Running(new WorkspaceLifetime { IdleTimeoutSeconds = 60 });
        Assert.Empty(Pass(world, TimeSpan.FromSeconds(29)));
        Pass(world, TimeSpan.FromSeconds(1));
        Assert.Equal(world.Now + Warn, world.Status.Activity!.StopsAt);

        world.Advance(TimeSpan.FromSeconds(10));
        Use(world, world.Now);
        Pass(world, TimeSpan.Zero);
        Assert.Null(world.Status.Activity!.StopsAt);
    }

    [Fact]
    public void NewStart_CountsAnew()
    {
        var world = Announced();
        Use(world, Ready);
        Pass(world, Warn);
        world.PodGone();
        Pass(world, TimeSpan.FromMinutes(1));
        world.Change(s => s with
        {
            DesiredState = DesiredStates.Running,
            LastRequest = new WorkspaceRequest
            {
                By = RequestedBy.User,
                At = world.Now
            }
        });
        Pass(world, TimeSpan.Zero);
        world.Advance(TimeSpan.FromSeconds(2));
        world.PodReady();
        Pass(world, TimeSpan.Zero);
        var ready = world.Now;
        Assert.Equal(WorkspacePhases.Running, world.Phase);
        Assert.Empty(Pass(world, Idle - Warn - TimeSpan.FromSeconds(1)));
        Pass(world, TimeSpan.FromSeconds(1));
        Assert.Equal(ready + Idle, world.Status.Activity!.StopsAt);
    }

    [Fact]
    public void ApplicationDoesNotAnswerForAMoment_AnnouncementStays()
    {
        var world = Announced();
        var stopsAt = world.Status.Activity!.StopsAt;
        world.PodStatus(world.Seen.Pod!.Status! with
        {
            Conditions = [new Condition { Type = "Ready", Status = "False",
            LastTransitionTime = world.Now }]
        });
        Pass(world, TimeSpan.FromSeconds(10));
        Assert.Equal(stopsAt, world.Status.Activity!.StopsAt);
    }

    [Fact]
    public void Failed_IsNotAnnounced()
    {
        var world = Announced();
        world.PodFailed();
        Pass(world, TimeSpan.FromSeconds(1));
        Assert.Null(world.Status.Activity!.StopsAt);
    }

    /// <summary>
    /// Each write that may come between the look and the stop makes the version another one; what is then seen is not stopped.
    /// </summary>
    [Theory]
    [InlineData("start")]
    [InlineData("use")]
    [InlineData("hold")]
    [InlineData("keep")]
    [InlineData("longer")]
    public void Due_OvertakenByAWrite_IsNotStoppedAtTheSecondLook(string write)
    {
        var world = Announced();
        world.Advance(Warn);
        world.Seen = world.Seen with { Edges = [Edge("edge-a", world.Now)], Now = world.Now };
        var first = Decider.Decide(world.Seen, TestData.Settings);
        Assert.IsType<Step.StopWorkspace>(Assert.Single(first.Steps));

        // The patch is refused with 409; meanwhile this was written.
        switch (write)
        {
            case "start":
                world.Change(s => s with
                {
                    LastRequest = new WorkspaceRequest
                    {
                        By = RequestedBy.User,
                        Reason = "Manual",
                        At = world.Now
                    }
                });
                break;
            case "use":
                Use(world, world.Now.AddSeconds(-1));
                break;
            case "hold":
                world.Change(s => s with
                {
                    Lifetime = new WorkspaceLifetime { Holds = [new WorkspaceHold { Name = "a", Until = world.Now.AddHours(1) }] },
                });
                break;
            case "keep":
                world.Change(s => s with { Lifetime = new WorkspaceLifetime { KeepUntil = world.Now.AddHours(1) } });
                break;
            default:
                world.Change(s => s with { Lifetime = new WorkspaceLifetime { IdleTimeoutSeconds = 7200 } });
                break;
        }

        Assert.DoesNotContain("StopWorkspace", world.Settle());
        Assert.Equal(DesiredStates.Running, world.Seen.Workspace.Spec.DesiredState);
        Assert.Null(world.Status.Activity!.StopsAt);
    }
}
