using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>Troubles that the simulation found, played by themselves.</summary>
public sealed class ScriptedTests
{
    [Fact]
    public void OthersChangeThePortOfTheService_ItIsPutBack_AndCostsNoFurtherWrite()
    {
        using var stage = Started();
        stage.People.Meddle(Stage.Name, 5);
        stage.Run();
        Assert.Equal([80], stage.Api.Get<Service>(stage.Workspace.Key())!.Spec!.Ports!.Select(p => p.Port));

        var writes = stage.Operator.Wire.Writes;
        stage.Operator.Poke(0, stage.Workspace.Key());
        stage.Run();
        Assert.Equal(writes, stage.Operator.Wire.Writes);
    }

    [Fact]
    public void EdgeWritesUse_WhileTheFinalizerIsTakenAway_TheUseIsNotOverwritten()
    {
        using var stage = Started(delete: true);
        var used = stage.Time.GetUtcNow();
        stage.Plan = request =>
        {
            if (request is { Verb: "get", Kind.Kind: "UserWorkspace" })
            {
                stage.Api.Update<UserWorkspace>(
                    stage.Workspace.Key(), w => w with { Status = w.Status! with { Activity = new WorkspaceActivity { Last = used } } }, "status");
            }

            return Fate.Answered;
        };
        stage.People.KeepVolume(Stage.Name, true);
        stage.Run();
        Assert.Equal(used, stage.Workspace.Status!.Activity!.Last);
        Assert.Empty(stage.Workspace.Metadata.Finalizers ?? []);
        Assert.Equal(stage.Workspace.Metadata.Generation, stage.Workspace.Status.ObservedGeneration);
    }

    [Fact]
    public void VolumeCannotBeDeletedNow_TheFinalizerStays_UntilItCan()
    {
        using var stage = Started(delete: true);
        stage.Plan = static request => request is { Verb: "delete", Kind.Kind: "PersistentVolumeClaim" } ? Fate.Conflict : Fate.Answered;
        stage.People.Delete(Stage.Name);
        stage.Run();
        Assert.NotNull(stage.Workspace.Metadata.DeletionTimestamp);
        Assert.Single(stage.Api.All<PersistentVolumeClaim>(), c => c.Metadata.Name == Stage.Name);

        stage.Plan = static _ => Fate.Answered;
        stage.Operator.Poke(0, stage.Workspace.Key());
        stage.Run();
        Assert.Null(stage.People.Find(Stage.Name));
        Assert.DoesNotContain(stage.Api.All<PersistentVolumeClaim>(), c => c.Metadata.Name == Stage.Name);
    }

    [Fact]
    public void KilledBetweenPodAndStatus_TheStartIsTheNewPods_NotTheFormers()
    {
        using var stage = Started();
        var former = stage.Workspace.Status!.Start!;
        stage.Time.Advance(TimeSpan.FromHours(5));
        stage.Plan = request =>
            request is { Verb: "create", Kind.Kind: "Pod" } && request.Key.Name == Stage.Name ? Fate.KilledAfter : Fate.Answered;
        stage.People.Restart(Stage.Name);
        stage.Run();
        var pod = stage.Api.Get<Pod>(stage.Workspace.Key())!;
        var start = stage.Workspace.Status!.Start!;
        Assert.True(start.ReadyAt >= pod.Metadata.CreationTimestamp, $"{start} is older than the pod of {pod.Metadata.CreationTimestamp}.");
        Assert.True(start.RequestedAt > former.ReadyAt);
    }

    [Fact]
    public void VolumeIsToBeKeptAfterAll_TheNewsIsLate_ItIsKept()
    {
        using var stage = Started(delete: true);
        stage.Api.Update<UserWorkspace>(stage.Workspace.Key(), w => w with { Spec = w.Spec with { DesiredState = DesiredStates.Stopped } });
        stage.Run();
        stage.People.Delete(Stage.Name);
        stage.Deliver();
        stage.People.KeepVolume(Stage.Name, true);
        stage.RunAlone(withNews: false);
        stage.Run();
        Assert.Null(stage.People.Find(Stage.Name));
        Assert.Single(stage.Api.All<PersistentVolumeClaim>(), c => c.Metadata.Name == Stage.Name);
    }

