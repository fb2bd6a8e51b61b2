using Npgsql;
using NpgsqlTypes;

namespace Berth.Accounts;

/// <summary>Personal access tokens in PostgreSQL.</summary>
internal sealed class PostgresPersonalTokens(
    AccountsDatabase database, AccountsOutbox outbox, RevocationTable revocations, TimeProvider clock) : IPersonalTokens
{
    private const string Columns =
        "t.id, p.issuer, p.subject, t.name, t.scopes, t.created_at, t.expires_at, t.last_used_at, t.revoked_at, p.disabled_at IS NOT NULL";

    /// <inheritdoc/>
    public Task<PersonalTokenResult> CreateAsync(PersonKey person, NewPersonalToken token, CancellationToken cancellationToken)
    {
        PersonalTokenRules.ThrowIfBroken(token);

        // Two statements, so that the second counts what the one we waited for has written. The lock is one that sign-ins do not wait for.
        const string Take = """
            SELECT id FROM berth.people WHERE issuer = $1 AND subject = $2 AND disabled_at IS NULL FOR NO KEY UPDATE
            """;
        const string Insert = """
            INSERT INTO berth.personal_tokens (id, person_id, name, secret_hash, scopes, created_at, expires_at)
            SELECT $2, $1, $3, $4, $5, $6, $7
            WHERE (SELECT count(*) FROM berth.personal_tokens
                WHERE person_id = $1 AND id <> $2 AND revoked_at IS NULL AND expires_at > $6) < $8
            ON CONFLICT (id) DO UPDATE SET name = excluded.name
            """;
        return database.RunAsync(
            async (connection, cancellation) =>
            {
                await using var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
                await using var take = new NpgsqlCommand(Take, connection, transaction)
                {
                    Parameters = { Parameter.Text(person.Issuer), Parameter.Text(person.Subject) },
                };
                if (await take.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is not Guid owner)
                {
                    return PersonalTokenResult.NoSuchPerson;
                }

                await using var insert = new NpgsqlCommand(Insert, connection, transaction)
                {
                    Parameters =
                    {
                        new() { Value = owner }, new() { Value = token.Id }, Parameter.Text(token.Name),
                        new() { Value = token.SecretHash.ToArray() }, Parameter.Array(token.Scopes, NpgsqlDbType.Text),
                        Parameter.Time(token.CreatedAt), Parameter.Time(token.ExpiresAt), Parameter.Long(PersonalTokenRules.MaximumLive),
                    },
                };
                var inserted = await insert.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
                await transaction.CommitAsync(cancellation).ConfigureAwait(false);
                return inserted > 0 ? PersonalTokenResult.Created : PersonalTokenResult.TooMany;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<PersonalToken>> ListAsync(PersonKey person, CancellationToken cancellationToken) =>
        await database.ListAsync(
            $"SELECT {Columns} FROM berth.personal_tokens t JOIN berth.people p ON p.id = t.person_id "
                + "WHERE p.issuer = $1 AND p.subject = $2 AND t.revoked_at IS NULL ORDER BY t.created_at DESC, t.id DESC",
            () => [Parameter.Text(person.Issuer), Parameter.Text(person.Subject)],
            Read,
            cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public Task<PersonalToken?> FindAsync(ReadOnlyMemory<byte> secretHash, CancellationToken cancellationToken) => database.FirstAsync(
        $"SELECT {Columns}, p.name, p.email FROM berth.personal_tokens t JOIN berth.people p ON p.id = t.person_id "
            + "WHERE t.secret_hash = $1",
        () => [new() { Value = secretHash.ToArray() }],
        r => Read(r) with { PersonName = Text(r, 10), PersonEmail = Text(r, 11) },
        cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> RevokeAsync(PersonKey person, Guid id, CancellationToken cancellationToken) =>
        await RevokeAsync(person, (Guid?)id, cancellationToken).ConfigureAwait(false) > 0;

    /// <inheritdoc/>
    public Task<int> RevokeAllAsync(PersonKey person, CancellationToken cancellationToken) =>
        RevokeAsync(person, null, cancellationToken);

    /// <inheritdoc/>
    public void Touch(Guid id, DateTimeOffset at) => outbox.TouchToken(id, at);

    private static PersonalToken Read(NpgsqlDataReader reader) => new()
    {
        Id = reader.GetGuid(0),
        Person = new PersonKey(reader.GetString(1), reader.GetString(2)),
        Name = reader.GetString(3),
        Scopes = reader.GetFieldValue<string[]>(4),
        CreatedAt = reader.GetFieldValue<DateTimeOffset>(5),
        ExpiresAt = reader.GetFieldValue<DateTimeOffset>(6),
        LastUsedAt = Time(reader, 7),
        RevokedAt = Time(reader, 8),
        PersonDisabled = reader.GetBoolean(9),
    };

    private static DateTimeOffset? Time(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    // The database tells the other replicas; this one knows when the method returns.
    private async Task<int> RevokeAsync(PersonKey person, Guid? id, CancellationToken cancellationToken)
    {
        const string Sql = """
            UPDATE berth.personal_tokens t SET revoked_at = $3 FROM berth.people p
            WHERE p.id = t.person_id AND p.issuer = $1 AND p.subject = $2 AND ($4::uuid IS NULL OR t.id = $4) AND t.revoked_at IS NULL
            RETURNING t.id, t.expires_at
            """;
        var ended = await database.ListAsync(
            Sql,
            () =>
            [
                Parameter.Text(person.Issuer), Parameter.Text(person.Subject), Parameter.Time(clock.GetUtcNow()),
                new() { Value = (object?)id ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid },
            ],
            r => (Id: r.GetGuid(0), Until: r.GetFieldValue<DateTimeOffset>(1)),
            cancellationToken).ConfigureAwait(false);
        foreach (var (token, until) in ended)
        {
            revocations.AddToken(token, until);
        }

        return ended.Count;
    }
}
