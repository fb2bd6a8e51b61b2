using Npgsql;

namespace Berth.Accounts;

/// <summary>A revocation to deliver, with its token sealed.</summary>
internal sealed record OutboxRow(
    Guid Id, Guid TokenId, PersonKey Owner, string Connection, string Issuer, string ClientId, byte[] Token, int Attempts, TimeSpan Age)
{
    public RecordContext Context => new(Id, Owner, Issuer, ClientId, SealedKind.Revocation, 1);
}

/// <content>Revocations: the tombstone and the outbox.</content>
internal sealed partial class VaultStore
{
    /// <summary>How many other active rows are the same token, and how many are of the same session at the provider.</summary>
    public async Task<(int Tokens, int Sessions)> CountSharedAsync(VaultRow row, byte[][] fingerprints, CancellationToken cancellationToken)
    {
        const string Sql = """
            SELECT count(*) FILTER (WHERE fingerprint = ANY($2))::int,
                count(*) FILTER (WHERE provider_session_id = $3 AND issuer = $4)::int
            FROM berth.vault_tokens
            WHERE state = 'active' AND id <> $1 AND (fingerprint = ANY($2) OR provider_session_id = $3)
            """;
        var counts = await QueryAsync(
            Sql, [Value(row.Id), Value(fingerprints), Text(row.ProviderSessionId), Text(row.Issuer)],
            r => (r.GetInt32(0), r.GetInt32(1)), cancellationToken).ConfigureAwait(false);
        return counts[0];
    }

    /// <summary>
    /// Makes the tombstone, raises the version and destroys what was stored, and puts the token that the provider is to be told of into the
    /// outbox; all in one transaction. Whoever refreshes just now finds the higher version.
    /// </summary>
    /// <returns>False when the row has changed meanwhile.</returns>
    public Task<bool> RevokeAsync(VaultRow row, OutboxRow? outbox, string? keyId, CancellationToken cancellationToken) =>
        resilience.RunAsync(
            async token =>
            {
                await using var connection = await database.OpenConnectionAsync(token).ConfigureAwait(false);
                await using var transaction = await connection.BeginTransactionAsync(token).ConfigureAwait(false);
                await using var update = new NpgsqlCommand(
                    $"""
                    UPDATE berth.vault_tokens SET state = 'revoked', cause = 'none', version = version + 1, {Shred}
                    WHERE id = $1 AND version = $2 AND state = $3
                    """,
                    connection)
                {
                    Parameters = { Value(row.Id), Value(row.Version), Text(StateText(row.State)) },
                };
                if (await update.ExecuteNonQueryAsync(token).ConfigureAwait(false) != 1)
                {
                    return false;
                }

                if (outbox is not null)
                {
                    await using var insert = new NpgsqlCommand(InsertOutbox, connection);
                    insert.Parameters.AddRange(OutboxValues(outbox, keyId!));
                    await insert.ExecuteNonQueryAsync(token).ConfigureAwait(false);
                }

                await transaction.CommitAsync(token).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    /// <summary>Queues a token that nobody will use for revocation.</summary>
    public Task QueueRevocationAsync(OutboxRow row, string keyId, CancellationToken cancellationToken) =>
        ExecuteAsync(InsertOutbox, OutboxValues(row, keyId), cancellationToken);

    /// <summary>Takes a revocation that is due, for as long as a delivery may take; null when none is.</summary>
    public async Task<OutboxRow?> TakeRevocationAsync(TimeSpan hold, CancellationToken cancellationToken)
    {
        const string Sql = """
            UPDATE berth.vault_outbox SET attempts = attempts + 1, next_at = berth.vault_now() + $1
            WHERE id = (
                SELECT id FROM berth.vault_outbox WHERE next_at <= berth.vault_now() ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING id, token_id, owner_issuer, owner_subject, connection, issuer, client_id, token, attempts,
                extract(epoch FROM berth.vault_now() - created_at)::float8
            """;
        var rows = await QueryAsync(Sql, [Value(hold)], ReadOutbox, cancellationToken).ConfigureAwait(false);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <summary>Puts a delivery off.</summary>
    public Task RetryRevocationAsync(Guid id, TimeSpan wait, CancellationToken cancellationToken) => ExecuteAsync(
        "UPDATE berth.vault_outbox SET next_at = berth.vault_now() + $2 WHERE id = $1", [Value(id), Value(wait)], cancellationToken);

    /// <summary>The provider knows, or never will: what was left of the token is destroyed.</summary>
    public Task EndRevocationAsync(Guid id, CancellationToken cancellationToken) =>
        ExecuteAsync("DELETE FROM berth.vault_outbox WHERE id = $1", [Value(id)], cancellationToken);

    /// <summary>Removes what a connection of sessions kept for sessions that have ended.</summary>
    public Task ForgetAsync(string connection, TimeSpan age, CancellationToken cancellationToken) => ExecuteAsync(
        "DELETE FROM berth.vault_tokens WHERE connection = $1 AND created_at < berth.vault_now() - $2",
        [Text(connection), Value(age)], cancellationToken);

    /// <summary>Removes tombstones that are older, and consents that were not finished in time.</summary>
    public Task CleanAsync(TimeSpan tombstones, CancellationToken cancellationToken) => ExecuteAsync(
        """
        WITH gone AS (DELETE FROM berth.vault_consents WHERE expires_at < berth.vault_now())
        DELETE FROM berth.vault_tokens WHERE state = 'revoked' AND ended_at < berth.vault_now() - $1
        """,
        [Value(tombstones)], cancellationToken);

    private const string InsertOutbox = """
        INSERT INTO berth.vault_outbox
            (id, token_id, owner_issuer, owner_subject, connection, issuer, client_id, kek_id, token, created_at, next_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, n, n FROM berth.vault_now() AS n ON CONFLICT (id) DO NOTHING
        """;

    private static NpgsqlParameter[] OutboxValues(OutboxRow row, string keyId) =>
    [
        Value(row.Id), Value(row.TokenId), Text(row.Owner.Issuer), Text(row.Owner.Subject), Text(row.Connection), Text(row.Issuer),
        Text(row.ClientId), Text(keyId), Value(row.Token),
    ];

    private static string StateText(StoredTokenState state) => state switch
    {
        StoredTokenState.Active => "active",
        StoredTokenState.Revoked => "revoked",
        _ => "needs-consent",
    };

    private static OutboxRow ReadOutbox(NpgsqlDataReader r) => new(
        r.GetGuid(0), r.GetGuid(1), new PersonKey(r.GetString(2), r.GetString(3)), r.GetString(4), r.GetString(5), r.GetString(6),
        r.GetFieldValue<byte[]>(7), r.GetInt32(8), TimeSpan.FromSeconds(r.GetDouble(9)));
}
