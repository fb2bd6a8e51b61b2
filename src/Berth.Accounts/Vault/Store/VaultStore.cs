using Npgsql;

namespace Berth.Accounts;

/// <summary>The vault's statements. Each takes a connection of the pool for as long as it runs, and none across a wait.</summary>
/// <remarks>Methods throw <see cref="AccountsUnavailableException"/> when the database cannot be reached.</remarks>
internal sealed partial class VaultStore(NpgsqlDataSource database, AccountsResilience resilience)
{
    private const string Columns = """
        id, owner_issuer, owner_subject, connection, issuer, client_id, provider_subject, provider_session_id, scope, purpose, state, cause,
        version, refresh_token, access_token, token_type,
        extract(epoch FROM access_expires_at - berth.vault_now())::float8, extract(epoch FROM access_lifetime)::float8,
        created_at, refreshed_at, extract(epoch FROM berth.vault_now() - refreshed_at)::float8,
        extract(epoch FROM refreshing_until - berth.vault_now())::float8, committed_by
        """;

    /// <summary>Reads a row.</summary>
    public Task<VaultRow?> ReadAsync(Guid id, CancellationToken cancellationToken) =>
        FirstAsync($"SELECT {Columns} FROM berth.vault_tokens WHERE id = $1", [Value(id)], cancellationToken);

    /// <summary>The row of a grant that lives, or null.</summary>
    public Task<VaultRow?> FindGrantAsync(byte[] grantKey, CancellationToken cancellationToken) => FirstAsync(
        $"SELECT {Columns} FROM berth.vault_tokens WHERE grant_key = $1 AND state <> 'revoked'", [Value(grantKey)], cancellationToken);

    /// <summary>A row of the same owner and connection with one of these fingerprints, or null.</summary>
    public Task<VaultRow?> FindTwinAsync(PersonKey owner, string connection, byte[][] fingerprints, CancellationToken cancellationToken) =>
        FirstAsync(
            $"""
            SELECT {Columns} FROM berth.vault_tokens
            WHERE fingerprint = ANY($1) AND owner_issuer = $2 AND owner_subject = $3 AND connection = $4 AND state = 'active'
            LIMIT 1
            """,
            [Value(fingerprints), Text(owner.Issuer), Text(owner.Subject), Text(connection)], cancellationToken);

    /// <summary>The newest row of a person for a connection: active ones first, then those for no purpose in particular.</summary>
    public Task<VaultRow?> FindAsync(PersonKey owner, string connection, CancellationToken cancellationToken) => FirstAsync(
        $"""
        SELECT {Columns} FROM berth.vault_tokens WHERE owner_issuer = $1 AND owner_subject = $2 AND connection = $3
        ORDER BY state = 'active' DESC, state = 'needs-consent' DESC, purpose = '' DESC, created_at DESC, id LIMIT 1
        """,
        [Text(owner.Issuer), Text(owner.Subject), Text(connection)], cancellationToken);

    /// <summary>A person's rows, newest first.</summary>
    public Task<IReadOnlyList<VaultRow>> ListAsync(PersonKey owner, CancellationToken cancellationToken) => QueryAsync<VaultRow>(
        $"SELECT {Columns} FROM berth.vault_tokens WHERE owner_issuer = $1 AND owner_subject = $2 ORDER BY created_at DESC, id LIMIT 1000",
        [Text(owner.Issuer), Text(owner.Subject)], ReadRow, cancellationToken);

    /// <summary>Rows of a connection that were not refreshed for so long, longest first.</summary>
    public Task<IReadOnlyList<VaultRow>> ListIdleAsync(string connection, TimeSpan idle, int most, CancellationToken cancellationToken) =>
        QueryAsync<VaultRow>(
            $"""
            SELECT {Columns} FROM berth.vault_tokens
            WHERE connection = $1 AND state = 'active' AND refreshed_at < berth.vault_now() - $2
                AND (refreshing_until IS NULL OR refreshing_until < berth.vault_now())
            ORDER BY refreshed_at LIMIT $3
            """,
            [Text(connection), Value(idle), Value(most)], ReadRow, cancellationToken);

