using Berth.Accounts;

namespace Berth.Edge;

/// <summary>
/// Brings the token vault up beside the rest: the edge goes on without it while its database is away; with wrong keys it ends.
/// </summary>
internal sealed partial class VaultService(
    TokenVault vault, AccountsService accounts, TimeProvider clock, IHostApplicationLifetime lifetime, ILogger<VaultService> logger)
    : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    /// <summary>What is said of it where there is none.</summary>
    public const string NotConfigured = "token vault: not configured";

    /// <summary>How it stands, in a line for /readyz: what is degraded serves on.</summary>
    public string Standing => !IsStarted ? "degraded: token vault: keys not checked yet"
        : vault.IsConnected ? "token vault: keys checked; database connected"
        : "degraded: token vault: keys checked; the database cannot be reached, tokens in memory are given until they expire";

    /// <summary>Whether keys were checked: before that nothing is sealed or opened.</summary>
    public bool IsStarted { get; private set; }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested && !IsStarted)
        {
            try
            {
                // The accounts bring the schema.
                if (accounts.IsStarted)
                {
                    await vault.StartAsync(stoppingToken).ConfigureAwait(false);
                    IsStarted = true;
                    return;
                }
            }
            catch (AccountsUnavailableException error)
            {
                LogUnavailable(error.Message);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                // Keys that do not fit, a schema that is missing: going on would leave records behind that nobody can open.
                LogUnusable(error.Message);
                Environment.ExitCode = 1;
                lifetime.StopApplication();
                return;
            }

            await Task.Delay(accounts.IsStarted ? Retry : TimeSpan.FromMilliseconds(100), clock, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(5601, LogLevel.Warning, "The token vault is not there yet: {Reason}")]
    private partial void LogUnavailable(string reason);

    [LoggerMessage(5602, LogLevel.Critical, "{Reason} The edge ends.")]
    private partial void LogUnusable(string reason);
}
