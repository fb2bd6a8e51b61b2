using Testing;

namespace Berth.Accounts.Tests.Vault;

/// <summary>One refresh at a time, committed before it is used; on a real PostgreSQL.</summary>
public class RefreshTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task Get_JustStored_GivesTheStoredAccessTokenAndAsksNobody()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await vault.StoreAsync(world.Grant(), default);

        var result = await vault.GetAsync(token.Id);

        Assert.Equal("first-access-token", result.Token?.Value);
        Assert.Equal(0, world.Provider.Requests);
        Assert.InRange(result.Token!.Remaining, TimeSpan.FromSeconds(290), TimeSpan.FromSeconds(300));
    }

    [SkippableFact]
    public async Task Get_WithinTheMargin_Refreshes()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await vault.StoreAsync(world.Grant(), default);

        await world.AdvanceAsync(TimeSpan.FromSeconds(260));
        Assert.True((await vault.GetAsync(token.Id)).Token!.IsCached);
        await world.AdvanceAsync(TimeSpan.FromSeconds(15));
        var refreshed = await vault.GetAsync(token.Id);

        Assert.StartsWith("at-ann-", refreshed.Token!.Value, StringComparison.Ordinal);
        Assert.False(refreshed.Token.IsCached);
        Assert.Equal(2, refreshed.Token.Version);
        Assert.Equal(1, world.Provider.Requests);
    }

    [SkippableFact]
    public async Task Get_ManyTimesOverManyLives_EachRotationIsUsedOnce()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await world.StoreColdAsync(vault);
        for (var life = 1; life <= 5; life++)
        {
            Assert.Equal(AccessTokenOutcome.Granted, (await vault.GetAsync(token.Id)).Outcome);
            Assert.Equal(life, world.Provider.Requests);
            await world.AdvanceAsync(TimeSpan.FromMinutes(5));
        }
    }

    [SkippableFact]
    public async Task Get_ProviderSendsNoNewRefreshToken_KeepsTheOldOne()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        world.Provider.Rotates = false;
        var vault = await world.StartAsync();
        var token = await world.StoreColdAsync(vault);

        Assert.Equal(AccessTokenOutcome.Granted, (await vault.GetAsync(token.Id)).Outcome);
        await world.AdvanceAsync(TimeSpan.FromMinutes(5));
        var second = await vault.GetAsync(token.Id);

        Assert.Equal(AccessTokenOutcome.Granted, second.Outcome);
        Assert.Equal(3, second.Token!.Version);
    }

    [SkippableFact]
    public async Task Get_FiftyCallersOnEachOfTwoReplicas_OneTokenRequestAndAHundredAnswers()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var one = await world.StartAsync(TimeProvider.System);
        var two = await world.StartAsync(TimeProvider.System);
        var token = await world.StoreColdAsync(one);
        var go = new TaskCompletionSource();
        world.Provider.Before = async _ =>
        {
            await go.Task;
            return null;
        };

        var callers = Enumerable.Range(0, 100).Select(i => (i % 2 == 0 ? one : two).GetAsync(token.Id)).ToArray();
        await Wait.UntilAsync(() => world.Provider.Requests > 0);
        go.SetResult();
        var results = await Task.WhenAll(callers);

        Assert.All(results, r => Assert.Equal(AccessTokenOutcome.Granted, r.Outcome));
        Assert.Single(results.Select(r => r.Token!.Value).Distinct());
        Assert.Equal(1, world.Provider.Requests);
    }

    [SkippableFact]
    public async Task Get_SomebodyElses_IsNotFoundAndStartsNoRefresh()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await world.StoreColdAsync(vault);

        var cold = await vault.GetAsync(token.Id, VaultWorld.Bob);
        await vault.GetAsync(token.Id);
        var warm = await vault.GetAsync(token.Id, VaultWorld.Bob);
        var other = await vault.GetAsync(Guid.NewGuid(), VaultWorld.Bob);

        Assert.All([cold, warm, other], r => Assert.Equal((AccessTokenOutcome.NotFound, other.Detail), (r.Outcome, r.Detail)));
        Assert.Equal(1, world.Provider.Requests);
    }

    [SkippableFact]
    public async Task Get_LeaseOfAnother_WaitsHoldingNoConnectionAndAsksNobody()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync(TimeProvider.System);
        var token = await world.StoreColdAsync(vault);
        Assert.NotNull(await vault.Store.TryLeaseAsync(token.Id, 1, TimeSpan.FromMinutes(1), default));

        var waiting = vault.GetAsync(token.Id);
        await Wait.UntilAsync(async () => await IdleAsync(world) is 0L && !waiting.IsCompleted);
        await vault.StoreAsync(world.Grant(accessToken: "of-the-other"), default);

        Assert.Equal("of-the-other", (await waiting).Token?.Value);
        Assert.Equal(0, world.Provider.Requests);
    }

    [SkippableFact]
    public async Task Get_ProviderTellsNoLife_TakesTheTokensOwnElseTheDefault()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        world.Provider.ExpiresIn = null;
        var vault = await world.StartAsync();
        var token = await world.StoreColdAsync(vault);
        var byDefault = (await vault.GetAsync(token.Id)).Token!;

        var payload = Convert.ToBase64String("{\"iat\":1000,\"exp\":1900}"u8.ToArray()).TrimEnd('=');
        world.Provider.After = answer =>
        {
            answer.AccessToken!.Dispose();
            return Task.FromResult(new TokenAnswer
            {
                Kind = TokenAnswerKind.Tokens,
                AccessToken = Secret.FromText($"e30.{payload}.c2ln"),
                RefreshToken = answer.RefreshToken,
            });
        };
        var byItself = (await vault.GetAsync(token.Id, request: new() { ForceRefresh = true })).Token!;

        Assert.InRange(byDefault.Remaining, TimeSpan.FromSeconds(299), TimeSpan.FromSeconds(300));
        Assert.InRange(byItself.Remaining, TimeSpan.FromSeconds(899), TimeSpan.FromSeconds(900));
    }

    [SkippableFact]
    public async Task Get_AnswerWithoutAccessToken_KeepsTheNewRefreshToken()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await world.StoreColdAsync(vault);
        world.Provider.After = answer =>
        {
            world.Provider.After = null;
            answer.AccessToken!.Dispose();
            return Task.FromResult(new TokenAnswer { Kind = TokenAnswerKind.Tokens, RefreshToken = answer.RefreshToken });
        };

        var flawed = await vault.GetAsync(token.Id);
        await world.AdvanceAsync(TimeSpan.FromSeconds(2));
        var healed = await vault.GetAsync(token.Id);

        Assert.Equal(AccessTokenOutcome.ProviderError, flawed.Outcome);
        Assert.Equal(AccessTokenOutcome.Granted, healed.Outcome);
    }

    private static async Task<object?> IdleAsync(VaultWorld world) => await world.ScalarAsync(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in%'");
}
