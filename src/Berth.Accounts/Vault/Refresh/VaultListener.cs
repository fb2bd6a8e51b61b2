using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Berth.Accounts;

/// <summary>News of a stored token.</summary>
internal readonly record struct VaultNotice(Guid Id, long Version, string State, string OwnerHash);

/// <summary>
/// Hears of changes of stored tokens. While <see cref="IsCurrent"/>, every change reaches this process; after a loss everything that was
/// remembered is forgotten before it is current again, and rows are read each time until then.
/// </summary>
internal sealed partial class VaultListener : IAsyncDisposable
{
    private readonly NotificationListener _listener;
    private readonly Action<VaultNotice> _learn;
    private readonly ILogger _logger;
    private volatile bool _current;

    public VaultListener(
        NpgsqlConnectionStringBuilder settings, Action<VaultNotice> learn, Action forget, TimeProvider clock, ILogger logger)
    {
        _learn = learn;
        _logger = logger;
        _listener = new NotificationListener(
            NotificationListener.ConnectionString(settings, "berth-vault"), "berth_vault",
            (_, _) =>
            {
                forget();
                return Task.CompletedTask;
            },
            Read, current => _current = current, clock, logger);
    }

    public bool IsCurrent => _current;

    /// <summary>Starts; the task ends when it first listens.</summary>
    public Task StartAsync() => _listener.StartAsync();

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private void Read(string payload)
    {
        try
        {
            using var document = JsonDocument.Parse(payload);
            var root = document.RootElement;
            _learn(new VaultNotice(
                root.GetProperty("id").GetGuid(), root.GetProperty("version").GetInt64(), root.GetProperty("state").GetString() ?? "",
                root.GetProperty("owner").GetString() ?? ""));
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // Anybody who may connect may NOTIFY; a notice that is not ours must not end the listening.
            LogUnreadable(payload.Length);
        }
    }

    [LoggerMessage(4042, LogLevel.Warning, "A notice of {Length} characters on channel berth_vault is not readable and was ignored.")]
    private partial void LogUnreadable(int length);
}
