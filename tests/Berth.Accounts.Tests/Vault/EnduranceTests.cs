using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Testing;

namespace Berth.Accounts.Tests.Vault;

/// <summary>Clocks that are wrong, providers that are gone, tokens that lie idle, and what must never be seen.</summary>
public class EnduranceTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableTheory]
    [InlineData(-5)]
    [InlineData(5)]
    public async Task Get_ReplicaWhoseClockIsFiveMinutesOff_NeitherRefreshesTooEarlyNorServesTooLate(int minutes)
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var right = await world.StartAsync(TimeProvider.System);
        var wrong = await world.StartAsync(new SkewedClock(TimeSpan.FromMinutes(minutes)));
        var token = await world.StoreColdAsync(right);

        // Made by the wrong one, read by the right one, and the other way round: it lasts what the provider said.
        var made = (await wrong.GetAsync(token.Id)).Token!;
        var read = (await right.GetAsync(token.Id)).Token!;
        await world.SetDatabaseAsync(TimeSpan.FromSeconds(200));
        wrong.Cache.Clear(0);
        right.Cache.Clear(0);
        var later = (await wrong.GetAsync(token.Id)).Token!;
        await world.SetDatabaseAsync(TimeSpan.FromSeconds(290));
        wrong.Cache.Clear(0);
        var refreshed = (await wrong.GetAsync(token.Id)).Token!;

        Assert.All([made, read], t => Assert.InRange(t.Remaining, TimeSpan.FromSeconds(280), TimeSpan.FromSeconds(300)));
        Assert.InRange(later.Remaining, TimeSpan.FromSeconds(80), TimeSpan.FromSeconds(100));
        Assert.Equal((made.Value, made.Value), (read.Value, later.Value));
        Assert.NotEqual(made.Value, refreshed.Value);
        Assert.Equal(2, world.Provider.Requests);
    }

    [SkippableTheory]
    [InlineData(-5)]
    [InlineData(5)]
    public async Task Get_LeaseOfAReplicaWhoseClockIsOff_IsNotTaken(int minutes)
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var right = await world.StartAsync(TimeProvider.System);
        var wrong = await world.StartAsync(new SkewedClock(TimeSpan.FromMinutes(minutes)));
        var token = await world.StoreColdAsync(right);

        Assert.NotNull(await wrong.Store.TryLeaseAsync(token.Id, 1, TimeSpan.FromSeconds(30), default));
        Assert.Null(await right.Store.TryLeaseAsync(token.Id, 1, TimeSpan.FromSeconds(30), default));
    }

    [SkippableFact]
    public async Task Get_ProviderGoneForTenMinutes_CachedTokensGoOnUntilTheyExpireThenItRecovers()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await vault.StoreAsync(world.Grant(expiresIn: TimeSpan.FromSeconds(300)), default);
        var gone = true;
        world.Provider.Before = _ =>
            Task.FromResult(gone ? TokenAnswer.Failed(TokenAnswerKind.NotDone, "it cannot be reached") : null);

        var outcomes = new List<AccessTokenOutcome>();
        for (var second = 0; second < 600; second += 10)
        {
            outcomes.Add((await vault.GetAsync(token.Id)).Outcome);
            await world.AdvanceAsync(TimeSpan.FromSeconds(10));
        }

        // From 270 s on refreshing is due; the old token lasts to 300 s all the same.
        Assert.All(outcomes[..30], o => Assert.Equal(AccessTokenOutcome.Granted, o));
        Assert.All(outcomes[30..], o => Assert.Equal(AccessTokenOutcome.ProviderUnavailable, o));
        Assert.InRange(world.Provider.Requests, 5, 25);

        gone = false;
        await world.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(AccessTokenOutcome.Granted, (await vault.GetAsync(token.Id)).Outcome);
    }

    [SkippableFact]
    public async Task Get_ByForceWhileTheProviderIsGone_DoesNotGiveTheRefusedTokenAgain()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await vault.StoreAsync(world.Grant(), default);
        world.Provider.Before = _ => Task.FromResult<TokenAnswer?>(TokenAnswer.Failed(TokenAnswerKind.NotDone, "it cannot be reached"));

        var forced = await vault.GetAsync(token.Id, request: new() { ForceRefresh = true, Rejected = 1 });

        Assert.Equal(AccessTokenOutcome.ProviderUnavailable, forced.Outcome);
    }

    [SkippableFact]
    public async Task Get_ManyWhoSawTheSameRefusal_OneRefresh()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var one = await world.StartAsync(TimeProvider.System);
        var two = await world.StartAsync(TimeProvider.System);
        var token = await one.StoreAsync(world.Grant(), default);
        var request = new AccessTokenRequest { ForceRefresh = true, Rejected = token.Version };

        var results = await Task.WhenAll(
            Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? one : two).GetAsync(token.Id, request: request)));

        Assert.All(results, r => Assert.Equal(2, r.Token!.Version));
        Assert.Equal(1, world.Provider.Requests);
    }

    [SkippableFact]
    public async Task Get_ByConnectionWarm_CostsNoStatement()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        await vault.StoreAsync(world.Grant(), default);
        Assert.Equal(AccessTokenOutcome.NotFound,
            (await vault.GetAccessTokenAsync(VaultWorld.Bob, "calendar", default, default)).Outcome);

        // The notice of the new row makes the vault forget whose it is; one that comes after it tells that it has been heard.
        vault.Cache.Put(VaultWorld.Bob, "calendar", Guid.NewGuid(), 0);
        await world.ExecuteAsync($$"""
            NOTIFY berth_vault,
                '{"id":"{{Guid.NewGuid()}}","version":1,"state":"active","owner":"{{VaultCache.OwnerHash(VaultWorld.Bob)}}"}'
            """);
        await Wait.UntilAsync(() => vault.Cache.Find(VaultWorld.Bob, "calendar") is null);
        Assert.Equal(AccessTokenOutcome.Granted,
            (await vault.GetAccessTokenAsync(VaultWorld.Ann, "calendar", default, default)).Outcome);
        await world.ExecuteAsync("ALTER TABLE berth.vault_tokens RENAME TO hidden");

        var warm = await vault.GetAccessTokenAsync(VaultWorld.Ann, "calendar", default, default);

        Assert.Equal("first-access-token", warm.Token?.Value);
    }

    [SkippableFact]
    public async Task KeepAlive_IdleTokens_AreRefreshedOnceByWhoeverComesFirst()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var one = await world.StartAsync(TimeProvider.System);
        var two = await world.StartAsync(TimeProvider.System);
        var token = await one.StoreAsync(world.Grant(), default);
        Assert.Equal(0, await one.Jobs.KeepAliveAsync(default));
        await world.SetDatabaseAsync(TimeSpan.FromHours(25));

        await Task.WhenAll(one.Jobs.KeepAliveAsync(default), two.Jobs.KeepAliveAsync(default));

        Assert.Equal(0, await one.Jobs.KeepAliveAsync(default));
        Assert.Equal(1, world.Provider.Requests);
        Assert.Equal(2, (await one.GetAsync(token.Id, VaultWorld.Ann, default))!.Version);
    }

    [SkippableFact]
    public async Task Store_TheSameGrantAgain_KeepsTheIdAndPurposesApart()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var first = await vault.StoreAsync(world.Grant(), default);
        var again = await vault.StoreAsync(world.Grant(), default);
        var grant = world.Grant();
        var other = await vault.StoreAsync(
            new() { Owner = grant.Owner, Connection = grant.Connection, RefreshToken = grant.RefreshToken, Purpose = "reports" }, default);
        var twin = await vault.StoreAsync(
            new() { Owner = grant.Owner, Connection = grant.Connection, RefreshToken = grant.RefreshToken, Purpose = "twin" }, default);

        Assert.Equal((first.Id, 2L), (again.Id, again.Version));
        Assert.NotEqual(first.Id, other.Id);

        // One refresh token is never in two rows of one person: each refresh would end the other.
        Assert.Equal(other.Id, twin.Id);
        Assert.Equal(2, (await vault.ListAsync(VaultWorld.Ann, default)).Count);
    }

    [SkippableFact]
    public async Task Consent_Taken_OnceByItsOwnerInItsSessionInTime()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var request = new ConsentRequest
        {
            Owner = VaultWorld.Ann,
            SessionId = "s1",
            Connection = "calendar",
            Purpose = "p",
            ReturnTo = "/x",
        };
        var begun = await vault.BeginAsync(request, default);

        Assert.Null(await vault.TakeAsync(begun.State, VaultWorld.Bob, "s1", default));
        Assert.Null(await vault.TakeAsync(begun.State, VaultWorld.Ann, "s2", default));
        Assert.Null(await vault.TakeAsync(begun.State + "x", VaultWorld.Ann, "s1", default));
        var taken = await vault.TakeAsync(begun.State, VaultWorld.Ann, "s1", default);
        Assert.Equal(("calendar", "p", "/x", begun.Nonce), (taken!.Connection, taken.Purpose, taken.ReturnTo, taken.Nonce));
        Assert.Null(await vault.TakeAsync(begun.State, VaultWorld.Ann, "s1", default));

        var late = await vault.BeginAsync(request, default);
        await world.AdvanceAsync(ITokenConsents.Life + TimeSpan.FromSeconds(1));
        Assert.Null(await vault.TakeAsync(late.State, VaultWorld.Ann, "s1", default));

        var many = new List<BegunConsent>();
        for (var i = 0; i < 11; i++)
        {
            many.Add(await vault.BeginAsync(request, default));
        }

        Assert.Null(await vault.TakeAsync(many[0].State, VaultWorld.Ann, "s1", default));
        Assert.NotNull(await vault.TakeAsync(many[10].State, VaultWorld.Ann, "s1", default));
    }

    [SkippableFact]
    public async Task Everything_OneDoes_LeavesNoTokenInLogsAuditTextsOrTheDatabase()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var log = new ConcurrentQueue<string>();
        using var loggers = LoggerFactory.Create(b => b.SetMinimumLevel(LogLevel.Trace).AddProvider(new Recorder(log)));
        var vault = await world.StartAsync(loggers: loggers);
        var token = await vault.StoreAsync(world.Grant(accessToken: "at-stored"), default);
        var texts = new List<string> { token.ToString() };
        texts.Add((await vault.GetAsync(token.Id)).ToString());
        texts.Add((await vault.GetAsync(token.Id, request: new() { ForceRefresh = true })).Token!.ToString());
        world.Provider.After = a => Task.FromResult(TokenAnswer.Failed(TokenAnswerKind.Unknown, "500"));
        texts.Add((await vault.GetAsync(token.Id, request: new() { ForceRefresh = true })).ToString());
        await world.AdvanceAsync(TimeSpan.FromMinutes(10));
        texts.Add((await vault.GetAsync(token.Id)).ToString());
        var second = await vault.StoreAsync(world.Grant(), default);
        texts.Add((await vault.RevokeAsync(second.Id, VaultWorld.Ann, false, default))!.ToString());
        var error = await Assert.ThrowsAsync<ArgumentException>(() => vault.StoreAsync(
            new() { Owner = VaultWorld.Ann, Connection = "calendar", RefreshToken = "rt-" + new string('x', 20_000) }, default));
        texts.Add(error.ToString());
        texts.AddRange(world.Audited.Select(a => a.ToString()));
        texts.AddRange(log);
        texts.Add((string)(await world.ScalarAsync("""
            SELECT string_agg(t, '') FROM (
                SELECT t::text FROM berth.vault_tokens t
                UNION ALL SELECT encode(refresh_token, 'escape') FROM berth.vault_tokens
                UNION ALL SELECT encode(access_token, 'escape') FROM berth.vault_tokens
                UNION ALL SELECT encode(token, 'escape') FROM berth.vault_outbox) AS s(t)
            """))!);

        Assert.NotEmpty(log);
        Assert.DoesNotContain(texts, t => t.Contains("rt-ann", StringComparison.Ordinal) || t.Contains("at-ann", StringComparison.Ordinal)
            || t.Contains("at-stored", StringComparison.Ordinal) || t.Contains("rt-xx", StringComparison.Ordinal));
    }

    private sealed class Recorder(ConcurrentQueue<string> log) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
