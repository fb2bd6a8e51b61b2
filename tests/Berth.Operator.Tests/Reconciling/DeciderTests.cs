using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>The life of a workspace as the decider sees it: what is written, what people read, and what is left alone.</summary>
public sealed class DeciderTests
{
    [Fact]
    public void NewWorkspace_MakesChildrenInOrder_PolicyBeforePod()
    {
        var world = new World();
        var writes = world.Settle();
        Assert.Equal(["ApplyNetworkPolicy", "ApplyVolume", "ApplyService", "CreatePod", "Status"], writes.Take(5));
        Assert.Equal(WorkspacePhases.Starting, world.Phase);
        Assert.Equal("http://ws-gteygflnsjbfmjmu.localhost:8080", world.Status.Url);
        Assert.Equal(["Created", "Starting"], world.Notes.Select(n => n.Reason));
        Assert.Equal(1, world.Status.ObservedGeneration);
    }

    [Fact]
    public void RunningWorkspace_IsReady_AndCostsNoWrite()
    {
        var world = World.Running();
        Assert.Equal(WorkspacePhases.Running, world.Phase);
        Assert.Null(world.Status.Message);
        Assert.All(world.Status.Conditions!, c => Assert.Equal("True", c.Status));
        Assert.Equal(ConditionTypes.InOrder, world.Status.Conditions!.Select(c => c.Type));
        Assert.Equal(TestData.Now.AddSeconds(3), world.Status.Start!.ReadyAt);
        Assert.Equal(StartPaths.Cold, world.Status.Start.Path);
        Assert.Contains(world.Notes, n => n.Reason == Reasons.Started);

        // Until it nears the end of its idle time, of which the tests of life times tell.
        world.Advance(TimeSpan.FromMinutes(20));
        Assert.Empty(world.Settle());
    }

    [Fact]
    public void Condition_SameStatusOtherReason_KeepsItsTime()
    {
        var world = new World();
        world.Settle();
        var since = world.Condition(ConditionTypes.PodReady).LastTransitionTime;
        world.Advance(TimeSpan.FromMinutes(1));
        world.PodStatus(new PodStatus { Phase = "Running" });
        world.Settle();
        Assert.Equal(since, world.Condition(ConditionTypes.PodReady).LastTransitionTime);

        world.PodReady();
        world.Settle();
        Assert.Equal(world.Now, world.Condition(ConditionTypes.PodReady).LastTransitionTime);
    }

    [Fact]
    public void Stop_EndsThePod_KeepsTheVolume()
    {
        var world = World.Running();
        world.Change(s =>
            s with
            {
                DesiredState = DesiredStates.Stopped,
                LastRequest = new WorkspaceRequest { By = RequestedBy.User, Reason = RequestReasons.Manual },
            }
        );
        Assert.Contains("DeletePod", world.Settle());
        Assert.Equal(WorkspacePhases.Stopping, world.Phase);

        world.PodGone();
        Assert.Equal(["Status"], world.Settle());
        Assert.Equal(WorkspacePhases.Stopped, world.Phase);
        Assert.Equal("The workspace is stopped. Its volume is kept.", world.Status.Message);
        Assert.NotNull(world.Seen.Volume);
        Assert.Contains(
            world.Notes,
            n => n.Reason == Reasons.Stopping && n.Message.Contains("asked by user (Manual)", StringComparison.Ordinal)
        );
        Assert.Contains(world.Notes, n => n.Reason == Reasons.Stopped);

        world.Change(s => s with { DesiredState = DesiredStates.Running });
        Assert.Contains("CreatePod", world.Settle());
    }

    [Fact]
    public void StartAfterStop_OldPodNotGone_WaitsForIt()
    {
        var world = World.Running();
        world.Change(s => s with { DesiredState = DesiredStates.Stopped });
        world.Settle();
        world.Change(s => s with { DesiredState = DesiredStates.Running });
        Assert.DoesNotContain("CreatePod", world.Settle());
        world.PodGone();
        Assert.Contains("CreatePod", world.Settle());
    }

