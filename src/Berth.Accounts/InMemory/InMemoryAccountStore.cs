namespace Berth.Accounts;

/// <summary>Accounts of one process, gone with it: for <c>make run</c> on a machine without PostgreSQL, and for tests.</summary>
public sealed class InMemoryAccountStore : IAccountStore
{
    private readonly TimeProvider _clock;
    private readonly RevocationTable _revocations;
    private readonly Lock _gate = new();
    private readonly Dictionary<PersonKey, Person> _people = [];
    private readonly Dictionary<string, (PersonKey Person, AccountSession Session, string? ProviderSession)> _sessions =
        new(StringComparer.Ordinal);
    private readonly InMemoryAuditLog _audit = new();

    /// <summary>Makes an empty store.</summary>
    public InMemoryAccountStore(TimeProvider clock)
    {
        _clock = clock;
        _revocations = new RevocationTable(clock) { IsCurrent = true };
        var workspaces = new InMemoryWorkspaces();
        Preferences = new InMemoryPreferences(clock);
        UserData = new InMemoryUserData(clock);
        WorkspaceRecords = workspaces;
        Usage = workspaces;
        var tokens = new InMemoryPersonalTokens(Find, _revocations, clock);
        PersonalTokens = tokens;
        KeyUses = new InMemoryKeyUses(clock);
        Upkeep = new InMemoryUpkeep(_audit, ExpireNow, tokens, clock);
    }

    /// <inheritdoc/>
    public IRevocations Revocations => _revocations;

    /// <inheritdoc/>
    public IPreferences Preferences { get; }

    /// <inheritdoc/>
    public IUserData UserData { get; }

    /// <inheritdoc/>
    public IWorkspaceRecords WorkspaceRecords { get; }

    /// <inheritdoc/>
    public IUsageLedger Usage { get; }

    /// <inheritdoc/>
    public IPersonalTokens PersonalTokens { get; }

    /// <inheritdoc/>
    public IAuditLog AuditLog => _audit;

    /// <inheritdoc/>
    public IUpkeep Upkeep { get; }

    /// <inheritdoc/>
    public IKeyUses KeyUses { get; }

    /// <inheritdoc/>
    public string Kind => "memory";

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<SignInOutcome> RecordSignInAsync(SignIn signIn, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(signIn);
        lock (_gate)
        {
            var known = _people.GetValueOrDefault(signIn.Person);
            var person = (known ?? new Person { Key = signIn.Person, CreatedAt = signIn.At, LastSeenAt = signIn.At }) with
            {
                Email = signIn.Email ?? known?.Email,
                Name = signIn.Name ?? known?.Name,
                LastSeenAt = signIn.At,
            };
            _people[signIn.Person] = person;
            if (person.DisabledAt is not null)
            {
                return Task.FromResult(new SignInOutcome(person.Epoch, true));
            }

            _sessions.TryAdd(signIn.SessionId, (signIn.Person, new AccountSession
            {
                Id = signIn.SessionId,
                Device = DeviceName.FromUserAgent(signIn.UserAgent),
                CreatedAt = signIn.At,
                LastSeenAt = signIn.At,
                ExpiresAt = signIn.ExpiresAt,
                IdleExpiresAt = signIn.IdleExpiresAt,
            }, signIn.ProviderSessionId));
            Expire();
            return Task.FromResult(new SignInOutcome(person.Epoch, false));
        }
    }

    /// <inheritdoc/>
    public void TouchSession(string sessionId, DateTimeOffset at, DateTimeOffset? idleExpiresAt = null) => Change(sessionId, s =>
        s.LastSeenAt >= at ? s : s with
        {
            LastSeenAt = at,
            IdleExpiresAt = idleExpiresAt is { } end && !(s.IdleExpiresAt > end) ? (end < s.ExpiresAt ? end : s.ExpiresAt)
                : s.IdleExpiresAt,
            RefreshCount = s.RefreshCount + 1,
        });

    /// <inheritdoc/>
    public void SeePerson(SeenPerson person)
    {
        ArgumentNullException.ThrowIfNull(person);
        lock (_gate)
        {
            var known = _people.GetValueOrDefault(person.Key)
                ?? new Person { Key = person.Key, CreatedAt = person.At, LastSeenAt = person.At };
            _people[person.Key] = known with
            {
                Email = known.Email ?? person.Email,
                Name = known.Name ?? person.Name,
                LastSeenAt = person.At > known.LastSeenAt ? person.At : known.LastSeenAt,
            };
        }
    }

    /// <inheritdoc/>
    public void EnterWorkspace(string sessionId, string workspace, DateTimeOffset at) =>
        Change(sessionId, s => s with
        {
            Workspace = workspace,
            StartedAt = s.StartedAt ?? at,
            LastSeenAt = at > s.LastSeenAt ? at : s.LastSeenAt,
        });

    /// <inheritdoc/>
    public Task RevokeSessionAsync(string sessionId, DateTimeOffset until, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _sessions.Remove(sessionId);
        }

