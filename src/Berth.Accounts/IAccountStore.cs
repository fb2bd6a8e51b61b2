namespace Berth.Accounts;

/// <summary>
/// People, their sessions and the audit log. What a request waits for is answered from <see cref="Revocations"/> in memory; everything
/// else may ask the database.
/// </summary>
/// <remarks>
/// Methods that return a task throw <see cref="AccountsUnavailableException"/> when the database cannot be reached within their time limit.
/// <see cref="TouchSession"/>, <see cref="SeePerson"/>, <see cref="EnterWorkspace"/> and <see cref="Audit"/> only queue: they never wait
/// and never throw for a database that is away.
/// </remarks>
public interface IAccountStore : IAsyncDisposable
{
    /// <summary>Revoked sessions and epochs as this process knows them.</summary>
    IRevocations Revocations { get; }

    /// <summary>What people want their new workspaces to be like.</summary>
    IPreferences Preferences { get; }

    /// <summary>Small documents of people's programs.</summary>
    IUserData UserData { get; }

    /// <summary>History of workspaces.</summary>
    IWorkspaceRecords WorkspaceRecords { get; }

    /// <summary>How long whose workspaces ran.</summary>
    IUsageLedger Usage { get; }

    /// <summary>Personal access tokens.</summary>
    IPersonalTokens PersonalTokens { get; }

    /// <summary>The audit log as a chain: reading all of it, verifying, removing what is old.</summary>
    IAuditLog AuditLog { get; }

    /// <summary>Removing what is over.</summary>
    IUpkeep Upkeep { get; }

    /// <summary>Since when keys are in use.</summary>
    IKeyUses KeyUses { get; }

    /// <summary>One word for what keeps the data, such as <c>postgresql</c> or <c>memory</c>; for logs and the start-up line.</summary>
    string Kind { get; }

    /// <summary>Makes the store usable: schema, revocations, background work. Call it once before anything else.</summary>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Creates or updates the person and records the new session; both in one statement.</summary>
    Task<SignInOutcome> RecordSignInAsync(SignIn signIn, CancellationToken cancellationToken);

    /// <summary>
    /// Queues "the session was used and its cookie renewed"; of several for one session one is written, with their number.
    /// </summary>
    /// <param name="sessionId">The session.</param>
    /// <param name="at">When.</param>
    /// <param name="idleExpiresAt">Its end unless it is used again; see <see cref="SessionPolicy.IdleEnd"/>. Null leaves it.</param>
    void TouchSession(string sessionId, DateTimeOffset at, DateTimeOffset? idleExpiresAt = null);

    /// <summary>
    /// Queues "a person came with a token": whoever is not known yet gets a row, so that they can be listed and disabled. Beyond 10,000 in
    /// the queue it does nothing.
    /// </summary>
    void SeePerson(SeenPerson person)
    {
    }

    /// <summary>Queues "the session went into a workspace".</summary>
    void EnterWorkspace(string sessionId, string workspace, DateTimeOffset at);

    /// <summary>
    /// Ends one session on every replica. It holds in this process when the method returns, whether or not the database could be reached;
    /// if not, it is written as soon as the database is back.
    /// </summary>
    /// <param name="sessionId">The session.</param>
    /// <param name="until">When the session would have ended anyway: nothing needs to be remembered after that.</param>
    /// <param name="cancellationToken">Cancels the wait, not the revocation.</param>
    Task RevokeSessionAsync(string sessionId, DateTimeOffset until, CancellationToken cancellationToken);

    /// <summary>Ends the sessions that began in one session of a provider, on every replica.</summary>
    /// <param name="issuer">The provider.</param>
    /// <param name="providerSessionId">The provider's session id (sid).</param>
    /// <param name="subject">Only this person's; null for whoever it is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many ended; 0 also when they had ended before.</returns>
    Task<int> RevokeProviderSessionAsync(
        string issuer, string providerSessionId, string? subject, CancellationToken cancellationToken);

    /// <summary>Ends all sessions of a person on every replica by raising the person's epoch.</summary>
    /// <returns>The new epoch; null when there is no such person.</returns>
    Task<long?> RevokeAllSessionsAsync(PersonKey person, CancellationToken cancellationToken);

    /// <summary>Disables a person (sessions end, sign-in is refused) or enables them again.</summary>
    /// <returns>False when there is no such person.</returns>
    Task<bool> SetDisabledAsync(PersonKey person, bool disabled, CancellationToken cancellationToken);

    /// <summary>Reads a person; null when they never signed in.</summary>
    Task<Person?> FindPersonAsync(PersonKey person, CancellationToken cancellationToken);

    /// <summary>Lists people, last seen first; for administrators.</summary>
    Task<IReadOnlyList<Person>> ListPeopleAsync(PeopleQuery query, CancellationToken cancellationToken);

    /// <summary>Sessions of a person that have neither ended nor been revoked, last used first.</summary>
    Task<IReadOnlyList<AccountSession>> ListSessionsAsync(PersonKey person, CancellationToken cancellationToken);

    /// <summary>
    /// Queues an audit event. When the queue is full (10,000 while the database is away) the event is logged and dropped.
    /// </summary>
    void Audit(AuditEvent auditEvent);

    /// <summary>Reads audit events, newest first.</summary>
    Task<IReadOnlyList<AuditEvent>> ListAuditAsync(AuditQuery query, CancellationToken cancellationToken);

    /// <summary>Writes what is queued now; for a graceful end and for tests.</summary>
    Task FlushAsync(CancellationToken cancellationToken);
}
