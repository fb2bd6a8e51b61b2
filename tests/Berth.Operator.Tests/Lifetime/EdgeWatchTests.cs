using Berth.Resources;
using Kube.Client.Models;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>What is believed of a replica's Lease, and when.</summary>
public sealed class EdgeWatchTests
{
    private const string Edges = "berth";

    private readonly FakeTimeProvider _time = new(TestData.Now);
    private readonly EdgeWatch _watch;

    public EdgeWatchTests() => _watch = new EdgeWatch(_time, Edges);

    [Fact]
    public void Arrived_FirstTime_ProvesNothingUntilItIsRenewed()
    {
        _watch.Arrived(Lease(_time.GetUtcNow()));
        Assert.False(Report().IsFresh(_time.GetUtcNow()));
        Assert.False(Report().IsDead(_time.GetUtcNow()));

        Renew(TimeSpan.Zero);
        Assert.True(Report().IsFresh(_time.GetUtcNow()));
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.False(Report().IsFresh(_time.GetUtcNow()));
        Assert.False(Report().IsDead(_time.GetUtcNow()));
        _time.Advance(EdgeReport.DeadAfter);
        Assert.True(Report().IsDead(_time.GetUtcNow()));
    }

    [Fact]
    public void Arrived_FirstTime_IsAwaitedForAsLongAsARenewalIsGoodFor()
    {
        _watch.Arrived(Lease(_time.GetUtcNow().AddMinutes(-2)));
        var evidence = () => new EdgeEvidence(_watch.For("people"), _time.GetUtcNow());
        Assert.True(evidence().Awaits());
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.True(evidence().Awaits());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(evidence().Awaits());
        Assert.Contains("silent", evidence().Missing(), StringComparison.Ordinal);

        Renew(TimeSpan.Zero);
        Assert.False(evidence().Awaits());
        Assert.Null(evidence().Missing());
    }

    [Fact]
    public void Arrived_LeftByAReplicaLongGone_IsDead()
    {
        _watch.Arrived(Lease(_time.GetUtcNow().AddMinutes(-7)));
        Assert.True(Report().IsDead(_time.GetUtcNow()));
        Assert.NotNull(new EdgeEvidence(_watch.For("people"), _time.GetUtcNow()).Missing());
    }

    [Theory]
    [InlineData(60)]
    [InlineData(-60)]
    [InlineData(-86400)]
    public void Renewed_ByAnotherClock_IsFreshByOurs(int behind)
    {
        _watch.Arrived(Lease(_time.GetUtcNow().AddSeconds(-behind)));
        for (var i = 0; i < 3; i++)
        {
            Renew(TimeSpan.FromSeconds(behind));
        }

        var report = Report();
        Assert.True(report.IsFresh(_time.GetUtcNow()));
        Assert.Equal(TimeSpan.FromSeconds(behind), report.Behind);
        Assert.Equal(_time.GetUtcNow().AddSeconds(-2), report.WrittenUntil);

        // It ends, whatever its clock said of the future.
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.False(Report().IsFresh(_time.GetUtcNow()));
    }

    [Fact]
    public void Renewed_ArrivesLate_IsNotTakenForAClock()
    {
        _watch.Arrived(Lease(_time.GetUtcNow()));
        Renew(TimeSpan.Zero);

        // The operator was cut off; what it lists then was renewed four minutes ago.
        var renewed = _time.GetUtcNow().AddSeconds(10);
        _time.Advance(TimeSpan.FromMinutes(4));
        _watch.Arrived(Lease(renewed));
        Assert.False(Report().IsFresh(_time.GetUtcNow()));
        Assert.Equal(TimeSpan.Zero, Report().Behind);
    }

    [Fact]
    public void Renewed_ManyArriveLateAtOnce_AreNotTakenForAClock()
    {
        _watch.Arrived(Lease(_time.GetUtcNow()));
        Renew(TimeSpan.Zero);
        var cutOff = _time.GetUtcNow();
        _time.Advance(TimeSpan.FromMinutes(6));
        for (var i = 1; i <= 20; i++)
        {
            _watch.Arrived(Lease(cutOff.AddSeconds(10 * i)));
        }

        Assert.False(Report().IsFresh(_time.GetUtcNow()));
    }

