namespace Berth.Accounts;

/// <summary>Preferences of one process.</summary>
internal sealed class InMemoryPreferences(TimeProvider clock) : IPreferences
{
    private readonly Lock _gate = new();
    private readonly Dictionary<PersonKey, Preferences> _all = [];
    private long _version;

    /// <inheritdoc/>
    public Task<Preferences?> FindAsync(PersonKey person, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult(_all.GetValueOrDefault(person));
        }
    }

    /// <inheritdoc/>
    public Task<WriteOutcome> PutAsync(PersonKey person, PreferenceWish wish, long? expected, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(wish);
        PreferenceRules.ThrowIfBroken(wish);
        lock (_gate)
        {
            var known = _all.GetValueOrDefault(person)?.Version ?? 0;
            if (expected is { } version && version != known)
            {
                return Task.FromResult(new WriteOutcome(false, known));
            }

            _all[person] = new Preferences(wish, ++_version, clock.GetUtcNow());
            return Task.FromResult(new WriteOutcome(true, _version));
        }
    }

    /// <inheritdoc/>
    public Task<WriteOutcome> DeleteAsync(PersonKey person, long? expected, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var known = _all.GetValueOrDefault(person)?.Version ?? 0;
            if (expected is { } version && version != known)
            {
                return Task.FromResult(new WriteOutcome(false, known));
            }

            _all.Remove(person);
            return Task.FromResult(new WriteOutcome(true, 0));
        }
    }
}
