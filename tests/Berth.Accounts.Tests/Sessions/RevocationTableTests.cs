using Testing;

namespace Berth.Accounts.Tests.Sessions;

public class RevocationTableTests
{
    private static readonly PersonKey Ann = new("https://idp.example", "ann");
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void IsRevoked_RevokedSession_True()
    {
        var table = new RevocationTable(_clock);
        table.AddSession("s1", _clock.GetUtcNow().AddHours(1));

        Assert.True(table.IsRevoked("s1", Ann, 0));
        Assert.False(table.IsRevoked("s2", Ann, 0));
    }

    [Fact]
    public void IsRevoked_EpochBelowThePersons_OnlyThatPersonsOldSessions()
    {
        var table = new RevocationTable(_clock);
        table.AddEpoch(Ann, 2);

        Assert.True(table.IsRevoked("s", Ann, 1));
        Assert.False(table.IsRevoked("s", Ann, 2));
        Assert.False(table.IsRevoked("s", Ann with { Subject = "ANN" }, 0));
        Assert.False(table.IsRevoked("s", Ann with { Issuer = "https://idp.example/" }, 0));
    }

    [Fact]
    public void AddEpoch_LowerThanKnown_ChangesNothing()
    {
        var table = new RevocationTable(_clock);
        var told = 0;
        table.Revoked += _ => told++;
        table.AddEpoch(Ann, 5);
        table.AddEpoch(Ann, 3);
        table.AddEpoch(Ann, 5);

        Assert.True(table.IsRevoked("s", Ann, 4));
        Assert.Equal(1, told);
    }

    [Fact]
    public void AddSession_AfterOthersEnded_ForgetsThem()
    {
        var table = new RevocationTable(_clock);
        for (var i = 0; i < 100; i++)
        {
            table.AddSession($"s{i}", _clock.GetUtcNow().AddHours(1));
        }

        _clock.Advance(TimeSpan.FromHours(2));
        table.AddSession("last", _clock.GetUtcNow().AddHours(1));

        Assert.Equal(1, table.Count);
    }

    [Fact]
    public void AddSession_Twice_TellsOnce()
    {
        var table = new RevocationTable(_clock);
        var told = new List<Revocation>();
        table.Revoked += told.Add;
        table.AddSession("s1", _clock.GetUtcNow().AddHours(1));
        table.AddSession("s1", _clock.GetUtcNow().AddHours(1));

        Assert.Equal([new Revocation("s1", null)], told);
    }
}
