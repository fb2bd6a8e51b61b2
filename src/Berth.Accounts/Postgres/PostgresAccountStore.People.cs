using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Berth.Accounts;

/// <summary>People and their sessions.</summary>
public sealed partial class PostgresAccountStore
{
    /// <inheritdoc/>
    public Task<SignInOutcome> RecordSignInAsync(SignIn signIn, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(signIn);
        const string Sql = """
            WITH person AS (
                INSERT INTO berth.people AS p (id, issuer, subject, email, name, created_at, last_seen_at)
                VALUES ($1, $2, $3, $4, $5, $6, $6)
                ON CONFLICT (issuer, subject) DO UPDATE SET
                    email = COALESCE(excluded.email, p.email),
                    name = COALESCE(excluded.name, p.name),
                    last_seen_at = GREATEST(excluded.last_seen_at, p.last_seen_at)
                RETURNING id, epoch, disabled_at
            ), session AS (
                INSERT INTO berth.sessions
                    (id, person_id, device, provider_session_id, epoch, created_at, last_seen_at, expires_at, idle_expires_at)
                SELECT $7, id, $8, $9, epoch, $6, $6, $10, $11 FROM person WHERE disabled_at IS NULL
                ON CONFLICT (id) DO NOTHING
            )
            SELECT epoch, disabled_at IS NOT NULL FROM person
            """;
        return _statements.FirstAsync(
            Sql,
            () =>
            [
                new() { Value = Guid.CreateVersion7() }, Parameter.Text(signIn.Person.Issuer), Parameter.Text(signIn.Person.Subject),
                Parameter.Text(signIn.Email), Parameter.Text(signIn.Name), Parameter.Time(signIn.At), Parameter.Text(signIn.SessionId),
                Parameter.Text(DeviceName.FromUserAgent(signIn.UserAgent)), Parameter.Text(signIn.ProviderSessionId),
                Parameter.Time(signIn.ExpiresAt), Parameter.Time(signIn.IdleExpiresAt),
            ],
            r => new SignInOutcome(r.GetInt64(0), r.GetBoolean(1)),
            cancellationToken);
    }

    /// <inheritdoc/>
    public void TouchSession(string sessionId, DateTimeOffset at, DateTimeOffset? idleExpiresAt = null) =>
        _outbox.Touch(sessionId, at, idleExpiresAt);

    /// <inheritdoc/>
    public void SeePerson(SeenPerson person) => _outbox.See(person);

    /// <inheritdoc/>
    public void EnterWorkspace(string sessionId, string workspace, DateTimeOffset at) => _outbox.Enter(sessionId, workspace, at);

