namespace Berth.Accounts;

/// <summary>What people want their new workspaces to be like. Every call is about one person and sees nobody else's.</summary>
/// <exception cref="AccountsUnavailableException">From every method: the database cannot be reached.</exception>
public interface IPreferences
{
    /// <summary>A person's preferences; null when they have none.</summary>
    Task<Preferences?> FindAsync(PersonKey person, CancellationToken cancellationToken);

    /// <summary>Replaces a person's preferences.</summary>
    /// <param name="person">Whose.</param>
    /// <param name="wish">The new ones; checked with <see cref="PreferenceRules.Check"/>.</param>
    /// <param name="expected">Version they are made from; 0 for "there are none yet"; null for any.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">They break a rule.</exception>
    Task<WriteOutcome> PutAsync(PersonKey person, PreferenceWish wish, long? expected, CancellationToken cancellationToken);

    /// <summary>Forgets a person's preferences.</summary>
    Task<WriteOutcome> DeleteAsync(PersonKey person, long? expected, CancellationToken cancellationToken);
}

/// <summary>What somebody prefers.</summary>
public sealed record PreferenceWish
{
    /// <summary>Template for a new workspace; null for the installation's default.</summary>
    public string? Template { get; init; }

    /// <summary>Values for parameters of templates; those that a template does not have are left out.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();

    /// <summary>Environment variables.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}

/// <summary>Preferences as they are kept.</summary>
/// <param name="Wish">The preferences.</param>
/// <param name="Version">Changes with each write and never comes back.</param>
/// <param name="UpdatedAt">Last write.</param>
public sealed record Preferences(PreferenceWish Wish, long Version, DateTimeOffset UpdatedAt);

/// <summary>Answer to a write that may expect a version.</summary>
/// <param name="Written">False when the version expected is not the one there is: nothing was changed.</param>
/// <param name="Version">The version there is now; 0 when there is nothing.</param>
public readonly record struct WriteOutcome(bool Written, long Version);
