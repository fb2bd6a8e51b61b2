namespace Berth.Accounts.Tests.Workspaces;

public class UsageSliceTests
{
    private static readonly PersonKey Ann = new("https://idp.example", "ann");
    private static readonly DateTimeOffset Evening = new(2030, 1, 1, 23, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Of_RunOverTwoMidnights_CutThereAndNothingLost()
    {
        var slices = UsageSlice.Of("u", Ann, "w", Evening, Evening.AddHours(26)).ToArray();

        Assert.Equal([(1, 3600), (2, 86_400), (3, 3600)], slices.Select(s => (s.Day.Day, s.Seconds)));
        Assert.Single(slices.Select(s => s.Run).Distinct());
    }

    [Fact]
    public void Of_SameRunSeenInAnotherTimeZone_SameNameAndDays()
    {
        var zone = Evening.ToOffset(TimeSpan.FromHours(9));
        Assert.Equal(UsageSlice.Of("u", Ann, "w", Evening, Evening.AddHours(3)),
            UsageSlice.Of("u", Ann, "w", zone, zone.AddHours(3)));
    }

    [Fact]
    public void Of_EndBeforeTheStart_Nothing() => Assert.Empty(UsageSlice.Of("u", Ann, "w", Evening, Evening.AddSeconds(-1)));
}
