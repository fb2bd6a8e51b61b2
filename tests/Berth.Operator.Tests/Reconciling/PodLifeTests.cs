using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// What becomes of pods that hang, that are lost with their nodes, that are taken away, and that somebody wants to look at.
/// </summary>
public sealed class PodLifeTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(Progress.DefaultTimeoutSeconds);

    [Theory]
    [InlineData("no node", FailureClasses.Platform, "got no node within 10 min")]
    [InlineData("no container", FailureClasses.Platform, "did not start the container within 10 min")]
    [InlineData("preparing", FailureClasses.Template, "'clone', which runs before the application, did not end")]
    [InlineData("no answer", FailureClasses.Template, "did not answer within 10 min")]
    public void Start_NoProgress_FailsByWhereItHangs_AndIsTriedAgain(string where, string @class, string words)
    {
        var world = new World();
        world.Settle();
        Hang(world, where);
        world.Settle();
        world.Advance(Timeout - TimeSpan.FromSeconds(1));
        world.Settle();
        Assert.Equal(WorkspacePhases.Starting, world.Phase);

        world.Advance(TimeSpan.FromSeconds(1));
        world.Settle();
        Assert.Equal(WorkspacePhases.Failed, world.Phase);
        var failure = world.Status.Failure!;
        Assert.Equal((@class, Reasons.NoProgress, 1), (failure.Class, failure.Reason, failure.Attempts));
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
        world.Advance(Backoff.First);
        Assert.Contains("DeletePod", world.Settle());
        world.PodGone();
        Assert.Contains("CreatePod", world.Settle());
    }

    [Fact]
    public void Start_EachStep_BeginsTheTimeAnew()
    {
        var world = new World();
        world.Settle();
        foreach (var where in (string[])["no container", "preparing", "no answer"])
        {
            world.Advance(Timeout - TimeSpan.FromSeconds(1));
            Hang(world, where);
            world.Settle();
            Assert.Equal(WorkspacePhases.Starting, world.Phase);
        }
    }

    [Fact]
    public void Start_TemplateAllowsMoreTime_WaitsForIt()
    {
        var world = new World();
        world.Seen = world.Seen with
        {
            Template = TestData.Template(s =>
            s with { Lifetime = new TemplateLifetime { ProgressTimeoutSeconds = 7200 } })
        };
        world.Settle();
        Hang(world, "no answer");
        world.Advance(TimeSpan.FromHours(2) - TimeSpan.FromSeconds(1));
        world.Settle();
        Assert.Equal(WorkspacePhases.Starting, world.Phase);
        world.Advance(TimeSpan.FromSeconds(1));
        world.Settle();
        Assert.Equal(WorkspacePhases.Failed, world.Phase);
    }

    [Fact]
    public void VolumeCannotBeMounted_ForLong_IsTriedOnAnotherPod()
    {
        var world = new World();
        world.Settle();
        Hang(world, "no container");
        world.Seen = world.Seen with
        {
            PodEvents =
            [
                new CoreEvent
                {
                    Reason = "FailedAttachVolume", Message = "Multi-Attach error for volume pvc-1", FirstTimestamp = world.Now,
                    LastTimestamp = world.Now.AddHours(1), InvolvedObject = new ObjectReference { Uid = world.Seen.Pod!.Metadata.Uid },
                },
            ],
        };
        world.Settle();
        Assert.Equal(WorkspacePhases.Starting, world.Phase);
        Assert.Contains("still attached to another node", world.Condition(ConditionTypes.PodReady).Message, StringComparison.Ordinal);
        world.Advance(Timeout);
        world.Settle();
        Assert.Equal((WorkspacePhases.Failed, Reasons.NoProgress), (world.Phase, world.Status.Failure!.Reason));
    }

    [Fact]
    public void Unschedulable_ForLong_GoesOnWaiting()
    {
        var world = new World();
        world.Settle();
        world.PodStatus(
            new PodStatus
            {
                Phase = "Pending",
                Conditions = [new Condition { Type = "PodScheduled", Status = "False", Reason = "Unschedulable",
                    Message = "0/1 nodes are available: 1 Insufficient cpu." }],
            },
            node: null);
        world.Settle();
        world.Advance(TimeSpan.FromDays(1));
        Assert.DoesNotContain("DeletePod", world.Settle());
        Assert.Equal(WorkspacePhases.Starting, world.Phase);
    }

    [Fact]
    public void RanAndNoLongerAnswers_IsNoStartThatHangs()
    {
        var world = World.Running();
        world.PodStatus(NotReady(world));
        world.Advance(TimeSpan.FromHours(1));
        Assert.DoesNotContain("DeletePod", world.Settle());
        Assert.Null(world.Status.Failure);
    }

    [Fact]
    public void EndsAgainAndAgain_IsACrashLoopFromTheThirdTime()
    {
        var world = World.Running();
        foreach (var (reason, pause) in (ReadOnlySpan<(string, int)>)[(Reasons.Crashed, 10), (Reasons.Crashed, 20), (Reasons.CrashLoop,
            40)])
        {
            world.PodFailed(3);
            world.Settle();
            Assert.Equal(reason, world.Status.Failure!.Reason);
            world.Advance(TimeSpan.FromSeconds(pause));
            world.Settle();
            world.PodGone();
            world.Settle();
        }

        Assert.Contains("It has ended 3 times in a "
            + "row.", world.Notes.Last(n => n.Reason == Reasons.Failed).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void KilledForAProbe_EventForgottenLater_StaysTold()
    {
        var world = World.Running();
        world.Seen = world.Seen with
        {
            PodEvents = [new CoreEvent { Reason = "Unhealthy", Message = "Liveness probe failed: HTTP probe "
            + "failed with statuscode: 500" }]
        };
        world.PodFailed(137);
        world.Settle();
        Assert.Equal((Reasons.ProbeFailed, FailureClasses.User), (world.Status.Failure!.Reason, world.Status.Failure.Class));
        Assert.Contains("statuscode: 500", world.Status.Failure.Message, StringComparison.Ordinal);

        world.Seen = world.Seen with { PodEvents = [] };
        world.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(world.Settle());
    }

    [Fact]
    public void Debug_FailedPodIsKept_UntilSomebodyActs()
    {
        var world = World.Running();
        world.Change(s => s with { Debug = true });
        world.PodFailed(3);
        world.Settle();
        Assert.Equal(WorkspacePhases.Failed, world.Phase);
        Assert.Null(world.Status.Failure!.NextRetryAt);
        Assert.Contains("is not started again", world.Status.Failure.Message, StringComparison.Ordinal);
        Assert.Contains("kubectl logs -n people ws-gteygflnsjbfmjmu -c workspace", world.Status.Failure.Message, StringComparison.Ordinal);
        world.Advance(TimeSpan.FromDays(1));
        Assert.Empty(world.Settle());

        // Nor for a template that was corrected: what is looked at is this pod.
        world.Seen = world.Seen with { Template = TestData.Template(s => s with { Image = "berth-studio:next" }) };
        Assert.DoesNotContain("DeletePod", world.Settle());

        world.RequestRestart();
        Assert.Contains("DeletePod", world.Settle());
        world.PodGone();
        Assert.Contains("CreatePod", world.Settle());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Debug_UnsetOrStopped_GoesOn(bool stop)
    {
        var world = World.Running();
        world.Change(s => s with { Debug = true });
        world.PodFailed(3);
        world.Settle();
        world.Change(s => stop ? s with { DesiredState = DesiredStates.Stopped } : s with { Debug = null });
        var writes = world.Settle();
        if (!stop)
        {
            Assert.NotNull(world.Status.Failure!.NextRetryAt);
            world.Advance(TimeSpan.FromMinutes(1));
            writes = world.Settle();
        }

        Assert.Contains("DeletePod", writes);
    }

    [Fact]
    public void PodName_FollowsThePod()
    {
        var world = new World();
        world.Settle();
        Assert.Equal("ws-gteygflnsjbfmjmu", world.Status.PodName);
        world.Change(s => s with { DesiredState = DesiredStates.Stopped });
        world.Settle();
        world.PodGone();
        world.Settle();
        Assert.Null(world.Status.PodName);
    }

    [Theory]
    [InlineData("pods \"a\" is forbidden: exceeded quota: few, requested: pods=1, used: pods=10, limited: pods=10", Reasons.QuotaExceeded)]
    [InlineData("pods \"a\" is forbidden: violates PodSecurity \"restricted:latest\": unrestricted capabilities", Reasons.PodSecurity)]
    [InlineData("admission webhook \"x\" denied the request", Reasons.Refused)]
    public void Refused_ByTheApi_IsThePlatforms_WithTheApisWords(string message, string reason)
    {
        var world = new World();
        world.Seen = world.Seen with { Refusals = world.Seen.Refusals.Add(ChildPart.Pod, message) };
        world.Settle();
        Assert.Equal((FailureClasses.Platform, reason), (world.Status.Failure!.Class, world.Status.Failure.Reason));
        Assert.Contains(message, world.Status.Failure.Message, StringComparison.Ordinal);
    }

    internal static PodStatus NotReady(World world) => world.Seen.Pod!.Status! with
    {
        Conditions = [new Condition { Type = "Ready", Status = "False", LastTransitionTime = world.Now }],
    };

    private static void Hang(World world, string where)
    {
        var scheduled = new Condition { Type = "PodScheduled", Status = "True", LastTransitionTime = world.Now };
        var running = new ContainerState { Running = new ContainerStateRunning { StartedAt = world.Now } };
        switch (where)
        {
            case "no node":
                world.PodStatus(new PodStatus { Phase = "Pending" }, node: null);
                break;
            case "no container":
                world.PodStatus(new PodStatus { Phase = "Pending", Conditions = [scheduled] });
                break;
            case "preparing":
                world.PodStatus(new PodStatus
                {
                    Phase = "Pending",
                    InitContainerStatuses = [new ContainerStatus { Name = "clone",
                    State = running }]
                });
                break;
            default:
                world.PodStatus(new PodStatus
                {
                    Phase = "Running",
                    ContainerStatuses = [new ContainerStatus { Name = "workspace",
                    State = running }]
                });
                break;
        }
    }
}
