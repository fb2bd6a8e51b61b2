using Berth.Accounts;

namespace Berth.Edge;

/// <summary>
/// Brings the account store up beside the rest: a database that is away keeps a new replica from being ready, not from starting. Ends open
/// streams when a revocation arrives.
/// </summary>
internal sealed partial class AccountsService(
    IAccountStore accounts, IOpenConnections connections, TimeProvider clock, IHostApplicationLifetime lifetime,
        ILogger<AccountsService> logger) : BackgroundService
{
    /// <summary>Whether schema and revocations are there: before that a revoked session would be let in.</summary>
    public bool IsStarted { get; private set; }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        accounts.Revocations.Revoked += Cut;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await accounts.StartAsync(stoppingToken).ConfigureAwait(false);
                IsStarted = true;
                LogStarted(accounts.Kind);
                return;
            }
            catch (AccountsUnavailableException error)
            {
                LogUnavailable(error.Message);
                await Task.Delay(TimeSpan.FromSeconds(2), clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                // A schema that does not fit, credentials that are wrong: waiting does not help, and half an edge is worse than none.
                LogUnusable(error);
                Environment.ExitCode = 1;
                lifetime.StopApplication();
                return;
            }
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        accounts.Revocations.Revoked -= Cut;
        try
        {
            // The store may outlive the edge, or end without being disposed: what was done has to be in the audit log either way.
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(3));
            await accounts.FlushAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            LogNotFlushed(error.Message);
        }
    }

    private void Cut(Revocation revocation)
    {
        if (revocation.SessionId is { } session)
        {
            connections.CutSession(session);
        }
        else if (revocation.PersonalToken is { } token)
        {
            connections.CutToken(token);
        }
        else if (revocation.Person is { } person)
        {
            connections.CutPerson(person.Issuer, person.Subject);
        }
    }

    [LoggerMessage(5501, LogLevel.Information, "Accounts are kept in {Kind}.")]
    private partial void LogStarted(string kind);

    [LoggerMessage(5502, LogLevel.Warning, "The account store is not there yet, sign-ins have to wait: {Reason}")]
    private partial void LogUnavailable(string reason);

    [LoggerMessage(5504, LogLevel.Warning, "The last audit events could not be written: {Reason}")]
    private partial void LogNotFlushed(string reason);

    [LoggerMessage(5503, LogLevel.Critical, "The account store cannot be used; the edge ends.")]
    private partial void LogUnusable(Exception error);
}
