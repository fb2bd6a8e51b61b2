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
public sealed partial class PostgresAccountStore : IAccountStore
{
    private readonly NpgsqlDataSource _database;
    private readonly PooledDbContextFactory<AccountsContext> _contexts;
    private readonly RevocationTable _revocations;
    private readonly RevocationListener _listener;
    private readonly AccountsOutbox _outbox;
    private readonly AccountsMetrics _metrics = new("accounts");
    private readonly AccountsResilience _resilience;
    private readonly AccountsDatabase _statements;
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
        _resilience = new AccountsResilience(clock, _metrics);
        _revocations = new RevocationTable(clock);
        _migrator = new AccountsMigrator(_database, loggers.CreateLogger<AccountsMigrator>());
        _outbox = new AccountsOutbox(_database, clock, _metrics, loggers.CreateLogger<AccountsOutbox>());
        _statements = new AccountsDatabase(_database, _resilience);
        Preferences = new PostgresPreferences(_statements, clock);
        UserData = new PostgresUserData(_statements, clock);
        var workspaces = new PostgresWorkspaces(_statements, _outbox);
        WorkspaceRecords = workspaces;
        Usage = workspaces;
        PersonalTokens = new PostgresPersonalTokens(_statements, _outbox, _revocations, clock);
        AuditLog = new PostgresAuditLog(_statements, _outbox);
        Upkeep = new PostgresUpkeep(_statements, AuditLog, clock);
        KeyUses = new PostgresKeyUses(_statements, clock);

        _listener = new RevocationListener(settings, _revocations, clock, loggers.CreateLogger<RevocationListener>());
    }

    /// <inheritdoc/>
    public IRevocations Revocations => _revocations;

    /// <inheritdoc/>
    public string Kind => "postgresql";

    /// <inheritdoc/>
    public IPreferences Preferences { get; }

    /// <inheritdoc/>
    public IUserData UserData { get; }

    /// <inheritdoc/>
    public IWorkspaceRecords WorkspaceRecords { get; }

    /// <inheritdoc/>
    public IUsageLedger Usage { get; }

    /// <inheritdoc/>
    public IPersonalTokens PersonalTokens { get; }

    /// <inheritdoc/>
    public IAuditLog AuditLog { get; }

    /// <inheritdoc/>
    public IUpkeep Upkeep { get; }

    /// <inheritdoc/>
    public IKeyUses KeyUses { get; }

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
        _metrics.Dispose();
    }

    internal static NpgsqlConnectionStringBuilder WithDefaults(string connectionString)
    {
        var settings = AccountsConnection.Read(connectionString);

        // A connection in the same network takes milliseconds; Npgsql's 15 and 30 s would hang a sign-in for a database that is away.
        settings.Timeout = Says(connectionString, "Timeout") ? settings.Timeout : 3;
        settings.CommandTimeout = Says(connectionString, "Command Timeout") ? settings.CommandTimeout : 5;

        // Only sign-ins and pages ask: 20 per replica leaves room for many replicas below PostgreSQL's default of 100.
        settings.MaxPoolSize = Says(connectionString, "Maximum Pool Size") || Says(connectionString, "Max Pool Size")
            ? settings.MaxPoolSize : 20;
        settings.ApplicationName ??= "berth-edge";

        // Several hosts are one server and its standbys: a standby takes no write. Looked at again every 2 s, since that is how long
        // sign-ins stand still after a failover.
        if (settings.Host?.Contains(',', StringComparison.Ordinal) == true)
        {
            settings.TargetSessionAttributes ??= "primary";
            settings.HostRecheckSeconds = Says(connectionString, "Host Recheck Seconds") ? settings.HostRecheckSeconds : 2;
        }

        return settings;
    }

    /// <summary>Whether a connection string sets an option, written with spaces or without.</summary>
    internal static bool Says(string connectionString, string option)
    {
        var given = new System.Data.Common.DbConnectionStringBuilder { ConnectionString = connectionString };
        return given.ContainsKey(option) || given.ContainsKey(option.Replace(" ", "", StringComparison.Ordinal));
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
