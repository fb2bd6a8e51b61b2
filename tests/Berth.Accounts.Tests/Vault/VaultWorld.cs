using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testing;

namespace Berth.Accounts.Tests.Vault;

/// <summary>A database with the vault's schema, keys, a provider that does what it is told, and as many vaults as a test wants.</summary>
internal sealed class VaultWorld : IAsyncDisposable
{
    public static readonly PersonKey Ann = new("https://login.example", "ann");
    public static readonly PersonKey Bob = new("https://login.example", "bob");

    private readonly List<TokenVault> _vaults = [];
    private readonly NpgsqlDataSource _source;

    private VaultWorld(string database)
    {
        Database = database;
        _source = NpgsqlDataSource.Create(database);
        Options = new VaultOptions
        {
            Keys = [TestKeys.Option("k1")],
            FingerprintKeys = [TestKeys.Option("f1")],
            ForcedRefreshInterval = TimeSpan.Zero,
            Poll = TimeSpan.FromMilliseconds(50),
            JobInterval = TimeSpan.FromHours(1),
        };
    }

    public string Database { get; }

    public VaultOptions Options { get; set; }

    public ScriptedProvider Provider { get; } = new();

    public FakeTimeProvider Clock { get; } = new();

    public ConcurrentQueue<AuditEvent> Audited { get; } = [];

    public VaultConnection Connection { get; set; } = new()
    {
        Name = "calendar",
        Issuer = "https://idp.example",
        ClientId = "berth",
        Scopes = ["openid", "offline_access"],
    };

    public static async Task<VaultWorld> CreateAsync(ThrowawayPostgres postgres)
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        var world = new VaultWorld(postgres.CreateDatabase());
        await new AccountsMigrator(world._source, NullLogger<AccountsMigrator>.Instance).MigrateAsync(default);
        return world;
    }

    public async Task<TokenVault> StartAsync(
        TimeProvider? clock = null, VaultOptions? options = null, IVaultProvider? provider = null, ILoggerFactory? loggers = null)
    {
        var vault = new TokenVault(
            Database, options ?? Options, [Connection], Audited.Enqueue, clock ?? Clock, loggers ?? NullLoggerFactory.Instance,
            provider ?? Provider);
        _vaults.Add(vault);
        if (clock is null)
        {
            await FreezeAsync();
        }

        await vault.StartAsync(default);
        return vault;
    }

    public NewGrant Grant(string subject = "ann", TimeSpan? expiresIn = null, string? accessToken = "first-access-token") => new()
    {
        Owner = new PersonKey(Ann.Issuer, subject),
        Connection = Connection.Name,
        RefreshToken = Provider.Issue(subject),
        AccessToken = accessToken,
        ExpiresIn = expiresIn ?? TimeSpan.FromSeconds(300),
    };

    /// <summary>A stored token that has no access token, so that the first request is a refresh.</summary>
    public Task<StoredToken> StoreColdAsync(TokenVault vault, string subject = "ann") =>
        vault.StoreAsync(Grant(subject, accessToken: null), default);

    /// <summary>Time passes, here and in the database.</summary>
    public async Task AdvanceAsync(TimeSpan by)
    {
        Clock.Advance(by);
        await FreezeAsync();
    }

    /// <summary>The database's clock runs, and is ahead.</summary>
    public Task SetDatabaseAsync(TimeSpan ahead) => ExecuteAsync(
        "CREATE OR REPLACE FUNCTION berth.vault_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS "
            + $"$$ SELECT clock_timestamp() + interval '{(long)ahead.TotalMilliseconds} milliseconds' $$");

    // A test that moves time itself must not depend on how fast it runs: the database's clock stands still between the moves.
    private Task FreezeAsync() => ExecuteAsync(
        "CREATE OR REPLACE FUNCTION berth.vault_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS "
            + $"$$ SELECT timestamptz '{Clock.GetUtcNow():O}' $$");

    public async Task ExecuteAsync(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<object?> ScalarAsync(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var vault in _vaults)
        {
            await vault.DisposeAsync();
        }

        await _source.DisposeAsync();
    }
}

/// <summary>A machine whose clock is wrong; its time passes like everybody's.</summary>
internal sealed class SkewedClock(TimeSpan skew) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + skew;
}

/// <summary>Short forms.</summary>
internal static class VaultCalls
{
    public static Task<AccessTokenResult> GetAsync(
        this TokenVault vault, Guid id, PersonKey? caller = null, AccessTokenRequest request = default) =>
        vault.GetAccessTokenAsync(id, caller ?? VaultWorld.Ann, request, default);
}
