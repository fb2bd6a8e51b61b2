using Testing;

namespace Berth.Accounts.Tests.Vault;

/// <summary>Tombstone first, then the provider, then nothing is left.</summary>
public class RevocationTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task Revoke_DryRun_TellsAndChangesNothing()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await vault.StoreAsync(world.Grant(), default);

        var plan = await vault.RevokeAsync(token.Id, VaultWorld.Ann, dryRun: true, default);

        Assert.Equal(new TokenRevocation(token.Id, false, 0, 0, UpstreamRevocation.Queued), plan);
        Assert.Equal(AccessTokenOutcome.Granted, (await vault.GetAsync(token.Id)).Outcome);
        Assert.Equal(0, await vault.Jobs.DeliverAsync(default));
    }

    [SkippableFact]
    public async Task Revoke_Token_TombstoneThenProviderThenNothingSealedIsLeft()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        world.Provider.RevocationAnswer = RevocationAnswer.Failed;
        var vault = await world.StartAsync();
        var grant = world.Grant();
        var token = await vault.StoreAsync(grant, default);

        var revoked = await vault.RevokeAsync(token.Id, VaultWorld.Ann, dryRun: false, default);

        Assert.Equal((true, UpstreamRevocation.Queued), (revoked!.Applied, revoked.Upstream));
        Assert.Equal(AccessTokenOutcome.Revoked, (await vault.GetAsync(token.Id)).Outcome);
        Assert.Equal(1L, await world.ScalarAsync("""
            SELECT count(*) FROM berth.vault_tokens
            WHERE state = 'revoked' AND num_nonnulls(refresh_token, access_token, fingerprint) = 0
            """));

        // Not told yet: the first try failed, the next is later, and then nothing is left.
        await Wait.UntilAsync(() => !world.Provider.Revoked.IsEmpty);
        world.Provider.RevocationAnswer = RevocationAnswer.Done;
        await Wait.UntilAsync(async () =>
        {
            // The job may write down only now when the next try is.
            await world.AdvanceAsync(TimeSpan.FromMinutes(1));
            await vault.Jobs.DeliverAsync(default);
            return await world.ScalarAsync("SELECT count(*) FROM berth.vault_outbox") is 0L;
        });
        Assert.Equal([grant.RefreshToken, grant.RefreshToken], world.Provider.Revoked);
        Assert.Contains(world.Audited, a => a is { Action: "vault.revoke-upstream", Outcome: "allowed" });
    }

    [SkippableFact]
    public async Task Revoke_ProviderNeverTakesIt_WhatIsLeftIsDestroyedAfterAWhile()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        world.Provider.RevocationAnswer = RevocationAnswer.Failed;
        var vault = await world.StartAsync();
        var token = await vault.StoreAsync(world.Grant(), default);
        await vault.RevokeAsync(token.Id, VaultWorld.Ann, dryRun: false, default);
        await Wait.UntilAsync(() => !world.Provider.Revoked.IsEmpty);

        await world.AdvanceAsync(TimeSpan.FromDays(8));
        await Wait.UntilAsync(async () =>
        {
            await vault.Jobs.DeliverAsync(default);
            return await world.ScalarAsync("SELECT count(*) FROM berth.vault_outbox") is 0L;
        });

        Assert.Contains(world.Audited, a => a is { Action: "vault.revoke-upstream", Outcome: "failed" });
    }

    [SkippableFact]
    public async Task Revoke_SomebodyElses_IsNothing()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await vault.StoreAsync(world.Grant(), default);

        Assert.Null(await vault.RevokeAsync(token.Id, VaultWorld.Bob, dryRun: false, default));
        Assert.Equal(AccessTokenOutcome.Granted, (await vault.GetAsync(token.Id)).Outcome);
    }

    [SkippableFact]
    public async Task Revoke_SameTokenOfAnotherOwner_ProviderIsNotTold()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var grant = world.Grant();
        var token = await vault.StoreAsync(grant, default);
        await vault.StoreAsync(
            new NewGrant { Owner = VaultWorld.Bob, Connection = grant.Connection, RefreshToken = grant.RefreshToken }, default);

        var revoked = await vault.RevokeAsync(token.Id, VaultWorld.Ann, dryRun: false, default);

        Assert.Equal(new TokenRevocation(token.Id, true, 1, 0, UpstreamRevocation.SharedToken), revoked);
        Assert.Equal(0L, await world.ScalarAsync("SELECT count(*) FROM berth.vault_outbox"));
    }

    [SkippableFact]
    public async Task Revoke_OtherTokenOfTheSameProviderSession_ProviderIsNotToldUntilTheLast()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        NewGrant Grant(string purpose) => new()
        {
            Owner = VaultWorld.Ann,
            Connection = world.Connection.Name,
            RefreshToken = world.Provider.Issue("ann"),
            ProviderSessionId = "sid-1",
            Purpose = purpose,
        };
        var one = await vault.StoreAsync(Grant("a"), default);
        var two = await vault.StoreAsync(Grant("b"), default);

        var first = await vault.RevokeAsync(one.Id, VaultWorld.Ann, dryRun: false, default);
        var last = await vault.RevokeAsync(two.Id, VaultWorld.Ann, dryRun: false, default);

        Assert.Equal((1, UpstreamRevocation.SharedSession), (first!.SharedSessions, first.Upstream));
        Assert.Equal((0, UpstreamRevocation.Queued), (last!.SharedSessions, last.Upstream));
    }

    [SkippableFact]
    public async Task Revoke_Twice_SecondHasNothingToDo()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await vault.StoreAsync(world.Grant(), default);
        await vault.RevokeAsync(token.Id, VaultWorld.Ann, dryRun: false, default);

        Assert.Equal(UpstreamRevocation.NotNeeded, (await vault.RevokeAsync(token.Id, VaultWorld.Ann, dryRun: false, default))!.Upstream);
    }

    [SkippableFact]
    public async Task Revoke_WhileARefreshIsUnderWay_LateResultIsDiscardedAndRevokedUpstream()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var grant = world.Grant(accessToken: null);
        var token = await vault.StoreAsync(grant, default);
        string? late = null;
        world.Provider.After = async answer =>
        {
            late = answer.RefreshToken!.Reveal();
            await vault.RevokeAsync(token.Id, VaultWorld.Ann, dryRun: false, default);
            return answer;
        };

        var result = await vault.GetAsync(token.Id);

        Assert.Equal(AccessTokenOutcome.Revoked, result.Outcome);
        await Wait.UntilAsync(async () =>
        {
            await vault.Jobs.DeliverAsync(default);
            return world.Provider.Revoked.Count == 2;
        });
        Assert.Equal(new[] { grant.RefreshToken, late }.Order(), world.Provider.Revoked.Order());
        Assert.Null(vault.Cache.Find(token.Id));
    }

    [SkippableFact]
    public async Task Revoke_OnAnotherReplica_MemoryHereGivesNothingAnyMore()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var one = await world.StartAsync(TimeProvider.System);
        var two = await world.StartAsync(TimeProvider.System);
        var token = await one.StoreAsync(world.Grant(), default);
        Assert.Equal(AccessTokenOutcome.Granted, (await two.GetAsync(token.Id)).Outcome);
        Assert.Equal(AccessTokenOutcome.Granted, (await two.GetAccessTokenAsync(VaultWorld.Ann, "calendar", default, default)).Outcome);
        Assert.NotNull(two.Cache.Find(token.Id));

        await one.RevokeAsync(token.Id, VaultWorld.Ann, dryRun: false, default);

        await Wait.UntilAsync(() => two.Cache.Find(token.Id) is null);
        Assert.Equal(AccessTokenOutcome.Revoked, (await two.GetAsync(token.Id)).Outcome);
        Assert.Equal(AccessTokenOutcome.Revoked, (await two.GetAccessTokenAsync(VaultWorld.Ann, "calendar", default, default)).Outcome);
    }

    [SkippableFact]
    public async Task Clean_OldTombstones_AreGoneAndYoungOnesStay()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var old = await vault.StoreAsync(world.Grant(), default);
        await vault.RevokeAsync(old.Id, VaultWorld.Ann, dryRun: false, default);
        await world.AdvanceAsync(TimeSpan.FromDays(31));
        var young = await vault.StoreAsync(world.Grant(), default);
        await vault.RevokeAsync(young.Id, VaultWorld.Ann, dryRun: false, default);

        await vault.Store.CleanAsync(world.Options.KeepTombstones, default);

        Assert.Equal([young.Id], (await vault.ListAsync(VaultWorld.Ann, default)).Select(t => t.Id));
    }
}