        _revocations.AddSession(sessionId, until);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<int> RevokeProviderSessionAsync(
        string issuer, string providerSessionId, string? subject, CancellationToken cancellationToken)
    {
        (string Id, DateTimeOffset Until)[] ended;
        lock (_gate)
        {
            Expire();
            ended =
            [
                .. _sessions.Where(s => s.Value.ProviderSession == providerSessionId && s.Value.Person.Issuer == issuer
                    && (subject is null || s.Value.Person.Subject == subject)).Select(s => (s.Key, s.Value.Session.ExpiresAt)),
            ];
            foreach (var (id, _) in ended)
            {
                _sessions.Remove(id);
            }
        }

        // Outside the lock: handlers of the event may call back into the store.
        foreach (var (id, until) in ended)
        {
            _revocations.AddSession(id, until);
        }

        return Task.FromResult(ended.Length);
    }

    /// <inheritdoc/>
    public Task<long?> RevokeAllSessionsAsync(PersonKey person, CancellationToken cancellationToken)
    {
        var epoch = RaiseEpoch(person, p => p);
        return Task.FromResult(epoch);
    }

    /// <inheritdoc/>
    public Task<bool> SetDisabledAsync(PersonKey person, bool disabled, CancellationToken cancellationToken)
    {
        var now = _clock.GetUtcNow();
        return Task.FromResult(RaiseEpoch(person, p => p with { DisabledAt = disabled ? p.DisabledAt ?? now : null }) is not null);
    }

    /// <inheritdoc/>
    public Task<Person?> FindPersonAsync(PersonKey person, CancellationToken cancellationToken)
    {
        return Task.FromResult(Find(person));
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<Person>> ListPeopleAsync(PeopleQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        lock (_gate)
        {
            IReadOnlyList<Person> people =
            [
                .. _people.Values
                    .Where(p => query.Issuer is null || p.Key.Issuer == query.Issuer)
                    .Where(p => query.Subject is null || p.Key.Subject == query.Subject)
                    .Where(p => query.Email is null || string.Equals(p.Email, query.Email, StringComparison.OrdinalIgnoreCase))
                    .Where(p => query.Disabled is null || p.DisabledAt is not null == query.Disabled)
                    .Where(p => !(p.LastSeenAt >= query.Before))
                    .OrderByDescending(p => p.LastSeenAt)
                    .Take(Math.Clamp(query.Limit, 1, PeopleQuery.MaximumLimit)),
            ];
            return Task.FromResult(people);
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<AccountSession>> ListSessionsAsync(PersonKey person, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            Expire();
            IReadOnlyList<AccountSession> sessions =
                [.. _sessions.Values.Where(s => s.Person == person).Select(s => s.Session).OrderByDescending(s => s.LastSeenAt)];
            return Task.FromResult(sessions);
        }
    }

    /// <inheritdoc/>
    public void Audit(AuditEvent auditEvent) => _audit.Append(auditEvent);

    /// <inheritdoc/>
    public Task<IReadOnlyList<AuditEvent>> ListAuditAsync(AuditQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        IReadOnlyList<AuditEvent> events =
        [
            .. _audit.Snapshot().Select(e => e.Event)
                .Where(e => (query.Actor is null || e.Actor == query.Actor) && (query.Target is null || e.Target == query.Target))
                .Reverse()
                .Take(Math.Clamp(query.Limit, 1, 1000)),
        ];
        return Task.FromResult(events);
    }

    /// <inheritdoc/>
    public Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Person? Find(PersonKey person)
    {
        lock (_gate)
        {
            return _people.GetValueOrDefault(person);
        }
    }

    private long? RaiseEpoch(PersonKey person, Func<Person, Person> change)
    {
        long epoch;
        bool disabled;
        lock (_gate)
        {
            if (!_people.TryGetValue(person, out var known))
            {
                return null;
            }

            epoch = known.Epoch + 1;
            _people[person] = change(known) with { Epoch = epoch };
            disabled = _people[person].DisabledAt is not null;
            foreach (var id in _sessions.Where(s => s.Value.Person == person).Select(s => s.Key).ToArray())
            {
                _sessions.Remove(id);
            }
        }

        // Outside the lock: handlers of the event may call back into the store.
        _revocations.AddEpoch(person, epoch, disabled);
        return epoch;
    }

    private void Change(string sessionId, Func<AccountSession, AccountSession> change)
    {
        lock (_gate)
        {
            if (_sessions.TryGetValue(sessionId, out var entry))
            {
                _sessions[sessionId] = (entry.Person, change(entry.Session), entry.ProviderSession);
            }
        }
    }

    private long ExpireNow()
    {
        lock (_gate)
        {
            var before = _sessions.Count;
            Expire();
            return before - _sessions.Count;
        }
    }

    private void Expire()
    {
        var now = _clock.GetUtcNow();
        foreach (var id in _sessions.Where(s => s.Value.Session.ExpiresAt <= now || s.Value.Session.IdleExpiresAt <= now)
            .Select(s => s.Key).ToArray())
        {
            _sessions.Remove(id);
        }
    }
}
