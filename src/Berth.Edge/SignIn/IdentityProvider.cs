namespace Berth.Edge;

/// <summary>One provider at run time: its metadata and keys, loaded in the background, kept when it goes away.</summary>
/// <remarks>
/// <code>
///                 RefreshAsync (start, every 10 min, 1..60 s after a failure)
///   nothing yet ------------------------------------------------------------> Snapshot (metadata, keys)
///       ^  sign-in: loads itself, at most once a second                          |  a failed refresh keeps it
///       |                                                                        v
///                                   unknown kid: one refetch of the keys per 10 s beside the load above; those that need it share it,
///                                   64 at most, until 2 s after it began. All others go on with the keys that are known
/// </code>
/// </remarks>
internal sealed class IdentityProvider(IssuerSettings settings, OidcBackchannel backchannel, TimeProvider clock,
    ILogger logger) : IDisposable
{
    /// <summary>Least time between refetches for unknown key ids: a flood of made-up ids costs the provider one request in 10 s.</summary>
    public static readonly TimeSpan MissInterval = TimeSpan.FromSeconds(10);

    /// <summary>How long after its beginning a refetch is waited for: a provider that hangs must not hold requests here.</summary>
    public static readonly TimeSpan MissWait = TimeSpan.FromSeconds(2);

    /// <summary>How many wait for a refetch at most.</summary>
    public const int MaximumWaiters = 64;

    private static readonly TimeSpan LoadInterval = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly CancellationTokenSource _lifetime = new();
    private readonly Lock _keyGate = new();
    private Task _refetch = Task.CompletedTask;
    private int _waiters;
    private long _unknownKeys;
    private DateTimeOffset _lastMiss = DateTimeOffset.MinValue;
    private DateTimeOffset _lastLoad = DateTimeOffset.MinValue;
    private volatile ProviderSnapshot? _snapshot;

    /// <summary>Configuration.</summary>
    public IssuerSettings Settings => settings;

    /// <summary>What is known, or null before the first success.</summary>
    public ProviderSnapshot? Current => _snapshot;

    /// <summary>Why the last refresh failed, or null.</summary>
    public string? LastProblem { get; private set; }

    /// <summary>When the keys were fetched; null before the first success.</summary>
    public DateTimeOffset? KeysAt { get; private set; }

    /// <summary>How many tokens named a key that is not known.</summary>
    public long UnknownKeys => Interlocked.Read(ref _unknownKeys);

    /// <summary>Loads everything anew; keeps what there was on failure.</summary>
    /// <returns>Whether it worked.</returns>
    public async Task<bool> RefreshAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return await LoadAsync();
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>What is known, loading it when nothing is.</summary>
    /// <exception cref="ProviderUnavailableException">It cannot be loaded.</exception>
    public async ValueTask<ProviderSnapshot> GetAsync(CancellationToken cancellationToken)
    {
        if (_snapshot is { } known)
        {
            return known;
        }

        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_snapshot is null && clock.GetUtcNow() - _lastLoad >= LoadInterval)
            {
                await LoadAsync();
            }

            return _snapshot ?? throw new ProviderUnavailableException(LastProblem ?? "The provider has not been reached yet.");
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>
    /// Keys after a token named one that is not known: refetched, or the known ones when that was done just now, fails or takes too long.
    /// </summary>
    public async ValueTask<JwkSet> KeysAfterMissAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _unknownKeys);
        if (Interlocked.Increment(ref _waiters) <= MaximumWaiters && RefetchAfterMiss(out var left) is { } refetch)
        {
            try
            {
                await refetch.WaitAsync(left, clock, cancellationToken);
            }
            catch (TimeoutException)
            {
                // It goes on; who comes after it has ended finds what it brought.
            }
            finally
            {
                Interlocked.Decrement(ref _waiters);
            }
        }
        else
        {
            Interlocked.Decrement(ref _waiters);
        }

        return _snapshot?.Keys ?? JwkSet.Empty;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The container knows the service under several types, and disposes it once for each.
        if (_lifetime.IsCancellationRequested)
        {
            return;
        }

        _lifetime.Cancel();
        _lifetime.Dispose();
        _gate.Dispose();
    }

    // A fetch belongs to the provider, not to the request that needed it first: the caller going away must not spend the others' turn.
    private async Task<bool> LoadAsync()
    {
        _lastLoad = clock.GetUtcNow();
        try
        {
            var document = await backchannel.GetAsync(new Uri(settings.Issuer.TrimEnd('/') + "/.well-known/openid-configuration"), null,
                _lifetime.Token);
            var (metadata, problem) = ProviderMetadata.Parse(document, settings);
            Keep(metadata ?? throw new ProviderUnavailableException(problem!), await LoadKeysAsync(metadata));
            LastProblem = null;
            return true;
        }
        catch (ProviderUnavailableException e)
        {
            LastProblem = e.Message;
            SignInLog.ProviderNotLoaded(logger, settings.Issuer, _snapshot is null ? "nothing yet" : "what was known", e.Message);
            return false;
        }
    }

    private Task? RefetchAfterMiss(out TimeSpan left)
    {
        lock (_keyGate)
        {
            var now = clock.GetUtcNow();
            if (_refetch.IsCompleted && _snapshot is { } snapshot && now - _lastMiss >= MissInterval)
            {
                _lastMiss = now;
                _refetch = RefetchAsync(snapshot.Metadata);
            }

            left = _lastMiss + MissWait - now;
            return _refetch.IsCompleted || left <= TimeSpan.Zero ? null : _refetch;
        }
    }

    private async Task RefetchAsync(ProviderMetadata metadata)
    {
        // Not under the caller's lock.
        await Task.Yield();
        try
        {
            Keep(metadata: null, await LoadKeysAsync(metadata));
        }
        catch (ProviderUnavailableException e)
        {
            SignInLog.KeysNotRefetched(logger, settings.Issuer, e.Message);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The program ends.
        }
    }

    private void Keep(ProviderMetadata? metadata, JwkSet keys)
    {
        lock (_keyGate)
        {
            _snapshot = _snapshot is { } known
                ? new ProviderSnapshot(metadata ?? known.Metadata, known.Keys.RenewedBy(keys))
                : new ProviderSnapshot(metadata!, keys);
            KeysAt = clock.GetUtcNow();
        }
    }

    private async Task<JwkSet> LoadKeysAsync(ProviderMetadata metadata)
    {
        var keys = JwkSet.Parse(await backchannel.GetAsync(metadata.JwksUri, null, _lifetime.Token));
        return keys is { Keys.Length: > 0 } ? keys : throw new ProviderUnavailableException($"{metadata.JwksUri} holds no usable key.");
    }
}

/// <summary>Metadata and keys of a provider at one time.</summary>
internal sealed record ProviderSnapshot(ProviderMetadata Metadata, JwkSet Keys);
