using Berth.Resources;

namespace Berth.Operator.Tests;

public sealed class KeepingTests
{
    private static readonly DateTimeOffset Start = TestData.Now;

    /// <summary>keepUntil and holds in minutes from the start; until when it is kept, and the words.</summary>
    public static TheoryData<int?, (string Name, int Until, string? Why)[], int?, string?> Table => new()
    {
        { null, [], null, null },
        { 60, [], 60, "kept on request until 2030-01-01 13:00:00 UTC" },
        { 10, [], null, null },
        { 5, [("a", 9, null)], null, null },
        { null, [("a", 60, null)], 60, "held by a until 2030-01-01 13:00:00 UTC" },
        { null, [("a", 60, "compiling")], 60, "held by a (compiling) until 2030-01-01 13:00:00 UTC" },
        { 30, [("a", 60, null)], 60, "held by a, kept on request until 2030-01-01 13:00:00 UTC" },
        { null, [("a", 5, null), ("b", 60, null)], 60, "held by b until 2030-01-01 13:00:00 UTC" },
        { 100000, [], 24 * 60, "kept on request until 2030-01-02 12:00:00 UTC, the most that is allowed" },
        {
            null, [("a", 60, null), ("b", 61, null), ("c", 62, null), ("d", 63, null), ("e", 64, null)], 64,
            "held by e, held by d, held by c, 2 more until 2030-01-01 13:04:00 UTC"
        },
        { null, [("a", 60, "one\nline")], 60, "held by a (one line) until 2030-01-01 13:00:00 UTC" },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Of_KeepersTenMinutesIn_IsTheLongest(int? keep, (string Name, int Until, string? Why)[] holds, int? until, string? words)
    {
        var keeping = Of(keep, holds, TimeSpan.FromDays(1), 10);
        Assert.Equal(until is { } minutes ? Start.AddMinutes(minutes) : null, keeping.Until);
        Assert.Equal(words, keeping.Words);
    }

    [Fact]
    public void Of_CeilingIsOver_NothingKeeps() => Assert.Equal(Keeping.Nothing, Of(600, [("a", 600, null)], TimeSpan.FromHours(1), 60));

    [Fact]
    public void Of_Several_ChangesWhenTheFirstEnds() =>
        Assert.Equal(Start.AddMinutes(20), Of(30, [("a", 60, null), ("b", 20, null), ("c", 5, null)], TimeSpan.FromDays(1), 10).ChangesAt);

    [Fact]
    public void Of_LongReason_IsCut() =>
        Assert.True(Of(null, [("a", 60, new string('x', 5000))], TimeSpan.FromDays(1), 10).Words!.Length < 150);

    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(59, "59 s")]
    [InlineData(1800, "30 min")]
    [InlineData(5400, "1 h 30 min")]
    [InlineData(90061, "1 d 1 h")]
    public void Duration_Seconds_InWords(int seconds, string words) => Assert.Equal(words, Explain.Duration(TimeSpan.FromSeconds(seconds)));

    private static Keeping Of(int? keep, (string Name, int Until, string? Why)[] holds, TimeSpan ceiling, int minutesIn) =>
        Keeping.Of(
            TestData.Workspace(s => s with
            {
                Lifetime = new WorkspaceLifetime
                {
                    KeepUntil = keep is { } minutes ? Start.AddMinutes(minutes) : null,
                    Holds = [.. holds.Select(h => new WorkspaceHold { Name = h.Name, Until = Start.AddMinutes(h.Until), Reason = h.Why })],
                },
            }),
            Start,
            ceiling,
            Start.AddMinutes(minutesIn));
}
