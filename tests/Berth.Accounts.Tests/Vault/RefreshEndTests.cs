using Testing;

namespace Berth.Accounts.Tests.Vault;

/// <summary>
/// How a stored token ends: refused, its rotation lost, its refreshers crashed; and how it lives again. On a real PostgreSQL.
/// </summary>
public class RefreshEndTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task Get_ProviderRefusesTheGrant_IsTerminalAndNeverAskedAgain()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var grant = world.Grant(accessToken: null);
        var token = await vault.StoreAsync(grant, default);
        world.Provider.Kill(grant.RefreshToken);

        var first = await vault.GetAsync(token.Id);
        var second = await vault.GetAsync(token.Id);

        Assert.All([first, second], r => Assert.Equal((AccessTokenOutcome.NeedsConsent, ReconsentCause.Refused), (r.Outcome, r.Cause)));
        Assert.Equal(1, world.Provider.Requests);
        Assert.Contains(world.Audited, a => a.Action == "vault.end" && a.Actor == VaultWorld.Ann);
        Assert.Equal(1L, await world.ScalarAsync("SELECT count(*) FROM berth.vault_tokens WHERE refresh_token IS NULL AND kek_id IS NULL"));
    }

    [SkippableFact]
    public async Task Store_AfterItEnded_TheSameIdWorksAgain()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var grant = world.Grant(accessToken: null);
        var token = await vault.StoreAsync(grant, default);
        world.Provider.Kill(grant.RefreshToken);
        await vault.GetAsync(token.Id);

        var again = await vault.StoreAsync(world.Grant(), default);

        Assert.Equal(token.Id, again.Id);
        Assert.Equal("first-access-token", (await vault.GetAsync(token.Id)).Token?.Value);
    }

    [SkippableFact]
    public async Task Get_RefusedButASiblingHasWon_GivesTheSiblingsToken()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await world.StoreColdAsync(vault);
        world.Provider.Before = async _ =>
        {
            world.Provider.Before = null;
            await vault.StoreAsync(world.Grant(accessToken: "of-the-sibling"), default);
            return TokenAnswer.Failed(TokenAnswerKind.InvalidGrant, "400 invalid_grant");
        };

        var result = await vault.GetAsync(token.Id);

        Assert.Equal("of-the-sibling", result.Token?.Value);
    }

    [SkippableFact]
    public async Task Get_ProviderAnswers500AfterItRotated_OneRetryThenRotationLost()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await world.StoreColdAsync(vault);
        world.Provider.After = answer =>
        {
            answer.Dispose();
            world.Provider.After = null;
            return Task.FromResult(TokenAnswer.Failed(TokenAnswerKind.Unknown, "500"));
        };

        var failed = await vault.GetAsync(token.Id);
        var tooSoon = await vault.GetAsync(token.Id);
        await world.AdvanceAsync(TimeSpan.FromSeconds(2));
        var ended = await vault.GetAsync(token.Id);

        Assert.Equal(AccessTokenOutcome.ProviderUnavailable, failed.Outcome);
        Assert.NotNull(failed.RetryAfter);
        Assert.Equal(AccessTokenOutcome.ProviderUnavailable, tooSoon.Outcome);
        Assert.Equal((AccessTokenOutcome.NeedsConsent, ReconsentCause.RotationLost), (ended.Outcome, ended.Cause));
        Assert.Equal(2, world.Provider.Requests);
    }

    [SkippableFact]
    public async Task Get_RefusedAfterAnAttemptThatNeverReachedTheProvider_IsNotCalledLostRotation()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var grant = world.Grant(accessToken: null);
        var token = await vault.StoreAsync(grant, default);
        world.Provider.Before = _ => Task.FromResult<TokenAnswer?>(TokenAnswer.Failed(TokenAnswerKind.NotDone, "it cannot be reached"));
        await vault.GetAsync(token.Id);
        world.Provider.Before = null;
        world.Provider.Kill(grant.RefreshToken);
        await world.AdvanceAsync(TimeSpan.FromSeconds(2));

        Assert.Equal(ReconsentCause.Refused, (await vault.GetAsync(token.Id)).Cause);
    }

    [SkippableFact]
    public async Task Get_HolderOfTheLeaseCrashed_OneRetryAfterTheLeaseHasRunOut()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await world.StoreColdAsync(vault);
        await CrashAsync(world, vault, token.Id);

        var result = await vault.GetAsync(token.Id);

        Assert.Equal(AccessTokenOutcome.Granted, result.Outcome);
        Assert.Equal(1, world.Provider.Requests);
        Assert.Equal(1L, await world.ScalarAsync(
            "SELECT count(*) FROM berth.vault_tokens WHERE unanswered_since IS NULL AND interrupted = 0"));
    }

    [SkippableFact]
    public async Task Get_TwoHoldersCrashedInARow_EndsWithoutAThirdAttempt()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await world.StoreColdAsync(vault);
        await CrashAsync(world, vault, token.Id);
        await CrashAsync(world, vault, token.Id);

        var result = await vault.GetAsync(token.Id);

        Assert.Equal((AccessTokenOutcome.NeedsConsent, ReconsentCause.Interrupted), (result.Outcome, result.Cause));
        Assert.Equal(0, world.Provider.Requests);
    }

    [SkippableFact]
    public async Task Get_RetryAfterACrashIsRefused_IsRotationLost()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var grant = world.Grant(accessToken: null);
        var token = await vault.StoreAsync(grant, default);
        await CrashAsync(world, vault, token.Id);
        world.Provider.Kill(grant.RefreshToken);

        var result = await vault.GetAsync(token.Id);

        Assert.Equal((AccessTokenOutcome.NeedsConsent, ReconsentCause.RotationLost), (result.Outcome, result.Cause));
        Assert.Equal(1, world.Provider.Requests);
    }

    private static async Task CrashAsync(VaultWorld world, TokenVault vault, Guid id)
    {
        Assert.NotNull(await vault.Store.TryLeaseAsync(id, 1, TimeSpan.FromSeconds(30), default));
        await world.AdvanceAsync(TimeSpan.FromSeconds(31));
    }
}
