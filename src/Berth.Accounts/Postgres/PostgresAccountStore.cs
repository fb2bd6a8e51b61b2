using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Berth.Accounts;

/// <summary>Accounts in PostgreSQL, shared by all replicas.</summary>
/// <remarks>
/// What a sign-in waits for is one plain statement; EF Core serves the queries behind pages and reports. So the entity model, which takes
/// some hundred milliseconds to build, is not on the way to the first sign-in.
/// </remarks>
public sealed class PostgresAccountStore : IAccountStore
{
    private readonly NpgsqlDataSource _database;
    private readonly PooledDbContextFactory<AccountsContext> _contexts;
    private readonly RevocationTable _revocations;
    private readonly RevocationListener _listener;
    private readonly AccountsOutbox _outbox;
    private readonly AccountsResilience _resilience;
    private readonly AccountsMigrator _migrator;
    private readonly TimeProvider _clock;
    private readonly bool _migrate;

    /// <summary>Makes a store; nothing is connected before <see cref="StartAsync"/>.</summary>
    /// <param name="connectionString">An Npgsql connection string; time-outs and pool size that it does not set get short ones.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="loggers">Where to log.</param>
    /// <param name="migrate">
    /// Bring the schema up to date at start. False where a deployment step with more rights does it: then the version is only checked.
    /// </param>
    /// <exception cref="ArgumentException">The connection string cannot be read.</exception>
    public PostgresAccountStore(string connectionString, TimeProvider clock, ILoggerFactory loggers, bool migrate = true)
    {
        ArgumentNullException.ThrowIfNull(loggers);
        var settings = WithDefaults(connectionString);
        _clock = clock;
        _migrate = migrate;
        _database = new NpgsqlDataSourceBuilder(settings.ConnectionString).UseLoggerFactory(loggers).Build();
        _contexts = new(new DbContextOptionsBuilder<AccountsContext>()
            .UseNpgsql(_database)
            .UseLoggerFactory(loggers)
            .UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking)
            .Options);
        _resilience = new AccountsResilience(clock);
        _revocations = new RevocationTable(clock);
        _migrator = new AccountsMigrator(_database, loggers.CreateLogger<AccountsMigrator>());
        _outbox = new AccountsOutbox(_database, clock, loggers.CreateLogger<AccountsOutbox>());