    [Fact]
    public void RestartAnnotation_NewValue_ReplacesThePodOnce()
    {
        var world = World.Running();
        world.RequestRestart();
        Assert.Contains("DeletePod", world.Settle());
        Assert.Equal(Reasons.Restarting, world.Condition(ConditionTypes.PodReady).Reason);
        world.PodGone();
        Assert.Contains("CreatePod", world.Settle());
        world.PodReady();
        Assert.DoesNotContain("DeletePod", world.Settle());
        Assert.Equal(WorkspacePhases.Running, world.Phase);
    }

    [Fact]
    public void TemplateChange_RunningPod_IsPendingUntilRestart()
    {
        var world = World.Running();
        var former = world.Status.TemplateRevision!.Current;
        world.Seen = world.Seen with { Template = TestData.Template(s => s with { Image = "berth-studio:next" }) };
        Assert.Equal(["Status"], world.Settle());
        Assert.True(world.Status.TemplateRevision!.PendingRestart);
        Assert.Equal(former, world.Status.TemplateRevision.Current);
        Assert.Equal(WorkspacePhases.Running, world.Phase);

        world.RequestRestart();
        world.Settle();
        world.PodGone();
        world.Settle();
        Assert.False(world.Status.TemplateRevision!.PendingRestart);
        Assert.Equal("berth-studio:next", world.Seen.Pod!.Spec!.Containers[0].Image);
    }

    [Fact]
    public void TemplateGone_RunningPod_StaysUsable()
    {
        var world = World.Running();
        world.Seen = world.Seen with { Template = null, KnownTemplates = [] };
        Assert.Equal(["Status"], world.Settle());
        Assert.Equal(WorkspacePhases.Running, world.Phase);
        Assert.Equal("False", world.Condition(ConditionTypes.TemplateResolved).Status);
        Assert.Equal("True", world.Condition(ConditionTypes.Ready).Status);
    }

    [Fact]
    public void UnknownTemplate_NoPod_MessageNamesTheKnownOnes()
    {
        var world = new World();
        world.Seen = world.Seen with { Template = null, KnownTemplates = ["web", "code"] };
        Assert.DoesNotContain("CreatePod", world.Settle());
        Assert.Equal(WorkspacePhases.Failed, world.Phase);
        Assert.Equal((FailureClasses.User, Reasons.TemplateNotFound), (world.Status.Failure!.Class, world.Status.Failure.Reason));
        Assert.Equal(
            "There is no template 'studio' in namespace people; set spec.template.name to one of code, web.",
            world.Status.Message
        );
        var admitted = world.Condition(ConditionTypes.Admitted);
        Assert.Equal(("Unknown", Reasons.NotReady), (admitted.Status, admitted.Reason));

        world.Seen = world.Seen with { Template = TestData.Template() };
        Assert.Contains("CreatePod", world.Settle());
        Assert.Null(world.Status.Failure);
        admitted = world.Condition(ConditionTypes.Admitted);
        Assert.Equal(("True", Reasons.Admitted), (admitted.Status, admitted.Reason));
    }

