using System.Text.Json.Nodes;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Edge.Tests.Activity;

/// <summary>Holds and "keep": what is written, and what is answered.</summary>
public class HoldPlanTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Put_New_KeepsTheOthersAndDropsWhatIsOver()
    {
        var workspace = Workspace(Hold("a", 60), Hold("over", -1), Hold("b", 600));

        var change = HoldPlan.Put(workspace, "build-17", new HoldWish { Seconds = 900, Reason = "nightly" }, null, Now);

        Assert.Null(change.Notice);
        Assert.Equal(
            """[{"name":"a","until":"2030-01-01T12:01:00Z"},{"name":"b","until":"2030-01-01T12:10:00Z"},"""
                + """{"name":"build-17","until":"2030-01-01T12:15:00Z","reason":"nightly"}]""",
            Holds(change)!.ToJsonString());
    }

    [Fact]
    public void Put_SameName_Replaces()
    {
        var change = HoldPlan.Put(Workspace(Hold("a", 60)), "a", new HoldWish { Until = "2030-01-01T14:00:00+01:00" }, null, Now);

        Assert.Equal("""[{"name":"a","until":"2030-01-01T13:00:00Z"}]""", Holds(change)!.ToJsonString());
    }

    // A policy of two hours, and a workspace that was started an hour and a half ago.
    [Theory]
    [InlineData(1800, "12:30:00", false)]
    [InlineData(1801, "12:30:00", true)]
    [InlineData(864000, "12:30:00", true)]
    public void Put_BeyondTheCeiling_IsCutAndSaysSo(long seconds, string until, bool cut)
    {
        var policy = new PolicyLifetime { MaxHoldSeconds = 7200 };

        var change = HoldPlan.Put(Workspace(startedBefore: 5400), "a", new HoldWish { Seconds = seconds }, policy, Now);

        Assert.Equal($"2030-01-01T{until}Z", (string?)Holds(change)![0]!["until"]);
        Assert.Equal(cut, change.Notice is not null);
        if (cut)
        {
            Assert.Contains("2 hours from its start: until 2030-01-01T12:30:00Z", change.Notice, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Put_CeilingIsOver_SaysWhatHelps()
    {
        var policy = new PolicyLifetime { MaxHoldSeconds = 3600 };

        var problem = Assert.Throws<ProblemException>(() =>
            HoldPlan.Put(Workspace(startedBefore: 3600), "a", new HoldWish { Seconds = 60 }, policy, Now));

        Assert.Equal((409, "hold-ceiling"), (problem.Status, problem.Reason));
        Assert.Contains("an hour from its start", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Put_NoPolicy_ADay() => Assert.Equal("2030-01-02T12:00:00Z",
        (string?)Holds(HoldPlan.Put(Workspace(), "a", new HoldWish { Seconds = 100_000 }, null, Now))![0]!["until"]);

    // What is stopped will start later: the ceiling counts from then, not from the start before.
    [Fact]
    public void Put_Stopped_CountsFromNow()
    {
        var workspace = Workspace(startedBefore: 100_000);
        workspace = workspace with { Spec = workspace.Spec with { DesiredState = DesiredStates.Stopped } };

        Assert.Null(HoldPlan.Put(workspace, "a", new HoldWish { Seconds = 60 }, null, Now).Notice);
    }

    [Fact]
    public void Put_SeventeenthHold_IsRefused()
    {
        var workspace = Workspace([.. Enumerable.Range(1, 16).Select(i => Hold($"h{i}", 60))]);

        var problem = Assert.Throws<ProblemException>(() => HoldPlan.Put(workspace, "h17", new HoldWish { Seconds = 60 }, null, Now));

        Assert.Equal((409, "too-many-holds"), (problem.Status, problem.Reason));
        Assert.Equal(16, Holds(HoldPlan.Put(workspace, "h16", new HoldWish { Seconds = 90 }, null, Now))!.Count);
    }

    [Theory]
    [InlineData("-a", null, 60L, null, "hold")]
    [InlineData("a b", null, 60L, null, "hold")]
    [InlineData("a\n", null, 60L, null, "hold")]
    [InlineData("", null, 60L, null, "hold")]
    [InlineData("a", null, null, null, "until")]
    [InlineData("a", "2030-01-01T13:00:00Z", 60L, null, "until")]
    [InlineData("a", "2030-01-01T11:59:59Z", null, null, "until")]
    [InlineData("a", "2030-01-01T13:00:00", null, null, "until")]
    [InlineData("a", "tomorrow", null, null, "until")]
    [InlineData("a", "9999-99-99T99:99:99Z", null, null, "until")]
    [InlineData("a", null, 0L, null, "seconds")]
    [InlineData("a", null, -5L, null, "seconds")]
    [InlineData("a", null, long.MaxValue, null, "seconds")]
    [InlineData("a", null, 60L, "two\nlines", "reason")]
    public void Put_BadWish_NamesTheField(string name, string? until, long? seconds, string? reason, string field)
    {
        var wish = new HoldWish { Until = until, Seconds = seconds, Reason = reason };

        var problem = Assert.Throws<ProblemException>(() => HoldPlan.Put(Workspace(), name, wish, null, Now));

        Assert.Equal(422, problem.Status);
        Assert.Equal(field, Assert.Single(problem.Fields).Key);
    }

    [Fact]
    public void Put_LastDayOfTheCalendar_IsCut() => Assert.NotNull(
        HoldPlan.Put(Workspace(), "a", new HoldWish { Until = "9999-12-31T23:59:59Z" }, null, Now).Notice);

    [Fact]
    public void Delete_TheLast_RemovesTheList()
    {
        var change = HoldPlan.Delete(Workspace(Hold("a", 60)), "a", Now);

        Assert.Equal("""{"spec":{"lifetime":{"holds":null}}}""", change.Patch.ToJsonString());
        Assert.Equal(404, Assert.Throws<ProblemException>(() => HoldPlan.Delete(Workspace(Hold("a", 60)), "b", Now)).Status);
    }

    [Fact]
    public void Keep_NothingSaid_TwoHours()
    {
        Assert.Equal("""{"spec":{"lifetime":{"keepUntil":"2030-01-01T14:00:00Z"}}}""",
            HoldPlan.Keep(Workspace(), new HoldWish(), null, Now).Patch.ToJsonString());
        Assert.Equal("""{"spec":{"lifetime":{"keepUntil":null}}}""", HoldPlan.Unkeep().Patch.ToJsonString());
    }

    private static JsonArray? Holds(HoldChange change) => change.Patch["spec"]!["lifetime"]!["holds"] as JsonArray;

    private static WorkspaceHold Hold(string name, int seconds) => new() { Name = name, Until = Now.AddSeconds(seconds) };

    private static UserWorkspace Workspace(params WorkspaceHold[] holds) => Workspace(0, holds);

    private static UserWorkspace Workspace(int startedBefore, params WorkspaceHold[] holds) => new()
    {
        Metadata = new ObjectMeta { Name = "w" },
        Spec = new UserWorkspaceSpec { Lifetime = new WorkspaceLifetime { Holds = holds } },
        Status = new UserWorkspaceStatus { Start = new WorkspaceStart { ReadyAt = Now.AddSeconds(-startedBefore) } },
    };
}
