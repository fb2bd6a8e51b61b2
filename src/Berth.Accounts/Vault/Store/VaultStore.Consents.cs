namespace Berth.Accounts;

/// <summary>A consent that was begun, as it is stored.</summary>
internal sealed record ConsentRow
{
    public required Guid Id { get; init; }

    public required PersonKey Owner { get; init; }

    public string? SessionId { get; init; }

    public required string Connection { get; init; }

    public required string Issuer { get; init; }

    public required string ClientId { get; init; }

    public required string Purpose { get; init; }

    public string? ReturnTo { get; init; }

    public required byte[] Secrets { get; init; }

    public RecordContext Context => new(Id, Owner, Issuer, ClientId, SealedKind.Consent, 1);
}

/// <content>Consents that were begun.</content>
internal sealed partial class VaultStore
{
    /// <summary>Stores one; of a person's open ones the newest few stay.</summary>
    public Task AddConsentAsync(
        byte[] stateHash, ConsentRow consent, string keyId, TimeSpan life, int most, CancellationToken cancellationToken) => ExecuteAsync(
            """
            WITH old AS (
                DELETE FROM berth.vault_consents WHERE state_hash IN (
                    SELECT state_hash FROM berth.vault_consents WHERE owner_issuer = $3 AND owner_subject = $4
                    ORDER BY created_at DESC OFFSET $14))
            INSERT INTO berth.vault_consents (state_hash, id, owner_issuer, owner_subject, session_id, connection, issuer, client_id,
                purpose, return_to, kek_id, secrets, created_at, expires_at)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, n, n + $13 FROM berth.vault_now() AS n
            """,
            [
                Value(stateHash), Value(consent.Id), Text(consent.Owner.Issuer), Text(consent.Owner.Subject), Text(consent.SessionId),
                Text(consent.Connection), Text(consent.Issuer), Text(consent.ClientId), Text(consent.Purpose), Text(consent.ReturnTo),
                Text(keyId), Value(consent.Secrets), Value(life), Value(most - 1),
            ],
            cancellationToken);

    /// <summary>Uses one up, whoever begins it: null when there is none, or its time is over.</summary>
    /// <remarks>Its owner has to be the one who asks: somebody else's state in the wrong browser ends nothing.</remarks>
    public async Task<ConsentRow?> TakeConsentAsync(
        byte[] stateHash, PersonKey owner, string? sessionId, CancellationToken cancellationToken)
    {
        var rows = await QueryAsync(
            """
            DELETE FROM berth.vault_consents
            WHERE state_hash = $1 AND owner_issuer = $2 AND owner_subject = $3 AND (session_id IS NULL OR session_id = $4)
                AND expires_at >= berth.vault_now()
            RETURNING id, session_id, connection, issuer, client_id, purpose, return_to, secrets
            """,
            [Value(stateHash), Text(owner.Issuer), Text(owner.Subject), Text(sessionId)],
            r => new ConsentRow
            {
                Id = r.GetGuid(0),
                Owner = owner,
                SessionId = TextOf(r, 1),
                Connection = r.GetString(2),
                Issuer = r.GetString(3),
                ClientId = r.GetString(4),
                Purpose = r.GetString(5),
                ReturnTo = TextOf(r, 6),
                Secrets = r.GetFieldValue<byte[]>(7),
            },
            cancellationToken).ConfigureAwait(false);
        return rows.Count == 0 ? null : rows[0];
    }
}
