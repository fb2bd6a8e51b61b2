namespace Berth.Accounts;

/// <summary>What the vault asks of providers. Nothing throws for what a provider does.</summary>
internal interface IVaultProvider
{
    /// <summary>Uses a refresh token (RFC 6749, 6).</summary>
    Task<TokenAnswer> RefreshAsync(VaultConnection connection, Secret refreshToken, CancellationToken cancellationToken);

    /// <summary>Exchanges a code (RFC 6749, 4.1.3; RFC 7636).</summary>
    Task<TokenAnswer> RedeemAsync(
        VaultConnection connection, string code, string verifier, string redirectUri, CancellationToken cancellationToken);

    /// <summary>Revokes a refresh token (RFC 7009).</summary>
    Task<RevocationAnswer> RevokeAsync(VaultConnection connection, Secret refreshToken, CancellationToken cancellationToken);
}

/// <summary>What came of telling a provider of a revocation.</summary>
internal enum RevocationAnswer
{
    /// <summary>It is revoked, or was not known.</summary>
    Done,

    /// <summary>The provider has no such endpoint, or refuses for good: trying again is of no use.</summary>
    Impossible,

    /// <summary>No answer, or an error that may pass.</summary>
    Failed,
}
