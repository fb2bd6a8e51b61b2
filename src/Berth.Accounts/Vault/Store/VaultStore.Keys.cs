namespace Berth.Accounts;

/// <summary>Where sealed records are, to move them to another key.</summary>
internal enum SealedTable
{
    Tokens,
    Outbox,
    Consents,
}

/// <summary>A row with what is sealed in it.</summary>
/// <param name="Row">Id and fields that its records are bound to.</param>
/// <param name="KeyId">Key around it.</param>
/// <param name="First">The record.</param>
/// <param name="Second">The access token beside a refresh token.</param>
internal sealed record SealedRow(RecordContext Row, string KeyId, byte[] First, byte[]? Second);

/// <content>Keys: canaries, who is behind, and moving records to the active key.</content>
internal sealed partial class VaultStore
{
    /// <summary>Writes a canary unless there is one, and reads what there is then: replicas that start together agree on one.</summary>
    public async Task<byte[]> GetOrAddCanaryAsync(string kind, string keyId, byte[] canary, CancellationToken cancellationToken)
    {
        await ExecuteAsync(
            """
            INSERT INTO berth.vault_keys (kind, key_id, canary, created_at) VALUES ($1, $2, $3, berth.vault_now())
            ON CONFLICT (kind, key_id) DO NOTHING
            """,
            [Text(kind), Text(keyId), Value(canary)], cancellationToken).ConfigureAwait(false);
        return (await QueryAsync(
            "SELECT canary FROM berth.vault_keys WHERE kind = $1 AND key_id = $2", [Text(kind), Text(keyId)],
            r => r.GetFieldValue<byte[]>(0), cancellationToken).ConfigureAwait(false))[0];
    }

    /// <summary>Records sealed with each key, and fingerprints made with each.</summary>
    public Task<IReadOnlyList<(string Kind, string KeyId, long Count)>> CountByKeyAsync(CancellationToken cancellationToken) => QueryAsync(
        """
        SELECT 'seal', kek_id, count(*) FROM (
            SELECT kek_id FROM berth.vault_tokens WHERE kek_id IS NOT NULL
            UNION ALL SELECT kek_id FROM berth.vault_outbox
            UNION ALL SELECT kek_id FROM berth.vault_consents WHERE expires_at >= berth.vault_now()) AS s
        GROUP BY kek_id
        UNION ALL
        SELECT 'fingerprint', fingerprint_key, count(*) FROM berth.vault_tokens WHERE fingerprint_key IS NOT NULL GROUP BY fingerprint_key
        """,
        [], r => (r.GetString(0), r.GetString(1), r.GetInt64(2)), cancellationToken);

    /// <summary>Rows of a table that another key than the given one is around, after an id.</summary>
    public Task<IReadOnlyList<SealedRow>> ListBehindAsync(
        SealedTable table, string active, Guid after, int most, CancellationToken cancellationToken) => QueryAsync(
            table switch
            {
                SealedTable.Tokens => """
                    SELECT id, owner_issuer, owner_subject, issuer, client_id, 'refresh', version, kek_id, refresh_token, access_token
                    FROM berth.vault_tokens WHERE kek_id <> $1 AND id > $2 ORDER BY id LIMIT $3
                    """,
                SealedTable.Outbox => """
                    SELECT id, owner_issuer, owner_subject, issuer, client_id, 'revocation', 1::bigint, kek_id, token, NULL::bytea
                    FROM berth.vault_outbox WHERE kek_id <> $1 AND id > $2 ORDER BY id LIMIT $3
                    """,
                _ => """
                    SELECT id, owner_issuer, owner_subject, issuer, client_id, 'consent', 1::bigint, kek_id, secrets, NULL::bytea
                    FROM berth.vault_consents WHERE kek_id <> $1 AND id > $2 ORDER BY id LIMIT $3
                    """,
            },
            [Text(active), Value(after), Value(most)],
            r => new SealedRow(
                new RecordContext(
                    r.GetGuid(0), new PersonKey(r.GetString(1), r.GetString(2)), r.GetString(3), r.GetString(4), r.GetString(5),
                    r.GetInt64(6)),
                r.GetString(7), r.GetFieldValue<byte[]>(8), r.IsDBNull(9) ? null : r.GetFieldValue<byte[]>(9)),
            cancellationToken);

    /// <summary>Replaces the wrapping of a row.</summary>
    /// <returns>False when the row has changed meanwhile: whoever did it sealed it with a key of theirs.</returns>
    public async Task<bool> RewrapAsync(SealedTable table, SealedRow before, SealedRow after, CancellationToken cancellationToken) =>
        await ExecuteAsync(
            table switch
            {
                SealedTable.Tokens => """
                    UPDATE berth.vault_tokens SET kek_id = $1, refresh_token = $2, access_token = $3
                    WHERE id = $4 AND kek_id = $5 AND version = $6
                    """,
                SealedTable.Outbox => """
                    UPDATE berth.vault_outbox SET kek_id = $1, token = COALESCE($2, $3) WHERE id = $4 AND kek_id = $5 AND $6 = 1
                    """,
                _ => "UPDATE berth.vault_consents SET kek_id = $1, secrets = COALESCE($2, $3) WHERE id = $4 AND kek_id = $5 AND $6 = 1",
            },
            [
                Text(after.KeyId), Bytes(after.First), Bytes(after.Second), Value(before.Row.RecordId), Text(before.KeyId),
                Value(before.Row.Version),
            ],
            cancellationToken).ConfigureAwait(false) == 1;
}
