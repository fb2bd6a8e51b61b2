using Testing;

namespace Berth.Accounts.Tests.Vault;

/// <summary>The database goes away: a server of its own, since these tests stop it.</summary>
public class VaultOutageTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task Get_DatabaseGone_MemoryGoesOnAndTheRestIsToldToWait()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        Skip.IfNot(postgres.IsOwned, "the server of BERTH_TEST_POSTGRES must not be stopped");
        var vault = await world.StartAsync(TimeProvider.System);
        var warm = await vault.StoreAsync(world.Grant(), default);
        await vault.GetAsync(warm.Id);
        await vault.GetAccessTokenAsync(VaultWorld.Ann, "calendar", default, default);
        var cold = await world.StoreColdAsync(vault, "bob");

        postgres.Stop();
        await Wait.UntilAsync(() => !vault.IsConnected);
        var fromMemory = await vault.GetAsync(warm.Id);
        var byConnection = await vault.GetAccessTokenAsync(VaultWorld.Ann, "calendar", default, default);
        var nothing = await vault.GetAsync(cold.Id, VaultWorld.Bob);
        postgres.Start();

        Assert.Equal("first-access-token", fromMemory.Token?.Value);
        Assert.Equal("first-access-token", byConnection.Token?.Value);
        Assert.Equal(AccessTokenOutcome.VaultUnavailable, nothing.Outcome);
        Assert.NotNull(nothing.RetryAfter);
        Assert.Equal(0, world.Provider.Requests);
        await Wait.UntilAsync(async () => (await vault.GetAsync(cold.Id, VaultWorld.Bob)).Outcome == AccessTokenOutcome.Granted);
    }

    [SkippableFact]
    public async Task Get_DatabaseGoneBetweenAnswerAndCommit_NobodyGetsTheTokenBeforeItIsCommittedAndNoneIsLost()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        Skip.IfNot(postgres.IsOwned, "the server of BERTH_TEST_POSTGRES must not be stopped");
        var vault = await world.StartAsync(TimeProvider.System);
        var token = await world.StoreColdAsync(vault);
        world.Provider.After = answer =>
        {
            world.Provider.After = null;
            postgres.Stop();
            return Task.FromResult(answer);
        };

        var early = await vault.GetAsync(token.Id);
        postgres.Start();
        AccessTokenResult? late = null;
        await Wait.UntilAsync(async () => (late = await vault.GetAsync(token.Id)).Outcome == AccessTokenOutcome.Granted);

        Assert.Equal(AccessTokenOutcome.VaultUnavailable, early.Outcome);
        Assert.Equal(2, late!.Token!.Version);
        Assert.Equal(1, world.Provider.Requests);
    }
}
