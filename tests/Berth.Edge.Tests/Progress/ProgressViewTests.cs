using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Edge.Tests.Progress;

public class ProgressViewTests
{
    [Fact]
    public void From_InTheQueue_SaysThePlace()
    {
        var view = ProgressView.From(
            new UserWorkspace
            {
                Metadata = new() { Name = "ws-one" },
                Status = new UserWorkspaceStatus
                {
                    Phase = WorkspacePhases.Pending,
                    Queue = new() { Position = 2, Message = "Five may run." },
                },
            },
            isReady: false);

        Assert.Equal(("ws-one waits for its turn", "Number 2 in the queue.", "Five may run."), (view.Title, view.Problem, view.Remedy));
    }

    [Fact]
    public void From_NotSeenByTheOperatorYet_FirstStepActive()
    {
        var view = ProgressView.From(Workspace(null), false);

        Assert.Equal([StepState.Active, StepState.Waiting, StepState.Waiting, StepState.Waiting, StepState.Waiting],
            view.StepList.Select(s => s.State));
        Assert.Equal((ProgressAction.None, false), (view.Action, view.IsReady));
    }

    [Fact]
    public void From_SomeConditionsTrue_NextOneActiveWithItsMessage()
    {
        var view = ProgressView.From(Workspace(Status(WorkspacePhases.Starting, ("TemplateResolved", "True"), ("StorageReady", "True"), (
            "PodScheduled", "False"))), false);

        Assert.Equal([StepState.Done, StepState.Done, StepState.Active, StepState.Waiting, StepState.Waiting],
            view.StepList.Select(s => s.State));
        Assert.Equal("PodScheduled is False", view.StepList[2].Detail);
    }

    [Fact]
    public void From_AllConditionsTrueButNoAddressYet_Connecting()
    {
        var view = ProgressView.From(Workspace(AllTrue()), false);

        Assert.Equal(StepState.Active, view.StepList[^1].State);
        Assert.False(view.IsReady);
    }

    [Fact]
    public void From_StatusOlderThanTheWish_PodOfTheFormerRunDoesNotCount()
    {
        var view = ProgressView.From(Workspace(AllTrue() with { ObservedGeneration = 1 }, generation: 2), false);

        Assert.Equal([StepState.Done, StepState.Done, StepState.Active, StepState.Waiting, StepState.Waiting],
            view.StepList.Select(s => s.State));
    }

    [Theory]
    [InlineData(FailureClasses.User, "log")]
    [InlineData(FailureClasses.Template, "template")]
    [InlineData(FailureClasses.Platform, "administrator")]
    [InlineData(null, "Try again")]
    public void From_Failed_ProblemRemedyAndRetry(string? kind, string remedy)
    {
        var status = Status(WorkspacePhases.Failed, ("TemplateResolved", "True"), ("StorageReady", "False")) with
        {
            Failure = new WorkspaceFailure { Class = kind, Reason = "X", Message = "It broke.", Attempts = 3 },
        };
        var view = ProgressView.From(Workspace(status), false);

        Assert.Equal(("It broke.", true, ProgressAction.Retry), (view.Problem, view.IsFailure, view.Action));
        Assert.StartsWith("Your files are kept.", view.Remedy, StringComparison.Ordinal);
        Assert.Contains(remedy, view.Remedy, StringComparison.Ordinal);
        Assert.Equal(StepState.Failed, view.StepList[1].State);
    }

    [Fact]
    public void From_Stopped_CanBeStarted()
    {
        var workspace = Workspace(Status(WorkspacePhases.Stopped));
        var view = ProgressView.From(workspace with
        {
            Spec = workspace.Spec with
            {
                DesiredState = "Stopped",
                LastRequest = new() { Reason = RequestReasons.Idle }
            }
        }, false);

        Assert.Equal(ProgressAction.Start, view.Action);
        Assert.Contains("nobody used it", view.Problem, StringComparison.Ordinal);
        Assert.Empty(view.StepList);
    }

    [Fact]
    public void From_GoneOrDeleting_NothingToStart()
    {
        var deleting = Workspace(AllTrue()) with
        {
            Metadata = new ObjectMeta
            {
                Name = "ws-a",
                DeletionTimestamp = DateTimeOffset.UnixEpoch
            }
        };

        Assert.True(ProgressView.From(null, false).IsGone);
        Assert.Equal(ProgressAction.None, ProgressView.From(deleting, false).Action);
    }

    private static UserWorkspace Workspace(UserWorkspaceStatus? status, long generation = 1) => new()
    {
        Metadata = new ObjectMeta { Name = "ws-a", Generation = generation },
        Spec = new UserWorkspaceSpec { Owner = new WorkspaceOwner { Issuer = "i", Subject = "s" } },
        Status = status,
    };

    private static UserWorkspaceStatus AllTrue() =>
        Status(WorkspacePhases.Starting, ("TemplateResolved", "True"), ("StorageReady", "True"), ("PodScheduled", "True"),
            ("PodReady", "True"), ("RouteReady", "True"));

    private static UserWorkspaceStatus Status(string phase, params (string Type, string Status)[] conditions) => new()
    {
        Phase = phase,
        ObservedGeneration = 1,
        Conditions = [.. conditions.Select(c => new Condition { Type = c.Type, Status = c.Status, Message = $"{c.Type} is {c.Status}" })],
    };
}