    /// <summary>Inserts a row of version 1.</summary>
    /// <returns>False when the grant has one already.</returns>
    public async Task<bool> InsertAsync(Guid id, byte[] grantKey, NewGrant grant, VaultConnection connection, string scope,
        SealedTokens tokens, CancellationToken cancellationToken)
    {
        const string Sql = """
            INSERT INTO berth.vault_tokens (id, grant_key, owner_issuer, owner_subject, connection, issuer, client_id, scope, purpose,
                state, version, created_at, refreshed_at, kek_id, refresh_token, access_token, token_type, access_expires_at,
                access_lifetime, fingerprint_key, fingerprint, provider_subject, provider_session_id)
            SELECT $10, $11, $12, $13, $14, $15, $16, $17, $18, 'active', 1, n, n, $1, $2, $3, $4, n + $5, $6, $7, $8, $9, $19
            FROM berth.vault_now() AS n
            ON CONFLICT (grant_key) WHERE state <> 'revoked' DO NOTHING
            """;
        return await ExecuteAsync(
            Sql,
            [
                .. Tokens(tokens), Text(tokens.ProviderSubject), Value(id), Value(grantKey), Text(grant.Owner.Issuer),
                Text(grant.Owner.Subject), Text(connection.Name), Text(connection.Issuer), Text(connection.ClientId), Text(scope),
                Text(grant.Purpose), Text(tokens.ProviderSessionId),
            ],
            cancellationToken).ConfigureAwait(false) == 1;
    }

    /// <summary>Puts a new grant in the place of an old one: everything is new but the id.</summary>
    /// <returns>False when the row has changed meanwhile.</returns>
    public async Task<bool> ReplaceAsync(Guid id, long version, SealedTokens tokens, CancellationToken cancellationToken)
    {
        const string Sql = """
            UPDATE berth.vault_tokens SET state = 'active', cause = 'none', version = version + 1, refreshed_at = n, ended_at = NULL,
                kek_id = $1, refresh_token = $2, access_token = $3, token_type = $4, access_expires_at = n + $5, access_lifetime = $6,
                fingerprint_key = $7, fingerprint = $8, provider_subject = COALESCE($9, provider_subject),
                provider_session_id = COALESCE($10, provider_session_id), refreshing_until = NULL, lease_id = NULL,
                unanswered_since = NULL, interrupted = 0
            FROM berth.vault_now() AS n WHERE id = $11 AND version = $12 AND state <> 'revoked'
            """;
        return await ExecuteAsync(
            Sql, [.. Tokens(tokens), Text(tokens.ProviderSubject), Text(tokens.ProviderSessionId), Value(id), Value(version)],
            cancellationToken).ConfigureAwait(false) == 1;
    }

    /// <summary>
    /// Takes the lease, and marks the attempt in the same statement: what happens after it and before the commit is known to whoever comes
    /// next, even after a crash. The row comes with it, so that who knows the version already needs no read before.
    /// </summary>
    /// <returns>Null when somebody else has it, or the row has changed.</returns>
    public Task<LeasedRow?> TryLeaseAsync(Guid id, long version, TimeSpan time, CancellationToken cancellationToken) =>
        TryLeaseAsync(id, version, time, Guid.NewGuid(), cancellationToken);

    /// <summary>
    /// The same with an id for the lease. A statement whose answer was lost is made again with the same id, and finds its own lease: that
    /// is neither somebody else's, nor a crash, nor an attempt that was not answered.
    /// </summary>
    internal async Task<LeasedRow?> TryLeaseAsync(Guid id, long version, TimeSpan time, Guid lease, CancellationToken cancellationToken)
    {
        const string Sql = $"""
            UPDATE berth.vault_tokens t SET refreshing_until = n + $3, lease_id = $4,
                interrupted = CASE WHEN old.holder IS NULL THEN 0 WHEN old.holder = $4 THEN old.crashes ELSE old.crashes + 1 END,
                unanswered_since = CASE WHEN old.is_mine THEN n ELSE COALESCE(old.marked, n) END
            FROM (SELECT id AS row, lease_id AS holder, interrupted AS crashes, unanswered_since AS marked,
                    lease_id = $4 AND unanswered_since + $3 = refreshing_until AS is_mine
                FROM berth.vault_tokens WHERE id = $1 FOR UPDATE) old, berth.vault_now() AS n
            WHERE t.id = old.row AND t.version = $2 AND t.state = 'active'
                AND (t.refreshing_until IS NULL OR t.refreshing_until < n OR t.lease_id = $4)
            RETURNING {Columns}, old.marked IS NOT NULL AND NOT COALESCE(old.is_mine, false), interrupted
            """;
        var taken = await QueryAsync(
            Sql, [Value(id), Value(version), Value(time), Value(lease)],
            r => new LeasedRow(ReadRow(r) with { LeaseRemaining = null }, new VaultLease(lease, r.GetBoolean(23), r.GetInt32(24))),
            cancellationToken).ConfigureAwait(false);
        return taken.Count == 1 ? taken[0] : null;
    }

