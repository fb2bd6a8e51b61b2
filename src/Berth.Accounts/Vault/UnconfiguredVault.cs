namespace Berth.Accounts;

/// <summary>Stands where a vault would be, in a program that has none: it holds nothing and says so.</summary>
public sealed class UnconfiguredVault : ITokenVault, ITokenConsents
{
    private const string Why = "The token vault is not configured here.";

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, VaultConnection> Connections { get; } = new Dictionary<string, VaultConnection>();

    /// <inheritdoc/>
    public Task<StoredToken> StoreAsync(NewGrant grant, CancellationToken cancellationToken) => throw new AccountsUnavailableException(Why);

    /// <inheritdoc/>
    public Task<AccessTokenResult> GetAccessTokenAsync(
        Guid tokenId, PersonKey caller, AccessTokenRequest request, CancellationToken cancellationToken) => Task.FromResult(Nothing());

    /// <inheritdoc/>
    public Task<AccessTokenResult> GetAccessTokenAsync(
        PersonKey caller, string connection, AccessTokenRequest request, CancellationToken cancellationToken) => Task.FromResult(Nothing());

    /// <inheritdoc/>
    public Task<StoredToken?> FindAsync(PersonKey caller, string connection, CancellationToken cancellationToken) =>
        throw new AccountsUnavailableException(Why);

    /// <inheritdoc/>
    public Task<StoredToken?> GetAsync(Guid tokenId, PersonKey caller, CancellationToken cancellationToken) =>
        throw new AccountsUnavailableException(Why);

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredToken>> ListAsync(PersonKey caller, CancellationToken cancellationToken) =>
        throw new AccountsUnavailableException(Why);

    /// <inheritdoc/>
    public Task<TokenRevocation?> RevokeAsync(Guid tokenId, PersonKey caller, bool dryRun, CancellationToken cancellationToken) =>
        throw new AccountsUnavailableException(Why);

    /// <inheritdoc/>
    public Task<BegunConsent> BeginAsync(ConsentRequest request, CancellationToken cancellationToken) =>
        throw new AccountsUnavailableException(Why);

    /// <inheritdoc/>
    public Task<TakenConsent?> TakeAsync(string state, PersonKey owner, string? sessionId, CancellationToken cancellationToken) =>
        throw new AccountsUnavailableException(Why);

    /// <inheritdoc/>
    public Task<ProviderTokens> RedeemAsync(
        TakenConsent consent, string code, string redirectUri, CancellationToken cancellationToken) =>
        throw new AccountsUnavailableException(Why);

    /// <inheritdoc/>
    public Task<ProviderTokens> AdoptAsync(string connection, string refreshToken, CancellationToken cancellationToken) =>
        throw new AccountsUnavailableException(Why);

    /// <inheritdoc/>
    public Task AbandonAsync(string connection, string refreshToken, CancellationToken cancellationToken) => Task.CompletedTask;

    private static AccessTokenResult Nothing() => new() { Outcome = AccessTokenOutcome.VaultUnavailable, Detail = Why };
}
