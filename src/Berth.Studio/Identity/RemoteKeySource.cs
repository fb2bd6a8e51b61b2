using System.Security.Cryptography;

namespace Berth.Studio.Identity;

/// <summary>
/// Keys fetched from the issuer's key set: when the first identity arrives, again for a key id that is not known (a rotation), and again
/// when they are old (a withdrawn key must stop working). Whatever comes in, the issuer is asked at most once in <see cref="MinInterval"/>.
/// </summary>
internal sealed partial class RemoteKeySource(Uri address, HttpClient client, TimeProvider time, ILogger<RemoteKeySource> logger)
    : IKeySource,
        IDisposable
{
    /// <summary>Requests with invented key ids must not become requests to the issuer.</summary>
    public static readonly TimeSpan MinInterval = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Twice the life of an identity (300 s): a withdrawn key is forgotten in the time that its last identities need to end.
    /// </summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(10);

    private readonly SemaphoreSlim _fetching = new(1, 1);
    private Snapshot? _snapshot;
    private long? _lastAttempt;

    public async ValueTask<ECParameters?> FindAsync(string keyId, CancellationToken cancellationToken)
    {
        if (Current(keyId) is { } known)
        {
            return known;
        }

        await _fetching.WaitAsync(cancellationToken);
        try
        {
            // Those who waited find what the first one fetched.
            if (Current(keyId) is { } fetched)
            {
                return fetched;
            }

            if (_lastAttempt is null || time.GetElapsedTime(_lastAttempt.Value) >= MinInterval)
            {
                await FetchAsync(cancellationToken);
            }
        }
        finally
        {
            _fetching.Release();
        }

        // Keys that are old but could not be renewed still count: an issuer that is away for a while must not lock everybody out.
        var snapshot =
            Volatile.Read(ref _snapshot)
            ?? throw new IdentityKeysUnavailableException("The keys that sign identities could not be fetched.");
        return snapshot.Keys.TryGetValue(keyId, out var key) ? key : null;
    }

    public void Dispose() => _fetching.Dispose();

    private ECParameters? Current(string keyId) =>
        Volatile.Read(ref _snapshot) is { } s && time.GetElapsedTime(s.FetchedAt) < MaxAge && s.Keys.TryGetValue(keyId, out var key)
            ? key
            : null;

    private async Task FetchAsync(CancellationToken cancellationToken)
    {
        _lastAttempt = time.GetTimestamp();
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            var json = await client.GetByteArrayAsync(address, both.Token);
            Volatile.Write(ref _snapshot, new Snapshot(JsonWebKeys.Parse(json), time.GetTimestamp()));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The person went away; the next one may ask at once.
            _lastAttempt = null;
            throw;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or FormatException or IOException)
        {
            LogFetchFailed(logger, address, e.Message);
        }
    }

    [LoggerMessage(1001, LogLevel.Warning, "The identity keys at {Address} could not be fetched: {Reason}")]
    private static partial void LogFetchFailed(ILogger logger, Uri address, string reason);

    private sealed record Snapshot(IReadOnlyDictionary<string, ECParameters> Keys, long FetchedAt);
}
