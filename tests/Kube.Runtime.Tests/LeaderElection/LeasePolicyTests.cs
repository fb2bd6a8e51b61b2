using Kube.Client.Models;

namespace Kube.Runtime.Tests.LeaderElection;

public sealed class LeasePolicyTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly LeaderElectionOptions Me = new() { Namespace = "a", Name = "l", Identity = "me" };

    [Theory]
    [InlineData(null, null, true, true, 0)] // no lease yet
    [InlineData("", 4, false, true, 5)] // given back
    [InlineData("other", 4, false, false, 0)] // held
    [InlineData("other", 4, true, true, 5)] // ran out
    [InlineData("other", null, true, true, 1)] // a record without a number
    [InlineData("me", 4, false, true, 4)] // mine
    [InlineData("me", 4, true, true, 4)] // mine, and nobody took it
    public void Decide_Row_WritesOrWaits(string? holder, int? transitions, bool expired, bool writes, int next)
    {
        var current = holder is null ? null : new LeaseSpec { HolderIdentity = holder, LeaseTransitions = transitions };
        var decision = LeasePolicy.Decide(current, expired, Me, Now);
        Assert.Equal(writes, decision.Spec is not null);
        Assert.Equal(holder == "me", decision.Renews);
        if (writes)
        {
            Assert.Equal(("me", next, 15),
                (decision.Spec!.HolderIdentity, decision.Spec.LeaseTransitions, decision.Spec.LeaseDurationSeconds));
        }
    }

    [Fact]
    public void Decide_Renewal_KeepsTheTimeOfAcquisition()
    {
        var current = new LeaseSpec { HolderIdentity = "me", AcquireTime = Now.AddHours(-1), RenewTime = Now.AddSeconds(-2) };
        var spec = LeasePolicy.Decide(current, false, Me, Now).Spec!;
        Assert.Equal((Now.AddHours(-1), Now), (spec.AcquireTime, spec.RenewTime));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0)]
    [InlineData(-5)]
    public void DurationOf_NonsenseInTheRecord_IsOurs(int? seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(15), LeasePolicy.DurationOf(new LeaseSpec { LeaseDurationSeconds = seconds }, Me));

    [Fact]
    public void Validate_ContradictingTimes_SaysAllThatIsWrong()
    {
        var e = Assert.Throws<ArgumentException>(() =>
            (Me with
            {
                Name = "",
                LeaseDuration = TimeSpan.FromSeconds(2),
                RenewDeadline = TimeSpan.FromSeconds(2),
                RetryPeriod = TimeSpan.FromSeconds(2)
            }).Validate());
        Assert.Contains("Name", e.Message, StringComparison.Ordinal);
        Assert.Contains("LeaseDuration", e.Message, StringComparison.Ordinal);
        Assert.Contains("RetryPeriod x", e.Message, StringComparison.Ordinal);
    }
}