    [Fact]
    public void Deleted_SpeaksNoMore_ButItsClockIsRemembered()
    {
        _watch.Arrived(Lease(_time.GetUtcNow()));
        Renew(TimeSpan.FromMinutes(1));
        _watch.Gone(Lease(_time.GetUtcNow()));
        var evidence = new EdgeEvidence(_watch.For("people"), _time.GetUtcNow());
        Assert.Contains("no replica", evidence.Missing(), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromMinutes(1), evidence.Behind);
        Assert.Null(evidence.LostUntil);
    }

    [Fact]
    public void Deleted_AfterItDied_IsStillDead()
    {
        _watch.Arrived(Lease(_time.GetUtcNow()));
        Renew(TimeSpan.Zero);
        var lastWord = _time.GetUtcNow();
        _time.Advance(TimeSpan.FromHours(1));
        _watch.Gone(Lease(lastWord));
        Assert.Equal(lastWord + EdgeReport.DeadAfter, new EdgeEvidence(_watch.For("people"), _time.GetUtcNow()).LostUntil);
    }

    [Theory]
    [InlineData("people", null, true)]
    [InlineData("people", "people", true)]
    [InlineData("people", "others", false)]
    [InlineData(Edges, null, true)]
    [InlineData(Edges, "", true)]
    [InlineData(Edges, "people", true)]
    [InlineData(Edges, "others", false)]
    [InlineData("others", null, false)]
    [InlineData("others", "people", false)]
    public void For_Namespace_HearsOnlyThoseThatMaySpeakForIt(string ns, string? scope, bool heard)
    {
        var lease = Lease(_time.GetUtcNow(), ns);
        var labels = new Dictionary<string, string>();
        if (scope is not null)
        {
            labels[EdgeLeases.WorkspaceNamespace] = scope;
        }

        _watch.Arrived(lease with { Metadata = lease.Metadata with { Labels = labels } });
        Assert.Equal(heard, !_watch.For("people").IsEmpty);
    }

    [Theory]
    [InlineData("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")]
    [InlineData("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z")]
    [InlineData("2030-01-01T12:00:00Z", "no time")]
    public void Hostile_Times_NeverThrow(string renewed, string written)
    {
        var first = Lease(_time.GetUtcNow().AddYears(-1000));
        _watch.Arrived(first);
        var lease = Lease(Times.Parse(renewed)!.Value);
        _watch.Arrived(lease with
        {
            Metadata = lease.Metadata with { Annotations = new Dictionary<string, string> { [EdgeLeases.ActivityWrittenUntil] = written } },
            Spec = lease.Spec! with { LeaseDurationSeconds = int.MaxValue },
        });
        _watch.Arrived(Lease(DateTimeOffset.MinValue));
        _watch.Arrived(Lease(DateTimeOffset.MaxValue));
        _watch.Arrived(Lease(DateTimeOffset.MinValue));
        var evidence = new EdgeEvidence(_watch.For("people"), _time.GetUtcNow());
        Assert.True(evidence.Behind >= TimeSpan.Zero && evidence.Ahead >= TimeSpan.Zero);
        _ = evidence.NotWritten(_time.GetUtcNow());
    }

    [Fact]
    public void Duration_OfADay_IsNotBelieved()
    {
        var lease = Lease(_time.GetUtcNow());
        _watch.Arrived(lease with { Spec = lease.Spec! with { LeaseDurationSeconds = 86400 } });
        Assert.Equal(TimeSpan.FromMinutes(1), Report().Duration);
    }

    private EdgeReport Report() => Assert.Single(_watch.For("people"));

    /// <summary>
    /// Ten seconds pass, and a replica renews whose clock is behind by so much, having written all but the last two seconds.
    /// </summary>
    private void Renew(TimeSpan behind)
    {
        _time.Advance(TimeSpan.FromSeconds(10));
        _watch.Arrived(Lease(_time.GetUtcNow() - behind));
    }

    private static Lease Lease(DateTimeOffset renewed, string ns = "people") => new()
    {
        Metadata = new ObjectMeta
        {
            Name = "berth-edge-activity-a",
            Namespace = ns,
            Uid = "1",
            Annotations = new Dictionary<string, string>
            {
                [EdgeLeases.ActivityWrittenUntil] = Times.Text(renewed.Ticks > TimeSpan.TicksPerDay ? renewed.AddSeconds(-2) : renewed),
            },
        },
        Spec = new LeaseSpec { RenewTime = renewed, LeaseDurationSeconds = 30 },
    };
}
