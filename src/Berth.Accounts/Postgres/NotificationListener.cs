using Microsoft.Extensions.Logging;
using Npgsql;

namespace Berth.Accounts;

/// <summary>
/// Listens to a channel over a connection of its own, for as long as it lives: LISTEN first, then <c>catchUp</c> reads what there is or
/// forgets what was known, then notices, so that nothing falls between the two. When the connection is lost it begins again.
/// </summary>
/// <remarks>
/// <code>
///            opened, LISTEN, catchUp            lost, or catchUp failed
///  away -----------------------------> current ------------------------> away, for 100 ms, 200 ms .. 5 s
/// </code>
/// Notices begin to arrive with LISTEN, so one may be learned before <c>catchUp</c> has ended; both have to bear that.
/// </remarks>
/// <param name="connectionString">Where; not pooled, with a keep-alive that finds a peer which vanished without closing.</param>
/// <param name="channel">The channel: lower-case letters and underscores.</param>
/// <param name="catchUp">Makes up for what was missed. When it throws, the connection is given up and all begins again.</param>
/// <param name="learn">Told each payload. It must not throw: anybody who may connect may NOTIFY.</param>
/// <param name="current">Told true when everything is known from now on, false when that ends.</param>
/// <param name="clock">The clock.</param>
/// <param name="logger">Where to log.</param>
internal sealed partial class NotificationListener(
    string connectionString, string channel, Func<NpgsqlConnection, CancellationToken, Task> catchUp, Action<string> learn,
    Action<bool> current, TimeProvider clock, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;

    /// <summary>The connection string of a listener, from that of the pool.</summary>
    /// <param name="settings">Settings of the pool.</param>
    /// <param name="name">Name that the server shows.</param>
    public static string ConnectionString(NpgsqlConnectionStringBuilder settings, string name) =>
        new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Pooling = false, KeepAlive = 10, ApplicationName = name }
            .ConnectionString;

    /// <summary>Starts; the task ends when it is current for the first time.</summary>
    public Task StartAsync()
    {
        _loop = RunAsync(_stop.Token);
        return _first.Task;
    }

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _first.TrySetCanceled();
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        var wait = FirstWait;
        var complain = true;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(
                    () =>
                    {
                        wait = FirstWait;
                        complain = true;
                    },
                    cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                // Whatever it is, listening must go on. Once for each time that it is away.
                if (complain)
                {
                    LogLost(channel, error.Message);
                    complain = false;
                }
            }
            catch (Exception)
            {
                return;
            }
            finally
            {
                current(false);
            }

            await Task.Delay(wait, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }

    private async Task ListenAsync(Action connected, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        connection.Notification += (_, notice) => learn(notice.Payload);
        await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (var listen = new NpgsqlCommand($"LISTEN {channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        await catchUp(connection, cancellationToken).ConfigureAwait(false);
        current(true);
        connected();
        _first.TrySetResult();
        LogListening(channel);
        while (true)
        {
            await connection.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    [LoggerMessage(4023, LogLevel.Information, "Listening to {Channel}; nothing is missed from now on.")]
    private partial void LogListening(string channel);

    [LoggerMessage(4024, LogLevel.Warning, "Notices of {Channel} do not arrive now; what is known stays in force: {Reason}")]
    private partial void LogLost(string channel, string reason);
}
