using System.Security.Cryptography;
using System.Text;

namespace Berth.Accounts;

/// <content>Storing, showing and revoking.</content>
public sealed partial class TokenVault
{
    private const int MaximumPurpose = 100;
    private const int MaximumScope = 4096;

    // Each try loses to a change of the same row; more than a few in a row is no coincidence.
    private const int MostTries = 10;

    /// <inheritdoc/>
    public async Task<StoredToken?> FindAsync(PersonKey caller, string connection, CancellationToken cancellationToken) =>
        IsName(caller) ? (await _store.FindAsync(caller, connection, cancellationToken).ConfigureAwait(false))?.ToStoredToken() : null;

    /// <inheritdoc/>
    public async Task<StoredToken?> GetAsync(Guid tokenId, PersonKey caller, CancellationToken cancellationToken) =>
        await _store.ReadAsync(tokenId, cancellationToken).ConfigureAwait(false) is { } row && row.Owner == caller
            && !VaultConnection.IsSessionName(row.Connection)
            ? row.ToStoredToken()
            : null;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<StoredToken>> ListAsync(PersonKey caller, CancellationToken cancellationToken) =>
        IsName(caller)
            ? [.. (await _store.ListAsync(caller, cancellationToken).ConfigureAwait(false))
                .Where(r => !VaultConnection.IsSessionName(r.Connection)).Select(r => r.ToStoredToken())]
            : [];

    /// <inheritdoc/>
    public async Task<StoredToken> StoreAsync(NewGrant grant, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(grant);
        RequireStarted();
        var connection = Check(grant);
        var scope = Sorted(grant.Scope.Length > 0 ? grant.Scope : string.Join(' ', connection.Scopes));
        var key = GrantKey(grant, connection, scope);
        using var refreshToken = Secret.FromText(grant.RefreshToken);
        using var accessToken = grant.AccessToken is { Length: > 0 } given ? Secret.FromText(given) : null;
        var received = _clock.GetTimestamp();
        var lifetime = RefreshMachine.Lifetime(grant.ExpiresIn, accessToken, connection, _clock.GetUtcNow());
        for (var attempt = 0; attempt < MostTries; attempt++)
        {
            var old = await _store.FindGrantAsync(key, cancellationToken).ConfigureAwait(false)
                ?? (connection.IsOfSessions ? null : await _store.FindTwinAsync(
                    grant.Owner, connection.Name, _sealer.AllFingerprints(connection.Issuer, connection.ClientId, refreshToken),
                    cancellationToken).ConfigureAwait(false));
            var row = new VaultRow
            {
                Id = old?.Id ?? grant.Id ?? Guid.CreateVersion7(),
                Owner = grant.Owner,
                Connection = connection.Name,
                Issuer = connection.Issuer,
                ClientId = connection.ClientId,
                ProviderSubject = grant.ProviderSubject,
                ProviderSessionId = grant.ProviderSessionId,
                Scope = scope,
                Purpose = grant.Purpose,
                State = StoredTokenState.Active,
                Version = (old?.Version ?? 0) + 1,
                TokenType = grant.TokenType,
                CreatedAt = default,
                RefreshedAt = default,
            };
            var tokens = _sealer.Seal(row, refreshToken, accessToken) with
            {
                AccessLifetime = accessToken is null ? null : lifetime,
                AccessRemaining = accessToken is null ? null : lifetime - _clock.GetElapsedTime(received),
                ProviderSubject = grant.ProviderSubject,
                ProviderSessionId = grant.ProviderSessionId,
            };
            var stored = old is null
                ? await _store.InsertAsync(row.Id, key, grant, connection, scope, tokens, cancellationToken).ConfigureAwait(false)
                : await _store.ReplaceAsync(row.Id, old.Version, tokens, cancellationToken).ConfigureAwait(false);
            if (stored)
            {
                _cache.Learn(row.Id, row.Version, live: true);
                _cache.Forget(VaultCache.OwnerHash(grant.Owner));
                if (!connection.IsOfSessions)
                {
                    Audit(grant.Owner, "vault.store", $"tokens/{row.Id} {connection.Name}");
                }

                return (await _store.ReadAsync(row.Id, cancellationToken).ConfigureAwait(false) ?? row).ToStoredToken();
            }
        }

        throw new AccountsUnavailableException("The stored token changes faster than it can be replaced.");
    }

    /// <inheritdoc/>
    public Task<TokenRevocation?> RevokeAsync(Guid tokenId, PersonKey caller, bool dryRun, CancellationToken cancellationToken) =>
        RevokeAnyAsync(tokenId, caller, dryRun, ofSession: false, cancellationToken);

