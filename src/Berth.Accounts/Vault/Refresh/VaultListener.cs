using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Berth.Accounts;

/// <summary>News of a stored token.</summary>
internal readonly record struct VaultNotice(Guid Id, long Version, string State, string OwnerHash);

/// <summary>
/// Hears of changes of stored tokens over a connection of its own. While <see cref="IsCurrent"/>, every change reaches this process; after
/// a loss everything that was remembered is forgotten before it is current again.
/// </summary>
internal sealed partial class VaultListener(
    string connectionString, Action<VaultNotice> learn, Action forget, TimeProvider clock, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;
    private volatile bool _current;

    public bool IsCurrent => _current;

    /// <summary>Starts; the task ends when it first listens.</summary>
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
        var wait = FirstWait;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(() => wait = FirstWait, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                if (_current)
                {
                    LogLost(error.Message);
                }
            }
            catch (Exception)
            {
                return;
            }
            finally
            {
                _current = false;
            }

            await Task.Delay(wait, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }

    private async Task ListenAsync(Action connected, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        connection.Notification += (_, notice) => Read(notice.Payload);
        await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (var listen = new NpgsqlCommand("LISTEN berth_vault", connection))
        {
            await listen.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        forget();
        _current = true;
        connected();
        _first.TrySetResult();
        while (true)
        {
            await connection.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Read(string payload)
    {
        try
        {
            using var document = JsonDocument.Parse(payload);
            var root = document.RootElement;
            learn(new VaultNotice(
                root.GetProperty("id").GetGuid(), root.GetProperty("version").GetInt64(), root.GetProperty("state").GetString() ?? "",
                root.GetProperty("owner").GetString() ?? ""));
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // Anybody who may connect may NOTIFY; a notice that is not ours must not end the listening.
            LogUnreadable(payload.Length);
        }
    }

    [LoggerMessage(4041, LogLevel.Warning, "Changes of stored tokens do not arrive now; rows are read each time until they do: {Reason}")]
    private partial void LogLost(string reason);

    [LoggerMessage(4042, LogLevel.Warning, "A notice of {Length} characters on channel berth_vault is not readable and was ignored.")]
    private partial void LogUnreadable(int length);
}
