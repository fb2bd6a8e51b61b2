namespace Berth.Accounts;

/// <content>
/// Tokens that renew sessions: the same rows, leases and versions as everything else here, under connections of their own
/// (<see cref="VaultConnection.IsOfSessions"/>) and out of sight of the rest.
/// </content>
public sealed partial class TokenVault
{
    /// <summary>Keeps the tokens of a session that begins.</summary>
    /// <param name="session">Id of the session, 128 random bits: the row is found by it.</param>
    /// <param name="grant">The tokens; the ID token as access token.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached; nothing is stored.</exception>
    public async Task StoreSessionAsync(Guid session, NewGrant grant, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(grant);
        var named = new NewGrant
        {
            Id = session,
            Purpose = session.ToString("N"),
            Owner = grant.Owner,
            Connection = grant.Connection,
            RefreshToken = grant.RefreshToken,
            AccessToken = grant.AccessToken,
            ExpiresIn = grant.ExpiresIn,
            ProviderSubject = grant.ProviderSubject,
            ProviderSessionId = grant.ProviderSessionId,
        };
        await StoreAsync(named, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives an ID token that is young enough, refreshing where none is: one flight on however many replicas.</summary>
    /// <param name="session">Id of the session.</param>
    /// <param name="owner">Whose it is.</param>
    /// <param name="remaining">Least part of the connection's time that has to be left.</param>
    /// <param name="cancellationToken">Ends the wait of this caller.</param>
    public Task<AccessTokenResult> GetSessionTokenAsync(
        Guid session, PersonKey owner, TimeSpan remaining, CancellationToken cancellationToken) =>
        GetAnyAsync(session, owner, new AccessTokenRequest { MinimumLifetime = remaining }, cancellationToken);

    /// <summary>The last ID token of a session, however old; nobody is asked for a new one. Null when there is none.</summary>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    public async Task<string?> FindSessionTokenAsync(Guid session, PersonKey owner, CancellationToken cancellationToken)
    {
        RequireStarted();
        if (await _store.ReadAsync(session, cancellationToken).ConfigureAwait(false) is not { AccessToken: { } kept } row
            || row.Owner != owner || !VaultConnection.IsSessionName(row.Connection))
        {
            return null;
        }

        var error = _sealer.TryOpen(kept, row.Context(SealedKind.Access), out var token);
        using (token)
        {
            return error == EnvelopeError.None ? token.Reveal() : null;
        }
    }

    /// <summary>Ends the tokens of a session: destroyed here, and revoked at the provider with retries.</summary>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    public Task RevokeSessionTokenAsync(Guid session, PersonKey owner, CancellationToken cancellationToken) =>
        RevokeAnyAsync(session, owner, dryRun: false, ofSession: true, cancellationToken);
}
