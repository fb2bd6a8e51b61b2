using System.Diagnostics;
using Npgsql;
using Testing;

namespace Berth.Accounts.Tests.Vault;

/// <summary>What a refresh asks of the database: two statements where the row's version is known, and never on a stale belief.</summary>
public class RefreshStatementsTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task Get_SpentTokenOfAKnownRow_LeaseAndCommitAreAllStatements()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await world.StoreColdAsync(vault);
        await vault.GetAsync(token.Id);
        await world.AdvanceAsync(TimeSpan.FromMinutes(5));

        var statements = 0;
        var name = new NpgsqlConnectionStringBuilder(world.Database).Database;
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = a => Interlocked.Add(ref statements, Equals(a.GetTagItem("db.namespace") ?? a.GetTagItem("db.name"), name)
                ? 1 : 0),
        };
        ActivitySource.AddActivityListener(listener);
        var refreshed = await vault.GetAsync(token.Id);

        Assert.Equal(3, refreshed.Token?.Version);
        Assert.Equal(2, statements);
    }

    [SkippableFact]
    public async Task Get_SpentTokenButASiblingHasRefreshed_GivesTheSiblingsAndAsksNobody()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var (vault, sibling) = (await world.StartAsync(), await world.StartAsync());
        var token = await world.StoreColdAsync(vault);
        await vault.GetAsync(token.Id);
        var known = vault.Cache.Find(token.Id)!;
        await world.AdvanceAsync(TimeSpan.FromMinutes(5));
        var theirs = await sibling.GetAsync(token.Id);
        await Wait.UntilAsync(() => Task.FromResult(vault.Cache.Find(token.Id) is null));

        // As it is when the notice is on its way yet.
        var late = await vault.Runner.RunAsync(token.Id, VaultWorld.Ann, default, known.Version, default);

        Assert.Equal(theirs.Token?.Version, late.Token?.Version);
        Assert.Equal(2, world.Provider.Requests);
    }

    [SkippableFact]
    public async Task Get_SpentHereButNotByTheDatabasesClock_GivesItAndLeavesNoLeaseBehind()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await world.StoreColdAsync(vault);
        await vault.GetAsync(token.Id);

        world.Clock.Advance(TimeSpan.FromMinutes(5));
        var given = await vault.GetAsync(token.Id);

        Assert.Equal((AccessTokenOutcome.Granted, 2L), (given.Outcome, given.Token?.Version));
        Assert.Equal(1, world.Provider.Requests);
        Assert.Equal(1L, await world.ScalarAsync(
            "SELECT count(*) FROM berth.vault_tokens WHERE lease_id IS NULL AND refreshing_until IS NULL AND unanswered_since IS NULL"));
    }

    [SkippableFact]
    public async Task Lease_StatementMadeAgainAfterItsAnswerWasLost_IsNeitherAnothersNorACrash()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await world.StoreColdAsync(vault);
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        var time = TimeSpan.FromSeconds(30);

        await vault.Store.TryLeaseAsync(token.Id, 1, time, first, default);
        var again = await vault.Store.TryLeaseAsync(token.Id, 1, time, first, default);
        var others = await vault.Store.TryLeaseAsync(token.Id, 1, time, second, default);

        // A holder that did crash is still counted, once, however often the statement after it is made.
        await world.AdvanceAsync(TimeSpan.FromSeconds(31));
        await vault.Store.TryLeaseAsync(token.Id, 1, time, second, default);
        var afterCrash = await vault.Store.TryLeaseAsync(token.Id, 1, time, second, default);

        Assert.Equal(new VaultLease(first, Unanswered: false, Interrupted: 0), again?.Lease);
        Assert.Null(others);
        Assert.Equal(new VaultLease(second, Unanswered: true, Interrupted: 1), afterCrash?.Lease);
    }

    [SkippableFact]
    public async Task Get_SpentTokenWhileAnotherHoldsTheLease_Waits()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await world.StoreColdAsync(vault);
        await vault.GetAsync(token.Id);
        await world.AdvanceAsync(TimeSpan.FromMinutes(5));
        var held = await vault.Store.TryLeaseAsync(token.Id, 2, TimeSpan.FromMinutes(1), default);

        var waiting = vault.GetAsync(token.Id);
        await Wait.UntilAsync(() => Task.FromResult(vault.Signals.IsAwaited(token.Id)));
        await vault.Store.ReleaseAsync(token.Id, held!.Lease.Id, answered: true, default);

        Assert.Equal(3, (await waiting).Token?.Version);
        Assert.Equal(2, world.Provider.Requests);
    }
}
