using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Berth.Accounts;

/// <summary>
/// Keeps the revocation table in step with the database over a connection of its own: LISTEN first, then a snapshot, then notices, so that
/// nothing falls between the two. When the connection is lost the table stays and the next connection reads the snapshot anew.
/// </summary>
internal sealed partial class RevocationListener(string connectionString, RevocationTable table, TimeProvider clock, ILogger logger)
    : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;

    /// <summary>Starts listening; the returned task ends with the first complete snapshot.</summary>
    public Task StartAsync()
    {
        _loop = RunAsync(_stop.Token);
        return _first.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _first.TrySetCanceled();
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        var delay = TimeSpan.FromMilliseconds(100);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(() => delay = TimeSpan.FromMilliseconds(100), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                // Whatever it is, listening must go on: a replica that no longer hears of revocations would let people in who are out.
                if (table.IsCurrent || !_first.Task.IsCompleted)
                {
                    LogLost(error.Message);
                }
            }
            catch (Exception)
            {
                break;
            }
            finally
            {
                table.IsCurrent = false;
            }

            try
            {
                await Task.Delay(delay, clock, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                break;
            }

            delay = TimeSpan.FromMilliseconds(Math.Min(delay.TotalMilliseconds * 2, 5000));
        }
    }

    private async Task ListenAsync(Action connected, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        connection.Notification += (_, notice) => Learn(notice.Payload);
        await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (var listen = new NpgsqlCommand("LISTEN berth_revocations", connection))
        {
            await listen.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        await ReadSnapshotAsync(connection, cancellationToken).ConfigureAwait(false);
        table.IsCurrent = true;
        connected();
        _first.TrySetResult();
        LogListening(table.Count);
        while (true)
        {
            await connection.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ReadSnapshotAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("SELECT id, until FROM berth.revoked_sessions WHERE until > $1")
                {
                    Parameters = { new() { Value = clock.GetUtcNow().ToUniversalTime() } },
                },
                new("SELECT issuer, subject, epoch, disabled_at IS NOT NULL FROM berth.people WHERE epoch > 0 OR disabled_at IS NOT NULL"),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            table.AddSession(reader.GetString(0), reader.GetFieldValue<DateTimeOffset>(1));
        }

        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            table.AddEpoch(new PersonKey(reader.GetString(0), reader.GetString(1)), reader.GetInt64(2), reader.GetBoolean(3));
        }
    }

    private void Learn(string payload)
    {
        try
        {
            using var document = JsonDocument.Parse(payload);
            var root = document.RootElement;
            if (root.TryGetProperty("session", out var session))
            {
                table.AddSession(session.GetString()!, DateTimeOffset.FromUnixTimeSeconds(root.GetProperty("until").GetInt64()));
                return;
            }

            var person = new PersonKey(root.GetProperty("issuer").GetString()!, root.GetProperty("subject").GetString()!);

            // A schema of version 1 does not say it; then the next snapshot does.
            var disabled = root.TryGetProperty("disabled", out var flag) && flag.GetBoolean();
            table.AddEpoch(person, root.GetProperty("epoch").GetInt64(), disabled);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            or ArgumentException)
        {
            // Anybody who may connect may NOTIFY; a notice that is not ours must not end the listening.
            LogUnreadable(payload.Length);
        }
    }

    [LoggerMessage(4020, LogLevel.Information, "Listening for revocations; {Known} revoked sessions known.")]
    private partial void LogListening(int known);

    [LoggerMessage(4021, LogLevel.Warning, "Revocations of other replicas do not arrive now; what is known stays in force: {Reason}")]
    private partial void LogLost(string reason);

    [LoggerMessage(4022, LogLevel.Warning, "A notice of {Length} characters on channel berth_revocations is not readable and was ignored.")]
    private partial void LogUnreadable(int length);
}