    private async Task<TokenRevocation?> RevokeAnyAsync(
        Guid tokenId, PersonKey caller, bool dryRun, bool ofSession, CancellationToken cancellationToken)
    {
        RequireStarted();
        for (var attempt = 0; attempt < MostTries; attempt++)
        {
            var row = await _store.ReadAsync(tokenId, cancellationToken).ConfigureAwait(false);
            if (row is null || row.Owner != caller || VaultConnection.IsSessionName(row.Connection) != ofSession)
            {
                return null;
            }

            if (row.State == StoredTokenState.Revoked)
            {
                return new TokenRevocation(tokenId, !dryRun, 0, 0, UpstreamRevocation.NotNeeded);
            }

            var (plan, outbox) = await PlanAsync(row, dryRun, cancellationToken).ConfigureAwait(false);
            if (dryRun)
            {
                return plan;
            }

            if (await _store.RevokeAsync(row, outbox, outbox is null ? null : _sealer.KeyId, cancellationToken).ConfigureAwait(false))
            {
                _cache.Learn(row.Id, row.Version + 1, live: false);
                _cache.Forget(VaultCache.OwnerHash(caller));
                if (!ofSession)
                {
                    Audit(caller, "vault.revoke", $"tokens/{row.Id} {row.Connection}");
                }

                _jobs.Wake();
                return plan;
            }
        }

        throw new AccountsUnavailableException("The stored token changes faster than it can be revoked.");
    }

    private async Task<(TokenRevocation Plan, OutboxRow? Outbox)> PlanAsync(VaultRow row, bool dryRun, CancellationToken cancellationToken)
    {
        var error = _sealer.TryOpen(row.RefreshToken ?? [], row.Context(SealedKind.Refresh), out var refreshToken);
        using (refreshToken)
        {
            // What cannot be opened cannot be told to the provider; the tombstone is made all the same.
            var fingerprints = error == EnvelopeError.None
                ? _sealer.AllFingerprints(row.Issuer, row.ClientId, refreshToken) : [];
            var (tokens, sessions) = await _store.CountSharedAsync(row, fingerprints, cancellationToken).ConfigureAwait(false);
            var upstream = error != EnvelopeError.None ? UpstreamRevocation.NotNeeded
                : tokens > 0 ? UpstreamRevocation.SharedToken
                : sessions > 0 ? UpstreamRevocation.SharedSession
                : UpstreamRevocation.Queued;
            var outbox = upstream == UpstreamRevocation.Queued && !dryRun ? _sealer.ForOutbox(row, refreshToken) : null;
            return (new TokenRevocation(row.Id, !dryRun, tokens, sessions, upstream), outbox);
        }
    }

    private VaultConnection Check(NewGrant grant)
    {
        if (!Connections.TryGetValue(grant.Connection, out var connection))
        {
            throw new ArgumentException($"There is no connection '{grant.Connection}'.", nameof(grant));
        }

        if (!IsName(grant.Owner))
        {
            throw new ArgumentException("The owner has no issuer or subject that can be stored.", nameof(grant));
        }

        if (Encoding.UTF8.GetByteCount(grant.RefreshToken) is 0 or > TokenAnswerParser.MaximumToken
            || Encoding.UTF8.GetByteCount(grant.AccessToken ?? "") > TokenAnswerParser.MaximumToken)
        {
            throw new ArgumentException($"A token is empty or longer than {TokenAnswerParser.MaximumToken} bytes.", nameof(grant));
        }

        return grant.Purpose.Length <= MaximumPurpose && grant.Scope.Length <= MaximumScope && !grant.Purpose.Contains('\0')
            && !grant.Scope.Contains('\0')
                ? connection
                : throw new ArgumentException(
                    $"Purpose ({MaximumPurpose} characters) or scope ({MaximumScope}) is too long.", nameof(grant));
    }

    private static string Sorted(string scope) =>
        string.Join(' ', scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct().Order(StringComparer.Ordinal));

    // Lengths before the parts: no two grants have one key.
    private static byte[] GrantKey(NewGrant grant, VaultConnection connection, string scope)
    {
        string[] parts =
        [
            grant.Owner.Issuer, grant.Owner.Subject, connection.Name, connection.Issuer, connection.ClientId, grant.Purpose, scope,
        ];
        return SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(parts.Select(p => $"{p.Length}:{p}"))));
    }

    private void Audit(PersonKey owner, string action, string target) => _audit(new AuditEvent
    {
        At = _clock.GetUtcNow(),
        Actor = owner,
        Action = action,
        Target = target,
        Outcome = "allowed",
    });
}
