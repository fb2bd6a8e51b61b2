using Testing;

namespace Berth.Accounts.Tests.Sessions;

public class SessionPolicyTests
{
    private static readonly SessionPolicy Policy = new(TimeSpan.FromHours(8), TimeSpan.FromHours(24));
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void StateOf_NeverUsedAgain_IdleExpiredAtThatMomentAndNotBefore()
    {
        var times = Policy.Begin(_clock.GetUtcNow());
        _clock.Advance(TimeSpan.FromHours(8) - TimeSpan.FromTicks(1));
        Assert.Equal(SessionState.Active, State(times));
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(SessionState.IdleExpired, State(times));
    }

    [Fact]
    public void StateOf_UsedEveryHour_ExpiredAtTheAbsoluteEndAndNotBefore()
    {
        var times = Policy.Begin(_clock.GetUtcNow());
        for (var hour = 0; hour < 23; hour++)
        {
            _clock.Advance(TimeSpan.FromHours(1));
            times = Policy.Use(times, _clock.GetUtcNow());
            Assert.Equal(SessionState.Active, State(times));
        }

        _clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        Assert.Equal(SessionState.Active, State(times));
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(SessionState.Expired, State(times));
    }

    [Fact]
    public void Use_WithinTheRenewalInterval_Unchanged()
    {
        var times = Policy.Begin(_clock.GetUtcNow());
        _clock.Advance(Policy.RenewalInterval - TimeSpan.FromTicks(1));
        Assert.Equal(times, Policy.Use(times, _clock.GetUtcNow()));
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(times with { UsedAt = _clock.GetUtcNow() }, Policy.Use(times, _clock.GetUtcNow()));
    }

    [Fact]
    public void Use_ByAReplicaWhoseClockIsBehind_NeverMovesTheTimesBack()
    {
        var times = Policy.Begin(_clock.GetUtcNow());
        Assert.Equal(times, Policy.Use(times, _clock.GetUtcNow().AddMinutes(-5)));
        Assert.Equal(SessionState.Active, Policy.StateOf(times, SessionState.Active, _clock.GetUtcNow().AddMinutes(-5)));
    }

    [Fact]
    public void IdleEnd_LateUse_NotAfterTheAbsoluteEnd()
    {
        var begin = Policy.Begin(_clock.GetUtcNow());
        Assert.Equal(_clock.GetUtcNow().AddHours(8), Policy.IdleEnd(begin));
        Assert.Equal(begin.ExpiresAt, Policy.IdleEnd(Policy.Use(begin, _clock.GetUtcNow().AddHours(20))));
    }

    [Theory]
    [InlineData(SessionState.Revoked)]
    [InlineData(SessionState.Superseded)]
    [InlineData(SessionState.Disabled)]
    public void StateOf_DecidedBySomebody_ToldBeforeTheTimes(SessionState standing)
    {
        var times = Policy.Begin(_clock.GetUtcNow());
        Assert.Equal(standing, Policy.StateOf(times, standing, _clock.GetUtcNow()));
        Assert.Equal(standing, Policy.StateOf(times, standing, _clock.GetUtcNow().AddDays(9)));
    }

    private SessionState State(SessionTimes times) => Policy.StateOf(times, SessionState.Active, _clock.GetUtcNow());
}