    [Fact]
    public void InvalidParameter_NoPod_IsAConditionInWords()
    {
        var world = new World();
        world.Change(s => s with { Parameters = new Dictionary<string, string> { ["x"] = "1" } });
        Assert.DoesNotContain("CreatePod", world.Settle());
        Assert.Equal(Reasons.InvalidParameter, world.Condition(ConditionTypes.TemplateResolved).Reason);
        Assert.Contains("Remove it from spec.parameters", world.Status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FailedPod_IsKeptForItsLog_ThenReplacedWithGrowingPauses()
    {
        var world = World.Running();
        foreach (var (attempt, pause) in (ReadOnlySpan<(int, int)>)[(1, 10), (2, 20), (3, 40)])
        {
            world.PodFailed();
            Assert.Equal(["Status"], world.Settle());
            Assert.Equal(WorkspacePhases.Failed, world.Phase);
            Assert.Equal(attempt, world.Status.Failure!.Attempts);
            Assert.Equal(world.Now.AddSeconds(pause), world.Status.Failure.NextRetryAt);
            Assert.Equal(TimeSpan.FromSeconds(pause), world.Last.Again);
            Assert.Empty(world.Settle());

            world.Advance(TimeSpan.FromSeconds(pause - 1));
            Assert.Empty(world.Settle());
            world.Advance(TimeSpan.FromSeconds(1));
            Assert.Contains("DeletePod", world.Settle());
            world.PodGone();
            Assert.Contains("CreatePod", world.Settle());
            Assert.Null(world.Status.Failure!.NextRetryAt);
            Assert.Equal(attempt, world.Status.Failure.Attempts);
        }

        Assert.Equal(3, world.Notes.Count(n => n is { Warning: true, Reason: Reasons.Failed }));
        Assert.Equal(3, world.Notes.Count(n => n.Reason == Reasons.Retrying));
    }

    [Fact]
    public void PodLostWithItsNode_AgainAndAgain_IsReplacedAtOnceEachTime()
    {
        var world = World.Running();
        for (var loss = 0; loss < 3; loss++)
        {
            world.PodFailed(255, "Unknown");
            Assert.Contains("DeletePod", world.Settle());
            world.PodGone();
            Assert.Contains("CreatePod", world.Settle());
            world.PodReady();
            world.Settle();
            Assert.Equal(WorkspacePhases.Running, world.Phase);
        }
    }

    [Fact]
    public void PodLostWithItsNode_NeverReady_WaitsFromTheSecondTime()
    {
        var world = World.Running();
        world.PodFailed(255, "Unknown");
        world.Settle();
        world.PodGone();
        world.Settle();

        world.PodFailed(255, "Unknown");

        Assert.DoesNotContain("DeletePod", world.Settle());
        Assert.Equal(Backoff.First, world.Last.Again);
    }

    [Fact]
    public void HealthyFor10Minutes_AfterFailures_AreForgotten()
    {
        var world = World.Running();
        world.PodFailed();
        world.Settle();
        world.Advance(TimeSpan.FromSeconds(10));
        world.Settle();
        world.PodGone();
        world.Settle();
        world.PodReady();
        world.Settle();
        Assert.Equal(WorkspacePhases.Running, world.Phase);
        Assert.Equal(1, world.Status.Failure!.Attempts);
        Assert.Equal(Backoff.ForgottenAfter, world.Last.Again);

        world.Advance(Backoff.ForgottenAfter);
        world.Settle();
        Assert.Null(world.Status.Failure);
        Assert.True(world.Last.Again > Backoff.ForgottenAfter);
    }

    [Fact]
    public void FailedPod_PersonAsksForRestart_DoesNotWait()
    {
        var world = World.Running();
        world.PodFailed();
        world.Settle();
        world.Advance(TimeSpan.FromSeconds(2));
        world.RequestRestart();
        Assert.Contains("DeletePod", world.Settle());
        world.PodGone();
        Assert.Contains("CreatePod", world.Settle());
    }

    [Fact]
    public void FailedPod_Stopped_ForgetsTheFailure()
    {
        var world = World.Running();
        world.PodFailed();
        world.Settle();
        world.Change(s => s with { DesiredState = DesiredStates.Stopped });
        world.Settle();
        world.PodGone();
        world.Settle();
        Assert.Null(world.Status.Failure);
        Assert.Equal(WorkspacePhases.Stopped, world.Phase);
    }

    [Fact]
    public void StuckOnTheImage_TemplateCorrected_IsReplacedAtOnce()
    {
        var world = new World();
        world.Settle();
        world.PodStatus(
            new PodStatus
            {
                Phase = "Pending",
                ContainerStatuses =
                [
                    new ContainerStatus
                    {
                        Name = "workspace",
                        State = new ContainerState { Waiting = new ContainerStateWaiting { Reason = "ImagePullBackOff" } },
                    },
                ],
            }
        );
        world.Settle();
        Assert.Equal(WorkspacePhases.Failed, world.Phase);
        Assert.Equal(FailureClasses.Template, world.Status.Failure!.Class);
        Assert.Null(world.Status.Failure.NextRetryAt);

        world.Seen = world.Seen with { Template = TestData.Template(s => s with { Image = "berth-studio:right" }) };
        Assert.Contains("DeletePod", world.Settle());
        world.PodGone();
        Assert.Contains("CreatePod", world.Settle());
        Assert.Null(world.Status.Failure);
    }

    [Fact]
    public void StrandedPod_IsNeverReplaced_AndSaysWhy()
    {
        var world = World.Running();
        world.RequestRestart();
        world.Settle();
        world.Advance(TimeSpan.FromHours(1));
        Assert.DoesNotContain("CreatePod", world.Settle());
        Assert.Equal(Reasons.NodeLost, world.Status.Failure!.Reason);
        Assert.Contains("does not answer", world.Status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FormerWorkspacesPod_IsWaitedFor()
    {
        var world = World.Running();
        var former = world.Seen.Pod!;
        world.Seen = new World().Seen with
        {
            Workspace = TestData.Workspace() with { Metadata = TestData.Workspace().Metadata with { Uid = "uid-2" } },
            Pod = former,
        };
        Assert.DoesNotContain("CreatePod", world.Settle());
        Assert.Equal(Reasons.WaitingForFormerPod, world.Condition(ConditionTypes.PodScheduled).Reason);
        world.PodGone();
        Assert.Contains("CreatePod", world.Settle());
    }

    [Theory]
    [InlineData("service")]
    [InlineData("volume")]
    [InlineData("pod")]
    [InlineData("policy")]
    public void ForeignObject_SameName_IsLeftAloneAndNamed(string kind)
    {
        var world = new World();
        var foreign = new ObjectMeta
        {
            Name = "ws-gteygflnsjbfmjmu",
            Namespace = TestData.Ns,
            Uid = "theirs",
            Labels = new Dictionary<string, string> { ["app"] = "theirs" },
        };
        world.Seen = kind switch
        {
            "service" => world.Seen with { Service = new Service { Metadata = foreign } },
            "volume" => world.Seen with { Volume = new PersistentVolumeClaim { Metadata = foreign } },
            "pod" => world.Seen with { Pod = new Pod { Metadata = foreign } },
            _ => world.Seen with { NetworkPolicy = new NetworkPolicy { Metadata = foreign } },
        };
        var writes = world.Settle();
        Assert.DoesNotContain(writes, w => w.Contains(kind == "policy" ? "Policy" : kind, StringComparison.OrdinalIgnoreCase));
        Assert.Contains(world.Status.Conditions!, c => c is { Status: "False", Reason: Reasons.NameClash });
        Assert.Equal("False", world.Condition(ConditionTypes.Ready).Status);
        if (kind is "volume" or "policy")
        {
            // No pod without its own volume, and none that is open to its neighbours.
            Assert.DoesNotContain("CreatePod", writes);
        }
    }

    [Fact]
    public void RetainedVolume_SameOwner_IsFoundAgain()
    {
        var first = World.Running();
        var world = new World();
        world.Seen = world.Seen with { Volume = first.Seen.Volume };
        world.Settle();
        Assert.Contains(world.Notes, n => n.Reason == Reasons.VolumeFound);
        Assert.DoesNotContain(world.Notes, n => n.Reason == Reasons.Created);
        Assert.Equal("True", world.Condition(ConditionTypes.StorageReady).Status);
    }

    [Fact]
    public void RetainedVolume_OtherOwner_IsNotHandedOver()
    {
        var first = World.Running();
        var world = new World();
        world.Seen = world.Seen with
        {
            Volume = first.Seen.Volume,
            Workspace = TestData.Workspace(s => s with { Owner = s.Owner with { Subject = "43" } }),
        };
        Assert.DoesNotContain("CreatePod", world.Settle());
        Assert.Equal(Reasons.OwnerMismatch, world.Condition(ConditionTypes.StorageReady).Reason);
    }

    [Fact]
    public void OwnerChanged_WhereTheApiLetsIt_EndsThePodAndSaysSo()
    {
        var world = World.Running();
        world.Change(s => s with { Owner = s.Owner with { Subject = "43" } });
        Assert.Contains("DeletePod", world.Settle());
        Assert.Equal(Reasons.OwnerMismatch, world.Condition(ConditionTypes.StorageReady).Reason);
        world.PodGone();
        Assert.DoesNotContain("CreatePod", world.Settle());

        world.Change(s => s with { Owner = s.Owner with { Subject = TestData.Subject } });
        Assert.Contains("CreatePod", world.Settle());
    }

    [Fact]
    public void Volume_IsNeverOwned_SoThatCollectionCannotTakeIt() => Assert.Null(World.Running().Seen.Volume!.Metadata.OwnerReferences);

    [Fact]
    public void DeletionPolicyDelete_HoldsAFinalizer_AndDeletesPodThenVolume()
    {
        var world = World.Running();
        world.Change(s => s with { Storage = new WorkspaceStorage { DeletionPolicy = DeletionPolicies.Delete } });
        Assert.Contains("AddFinalizer", world.Settle());

        Delete(world);
        Assert.Equal(["DeletePod", "Status"], world.Settle());
        Assert.Equal(WorkspacePhases.Terminating, world.Phase);
        world.PodGone();
        Assert.Equal(["DeleteVolume", "RemoveFinalizer"], world.Settle());
        Assert.Null(world.Seen.Volume);
    }

    [Fact]
    public void DeletionPolicyChangedBack_KeepsTheVolume()
    {
        var world = World.Running();
        world.Change(s => s with { Storage = new WorkspaceStorage { DeletionPolicy = DeletionPolicies.Delete } });
        world.Settle();
        world.Change(s => s with { Storage = new WorkspaceStorage { DeletionPolicy = DeletionPolicies.Retain } });
        Delete(world);
        Assert.Equal(["RemoveFinalizer"], world.Settle());
        Assert.NotNull(world.Seen.Volume);
    }

    [Fact]
    public void NamespaceTerminating_FinalizerGoesAtOnce()
    {
        var world = World.Running();
        world.Change(s => s with { Storage = new WorkspaceStorage { DeletionPolicy = DeletionPolicies.Delete } });
        world.Settle();
        Delete(world);
        world.Seen = world.Seen with { NamespaceTerminating = true };
        Assert.Equal(["RemoveFinalizer"], world.Settle());
    }

    [Fact]
    public void DeletedWithRetain_NothingIsWritten()
    {
        var world = World.Running();
        Delete(world);
        Assert.Empty(world.Settle());
    }

    [Fact]
    public void Route_FollowsReadiness_AndLeavesWhenTraefikIsNotWanted()
    {
        var world = new World();
        world.Seen = world.Seen with { TraefikServed = true };
        Assert.Contains("ApplyRoute", world.Settle());
        Assert.Equal("berth-edge", world.Seen.Route!.Spec.Routes.Single().Services!.Single().Name);

        world.PodReady();
        Assert.Contains("ApplyRoute", world.Settle());
        Assert.Equal("ws-gteygflnsjbfmjmu", world.Seen.Route!.Spec.Routes[^1].Services!.Single().Name);
        Assert.Equal(Reasons.ForwardAuth, world.Condition(ConditionTypes.RouteReady).Reason);
        Assert.Equal(2, world.Seen.Middlewares.Length);

        world.Change(s => s with { DesiredState = DesiredStates.Stopped });
        Assert.Equal("ApplyRoute", world.Settle().First());
        Assert.Equal("berth-edge", world.Seen.Route!.Spec.Routes.Single().Services!.Single().Name);
    }

    [Fact]
    public void NoTraefik_RouteIsReady_AndSaysThatTheEdgeServes()
    {
        var world = World.Running();
        var route = world.Condition(ConditionTypes.RouteReady);
        Assert.Equal(("True", Reasons.EdgeServes), (route.Status, route.Reason));
        Assert.Contains("no Traefik", route.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SomebodyChangedAChild_IsRepaired()
    {
        var world = World.Running();
        world.Seen = world.Seen with
        {
            NetworkPolicy = world.Seen.NetworkPolicy! with
            {
                Spec = world.Seen.NetworkPolicy.Spec! with { Ingress = [new NetworkPolicyIngressRule()] },
            },
        };
        Assert.Equal(["ApplyNetworkPolicy"], world.Settle());
        world.Seen = world.Seen with { Service = null };
        Assert.Equal(["ApplyService"], world.Settle());
    }

    [Fact]
    public void PodDeletedByHand_IsMadeAgain()
    {
        var world = World.Running();
        world.PodGone();
        Assert.Contains("CreatePod", world.Settle());
    }

    [Fact]
    public void Refusal_OfThePod_IsToldAsThePlatforms()
    {
        var world = new World();
        world.Seen = world.Seen with { Refusals = world.Seen.Refusals.Add(ChildPart.Pod, "exceeded quota: pods=10") };
        Assert.DoesNotContain("CreatePod", world.Settle());
        Assert.Equal(WorkspacePhases.Failed, world.Phase);
        Assert.Equal((FailureClasses.Platform, Reasons.QuotaExceeded), (world.Status.Failure!.Class, world.Status.Failure.Reason));
        Assert.Contains("exceeded quota", world.Condition(ConditionTypes.PodScheduled).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RandomLife_NeverTwoPods_AlwaysComesToRest()
    {
        // World throws where a second pod would be made, and where writes do not end.
        for (var seed = 0; seed < 60; seed++)
        {
#pragma warning disable CA5394
            var random = new Random(seed);
            var world = new World();
            for (var i = 0; i < 40; i++)
            {
                switch (random.Next(9))
                {
                    case 0:
                        world.Change(s =>
                            s with
                            {
                                DesiredState = s.DesiredState == DesiredStates.Running ? DesiredStates.Stopped : DesiredStates.Running,
                            }
                        );
                        break;
                    case 1:
                        world.RequestRestart();
                        break;
                    case 2 when world.Seen.Pod?.Metadata.DeletionTimestamp is not null:
                        world.PodGone();
                        break;
                    case 3 when world.Seen.Pod is { Metadata.DeletionTimestamp: null }:
                        world.PodReady();
                        break;
                    case 4 when world.Seen.Pod is { Metadata.DeletionTimestamp: null }:
                        world.PodFailed(random.Next(3));
                        break;
                    case 5:
                        world.Seen = world.Seen with { Template = world.Seen.Template is null ? TestData.Template() : null };
                        break;
                    case 6:
                        world.Seen = world.Seen with { Template = TestData.Template(s => s with { Image = $"image:{random.Next(3)}" }) };
                        break;
                    case 7:
                        world.Seen = world.Seen with { TraefikServed = !world.Seen.TraefikServed };
                        break;
                    default:
                        world.Advance(TimeSpan.FromSeconds(random.Next(400)));
                        break;
                }
#pragma warning restore CA5394
                world.Settle();
                Assert.Equal(world.Seen.Workspace.Metadata.Generation, world.Status.ObservedGeneration);
                Assert.Equal(
                    world.Phase == WorkspacePhases.Running,
                    world.Status.Conditions!.Any(c => c is { Type: ConditionTypes.Ready, Status: "True" })
                );
            }
        }
    }

    private static void Delete(World world) =>
        world.Seen = world.Seen with
        {
            Workspace = world.Seen.Workspace with { Metadata = world.Seen.Workspace.Metadata with { DeletionTimestamp = world.Now } },
        };
}
