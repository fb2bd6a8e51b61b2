using System.Collections.Concurrent;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>
/// Has the account store note which keys are in use, and knows since when: an old key is rotated before it matters that it is old.
/// </summary>
internal sealed partial class KeyAges(
    EdgeSettings settings, VaultOptions vault, IAccountStore accounts, AccountsService started, TimeProvider clock, ILogger<KeyAges> logger)
    : BackgroundService
{
    /// <summary>How often the store is asked until it has answered.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _firstUses = new(StringComparer.Ordinal);

    /// <summary>The keys that are known to the store by now: what each is for, and when it was used first.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> FirstUses => _firstUses;

    /// <summary>
    /// The keys in use by what they are for. Only names that are public anyway: of the session's key the one that cookies have.
    /// </summary>
    internal static IReadOnlyList<(string Kind, string Id)> InUse(EdgeSettings settings, VaultOptions vault)
    {
        var keys = new List<(string, string)>
        {
            ("session", Convert.ToHexStringLower(CookieProtector.KeyIdOf(settings.CookieKeys[0].AsSpan()))),
            ("identity", WorkspaceIdentitySigner.KeyId(settings.IdentityKeys[0])),
        };
        keys.AddRange(vault.Keys.Where(k => k.State == VaultKeyState.Active).Select(k => ("vault", k.Id)));
        keys.AddRange(vault.FingerprintKeys.Where(k => k.State == VaultKeyState.Active).Select(k => ("vault-fingerprint", k.Id)));
        return keys;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var wanted = InUse(settings, vault);
        while (!stoppingToken.IsCancellationRequested)
        {
            // The schema is there when the store has started.
            if (started.IsStarted && await NoteAsync(wanted, stoppingToken).ConfigureAwait(false))
            {
                return;
            }

            await Task.Delay(started.IsStarted ? RetryAfter : TimeSpan.FromSeconds(1), clock, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> NoteAsync(IReadOnlyList<(string Kind, string Id)> keys, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var (kind, id) in keys)
            {
                _firstUses[kind] = await accounts.KeyUses.FirstUseAsync(kind, id, cancellationToken).ConfigureAwait(false);
            }

            return true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return true;
        }
        catch (Exception error) when (error is AccountsUnavailableException or System.Data.Common.DbException)
        {
            // Nothing but a figure of the metrics is missing.
            LogNotNoted(error.Message);
            return false;
        }
    }

    [LoggerMessage(5505, LogLevel.Warning, "Since when the keys are in use is not known yet: {Reason}")]
    private partial void LogNotNoted(string reason);
}
