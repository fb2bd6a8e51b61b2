using System.Text.Json;

namespace Berth.Accounts;

/// <summary>People's data of one process.</summary>
internal sealed class InMemoryUserData(TimeProvider clock) : IUserData
{
    private readonly Lock _gate = new();
    private readonly Dictionary<PersonKey, SortedDictionary<string, UserDatum>> _all = [];
    private long _version;

    /// <inheritdoc/>
    public Task<IReadOnlyList<UserDatumHead>> ListAsync(PersonKey person, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            IReadOnlyList<UserDatumHead> heads = [.. Of(person).Values.Select(d => new UserDatumHead(d.Key, d.Version, d.UpdatedAt))];
            return Task.FromResult(heads);
        }
    }

    /// <inheritdoc/>
    public Task<UserDatum?> FindAsync(PersonKey person, string key, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult(Of(person).GetValueOrDefault(key));
        }
    }

    /// <inheritdoc/>
    public Task<UserDataOutcome> PutAsync(
        PersonKey person, string key, JsonElement value, long? expected, CancellationToken cancellationToken)
    {
        UserDataRules.ThrowIfBroken(key, value);
        lock (_gate)
        {
            var mine = Of(person);
            var known = mine.GetValueOrDefault(key)?.Version ?? 0;
            if (expected is { } version && version != known)
            {
                return Task.FromResult(new UserDataOutcome(UserDataResult.Conflict, known));
            }

            if (known == 0 && mine.Count >= UserDataRules.MaximumKeys)
            {
                return Task.FromResult(new UserDataOutcome(UserDataResult.TooMany, 0));
            }

            mine[key] = new UserDatum(key, value.Clone(), ++_version, clock.GetUtcNow());
            _all[person] = mine;
            return Task.FromResult(new UserDataOutcome(UserDataResult.Written, _version));
        }
    }

    /// <inheritdoc/>
    public Task<WriteOutcome> DeleteAsync(PersonKey person, string key, long? expected, CancellationToken cancellationToken)
    {
        UserDataRules.ThrowIfNoKey(key);
        lock (_gate)
        {
            var known = Of(person).GetValueOrDefault(key)?.Version ?? 0;
            if (expected is { } version && version != known)
            {
                return Task.FromResult(new WriteOutcome(false, known));
            }

            Of(person).Remove(key);
            return Task.FromResult(new WriteOutcome(true, 0));
        }
    }

    private SortedDictionary<string, UserDatum> Of(PersonKey person) =>
        _all.GetValueOrDefault(person) ?? new SortedDictionary<string, UserDatum>(StringComparer.Ordinal);
}
