namespace Berth.Edge.Tests.Activity;

/// <summary>What a replica may say of what it has written.</summary>
public class LeaseClaimTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void After_FreshAndWritten_TheTimeAtWhichTheWritingBegan()
    {
        Assert.Equal(At(10), LeaseClaim.None.After(At(10), At(5), allWritten: true).WrittenUntil);
        Assert.Equal(At(20), LeaseClaim.None.After(At(10), At(5), true).After(At(20), At(5), true).WrittenUntil);
    }

    [Fact]
    public void After_AWriteFailed_StaysUntilOneSucceeds()
    {
        var claim = LeaseClaim.None.After(At(10), At(5), true).After(At(20), At(15), allWritten: false);

        Assert.Equal(At(10), claim.WrittenUntil);
        Assert.Equal(At(30), claim.After(At(30), At(25), true).WrittenUntil);
    }

    [Fact]
    public void After_BeforeTheFirstPicture_SaysNothing() => Assert.Null(LeaseClaim.None.After(At(10), null, true).WrittenUntil);

    [Theory]
    [InlineData(null)] // Cut off.
    [InlineData(-71)] // Silent for longer than servers are.
    public void After_WatchNotFresh_DoesNotMove(int? contact)
    {
        var claim = LeaseClaim.None.After(At(0), At(0), true).After(At(10), contact is { } c ? At(c) : null, true);

        Assert.Equal(At(0), claim.WrittenUntil);
    }

    [Fact]
    public void After_SilenceOfABookmarksTime_IsFresh() =>
        Assert.Equal(At(10), LeaseClaim.None.After(At(10), At(-69), true).WrittenUntil);

    // While a write failed, announcements were heard; when it succeeds and the watch is gone by then, they are answered all the same.
    [Fact]
    public void After_WrittenLateWithoutTheWatch_ReachesUpToWhatWasHeard()
    {
        var claim = LeaseClaim.None.After(At(10), At(9), allWritten: false).After(At(20), null, allWritten: true);

        Assert.Equal(At(10), claim.WrittenUntil);
    }

    [Fact]
    public void After_ClockSetBack_NeverMovesBack() =>
        Assert.Equal(At(100), LeaseClaim.None.After(At(100), At(100), true).After(At(50), At(50), true).WrittenUntil);

    private static DateTimeOffset At(int seconds) => Start.AddSeconds(seconds);
}