    [Fact]
    public void WorkspaceIsGone_TheNewsIsLate_NothingIsMadeForItAgain()
    {
        using var stage = Started();
        var ghost = stage.Workspace;
        stage.People.Delete(Stage.Name);
        while (stage.Cluster.Settle())
        {
            // Until the garbage collector has taken what was the workspace's.
        }

        stage.Deliver(but: UserWorkspace.Descriptor);
        stage.RunAlone(withNews: false);
        Assert.Null(stage.Api.Get<Pod>(ghost.Key()));
        Assert.Null(stage.Api.Get<NetworkPolicy>(ghost.Key()));
    }

    [Fact]
    public void PodBecameReady_TheNewsIsLate_AndItsTimeIsUp_ItStays()
    {
        using var stage = new Stage();
        stage.People.Create(Stage.Name, 0, 0, false);
        stage.RunAlone();

        // A pod that does not start is replaced at once when its template was changed.
        stage.People.ChangeTemplate(0, 3);
        stage.RunAlone();
        var pod = stage.Api.Get<Pod>(stage.Workspace.Key())!;
        while (stage.Cluster.Settle())
        {
            // Until it is ready.
        }

        stage.Time.Advance(TimeSpan.FromSeconds(Progress.DefaultTimeoutSeconds + 1));
        stage.RunAlone(withNews: false);
        stage.Run();
        Assert.Equal(pod.Metadata.Uid, stage.Api.Get<Pod>(stage.Workspace.Key())!.Metadata.Uid);
        Assert.Equal(WorkspacePhases.Running, stage.Workspace.Status!.Phase);
    }

    [Fact]
    public void CeilingsLowered_AfterPlacesWereGivenAndBeforeTheyWereUsed_TheLowerOnesHold()
    {
        using var stage = new Stage();
        stage.Api.Add(new BerthPolicy { Metadata = new ObjectMeta { Name = BerthPolicy.DefaultName } });
        stage.People.ChangeCeilings(0, 3);
        stage.People.Create("ws-c", 0, 0, delete: false);
        stage.People.Create(Stage.Name, 0, 0, delete: false);

        // A new operator gives places to both when it is first asked, by the policy that it knows.
        stage.Launch();
        stage.People.ChangeCeilings(1, 1);
        stage.Work(0);
        Assert.Single(stage.Api.All<Pod>(), p => p.Metadata.Labels!.ContainsKey(Labels.Workspace));
        stage.Run();
        Assert.Single(stage.Api.All<Pod>(), p => p.Metadata.Labels!.ContainsKey(Labels.Workspace));
        Assert.Equal(
            [WorkspacePhases.Pending, WorkspacePhases.Running],
            stage.Api.All<UserWorkspace>().Select(w => w.Status!.Phase!).Order(StringComparer.Ordinal));

        CostsNothingAnew(stage);
    }

    [Fact]
    public void CeilingsLowered_AfterALookFailedBeforeItUsedItsPlace_TheLowerOnesHold()
    {
        using var stage = new Stage();
        stage.Api.Add(new BerthPolicy { Metadata = new ObjectMeta { Name = BerthPolicy.DefaultName } });
        stage.People.ChangeCeilings(0, 2);
        stage.People.Create("ws-c", 0, 0, delete: false);
        stage.RunAlone();
        stage.People.Create(Stage.Name, 0, 0, delete: false);
        stage.Plan = static request => request is { Verb: "apply", Kind.Kind: "NetworkPolicy" } ? Fate.Internal : Fate.Answered;
        stage.Deliver();
        stage.Work(0);
        Assert.Null(stage.Workspace.Status);

        stage.Plan = static _ => Fate.Answered;
        stage.People.ChangeCeilings(0, 1);
        stage.Run();
        Assert.Null(stage.Api.Get<Pod>(stage.Workspace.Key()));
        Assert.Equal(QueueReasons.Run, stage.Workspace.Status!.Queue?.For);
    }

