using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>Pods whose nodes are lost, and pods that the cluster takes away: never two on one volume.</summary>
public sealed class LostNodeTests
{
    [Fact]
    public void PodOfALostNode_IsWaitedFor_UntilTheNodeIsDeleted()
    {
        var world = World.Running();
        world.RequestRestart();
        world.Settle();
        world.Advance(TimeSpan.FromHours(1));
        world.Seen = world.Seen with { Node = new NodeSight { Exists = true } };
        Assert.DoesNotContain("ForceDeletePod", world.Settle());
        Assert.Equal(Reasons.NodeLost, world.Status.Failure!.Reason);
        Assert.Equal(PodPlan.LostLook, world.Last.Again);

        // An administrator says that it is down: the cluster removes the pod, the operator forces nothing.
        world.Seen = world.Seen with { Node = new NodeSight { Exists = true, OutOfService = true } };
        Assert.DoesNotContain("ForceDeletePod", world.Settle());

        // Without the right to look at nodes nothing is forced either.
        world.Seen = world.Seen with { Node = null };
        Assert.DoesNotContain("ForceDeletePod", world.Settle());

        world.Seen = world.Seen with { Node = new NodeSight { Exists = false } };
        var writes = world.Settle();
        Assert.Equal("ForceDeletePod", writes[0]);
        Assert.Contains("CreatePod", writes);
    }

    [Fact]
    public void PodOfALostNode_StillInItsGracePeriod_IsNotForced()
    {
        var world = World.Running();
        world.RequestRestart();
        world.Settle();
        world.Seen = world.Seen with { Node = new NodeSight { Exists = false } };
        world.Advance(TimeSpan.FromSeconds(10) + FailureClassifier.StrandedAfter - TimeSpan.FromSeconds(1));
        Assert.DoesNotContain("ForceDeletePod", world.Settle());
    }

    [Fact]
    public void StoppedOnALostNode_NodeDeleted_IsForcedOutAndStopped()
    {
        var world = World.Running();
        world.Change(s => s with { DesiredState = DesiredStates.Stopped });
        world.Settle();
        world.Advance(TimeSpan.FromHours(1));
        world.Seen = world.Seen with { Node = new NodeSight { Exists = false } };
        var writes = world.Settle();
        Assert.Contains("ForceDeletePod", writes);
        Assert.DoesNotContain("CreatePod", writes);
        Assert.Equal(WorkspacePhases.Stopped, world.Phase);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void PodUnknown_NodeIsOutOfServiceOrGone_IsDeleted(bool exists, bool outOfService)
    {
        var world = World.Running();
        world.PodStatus(world.Seen.Pod!.Status! with { Phase = "Unknown" });
        world.Seen = world.Seen with { Node = new NodeSight { Exists = true } };
        Assert.DoesNotContain("DeletePod", world.Settle());
        world.Seen = world.Seen with { Node = new NodeSight { Exists = exists, OutOfService = outOfService } };
        Assert.Contains("DeletePod", world.Settle());
    }

    [Theory]
    [InlineData("Unknown", null, null, 15)]
    [InlineData("Pending", "NodeLost", null, 15)]
    [InlineData("Pending", null, "PodScheduled", 120)]
    public void PodOfHoursAgo_OnASilentNode_IsLookedAtAsCloselyAsEver_AndOneThatWaitsForANodeIsNot(
        string phase, string? reason, string? unscheduled, int seconds)
    {
        var world = new World();
        world.Settle();
        world.PodStatus(
            new PodStatus
            {
                Phase = phase,
                Reason = reason,
                Conditions = unscheduled is null ? null : [new Condition { Type = unscheduled, Status = "False", Reason = "Unschedulable" }],
            },
            unscheduled is null ? "node1" : null);
        world.Seen = world.Seen with { Node = new NodeSight { Exists = true } };
        world.Settle();
        Assert.Equal(TimeSpan.FromSeconds(15), world.Last.Again);
        world.Advance(TimeSpan.FromHours(3));
        world.Settle();
        Assert.Equal(TimeSpan.FromSeconds(seconds), world.Last.Again);
    }

    [Theory]
    [InlineData(false, Reasons.NodeLost)]
    [InlineData(true, null)]
    public void RanAndNoLongerAnswers_NodeIsSilent_IsToldAsTheNodes(bool answers, string? reason)
    {
        var world = World.Running();
        world.PodStatus(PodLifeTests.NotReady(world));
        world.Advance(TimeSpan.FromMinutes(1));
        world.Seen = world.Seen with
        {
            Node = new NodeSight { Exists = true, Answers = answers },

            // A change of the template interrupts nobody, also not who may still run.
            Template = TestData.Template(s => s with { Image = "berth-studio:next" }),
        };
        Assert.DoesNotContain("DeletePod", world.Settle());
        Assert.Equal(reason, world.Status.Failure?.Reason);
        Assert.Equal(WorkspacePhases.Starting, world.Phase);
    }

    [Theory]
    [InlineData(false, Reasons.NodeLost)]
    [InlineData(true, Reasons.NoProgress)]
    public void NobodySawItReady_AndNothingMoves_NodeIsSilent_MayHaveServedAndIsNotStartedAnew(bool answers, string reason)
    {
        var world = new World();
        world.Settle();
        world.VolumeBound();
        world.PodReady();
        world.PodStatus(PodLifeTests.NotReady(world));
        world.Advance(TimeSpan.FromSeconds(Progress.DefaultTimeoutSeconds + 1));
        world.Seen = world.Seen with { Node = new NodeSight { Exists = true, Answers = answers } };
        world.Settle();
        Assert.Equal(reason, world.Status.Failure!.Reason);
        world.Advance(TimeSpan.FromHours(1));
        Assert.Equal(answers, world.Settle().Contains("DeletePod"));
    }

    [Theory]
    [InlineData("PreemptionByScheduler", Reasons.Preempted)]
    [InlineData("EvictionByEvictionAPI", Reasons.Evicted)]
    [InlineData("TerminationByKubelet", Reasons.Evicted)]
    [InlineData("DeletionByTaintManager", Reasons.NodeLost)]
    public void TakenAwayByTheCluster_SaysWhy_AndStartsAgain(string kubernetesReason, string reason)
    {
        var world = World.Running();
        world.Seen = world.Seen with
        {
            Pod = world.Seen.Pod! with
            {
                Metadata = world.Seen.Pod.Metadata with { DeletionTimestamp = world.Now.AddSeconds(10) },
                Status = world.Seen.Pod.Status! with
                {
                    Conditions = [new Condition { Type = "DisruptionTarget", Status = "True",
                    Reason = kubernetesReason }]
                },
            },
        };
        world.Settle();
        Assert.Equal((FailureClasses.Platform, reason), (world.Status.Failure!.Class, world.Status.Failure.Reason));
        world.PodGone();
        Assert.Contains("CreatePod", world.Settle());
        Assert.Null(world.Status.Failure);
    }
}
