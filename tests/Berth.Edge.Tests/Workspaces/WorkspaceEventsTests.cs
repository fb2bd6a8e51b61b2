using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Edge.Tests.Workspaces;

public class WorkspaceEventsTests
{
    private static readonly DateTimeOffset Ready = new(2030, 1, 1, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void RecordsOf_RunThatWasStoppedForIdleness_StartReadyStopWithReasons()
    {
        var running = Workspace(WorkspacePhases.Running, DesiredStates.Running, new() { Reason = "Visit", At = Ready.AddSeconds(-5) });
        var stopped = Workspace(WorkspacePhases.Stopped, DesiredStates.Stopped, new() { Reason = "Idle", At = Ready.AddHours(2) });

        Assert.Equal([("start", "Visit"), ("ready", "Cold")], WorkspaceEvents.RecordsOf(running).Select(r => (r.Kind, r.Reason)));
        Assert.Equal([("start", null), ("ready", "Cold"), ("stop", "Idle")], WorkspaceEvents.RecordsOf(stopped).Select(r => (r.Kind, r.Reason)));
        Assert.Equal(WorkspaceEvents.RecordsOf(running).Select(r => r.Event), WorkspaceEvents.RecordsOf(stopped).Take(2).Select(r => r.Event));
    }

    [Fact]
    public void RecordsOf_SecondRun_OtherEvents()
    {
        var first = Workspace(WorkspacePhases.Running, DesiredStates.Running, null);
        var second = first with
        {
            Status = first.Status! with { Start = new() { RequestedAt = Ready.AddDays(1), ReadyAt = Ready.AddDays(1).AddSeconds(5) } },
        };
        Assert.Empty(WorkspaceEvents.RecordsOf(first).Select(r => r.Event).Intersect(WorkspaceEvents.RecordsOf(second).Select(r => r.Event)));
    }

    [Fact]
    public void RecordsOf_FailedTwice_OneForEachAttempt()
    {
        var once = Workspace(WorkspacePhases.Failed, DesiredStates.Running, null, new() { Reason = "CrashLoop", Attempts = 1 });
        var twice = once with { Status = once.Status! with { Failure = new() { Reason = "CrashLoop", Attempts = 2 } } };
        var fails = new[] { once, once, twice }.SelectMany(WorkspaceEvents.RecordsOf).Where(r => r.Kind == "fail").Select(r => r.Event);
        Assert.Equal(2, fails.Distinct().Count());
    }

    [Theory]
    [InlineData(WorkspacePhases.Running, 5 * 3600)]
    [InlineData(WorkspacePhases.Stopped, 2 * 3600)]
    [InlineData(WorkspacePhases.Failed, 2 * 3600)]
    [InlineData(WorkspacePhases.Starting, 0)]
    public void UsageOf_Phase_UntilNowOnlyWhileItRuns(string phase, int seconds) =>
        Assert.Equal(seconds, WorkspaceEvents.UsageOf(Workspace(phase, DesiredStates.Running, null), Ready.AddHours(5)).Sum(u => u.Seconds));

    [Fact]
    public void Of_ObjectThatSaysNothing_Nothing()
    {
        Assert.Empty(WorkspaceEvents.RecordsOf(new UserWorkspace()));
        Assert.Empty(WorkspaceEvents.UsageOf(new UserWorkspace(), Ready));
        Assert.Null(WorkspaceEvents.DeletionOf(new UserWorkspace(), Ready));
    }

    private static UserWorkspace Workspace(string phase, string desired, WorkspaceRequest? request, WorkspaceFailure? failure = null) => new()
    {
        Metadata = new ObjectMeta { Name = "ws-a", Uid = "u1" },
        Spec = new UserWorkspaceSpec
        {
            Owner = new() { Issuer = "https://idp.example", Subject = "ann" },
            Template = new() { Name = "studio" },
            DesiredState = desired,
            LastRequest = request,
        },
        Status = new UserWorkspaceStatus
        {
            Phase = phase,
            Failure = failure,
            Start = new() { RequestedAt = Ready.AddSeconds(-5), ReadyAt = Ready, Path = "Cold" },
            Conditions = phase == WorkspacePhases.Running ? []
                : [new Condition { Type = "Ready", Status = "False", LastTransitionTime = Ready.AddHours(2) }],
        },
    };
}