    /// <inheritdoc/>
    public async Task RevokeSessionAsync(string sessionId, DateTimeOffset until, CancellationToken cancellationToken)
    {
        _revocations.AddSession(sessionId, until);
        try
        {
            await _statements.RunAsync(
                async (connection, token) =>
                {
                    await AccountsOutbox.RevokeAsync(connection, sessionId, _clock.GetUtcNow(), until, token).ConfigureAwait(false);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is AccountsUnavailableException or OperationCanceledException)
        {
            _outbox.Revoke(sessionId, until);
        }
    }

    /// <inheritdoc/>
    public async Task<int> RevokeProviderSessionAsync(
        string issuer, string providerSessionId, string? subject, CancellationToken cancellationToken)
    {
        const string Sql = """
            INSERT INTO berth.revoked_sessions (id, revoked_at, until)
            SELECT s.id, $4, s.expires_at FROM berth.sessions s JOIN berth.people p ON p.id = s.person_id
            WHERE s.provider_session_id = $2 AND p.issuer = $1 AND ($3 IS NULL OR p.subject = $3) AND s.expires_at > $4
            ON CONFLICT (id) DO NOTHING RETURNING id, until
            """;
        var ended = await _statements.ListAsync(
            Sql,
            () => [Parameter.Text(issuer), Parameter.Text(providerSessionId), Parameter.Text(subject), Parameter.Time(_clock.GetUtcNow())],
            r => (Id: r.GetString(0), Until: r.GetFieldValue<DateTimeOffset>(1)),
            cancellationToken).ConfigureAwait(false);
        foreach (var (id, until) in ended)
        {
            _revocations.AddSession(id, until);
        }

        return ended.Count;
    }

    /// <inheritdoc/>
    public async Task<long?> RevokeAllSessionsAsync(PersonKey person, CancellationToken cancellationToken)
    {
        const string Sql = """
            UPDATE berth.people SET epoch = epoch + 1 WHERE issuer = $1 AND subject = $2 RETURNING epoch, disabled_at IS NOT NULL
            """;
        return await RaiseEpochAsync(Sql, () => [Parameter.Text(person.Issuer), Parameter.Text(person.Subject)], person, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<bool> SetDisabledAsync(PersonKey person, bool disabled, CancellationToken cancellationToken)
    {
        const string Sql = """
            UPDATE berth.people SET epoch = epoch + 1, disabled_at = CASE WHEN $3 THEN COALESCE(disabled_at, $4) END
            WHERE issuer = $1 AND subject = $2 RETURNING epoch, disabled_at IS NOT NULL
            """;
        var now = _clock.GetUtcNow();
        return await RaiseEpochAsync(
            Sql,
            () => [Parameter.Text(person.Issuer), Parameter.Text(person.Subject), new() { Value = disabled }, Parameter.Time(now)],
            person,
            cancellationToken).ConfigureAwait(false) is not null;
    }

    /// <inheritdoc/>
    public Task<Person?> FindPersonAsync(PersonKey person, CancellationToken cancellationToken) => QueryAsync(
        async (context, token) =>
        {
            var row = await context.People.FirstOrDefaultAsync(p => p.Issuer == person.Issuer && p.Subject == person.Subject, token)
                .ConfigureAwait(false);
            return row is null ? null : ToPerson(row);
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Person>> ListPeopleAsync(PeopleQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return QueryAsync<IReadOnlyList<Person>>(
            async (context, token) =>
            {
                IQueryable<PersonRow> people = context.People;
                people = query.Issuer is { } issuer ? people.Where(p => p.Issuer == issuer) : people;
                people = query.Subject is { } subject ? people.Where(p => p.Subject == subject) : people;
                people = query.Disabled is { } disabled ? people.Where(p => p.DisabledAt != null == disabled) : people;
                if (query.Email?.ToLowerInvariant() is { } email)
                {
#pragma warning disable CA1862 // This becomes lower() in the database, which has no StringComparison.
                    people = people.Where(p => p.Email != null && p.Email.ToLower() == email);
#pragma warning restore CA1862
                }

                if (query.Before?.ToUniversalTime() is { } before)
                {
                    people = people.Where(p => p.LastSeenAt < before);
                }

                var rows = await people.OrderByDescending(p => p.LastSeenAt).Take(Math.Clamp(query.Limit, 1, PeopleQuery.MaximumLimit))
                    .ToListAsync(token).ConfigureAwait(false);
                return [.. rows.Select(ToPerson)];
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<AccountSession>> ListSessionsAsync(PersonKey person, CancellationToken cancellationToken)
    {
        var now = _clock.GetUtcNow().ToUniversalTime();
        return QueryAsync<IReadOnlyList<AccountSession>>(
            async (context, token) => await context.Sessions
                .Where(s => s.Person!.Issuer == person.Issuer && s.Person.Subject == person.Subject && s.ExpiresAt > now
                    && (s.IdleExpiresAt == null || s.IdleExpiresAt > now) && s.Epoch == s.Person.Epoch)
                .Where(s => !context.RevokedSessions.Any(r => r.Id == s.Id))
                .OrderByDescending(s => s.LastSeenAt)
                .Select(s => new AccountSession
                {
                    Id = s.Id,
                    Device = s.Device,
                    CreatedAt = s.CreatedAt,
                    LastSeenAt = s.LastSeenAt,
                    ExpiresAt = s.ExpiresAt,
                    IdleExpiresAt = s.IdleExpiresAt,
                    RefreshCount = s.RefreshCount,
                    Workspace = s.Workspace,
                    StartedAt = s.StartedAt,
                })
                .ToListAsync(token).ConfigureAwait(false),
            cancellationToken);
    }

    private static Person ToPerson(PersonRow row) => new()
    {
        Key = new PersonKey(row.Issuer, row.Subject),
        Email = row.Email,
        Name = row.Name,
        CreatedAt = row.CreatedAt,
        LastSeenAt = row.LastSeenAt,
        DisabledAt = row.DisabledAt,
        Epoch = row.Epoch,
    };

    private async Task<long?> RaiseEpochAsync(
        string sql, Func<NpgsqlParameter[]> parameters, PersonKey person, CancellationToken cancellationToken)
    {
        var raised = await _statements.FirstAsync(
            sql, parameters, r => ((long Epoch, bool Disabled)?)(r.GetInt64(0), r.GetBoolean(1)), cancellationToken).ConfigureAwait(false);
        if (raised is not { } now)
        {
            return null;
        }

        _revocations.AddEpoch(person, now.Epoch, now.Disabled);
        return now.Epoch;
    }
}