    /// <summary>Commits what a refresh gave.</summary>
    /// <returns>
    /// False when the row has a higher version: a sibling was faster, or it was revoked. A row that a sibling has given up meanwhile takes
    /// the new tokens all the same, for they are newer than what the sibling tried.
    /// </returns>
    public async Task<bool> CommitAsync(Guid id, long version, Guid lease, SealedTokens tokens, CancellationToken cancellationToken)
    {
        const string Sql = """
            UPDATE berth.vault_tokens SET state = 'active', cause = 'none', version = $12 + 1, refreshed_at = n, ended_at = NULL,
                kek_id = $1, refresh_token = $2, access_token = $3, token_type = $4, access_expires_at = n + $5, access_lifetime = $6,
                fingerprint_key = $7, fingerprint = $8, provider_session_id = COALESCE($9, provider_session_id), refreshing_until = NULL,
                lease_id = NULL, unanswered_since = NULL, interrupted = 0, committed_by = $10
            FROM berth.vault_now() AS n
            WHERE id = $11 AND ((version = $12 AND state <> 'revoked') OR (version = $12 + 1 AND committed_by = $10))
            RETURNING version
            """;
        var committed = await QueryAsync(
            Sql,
            [.. Tokens(tokens), Text(tokens.ProviderSessionId), Value(lease), Value(id), Value(version)], r => r.GetInt64(0),
            cancellationToken).ConfigureAwait(false);
        return committed.Count == 1;
    }

    /// <summary>Gives the lease back with nothing changed. An answered attempt leaves no mark.</summary>
    public Task ReleaseAsync(Guid id, Guid lease, bool answered, CancellationToken cancellationToken) => ExecuteAsync(
        """
        UPDATE berth.vault_tokens SET refreshing_until = NULL, lease_id = NULL, interrupted = 0,
            unanswered_since = CASE WHEN $3 THEN NULL ELSE unanswered_since END
        WHERE id = $1 AND lease_id = $2
        """,
        [Value(id), Value(lease), Value(answered)], cancellationToken);

    /// <summary>Marks that the person has to consent anew, and destroys what does not work any more.</summary>
    /// <returns>False when the row has changed: a sibling won.</returns>
    public async Task<bool> EndAsync(Guid id, long version, ReconsentCause cause, CancellationToken cancellationToken) =>
        await ExecuteAsync(
            $"""
            UPDATE berth.vault_tokens SET state = 'needs-consent', cause = $3, {Shred}
            WHERE id = $1 AND version = $2 AND state = 'active'
            """,
            [Value(id), Value(version), Text(cause.ToText())], cancellationToken).ConfigureAwait(false) == 1;

    private const string Shred = """
        kek_id = NULL, refresh_token = NULL, access_token = NULL, access_expires_at = NULL, access_lifetime = NULL, fingerprint = NULL,
        fingerprint_key = NULL, refreshing_until = NULL, lease_id = NULL, unanswered_since = NULL, interrupted = 0,
        ended_at = berth.vault_now()
        """;

    private static IEnumerable<NpgsqlParameter> Tokens(SealedTokens tokens) =>
    [
        Text(tokens.KeyId), Value(tokens.RefreshToken), Bytes(tokens.AccessToken), Text(tokens.TokenType), Interval(tokens.AccessRemaining),
        Interval(tokens.AccessLifetime), Text(tokens.FingerprintKey), Value(tokens.Fingerprint),
    ];

    private static VaultRow ReadRow(NpgsqlDataReader r) => new()
    {
        Id = r.GetGuid(0),
        Owner = new PersonKey(r.GetString(1), r.GetString(2)),
        Connection = r.GetString(3),
        Issuer = r.GetString(4),
        ClientId = r.GetString(5),
        ProviderSubject = TextOf(r, 6),
        ProviderSessionId = TextOf(r, 7),
        Scope = r.GetString(8),
        Purpose = r.GetString(9),
        State = r.GetString(10) switch
        {
            "active" => StoredTokenState.Active,
            "revoked" => StoredTokenState.Revoked,
            _ => StoredTokenState.NeedsConsent
        },
        Cause = ReconsentCauses.Parse(r.GetString(11)),
        Version = r.GetInt64(12),
        RefreshToken = r.IsDBNull(13) ? null : r.GetFieldValue<byte[]>(13),
        AccessToken = r.IsDBNull(14) ? null : r.GetFieldValue<byte[]>(14),
        TokenType = r.GetString(15),
        AccessRemaining = Seconds(r, 16),
        AccessLifetime = Seconds(r, 17) ?? TimeSpan.Zero,
        CreatedAt = r.GetFieldValue<DateTimeOffset>(18),
        RefreshedAt = r.GetFieldValue<DateTimeOffset>(19),
        SinceRefresh = Seconds(r, 20) ?? TimeSpan.Zero,
        LeaseRemaining = Seconds(r, 21) is { } left && left > TimeSpan.Zero ? left : null,
        CommittedBy = r.IsDBNull(22) ? null : r.GetGuid(22),
    };
}
