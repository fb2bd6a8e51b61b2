using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Edge.Tests.Activity;

/// <summary>What is written of use, and when.</summary>
public class ActivityPlanTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData(null, null, false, false, false)] // Never used: no write.
    [InlineData(0, null, false, false, true)] // First use.
    [InlineData(0, 0, false, false, false)]
    [InlineData(299, 0, false, false, false)]
    [InlineData(300, 0, false, false, true)]
    [InlineData(299, 0, true, false, true)] // Announced: at once.
    [InlineData(1, 0, true, false, true)]
    [InlineData(0, 0, true, false, false)] // Nothing later is known.
    [InlineData(-1, 0, true, false, false)] // Another replica knows better.
    [InlineData(-900, 0, false, false, false)] // Never backwards.
    [InlineData(-900, 0, false, true, false)]
    [InlineData(1, 0, false, true, true)] // The last words.
    public void ToWrite_KnownAndWritten_MovesForwardOnly(int? known, int? written, bool announced, bool everything, bool writes)
    {
        var workspace = Workspace(written is { } w ? Start.AddSeconds(w) : null, announced ? StopReasons.Idle : null);
        var use = known is { } k ? new KnownUse(Start.AddSeconds(k), UseSource.Message) : (KnownUse?)null;

        var result = ActivityPlan.ToWrite(workspace, use, Step, everything);

        Assert.Equal(writes ? use : null, result);
    }

    // The status has whole seconds: a fraction more is no later use, or it would be written again and again.
    [Fact]
    public void ToWrite_FractionOfTheSameSecond_IsNotLater()
    {
        var workspace = Workspace(Start, StopReasons.Idle);

        var same = new KnownUse(Start.AddMilliseconds(999), UseSource.Request);
        var next = new KnownUse(Start.AddMilliseconds(1001), UseSource.Request);

        Assert.Null(ActivityPlan.ToWrite(workspace, same, Step, everything: true));
        Assert.Equal(Start.AddSeconds(1), ActivityPlan.ToWrite(workspace, next, Step, everything: true)!.Value.At);
    }

    // The longest run ends whatever anybody does: use under it is written no more often than else.
    [Fact]
    public void ToWrite_EndOfTheLongestRun_IsNoAnnouncementToAnswer()
    {
        var use = new KnownUse(Start.AddSeconds(10), UseSource.Message);

        Assert.Null(ActivityPlan.ToWrite(Workspace(Start, StopReasons.MaxRun), use, Step, everything: false));
        Assert.NotNull(ActivityPlan.ToWrite(Workspace(Start, StopReasons.Idle), use, Step, everything: false));
    }

    [Fact]
    public void Patch_Use_HasTheEdgesOwnFieldsOnly()
    {
        var patch = ActivityPlan.Patch(Workspace(null, null), new KnownUse(Start.AddMilliseconds(700), UseSource.Upload), null, Step, false,
            Start.AddSeconds(2));

        Assert.Equal("""{"status":{"activity":{"observedAt":"2030-01-01T12:00:02Z","last":"2030-01-01T12:00:00Z","source":"Upload"}}}""",
            patch!.ToJsonString());
    }

    [Theory]
    [InlineData(null, null, null, null)] // Idle: only that it was asked.
    [InlineData(-10, null, null, null)] // Earlier than what stands there.
    [InlineData(50, null, "Application", 50)]
    [InlineData(50, 60, "Message", 60)] // What was seen here is later still.
    [InlineData(60, 50, "Application", 60)]
    public void Patch_Probe_SaysWhenItWasAskedAndTheLaterUse(int? said, int? known, string? source, int? last)
    {
        var workspace = Workspace(Start, StopReasons.Idle);
        var use = known is { } k ? new KnownUse(Start.AddSeconds(k), UseSource.Message) : (KnownUse?)null;
        var probe = new ProbeResult(Start.AddSeconds(100), said is { } s ? Start.AddSeconds(s) : null);

        var activity = ActivityPlan.Patch(workspace, use, probe, Step, false, Start.AddSeconds(101))!["status"]!["activity"]!;

        Assert.Equal("2030-01-01T12:01:40Z", (string?)activity["probedAt"]);
        Assert.Equal(source, (string?)activity["source"]);
        Assert.Equal(last is { } at ? ActivityPlan.Text(Start.AddSeconds(at)) : null, (string?)activity["last"]);
    }

    [Theory]
    [InlineData(0, null, false)] // In the second of the announcement the order is not known.
    [InlineData(1, null, true)]
    [InlineData(1, -5, true)] // Asked before it.
    [InlineData(1, 0, true)]
    [InlineData(9, 1, false)]
    [InlineData(269, 1, false)]
    [InlineData(270, 1, true)] // Once more before the stop.
    [InlineData(299, 271, false)]
    [InlineData(900, 271, false)]
    [InlineData(900, 1, true)]
    public void HasToAsk_AfterTheAnnouncementAndBeforeTheStop(int now, int? probed, bool asks)
    {
        var workspace = Workspace(Start.AddHours(-1), StopReasons.Idle, probed is { } p ? Start.AddSeconds(p) : null);

        Assert.Equal(asks, ActivityPlan.HasToAsk(workspace, Template(), Start.AddSeconds(now)));
    }

    [Fact]
    public void HasToAsk_NothingAnnouncedOrNoProbe_Never()
    {
        Assert.False(ActivityPlan.HasToAsk(Workspace(Start, null), Template(), Start.AddDays(1)));
        Assert.False(ActivityPlan.HasToAsk(Workspace(Start, StopReasons.MaxRun), Template(), Start.AddDays(1)));
        Assert.False(ActivityPlan.HasToAsk(Workspace(Start, StopReasons.Idle), new WorkspaceTemplate(), Start.AddDays(1)));
        Assert.False(ActivityPlan.HasToAsk(Workspace(Start, StopReasons.Idle), null, Start.AddDays(1)));
    }

    [Theory]
    [InlineData(null, null, null, null, 1800L)]
    [InlineData(600L, 900L, 1200L, null, 600L)]
    [InlineData(null, 900L, 1200L, null, 900L)]
    [InlineData(null, null, 1200L, null, 1200L)]
    [InlineData(0L, 900L, 1200L, null, null)]
    [InlineData(0L, null, null, 3600L, 3600L)]
    [InlineData(7200L, null, null, 3600L, 3600L)]
    public void Timeout_WhoSaysIt_AsTheOperatorHasIt(long? own, long? template, long? policy, long? most, long? expected)
    {
        var workspace = new UserWorkspace
        {
            Spec = new UserWorkspaceSpec { Lifetime = new WorkspaceLifetime { IdleTimeoutSeconds = own } },
        };
        var made = new WorkspaceTemplate
        {
            Spec = new WorkspaceTemplateSpec { Lifetime = new TemplateLifetime { IdleTimeoutSeconds = template } },
        };

        var timeout = IdleTimes.Timeout(workspace, made, new PolicyLifetime { IdleTimeoutSeconds = policy, MaxIdleTimeoutSeconds = most });

        Assert.Equal(expected, (long?)timeout?.TotalSeconds);
    }

    [Fact]
    public void Step_AndThrottle_FollowTheTimeout()
    {
        Assert.Equal(300, IdleTimes.Step(TimeSpan.FromSeconds(1800)).TotalSeconds);
        Assert.Equal(3600, IdleTimes.Step(null).TotalSeconds);
        Assert.Equal(1, IdleTimes.Throttle(TimeSpan.FromSeconds(60)).TotalSeconds);
        Assert.Equal(10, IdleTimes.Throttle(TimeSpan.FromSeconds(1800)).TotalSeconds);
    }

    private static UserWorkspace Workspace(DateTimeOffset? last, string? announced, DateTimeOffset? probed = null) => new()
    {
        Metadata = new ObjectMeta { Name = "w" },
        Status = new UserWorkspaceStatus
        {
            Activity = new WorkspaceActivity
            {
                Last = last,
                ProbedAt = probed,
                AnnouncedAt = announced is null ? null : Start,
                StopsAt = announced is null ? null : Start.AddSeconds(300),
                StopReason = announced,
            },
        },
    };

    private static WorkspaceTemplate Template() => new()
    {
        Spec = new WorkspaceTemplateSpec
        {
            Activity = new TemplateActivity { Probe = new ActivityProbe { Path = "/healthz", Field = "last" } },
        },
    };
}
