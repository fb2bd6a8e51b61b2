using Testing;

namespace Berth.Accounts.Tests.Vault;

/// <summary>The vault against a provider written by other people that rotates always and forgives nothing.</summary>
public class ForeignProviderTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task Get_TwentyFiveCallersInEachOfTwoProcesses_OneTokenRequestAndFiftyAnswers()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        await using var provider = await ForeignGrants.StartProviderAsync();
        world.Connection = provider.Connection();
        var token = await StoreAsync(world, provider);
        await using var one = await VaultProcess.StartAsync(world);
        await using var two = await VaultProcess.StartAsync(world);

        await Task.WhenAll(one.AskAsync(token.Id, "ann", 25), two.AskAsync(token.Id, "ann", 25));
        var (first, second) = (await one.ReadAsync(), await two.ReadAsync());

        Assert.Matches("^Granted=25 [0-9A-F]{64}$", first);
        Assert.Equal(first, second);
        Assert.Equal(1, provider.Proxy.Refreshes);
    }

    [SkippableFact]
    public async Task Get_ProcessKilledBetweenTheAnswerAndTheCommit_OneRetryThenTheCauseIsTold()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        world.Options = world.Options with { Lease = TimeSpan.FromSeconds(4), ProviderTimeout = TimeSpan.FromSeconds(2) };
        await using var provider = await ForeignGrants.StartProviderAsync();
        world.Connection = provider.Connection();
        var token = await StoreAsync(world, provider);
        await using var doomed = await VaultProcess.StartAsync(world);
        var answered = new TaskCompletionSource();
        provider.Proxy.Hold = () =>
        {
            answered.TrySetResult();
            return Task.Delay(Timeout.Infinite);
        };

        await doomed.AskAsync(token.Id, "ann", 1);
        await answered.Task.WaitAsync(TimeSpan.FromMinutes(1));
        await doomed.KillAsync();
        provider.Proxy.Hold = null;
        using var http = new OAuthProvider(TimeSpan.FromSeconds(20), TimeProvider.System);
        var survivor = await world.StartAsync(TimeProvider.System, provider: http);
        var result = await survivor.GetAsync(token.Id);
        var again = await survivor.GetAsync(token.Id);

        Assert.Equal((AccessTokenOutcome.NeedsConsent, ReconsentCause.RotationLost), (result.Outcome, result.Cause));
        Assert.Equal(AccessTokenOutcome.NeedsConsent, again.Outcome);
        Assert.Equal(2, provider.Proxy.Refreshes);

        // And the way on works: a new consent, the same id.
        var renewed = await survivor.StoreAsync(await provider.GrantAsync("ann"), default);
        Assert.Equal(token.Id, renewed.Id);
        Assert.Equal(AccessTokenOutcome.Granted, (await survivor.GetAsync(token.Id)).Outcome);
    }

    [SkippableFact]
    public async Task Get_ProviderAnswers500AfterItHasRotated_OneRetryThenTheCauseIsTold()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        world.Options = world.Options with { FirstBackOff = TimeSpan.FromMilliseconds(10) };
        await using var provider = await ForeignGrants.StartProviderAsync();
        world.Connection = provider.Connection();
        using var http = new OAuthProvider(TimeSpan.FromSeconds(20), TimeProvider.System);
        var vault = await world.StartAsync(TimeProvider.System, provider: http);
        var token = await vault.StoreAsync(await provider.GrantAsync("ann"), default);
        provider.Proxy.Spoil = 500;
        var spoiled = await vault.GetAsync(token.Id);
        provider.Proxy.Spoil = null;

        AccessTokenResult? end = null;
        await Wait.UntilAsync(async () => (end = await vault.GetAsync(token.Id)).Outcome == AccessTokenOutcome.NeedsConsent);

        Assert.Equal(AccessTokenOutcome.ProviderUnavailable, spoiled.Outcome);
        Assert.Equal(ReconsentCause.RotationLost, end!.Cause);
        Assert.Equal(2, provider.Proxy.Refreshes);
    }

    [SkippableFact]
    public async Task Revoke_AtTheVault_EndsTheTokenAtTheProviderAndTheOtherWayRound()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        await using var provider = await ForeignGrants.StartProviderAsync();
        world.Connection = provider.Connection();
        using var http = new OAuthProvider(TimeSpan.FromSeconds(20), TimeProvider.System);
        var vault = await world.StartAsync(TimeProvider.System, provider: http);
        var grant = await provider.GrantAsync("ann");
        var token = await vault.StoreAsync(grant, default);
        var upstream = await vault.StoreAsync(await provider.GrantAsync("bob"), default);

        await vault.RevokeAsync(token.Id, VaultWorld.Ann, dryRun: false, default);
        await Wait.UntilAsync(async () => await world.ScalarAsync("SELECT count(*) FROM berth.vault_outbox") is 0L);
        using var refreshToken = Secret.FromText(grant.RefreshToken);
        using var used = await http.RefreshAsync(provider.Connection(), refreshToken, default);
        Assert.Equal(TokenAnswerKind.InvalidGrant, used.Kind);

        // Bob withdraws at the provider: found out at the next refresh, and told.
        var sealedToken = (await vault.Store.ReadAsync(upstream.Id, default))!;
        using var keys = VaultKeyRing.Create(world.Options, File.ReadAllText, (_, _) => { })!;
        Envelope.TryOpen(sealedToken.RefreshToken, keys, sealedToken.Context(SealedKind.Refresh), out var bobs);
        await http.RevokeAsync(provider.Connection(), bobs, default);
        var result = await vault.GetAsync(upstream.Id, VaultWorld.Bob);
        Assert.Equal((AccessTokenOutcome.NeedsConsent, ReconsentCause.Refused), (result.Outcome, result.Cause));
    }

    [SkippableFact]
    public async Task Soak_TwoPeopleAThousandRequestsTwoReplicas_NeverTheOthersToken()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        await using var provider = await ForeignGrants.StartProviderAsync(accessSeconds: 20);
        world.Connection = provider.Connection();
        using var http = new OAuthProvider(TimeSpan.FromSeconds(20), TimeProvider.System);
        TokenVault[] vaults =
        [
            await world.StartAsync(TimeProvider.System, provider: http), await world.StartAsync(TimeProvider.System, provider: http),
        ];
        string[] people = ["ann", "bob"];
        var tokens = new Dictionary<string, StoredToken>();
        foreach (var person in people)
        {
            tokens[person] = await vaults[0].StoreAsync(await provider.GrantAsync(person), default);
        }

        var random = new Random(7);
        var wishes = Enumerable.Range(0, 1000).Select(i => (
            Vault: vaults[random.Next(2)], Person: people[random.Next(2)], Asks: people[random.Next(2)], Force: i % 97 == 0,
            ByConnection: random.Next(4) == 0)).ToList();
        await Parallel.ForEachAsync(wishes, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (wish, cancellationToken) =>
        {
            var asks = new PersonKey("https://login.example", wish.Asks);
            var request = new AccessTokenRequest { ForceRefresh = wish.Force };
            var result = wish.ByConnection
                ? await wish.Vault.GetAccessTokenAsync(asks, "calendar", request, cancellationToken)
                : await wish.Vault.GetAccessTokenAsync(tokens[wish.Person].Id, asks, request, cancellationToken);
            if (!wish.ByConnection && wish.Person != wish.Asks)
            {
                Assert.Equal(AccessTokenOutcome.NotFound, result.Outcome);
                Assert.Null(result.Token);
                return;
            }

            Assert.True(result.Outcome == AccessTokenOutcome.Granted, result.ToString());
            Assert.Equal(wish.Asks, ForeignProvider.SubjectOf(result.Token!.Value));
        });

        Assert.InRange(provider.Proxy.Refreshes, 2, 200);
    }

    private static async Task<StoredToken> StoreAsync(VaultWorld world, ForeignProvider provider)
    {
        var vault = await world.StartAsync(TimeProvider.System);
        var token = await vault.StoreAsync(await provider.GrantAsync("ann"), default);
        await vault.DisposeAsync();
        return token;
    }
}
