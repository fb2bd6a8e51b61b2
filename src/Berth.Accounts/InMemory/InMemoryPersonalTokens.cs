namespace Berth.Accounts;

/// <summary>Personal access tokens of one process.</summary>
internal sealed class InMemoryPersonalTokens(Func<PersonKey, Person?> people, RevocationTable revocations, TimeProvider clock)
    : IPersonalTokens
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, (PersonalToken Token, string Hash)> _all = [];

    /// <inheritdoc/>
    public Task<PersonalTokenResult> CreateAsync(PersonKey person, NewPersonalToken token, CancellationToken cancellationToken)
    {
        PersonalTokenRules.ThrowIfBroken(token);
        if (people(person) is not { DisabledAt: null })
        {
            return Task.FromResult(PersonalTokenResult.NoSuchPerson);
        }

        lock (_gate)
        {
            if (_all.Values.Count(t => t.Token.Person == person && t.Token.Id != token.Id
                && t.Token.StateAt(token.CreatedAt) == PersonalTokenState.Active) >= PersonalTokenRules.MaximumLive)
            {
                return Task.FromResult(PersonalTokenResult.TooMany);
            }

            _all.TryAdd(token.Id, (new PersonalToken
            {
                Id = token.Id,
                Person = person,
                Name = token.Name,
                Scopes = [.. token.Scopes],
                CreatedAt = token.CreatedAt,
                ExpiresAt = token.ExpiresAt,
            }, Convert.ToHexString(token.SecretHash.Span)));
            return Task.FromResult(PersonalTokenResult.Created);
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<PersonalToken>> ListAsync(PersonKey person, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            IReadOnlyList<PersonalToken> tokens =
            [
                .. _all.Values.Select(t => t.Token).Where(t => t.Person == person && t.RevokedAt is null)
                    .OrderByDescending(t => t.CreatedAt).ThenByDescending(t => t.Id),
            ];
            return Task.FromResult(tokens);
        }
    }

    /// <inheritdoc/>
    public Task<PersonalToken?> FindAsync(ReadOnlyMemory<byte> secretHash, CancellationToken cancellationToken)
    {
        PersonalToken? found;
        var hash = Convert.ToHexString(secretHash.Span);
        lock (_gate)
        {
            found = _all.Values.FirstOrDefault(t => t.Hash == hash).Token;
        }

        var whose = found is null ? null : people(found.Person);
        return Task.FromResult(found is null ? null : found with
        {
            PersonName = whose?.Name,
            PersonEmail = whose?.Email,
            PersonDisabled = whose?.DisabledAt is not null,
        });
    }

    /// <inheritdoc/>
    public Task<bool> RevokeAsync(PersonKey person, Guid id, CancellationToken cancellationToken) =>
        Task.FromResult(Revoke(t => t.Id == id && t.Person == person) > 0);

    /// <inheritdoc/>
    public Task<int> RevokeAllAsync(PersonKey person, CancellationToken cancellationToken) =>
        Task.FromResult(Revoke(t => t.Person == person));

    /// <inheritdoc/>
    public void Touch(Guid id, DateTimeOffset at)
    {
        lock (_gate)
        {
            if (_all.TryGetValue(id, out var known) && !(known.Token.LastUsedAt > at - PersonalTokenRules.UseInterval))
            {
                _all[id] = (known.Token with { LastUsedAt = at }, known.Hash);
            }
        }
    }

    /// <summary>Removes those that were over before a time.</summary>
    public long Expire(DateTimeOffset before)
    {
        lock (_gate)
        {
            var over = _all.Values.Select(t => t.Token)
                .Where(t => t.ExpiresAt < before || t.RevokedAt < before).Select(t => t.Id).ToArray();
            foreach (var id in over)
            {
                _all.Remove(id);
            }

            return over.Length;
        }
    }

    private int Revoke(Func<PersonalToken, bool> which)
    {
        PersonalToken[] ended;
        lock (_gate)
        {
            ended = [.. _all.Values.Select(t => t.Token).Where(t => t.RevokedAt is null && which(t))];
            foreach (var token in ended)
            {
                _all[token.Id] = (token with { RevokedAt = clock.GetUtcNow() }, _all[token.Id].Hash);
            }
        }

        // Outside the lock: handlers of the event may call back into the store.
        foreach (var token in ended)
        {
            revocations.AddToken(token.Id, token.ExpiresAt);
        }

        return ended.Length;
    }
}
