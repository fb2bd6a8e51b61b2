using Microsoft.Extensions.Logging;
using Npgsql;

namespace Berth.Accounts;

/// <summary>The token vault on PostgreSQL. See <see cref="ITokenVault"/> for what it promises.</summary>
public sealed partial class TokenVault : ITokenVault, IAsyncDisposable
{
    private readonly NpgsqlDataSource _database;
    private readonly VaultOptions _options;
    private readonly VaultKeyRing _keys;
    private readonly VaultSealer _sealer;
    private readonly VaultStore _store;
    private readonly VaultCache _cache;
    private readonly RowSignals _signals;
    private readonly VaultListener _listener;
    private readonly Flights _flights;
    private readonly RefreshRunner _runner;
    private readonly VaultJobs _jobs;
    private readonly OAuthProvider _http;
    private readonly IVaultProvider _provider;
    private readonly AccountsResilience _resilience;
    private readonly VaultMetrics _metrics = new();
    private readonly AccountsMetrics _databaseMetrics = new("vault");
    private readonly TimeProvider _clock;
    private readonly ILogger<TokenVault> _logger;
    private readonly Action<AuditEvent> _audit;
    private volatile bool _started;
    private bool _disposed;

    /// <summary>Makes a vault; nothing is connected before <see cref="StartAsync"/>.</summary>
    /// <param name="connectionString">An Npgsql connection string; time-outs and pool size that it does not set get short ones.</param>
    /// <param name="options">Keys and times.</param>
    /// <param name="connections">The connections.</param>
    /// <param name="audit">Told of every refresh, end, consent and revocation.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="loggers">Where to log.</param>
    /// <exception cref="ArgumentException">Options or keys have problems: all of them, in one message.</exception>
    public TokenVault(
        string connectionString, VaultOptions options, IEnumerable<VaultConnection> connections, Action<AuditEvent> audit,
        TimeProvider clock, ILoggerFactory loggers)
        : this(connectionString, options, connections, audit, clock, loggers, null)
    {
    }

    internal TokenVault(
        string connectionString, VaultOptions options, IEnumerable<VaultConnection> connections, Action<AuditEvent> audit,
        TimeProvider clock, ILoggerFactory loggers, IVaultProvider? provider)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = new List<string>();
        options.Check((name, text) => problems.Add($"{name} {text}."));
        var keys = VaultKeyRing.Create(options, File.ReadAllText, (name, text) => problems.Add($"{name} {text}."));
        if (problems.Count > 0)
        {
            keys?.Dispose();
            throw new ArgumentException($"The token vault cannot be used: {string.Join(' ', problems)}", nameof(options));
        }

        _keys = keys!;
        _options = options;
        _clock = clock;
        _audit = audit;
        _logger = loggers.CreateLogger<TokenVault>();
        Connections = connections.ToDictionary(c => c.Name, StringComparer.Ordinal);

        var settings = PostgresAccountStore.WithDefaults(connectionString);
        if (!PostgresAccountStore.Says(connectionString, "Max Auto Prepare"))
        {
            // A dozen statements make up nearly all that is asked here: parsed and planned once on each connection.
            settings.MaxAutoPrepare = 32;
            settings.AutoPrepareMinUsages = 2;
        }

        _database = new NpgsqlDataSourceBuilder(settings.ConnectionString).UseLoggerFactory(loggers).Build();
        _resilience = new AccountsResilience(clock, _databaseMetrics);
        _store = new VaultStore(_database, _resilience);
        _sealer = new VaultSealer(_keys);
        _cache = new VaultCache(options.CachedTokens);
        _signals = new RowSignals(clock);
        _listener = new VaultListener(settings, Learn, () => _cache.Clear(clock.GetTimestamp()), clock, _logger);
        _http = new OAuthProvider(options.ProviderTimeout, clock);
        _provider = provider ?? _http;
        _flights = new Flights(options.Deadline, clock, LogFlightFailed);
        var backOffs = new BackOffs(options.FirstBackOff, options.LongestBackOff, clock);
        _runner = new RefreshRunner(
            _store, _sealer, _cache, _signals, backOffs, _provider, Connections, options, clock, audit, _metrics, _logger);
        _jobs = new VaultJobs(_store, _keys, _sealer, _provider, KeepAliveAsync, Connections, options, clock, audit, _metrics, _logger);
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, VaultConnection> Connections { get; }

    internal VaultStore Store => _store;

    internal IVaultProvider Provider => _provider;

    internal VaultJobs Jobs => _jobs;

    internal VaultCache Cache => _cache;

    internal RefreshRunner Runner => _runner;

    internal RowSignals Signals => _signals;

    /// <summary>Whether the database is connected, so that news of other replicas arrives. Asking costs nothing.</summary>
    public bool IsConnected => _listener.IsCurrent;

    /// <summary>
    /// Checks the keys against the database, then listens and starts the jobs. The schema has to be there.
    /// </summary>
    /// <exception cref="VaultKeyException">A key is missing, or is not the one that the database knows under its name.</exception>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await new VaultKeyCheck(_store, _keys).RunAsync(cancellationToken).ConfigureAwait(false);
        await _listener.StartAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        _jobs.Start();
        _started = true;
        LogStarted(_keys.Active.Id, Connections.Count);
    }

    /// <summary>Lets refreshes that are under way end, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await _jobs.DisposeAsync().ConfigureAwait(false);
        try
        {
            // A token that the provider has replaced has to be committed: worth the time of one refresh, and no more.
            await Task.WhenAll(_runner.Committing.Append(_flights.DrainAsync())).WaitAsync(_options.ProviderTimeout, _clock)
                .ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            LogCutOff();
        }

        await _listener.DisposeAsync().ConfigureAwait(false);
        await _database.DisposeAsync().ConfigureAwait(false);
        _http.Dispose();
        _cache.Dispose();
        _keys.Dispose();
        _metrics.Dispose();
        _databaseMetrics.Dispose();
    }

    // PostgreSQL keeps no NUL in a text: an identity with one is nobody's, rather than somebody else's without it.
    private static bool IsName(PersonKey person) =>
        person.Issuer is { Length: > 0 } issuer && person.Subject is { Length: > 0 } subject
            && !issuer.Contains('\0') && !subject.Contains('\0');

    // Before the keys are checked nothing is sealed or opened.
    private void RequireStarted()
    {
        if (!_started)
        {
            throw new AccountsUnavailableException("The vault is starting.");
        }
    }

    private void Learn(VaultNotice notice)
    {
        var live = notice.State == "active";
        _cache.Learn(notice.Id, notice.Version, live);
        if (!live || notice.Version == 1)
        {
            _cache.Forget(notice.OwnerHash);
        }

        _signals.Signal(notice.Id);
    }

    [LoggerMessage(4043, LogLevel.Information, "The token vault seals with key {Key} and knows {Count} connections.")]
    private partial void LogStarted(string key, int count);

    [LoggerMessage(4044, LogLevel.Warning, "Refreshes were still under way when the vault had to end.")]
    private partial void LogCutOff();

    [LoggerMessage(4045, LogLevel.Error, "A refresh failed inside.")]
    private partial void LogFlightFailed(Exception error);
}
