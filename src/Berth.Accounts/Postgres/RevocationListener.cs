using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Berth.Accounts;

/// <summary>
/// Keeps the revocation table in step with the database: a snapshot each time it begins to listen, then notices. When the connection is
/// lost the table stays, and the next connection reads the snapshot anew.
/// </summary>
internal sealed partial class RevocationListener : IAsyncDisposable
{
    private readonly NotificationListener _listener;
    private readonly RevocationTable _table;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;

    public RevocationListener(NpgsqlConnectionStringBuilder settings, RevocationTable table, TimeProvider clock, ILogger logger)
    {
        _table = table;
        _clock = clock;
        _logger = logger;
        _listener = new NotificationListener(
            NotificationListener.ConnectionString(settings, "berth-revocations"), "berth_revocations", ReadSnapshotAsync, Learn,
            current => table.IsCurrent = current, clock, logger);
    }

    /// <summary>Starts listening; the returned task ends with the first complete snapshot.</summary>
    public Task StartAsync() => _listener.StartAsync();

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ReadSnapshotAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("SELECT id, until FROM berth.revoked_sessions WHERE until > $1")
                {
                    Parameters = { new() { Value = _clock.GetUtcNow().ToUniversalTime() } },
                },
                new("SELECT issuer, subject, epoch, disabled_at IS NOT NULL FROM berth.people WHERE epoch > 0 OR disabled_at IS NOT NULL"),
                new("SELECT id, expires_at FROM berth.personal_tokens WHERE revoked_at IS NOT NULL AND expires_at > $1")
                {
                    Parameters = { new() { Value = _clock.GetUtcNow().ToUniversalTime() } },
                },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            _table.AddSession(reader.GetString(0), reader.GetFieldValue<DateTimeOffset>(1));
        }

        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            _table.AddEpoch(new PersonKey(reader.GetString(0), reader.GetString(1)), reader.GetInt64(2), reader.GetBoolean(3));
        }

        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            _table.AddToken(reader.GetGuid(0), reader.GetFieldValue<DateTimeOffset>(1));
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
                _table.AddSession(session.GetString()!, DateTimeOffset.FromUnixTimeSeconds(root.GetProperty("until").GetInt64()));
                return;
            }

            if (root.TryGetProperty("personalToken", out var token))
            {
                _table.AddToken(token.GetGuid(), DateTimeOffset.FromUnixTimeSeconds(root.GetProperty("until").GetInt64()));
                return;
            }

            var person = new PersonKey(root.GetProperty("issuer").GetString()!, root.GetProperty("subject").GetString()!);

            // A schema of version 1 does not say it; then the next snapshot does.
            var disabled = root.TryGetProperty("disabled", out var flag) && flag.GetBoolean();
            _table.AddEpoch(person, root.GetProperty("epoch").GetInt64(), disabled);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            or ArgumentException)
        {
            // Anybody who may connect may NOTIFY; a notice that is not ours must not end the listening.
            LogUnreadable(payload.Length);
        }
    }

    [LoggerMessage(4022, LogLevel.Warning, "A notice of {Length} characters on channel berth_revocations is not readable and was ignored.")]
    private partial void LogUnreadable(int length);
}
