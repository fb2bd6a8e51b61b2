using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Berth.Accounts;

/// <summary>
/// Writes nobody waits for: last use of sessions, audit events, history and usage of workspaces, and revocations that met a database that
/// was away. One loop writes them in batches; what fails stays queued. Every statement can be repeated without harm.
/// </summary>
internal sealed partial class AccountsOutbox(NpgsqlDataSource database, TimeProvider clock, AccountsMetrics metrics, ILogger logger)
    : IAsyncDisposable
{
    private const int Batch = 500;

    // Soon enough that an audit event is there when somebody looks, rare enough that a burst is one statement.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _revocations = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;
    private bool _failing;

    public void Start()
    {
        metrics.ObserveOutbox(() => _audit.Count, () => _revocations.Count);
        _loop = RunAsync(_stop.Token);
    }

    public void Revoke(string sessionId, DateTimeOffset until) => _revocations[sessionId] = until;

    /// <summary>Writes everything that is queued; throws what the database throws, with the rest still queued.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_uses.IsEmpty && _revocations.IsEmpty && _audit.IsEmpty && _records.IsEmpty && _usage.IsEmpty
                && _tokenUses.IsEmpty && _seen.IsEmpty)
            {
                return;
            }

            await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await WriteRevocationsAsync(connection, cancellationToken).ConfigureAwait(false);
            await WriteAuditAsync(connection, cancellationToken).ConfigureAwait(false);
            await WriteUsesAsync(connection, cancellationToken).ConfigureAwait(false);
            await WriteTokenUsesAsync(connection, cancellationToken).ConfigureAwait(false);
            await WritePeopleAsync(connection, cancellationToken).ConfigureAwait(false);
            await WriteRecordsAsync(connection, cancellationToken).ConfigureAwait(false);
            await WriteUsageAsync(connection, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        try
        {
            using var grace = new CancellationTokenSource(TimeSpan.FromSeconds(3), clock);
            await FlushAsync(grace.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            LogLost(_audit.Count, _revocations.Count, error.Message);
        }

        _stop.Dispose();
        _writing.Dispose();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                try
                {
                    await FlushAsync(cancellationToken).ConfigureAwait(false);
                    _failing = false;
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    // Once per outage: the loop would otherwise say it every second.
                    if (!_failing)
                    {
                        LogWriteFailed(error.Message);
                    }

                    _failing = true;
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task WriteRevocationsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        foreach (var (id, until) in _revocations.ToArray())
        {
            await RevokeAsync(connection, id, clock.GetUtcNow(), until, cancellationToken).ConfigureAwait(false);
            _revocations.TryRemove(id, out _);
        }
    }

    internal static async Task RevokeAsync(
        NpgsqlConnection connection, string id, DateTimeOffset now, DateTimeOffset until, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "INSERT INTO berth.revoked_sessions (id, revoked_at, until) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING", connection)
        {
            Parameters = { new() { Value = id }, new() { Value = now.ToUniversalTime() }, new() { Value = until.ToUniversalTime() } },
        };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    [LoggerMessage(4010, LogLevel.Warning, "Audit events and session times cannot be written now and stay queued: {Reason}")]
    private partial void LogWriteFailed(string reason);

    [LoggerMessage(4012, LogLevel.Error, "Ended with {Audit} audit events and {Revocations} revocations not written: {Reason}")]
    private partial void LogLost(int audit, int revocations, string reason);
}
