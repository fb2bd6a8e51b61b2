using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Reads the preferences of whoever a workspace belongs to, where a workspace must not wait for them.</summary>
internal sealed partial class PreferenceReader(IAccountStore accounts, TimeProvider clock, ILogger<PreferenceReader> logger)
{
    // A workspace without preferences is better than one that waits for a database that is away.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>A person's preferences, empty ones where there are none; null when they could not be read.</summary>
    public async Task<PreferenceWish?> TryReadAsync(string issuer, string subject, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var found = await accounts.Preferences.FindAsync(new PersonKey(issuer, subject), either.Token).ConfigureAwait(false);
            return found?.Wish ?? new PreferenceWish();
        }
        catch (Exception error) when (
            error is AccountsUnavailableException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogWithout(error.Message);
            return null;
        }
    }

    [LoggerMessage(5520, LogLevel.Warning, "A workspace is created or started without its owner's preferences: {Reason}")]
    private partial void LogWithout(string reason);
}
