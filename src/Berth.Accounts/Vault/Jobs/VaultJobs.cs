using Microsoft.Extensions.Logging;

namespace Berth.Accounts;

/// <summary>What the vault does by itself: revocations to deliver, records under old keys, idle tokens, tombstones.</summary>
/// <remarks>All replicas do it; each piece of work is taken by one of them, and any may stop in its middle.</remarks>
internal sealed partial class VaultJobs(
    VaultStore store, VaultKeyRing keys, VaultSealer sealer, IVaultProvider provider,
    Func<VaultRow, CancellationToken, Task> keepAlive, IReadOnlyDictionary<string, VaultConnection> connections, VaultOptions options,
    TimeProvider clock, Action<AuditEvent> audit, VaultMetrics metrics, ILogger logger) : IAsyncDisposable
{
    // Bounds on one round: a replica that starts after a long pause takes its time, and others help.
    private const int MostPerRound = 200;
    private static readonly TimeSpan LongestRevocationWait = TimeSpan.FromHours(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private Task _loop = Task.CompletedTask;

    public void Start() => _loop = RunAsync(_stop.Token);

    /// <summary>There is something to do now.</summary>
    public void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (Exception error) when (error is SemaphoreFullException or ObjectDisposedException)
        {
            // It is awake already, or has ended.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
        _wake.Dispose();
    }

    /// <summary>Delivers the revocations that are due.</summary>
    /// <returns>How many were tried.</returns>
    public async Task<int> DeliverAsync(CancellationToken cancellationToken)
    {
        for (var count = 0; ; count++)
        {
            if (count == MostPerRound
                || await store.TakeRevocationAsync(options.ProviderTimeout * 2, cancellationToken).ConfigureAwait(false) is not { } row)
            {
                return count;
            }

            await DeliverAsync(row, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Moves records to the active key. It may stop anywhere: what is behind is found again by its key.</summary>
    /// <returns>How many are behind after it.</returns>
    public async Task<long> RewrapAsync(CancellationToken cancellationToken)
    {
        foreach (var table in Enum.GetValues<SealedTable>())
        {
            var after = Guid.Empty;
            while (true)
            {
                var rows = await store.ListBehindAsync(table, keys.Active.Id, after, 100, cancellationToken).ConfigureAwait(false);
                foreach (var row in rows)
                {
                    after = row.Row.RecordId;
                    if (Rewrapped(row) is { } moved)
                    {
                        await store.RewrapAsync(table, row, moved, cancellationToken).ConfigureAwait(false);
                    }
                }

                if (rows.Count < 100)
                {
                    break;
                }
            }
        }

        var behind = (await store.CountByKeyAsync(cancellationToken).ConfigureAwait(false))
            .Where(k => k.Kind == "seal" && k.KeyId != keys.Active.Id).ToList();
        foreach (var (_, id, count) in behind)
        {
            LogBehind(count, id, keys.Active.Id);
        }

        var sum = behind.Sum(k => k.Count);
        metrics.Behind(sum);
        return sum;
    }

    /// <summary>Refreshes tokens that were idle for so long that their provider may end them.</summary>
    /// <returns>How many were.</returns>
    public async Task<int> KeepAliveAsync(CancellationToken cancellationToken)
    {
        var count = 0;
        foreach (var connection in connections.Values.Where(c => c.KeepAliveAfter > TimeSpan.Zero))
        {
            var idle = await store.ListIdleAsync(connection.Name, connection.KeepAliveAfter, MostPerRound, cancellationToken)
                .ConfigureAwait(false);
            foreach (var row in idle)
            {
                await keepAlive(row, cancellationToken).ConfigureAwait(false);
                count++;
            }
        }

        return count;
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await DeliverAsync(cancellationToken).ConfigureAwait(false);
                await RewrapAsync(cancellationToken).ConfigureAwait(false);
                await KeepAliveAsync(cancellationToken).ConfigureAwait(false);
                await store.CleanAsync(options.KeepTombstones, cancellationToken).ConfigureAwait(false);
                foreach (var connection in connections.Values.Where(c => c.IsOfSessions))
                {
                    await store.ForgetAsync(connection.Name, connection.ForgetAfter, cancellationToken).ConfigureAwait(false);
                }
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                LogJobFailed(error.Message);
            }
            catch (Exception)
            {
                return;
            }

            await SleepAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task SleepAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.JobInterval, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await _wake.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private SealedRow? Rewrapped(SealedRow row)
    {
        var error = Envelope.TryRewrap(row.First, keys, row.Row, out var first);
        byte[]? second = null;
        if (error == EnvelopeError.None && row.Second is not null)
        {
            error = Envelope.TryRewrap(row.Second, keys, row.Row with { TokenType = SealedKind.Access }, out var other);
            second = other;
        }

        if (error == EnvelopeError.None)
        {
            return row with { KeyId = keys.Active.Id, First = first, Second = second };
        }

        LogNotRewrapped(row.Row.RecordId, row.KeyId, error);
        return null;
    }

    private async Task DeliverAsync(OutboxRow row, CancellationToken cancellationToken)
    {
        var answer = RevocationAnswer.Impossible;
        var error = sealer.TryOpen(row.Token, row.Context, out var token);
        using (token)
        {
            if (error == EnvelopeError.None)
            {
                answer = connections.GetValueOrDefault(row.Connection) is { } connection && connection.Issuer == row.Issuer
                    && connection.ClientId == row.ClientId
                        ? await provider.RevokeAsync(connection, token, cancellationToken).ConfigureAwait(false)
                        : RevocationAnswer.Failed;
            }
        }

        metrics.Revoked(row.Connection, answer);
        if (answer == RevocationAnswer.Failed && row.Age < options.RevokeFor)
        {
            var wait = options.FirstBackOff * Math.Pow(2, Math.Min(row.Attempts, 20)) * (0.5 + (Random.Shared.NextDouble() / 2));
            await store.RetryRevocationAsync(row.Id, wait < LongestRevocationWait ? wait : LongestRevocationWait, cancellationToken)
                .ConfigureAwait(false);
            return;
        }

        if (answer != RevocationAnswer.Done)
        {
            LogNotRevoked(row.Connection, row.TokenId, answer, row.Attempts);
        }

        audit(new AuditEvent
        {
            At = clock.GetUtcNow(),
            Actor = row.Owner,
            Action = "vault.revoke-upstream",
            Target = $"tokens/{row.TokenId} {row.Connection}",
            Outcome = answer == RevocationAnswer.Done ? "allowed" : "failed",
        });
        await store.EndRevocationAsync(row.Id, cancellationToken).ConfigureAwait(false);
    }

    [LoggerMessage(4060, LogLevel.Information, "{Count} records are sealed with key {Key} yet, and move to {Active}.")]
    private partial void LogBehind(long count, string key, string active);

    [LoggerMessage(4061, LogLevel.Error, "Record {Record} cannot be moved from key {Key}: {Error}.")]
    private partial void LogNotRewrapped(Guid record, string key, EnvelopeError error);

    [LoggerMessage(4062, LogLevel.Warning,
        "Connection {Connection}: the provider was not told of the end of {Token} ({Answer}, {Attempts} tries); it is destroyed here.")]
    private partial void LogNotRevoked(string connection, Guid token, RevocationAnswer answer, int attempts);

    [LoggerMessage(4063, LogLevel.Warning, "The vault's jobs did not get through and are tried again: {Reason}")]
    private partial void LogJobFailed(string reason);
}