        // Its own connection, not one of the pool; the keep-alive finds a peer that vanished without closing.
        var listening = new NpgsqlConnectionStringBuilder(settings.ConnectionString)
        {
            Pooling = false,
            KeepAlive = 10,
            ApplicationName = "berth-revocations"
        };
        _listener = new RevocationListener(listening.ConnectionString, _revocations, clock, loggers.CreateLogger<RevocationListener>());
    }

    /// <inheritdoc/>
    public IRevocations Revocations => _revocations;

    /// <inheritdoc/>
    public string Kind => "postgresql";

    internal AccountsContext CreateContext() => _contexts.CreateDbContext();

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The schema does not fit this program.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _resilience.RunPatientlyAsync(
            async token =>
            {
                await (_migrate ? _migrator.MigrateAsync(token) : _migrator.CheckAsync(token)).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);

        _outbox.Start();
        await _listener.StartAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<SignInOutcome> RecordSignInAsync(SignIn signIn, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(signIn);
        const string Sql = """
            WITH person AS (
                INSERT INTO berth.people AS p (id, issuer, subject, email, name, created_at, last_seen_at)
                VALUES ($1, $2, $3, $4, $5, $6, $6)
                ON CONFLICT (issuer, subject) DO UPDATE SET
                    email = COALESCE(excluded.email, p.email),
                    name = COALESCE(excluded.name, p.name),
                    last_seen_at = GREATEST(excluded.last_seen_at, p.last_seen_at)
                RETURNING id, epoch, disabled_at
            ), session AS (
                INSERT INTO berth.sessions (id, person_id, device, provider_session_id, epoch, created_at, last_seen_at, expires_at)
                SELECT $7, id, $8, $9, epoch, $6, $6, $10 FROM person WHERE disabled_at IS NULL
                ON CONFLICT (id) DO NOTHING
            )
            SELECT epoch, disabled_at IS NOT NULL FROM person
            """;
        return _resilience.RunAsync(
            async token =>
            {
                await using var command = _database.CreateCommand(Sql);
                command.Parameters.AddRange(new NpgsqlParameter[]
                {
                    new() { Value = Guid.CreateVersion7() },
                    AccountsOutbox.Text(signIn.Person.Issuer),
                    AccountsOutbox.Text(signIn.Person.Subject),
                    AccountsOutbox.Text(signIn.Email),
                    AccountsOutbox.Text(signIn.Name),
                    new() { Value = signIn.At.ToUniversalTime() },
                    AccountsOutbox.Text(signIn.SessionId),
                    AccountsOutbox.Text(DeviceName.FromUserAgent(signIn.UserAgent)),
                    AccountsOutbox.Text(signIn.ProviderSessionId),
                    new() { Value = signIn.ExpiresAt.ToUniversalTime() },
                });
                await using var reader = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                await reader.ReadAsync(token).ConfigureAwait(false);
                return new SignInOutcome(reader.GetInt64(0), reader.GetBoolean(1));
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public void TouchSession(string sessionId, DateTimeOffset at) => _outbox.Touch(sessionId, at.ToUniversalTime());

    /// <inheritdoc/>
    public async Task RevokeSessionAsync(string sessionId, DateTimeOffset until, CancellationToken cancellationToken)
    {
        _revocations.AddSession(sessionId, until);
        try
        {
            await _resilience.RunAsync(
                async token =>
                {
                    await using var connection = await _database.OpenConnectionAsync(token).ConfigureAwait(false);
                    await AccountsOutbox.RevokeAsync(connection, sessionId, _clock.GetUtcNow(), until, token).ConfigureAwait(false);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is AccountsUnavailableException or OperationCanceledException)
        {
            _outbox.Revoke(sessionId, until);
        }
    }

    /// <inheritdoc/>
    public async Task<long?> RevokeAllSessionsAsync(PersonKey person, CancellationToken cancellationToken)
    {
        const string Sql = "UPDATE berth.people SET epoch = epoch + 1 WHERE issuer = $1 AND subject = $2 RETURNING epoch";
        var epoch = await _resilience.RunAsync(
            async token =>
            {
                await using var command = _database.CreateCommand(Sql);
                command.Parameters.Add(AccountsOutbox.Text(person.Issuer));
                command.Parameters.Add(AccountsOutbox.Text(person.Subject));
                return (long?)await command.ExecuteScalarAsync(token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        _revocations.AddEpoch(person, epoch ?? 0);
        return epoch;
    }

    /// <inheritdoc/>
    public async Task<bool> SetDisabledAsync(PersonKey person, bool disabled, CancellationToken cancellationToken)
    {
        const string Sql = """
            UPDATE berth.people SET epoch = epoch + 1, disabled_at = CASE WHEN $3 THEN COALESCE(disabled_at, $4) END
            WHERE issuer = $1 AND subject = $2 RETURNING epoch
            """;
        var now = _clock.GetUtcNow().ToUniversalTime();
        var epoch = await _resilience.RunAsync(
            async token =>
            {
                await using var command = _database.CreateCommand(Sql);
                command.Parameters.Add(AccountsOutbox.Text(person.Issuer));
                command.Parameters.Add(AccountsOutbox.Text(person.Subject));
                command.Parameters.Add(new NpgsqlParameter { Value = disabled });
                command.Parameters.Add(new NpgsqlParameter { Value = now });
                return (long?)await command.ExecuteScalarAsync(token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        _revocations.AddEpoch(person, epoch ?? 0);
        return epoch is not null;
    }

    /// <inheritdoc/>
    public Task<Person?> FindPersonAsync(PersonKey person, CancellationToken cancellationToken) => QueryAsync(
        async (context, token) =>
        {
            var row = await context.People.FirstOrDefaultAsync(p => p.Issuer == person.Issuer && p.Subject == person.Subject, token)
                .ConfigureAwait(false);
            return row is null
                ? null
                : new Person
                {
                    Key = new PersonKey(row.Issuer, row.Subject),
                    Email = row.Email,
                    Name = row.Name,
                    CreatedAt = row.CreatedAt,
                    LastSeenAt = row.LastSeenAt,
                    DisabledAt = row.DisabledAt,
                    Epoch = row.Epoch,
                };
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<AccountSession>> ListSessionsAsync(PersonKey person, CancellationToken cancellationToken)
    {
        var now = _clock.GetUtcNow().ToUniversalTime();
        return QueryAsync<IReadOnlyList<AccountSession>>(
            async (context, token) => await context.Sessions
                .Where(s => s.Person!.Issuer == person.Issuer && s.Person.Subject == person.Subject && s.ExpiresAt > now
                    && s.Epoch == s.Person.Epoch)
                .Where(s => !context.RevokedSessions.Any(r => r.Id == s.Id))
                .OrderByDescending(s => s.LastSeenAt)
                .Select(s => new AccountSession
                {
                    Id = s.Id,
                    Device = s.Device,
                    CreatedAt = s.CreatedAt,
                    LastSeenAt = s.LastSeenAt,
                    ExpiresAt = s.ExpiresAt,
                })
                .ToListAsync(token).ConfigureAwait(false),
            cancellationToken);
    }

    /// <inheritdoc/>
    public void Audit(AuditEvent auditEvent) => _outbox.Audit(auditEvent);

    /// <inheritdoc/>
    public Task<IReadOnlyList<AuditEvent>> ListAuditAsync(AuditQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return QueryAsync<IReadOnlyList<AuditEvent>>(
            async (context, token) =>
            {
                IQueryable<AuditRow> rows = context.AuditEvents;
                if (query.Actor is { } actor)
                {
                    rows = rows.Where(a => a.Issuer == actor.Issuer && a.Subject == actor.Subject);
                }

                if (query.Target is { } target)
                {
                    rows = rows.Where(a => a.Object == target);
                }

                var found = await rows.OrderByDescending(a => a.At).ThenByDescending(a => a.Id)
                    .Take(Math.Clamp(query.Limit, 1, 1000)).ToListAsync(token).ConfigureAwait(false);
                return [.. found.Select(ToEvent)];
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task FlushAsync(CancellationToken cancellationToken) => _outbox.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync().ConfigureAwait(false);
        await _outbox.DisposeAsync().ConfigureAwait(false);
        await _database.DisposeAsync().ConfigureAwait(false);
    }

    internal static NpgsqlConnectionStringBuilder WithDefaults(string connectionString)
    {
        var given = new System.Data.Common.DbConnectionStringBuilder { ConnectionString = connectionString };
        var settings = new NpgsqlConnectionStringBuilder(connectionString);

        // A connection in the same network takes milliseconds; Npgsql's 15 and 30 s would hang a sign-in for a database that is away.
        settings.Timeout = given.ContainsKey("Timeout") ? settings.Timeout : 3;
        settings.CommandTimeout = given.ContainsKey("Command Timeout") || given.ContainsKey("CommandTimeout") ? settings.CommandTimeout : 5;

        // Only sign-ins and pages ask: 20 per replica leaves room for many replicas below PostgreSQL's default of 100.
        settings.MaxPoolSize = given.ContainsKey("Maximum Pool Size") || given.ContainsKey("MaxPoolSize") ? settings.MaxPoolSize : 20;
        settings.ApplicationName ??= "berth-edge";
        return settings;
    }

    private static AuditEvent ToEvent(AuditRow row) => new()
    {
        Id = row.Id,
        At = row.At,
        Actor = row.Issuer is null ? null : new PersonKey(row.Issuer, row.Subject ?? ""),
        Action = row.Action,
        Target = row.Object,
        Outcome = row.Outcome,
        RequestId = row.RequestId,
    };

    private Task<T> QueryAsync<T>(Func<AccountsContext, CancellationToken, Task<T>> query, CancellationToken cancellationToken) =>
        _resilience.RunAsync(
        async token =>
        {
            await using var context = await _contexts.CreateDbContextAsync(token).ConfigureAwait(false);
            return await query(context, token).ConfigureAwait(false);
        },
        cancellationToken);
}