    [Fact]
    public void StartThatOnlyALookBehindTheCachesFinds_IsAskedAPlaceFor()
    {
        using var stage = Started();
        stage.Api.Add(new BerthPolicy
        {
            Metadata = new ObjectMeta { Name = BerthPolicy.DefaultName },
            Spec = new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 1 } },
        });
        const string second = "ws-b";
        stage.People.Create(second, 0, 0, delete: false);
        stage.People.Wish(second, DesiredStates.Stopped);

        // A Service of somebody else has its name: it is missing at every look, and so every look asks for what the caches do not know.
        stage.People.Meddle(second, 0);
        stage.Run();
        stage.People.Wish(second, DesiredStates.Running);
        stage.Operator.Poke(0, SimulatedPeople.Key(second));
        stage.RunAlone(withNews: false);
        var status = stage.People.Find(second)!.Status!;
        Assert.Equal(stage.People.Find(second)!.Metadata.Generation, status.ObservedGeneration);
        var admitted = status.Conditions!.Single(c => c.Type == ConditionTypes.Admitted);
        Assert.Equal(("False", Reasons.Queued, QueueReasons.Run), (admitted.Status, admitted.Reason, status.Queue?.For));

        // What it was told is all that an operator started anew knows: told that it had a place, it would take one.
        stage.Launch();
        stage.Run();
        Assert.DoesNotContain(stage.Api.All<Pod>(), p => p.Metadata.Labels?.GetValueOrDefault(Labels.Workspace) == second);
    }

    [Fact]
    public void TemplateThatWasMissing_ComesWhileTheOperatorIsAway_TheWorkspaceWaitsForItsPlace()
    {
        using var stage = Started();
        stage.Api.Add(new BerthPolicy
        {
            Metadata = new ObjectMeta { Name = BerthPolicy.DefaultName },
            Spec = new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 1 } },
        });
        const string second = "ws-b";
        stage.People.Create(second, 0, 4, delete: false);
        stage.Run();
        Assert.Equal(WorkspacePhases.Failed, stage.People.Find(second)!.Status!.Phase);

        stage.Api.Add(TestData.Template() with { Metadata = new ObjectMeta { Name = "missing", Namespace = TestData.Ns } });
        stage.Launch();
        stage.Run();

        var status = stage.People.Find(second)!.Status!;
        Assert.Equal((WorkspacePhases.Pending, QueueReasons.Run), (status.Phase, status.Queue?.For));
        Assert.DoesNotContain(stage.Api.All<Pod>(), p => p.Metadata.Labels?.GetValueOrDefault(Labels.Workspace) == second);
    }

    // What the look ahead is given is not told, so it may not count as begun with: lower ceilings take it back.
    [Fact]
    public void CeilingsLowered_AfterAPlaceThatOnlyTheLookAheadWasGiven_TheLowerOnesHold()
    {
        using var stage = new Stage();
        stage.Api.Add(new BerthPolicy { Metadata = new ObjectMeta { Name = BerthPolicy.DefaultName } });
        stage.People.ChangeCeilings(0, 2);
        stage.People.Create("ws-b", 0, 0, delete: false);
        stage.People.Create("ws-c", 0, 0, delete: false);
        stage.Run();
        stage.People.Create(Stage.Name, 0, 0, delete: false);
        stage.Run();
        Assert.Equal(QueueReasons.Run, stage.Workspace.Status!.Queue?.For);

        // While its look writes, another's place becomes free.
        stage.Api.Delete(Service.Descriptor, stage.Workspace.Key(), null);
        stage.Plan = request =>
        {
            if (request is { Verb: "apply", Kind.Kind: "Service" })
            {
                stage.Operator.Admissions.Forget(SimulatedPeople.Key("ws-c"), podLeft: false);
            }

            return Fate.Answered;
        };
        stage.Deliver();
        stage.Work(0);
        Assert.NotNull(stage.Api.Get<Service>(stage.Workspace.Key()));
        Assert.Equal(QueueReasons.Run, stage.Workspace.Status!.Queue?.For);
        stage.Plan = static _ => Fate.Answered;

        stage.People.ChangeCeilings(0, 1);
        stage.Run();
        Assert.Null(stage.Api.Get<Pod>(stage.Workspace.Key()));
        Assert.Equal(QueueReasons.Run, stage.Workspace.Status!.Queue?.For);
    }

    private static void CostsNothingAnew(Stage stage)
    {
        stage.Launch();
        stage.RunAlone();
        Assert.Equal(0, stage.Operator.Wire.Writes);
    }

    private static Stage Started(bool delete = false)
    {
        var stage = new Stage();
        stage.People.Create(Stage.Name, 0, 0, delete);
        stage.Run();
        Assert.Equal(WorkspacePhases.Running, stage.Workspace.Status!.Phase);
        return stage;
    }
}
