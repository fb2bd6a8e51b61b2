namespace Berth.Accounts;

/// <summary>
/// Keeps the refresh and offline tokens that people granted, of any provider, and gives out access tokens made with them. One token is
/// refreshed by one caller at a time, on however many replicas; everybody else gets the same answer.
/// </summary>
/// <remarks>
/// <code>
/// access token asked for
///   | in memory and long enough ----------------------------------------------------------> Granted (no database, no provider)
///   | in the row and long enough ---------------------------------------------------------> Granted
///   | lease taken -> provider asked -> new tokens committed ------------------------------> Granted
///   |                 | no answer, 5xx, 429 -> back-off; cached token while it lasts ------> Granted or ProviderUnavailable
///   |                 | invalid_grant, and nobody else has changed the row ---------------> NeedsConsent (terminal, with its cause)
///   | somebody else has the lease -> wait, read the row again -> as above
/// </code>
/// <para>Guarantees: an access token is given out only after the refresh token that came with it is committed. A token is given to its
/// owner only. After a revocation has returned, this replica gives out nothing for it any more, and the others as soon as the notice
/// reaches them.</para>
/// <para>No method throws for what the provider or the database does: the results say it. Tokens are never part of an exception, a log line
/// or the text of a result.</para>
/// </remarks>
public interface ITokenVault
{
    /// <summary>The connections that this process knows, by name.</summary>
    IReadOnlyDictionary<string, VaultConnection> Connections { get; }

    /// <summary>Stores what a person granted. The same grant again (owner, connection, scopes and purpose) takes the old one's place and
    /// keeps its id.</summary>
    /// <exception cref="ArgumentException">The connection is not known, or a value is too long.</exception>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached; nothing is stored.</exception>
    Task<StoredToken> StoreAsync(NewGrant grant, CancellationToken cancellationToken);

    /// <summary>Gives an access token made with a stored token.</summary>
    /// <param name="tokenId">Id of the stored token.</param>
    /// <param name="caller">Who asks; only the owner gets anything but <see cref="AccessTokenOutcome.NotFound"/>.</param>
    /// <param name="request">How long it has to last, and whether it must be a new one.</param>
    /// <param name="cancellationToken">Ends the wait of this caller; a refresh that has begun goes on for the others.</param>
    Task<AccessTokenResult> GetAccessTokenAsync(
        Guid tokenId, PersonKey caller, AccessTokenRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// The same by connection: the newest active token that the person has for it. Warm, it costs no statement.
    /// <see cref="AccessTokenOutcome.NotFound"/> means that they have to consent first.
    /// </summary>
    Task<AccessTokenResult> GetAccessTokenAsync(
        PersonKey caller, string connection, AccessTokenRequest request, CancellationToken cancellationToken);

    /// <summary>The newest token of a person for a connection, active ones first; null when there is none.</summary>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    Task<StoredToken?> FindAsync(PersonKey caller, string connection, CancellationToken cancellationToken);

    /// <summary>A stored token by id; null when there is none or it is somebody else's.</summary>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    Task<StoredToken?> GetAsync(Guid tokenId, PersonKey caller, CancellationToken cancellationToken);

    /// <summary>A person's tokens, newest first, at most 1,000.</summary>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    Task<IReadOnlyList<StoredToken>> ListAsync(PersonKey caller, CancellationToken cancellationToken);

    /// <summary>
    /// Revokes a token: local tombstone first, then the provider is told (with retries), then what was stored of it is destroyed. Where
    /// other stored tokens are the same token or of the same session at the provider, the provider is not told, for it would end those as
    /// well.
    /// </summary>
    /// <param name="tokenId">Id of the stored token.</param>
    /// <param name="caller">Who asks; has to be the owner.</param>
    /// <param name="dryRun">Only tell what would be done.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>What was or would be done; null when there is no such token or it is somebody else's.</returns>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached; nothing is revoked.</exception>
    Task<TokenRevocation?> RevokeAsync(Guid tokenId, PersonKey caller, bool dryRun, CancellationToken cancellationToken);
}
