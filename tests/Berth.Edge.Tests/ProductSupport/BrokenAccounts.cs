using Berth.Accounts;

namespace Berth.Edge.Tests;

/// <summary>An account store whose database can be taken away.</summary>
internal sealed class BrokenAccounts(TimeProvider? clock = null) : IAccountStore
{
    private readonly InMemoryAccountStore _inner = new(clock ?? TimeProvider.System);

    public bool IsDown { get; set; }

    public bool FailsToStart { get; set; }

    public IRevocations Revocations => _inner.Revocations;

    public string Kind => "broken";

    public IPreferences Preferences => IsDown ? throw new AccountsUnavailableException() : _inner.Preferences;

    public IUserData UserData => IsDown ? throw new AccountsUnavailableException() : _inner.UserData;

    public IWorkspaceRecords WorkspaceRecords => _inner.WorkspaceRecords;

    public IUsageLedger Usage => IsDown ? throw new AccountsUnavailableException() : _inner.Usage;

    public IPersonalTokens PersonalTokens => IsDown ? throw new AccountsUnavailableException() : Tokens ?? _inner.PersonalTokens;

    /// <summary>In the place of the store's own tokens.</summary>
    public IPersonalTokens? Tokens { get; set; }

    public IAuditLog AuditLog => IsDown ? throw new AccountsUnavailableException() : _inner.AuditLog;

    public IUpkeep Upkeep => _inner.Upkeep;

    public IKeyUses KeyUses => IsDown ? throw new AccountsUnavailableException() : _inner.KeyUses;

    public Task StartAsync(CancellationToken cancellationToken) => FailsToStart ? throw new AccountsUnavailableException()
        : Task.CompletedTask;

    public Task<SignInOutcome> RecordSignInAsync(SignIn signIn, CancellationToken cancellationToken) =>
        IsDown ? throw new AccountsUnavailableException() : _inner.RecordSignInAsync(signIn, cancellationToken);

    public void TouchSession(string sessionId, DateTimeOffset at, DateTimeOffset? idleExpiresAt = null) =>
        _inner.TouchSession(sessionId, at, idleExpiresAt);

    public void EnterWorkspace(string sessionId, string workspace, DateTimeOffset at) => _inner.EnterWorkspace(sessionId, workspace, at);

    public Task RevokeSessionAsync(string sessionId, DateTimeOffset until, CancellationToken cancellationToken) =>
        _inner.RevokeSessionAsync(sessionId, until, cancellationToken);

    public Task<int> RevokeProviderSessionAsync(
        string issuer, string providerSessionId, string? subject, CancellationToken cancellationToken) => IsDown
            ? throw new AccountsUnavailableException()
            : _inner.RevokeProviderSessionAsync(issuer, providerSessionId, subject, cancellationToken);

    public Task<long?> RevokeAllSessionsAsync(PersonKey person, CancellationToken cancellationToken) =>
        _inner.RevokeAllSessionsAsync(person, cancellationToken);

    public Task<bool> SetDisabledAsync(PersonKey person, bool disabled, CancellationToken cancellationToken) =>
        _inner.SetDisabledAsync(person, disabled, cancellationToken);

    public Task<Person?> FindPersonAsync(PersonKey person, CancellationToken cancellationToken) =>
        _inner.FindPersonAsync(person, cancellationToken);

    public Task<IReadOnlyList<Person>> ListPeopleAsync(PeopleQuery query, CancellationToken cancellationToken) =>
        IsDown ? throw new AccountsUnavailableException() : _inner.ListPeopleAsync(query, cancellationToken);

    public Task<IReadOnlyList<AccountSession>> ListSessionsAsync(PersonKey person, CancellationToken cancellationToken) =>
        _inner.ListSessionsAsync(person, cancellationToken);

    public void Audit(AuditEvent auditEvent) => _inner.Audit(auditEvent);

    public Task<IReadOnlyList<AuditEvent>> ListAuditAsync(AuditQuery query, CancellationToken cancellationToken) =>
        _inner.ListAuditAsync(query, cancellationToken);

    public Task FlushAsync(CancellationToken cancellationToken) => _inner.FlushAsync(cancellationToken);

    public ValueTask DisposeAsync() => _inner.DisposeAsync();
}
