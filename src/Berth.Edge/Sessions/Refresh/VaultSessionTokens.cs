using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Tokens of sessions in the token vault: sealed, with its leases, versions, back-offs and revocations.</summary>
internal sealed class VaultSessionTokens(TokenVault vault, ILogger<VaultSessionTokens> logger) : ISessionTokens
{
    /// <summary>The vault's connections for the providers whose sessions are renewed.</summary>
    public static IEnumerable<VaultConnection> Connections(EdgeSettings settings) =>
        settings.Issuers.Where(i => i.RefreshAfter is not null).Select(i => new VaultConnection
        {
            Name = NameOf(i),
            Issuer = i.Issuer,
            ClientId = i.ClientId,
            ClientSecret = i.ClientSecret,
            Scopes = i.Scope.Split(' '),
            DefaultTokenLifetime = i.RefreshAfter!.Value,
            KeepAliveAfter = TimeSpan.Zero,
            ForgetAfter = settings.Sessions.Absolute + TimeSpan.FromHours(1),
        });

    /// <inheritdoc/>
    public async Task StoreAsync(
        EdgeSession session, IssuerSettings issuer, string refreshToken, string idToken, CancellationToken cancellationToken)
    {
        try
        {
            await vault.StoreSessionAsync(
                IdOf(session),
                new NewGrant
                {
                    Owner = OwnerOf(session),
                    Connection = NameOf(issuer),
                    RefreshToken = refreshToken,
                    AccessToken = idToken,
                    ExpiresIn = issuer.RefreshAfter,
                    ProviderSubject = session.Subject,
                    ProviderSessionId = session.ProviderSessionId,
                },
                cancellationToken);
        }
        catch (Exception error) when (error is AccountsUnavailableException or ArgumentException)
        {
            // The latter for what a provider sends and no database keeps.
            throw new SignInUnavailableException(error.Message, error);
        }
    }

    /// <inheritdoc/>
    public async Task<SessionTokenAnswer> GetAsync(EdgeSession session, IssuerSettings issuer, TimeSpan youngerThan)
    {
        var after = issuer.RefreshAfter!.Value;
        var result = await vault.GetSessionTokenAsync(IdOf(session), OwnerOf(session), after - youngerThan, CancellationToken.None);
        return result.Outcome switch
        {
            AccessTokenOutcome.Granted => new(SessionTokenKind.Token, result.Token!.Value, Age(after - result.Token.Remaining)),
            AccessTokenOutcome.NeedsConsent or AccessTokenOutcome.Revoked or AccessTokenOutcome.NotFound =>
                new(SessionTokenKind.Over, Detail: $"{result.Outcome} {result.Cause}"),
            AccessTokenOutcome.ProviderError => new(SessionTokenKind.Unusable, Detail: result.Detail),
            _ => new(SessionTokenKind.Unavailable, Detail: result.Detail),
        };
    }

    /// <inheritdoc/>
    public async Task<string?> FindHintAsync(EdgeSession session, CancellationToken cancellationToken)
    {
        try
        {
            return await vault.FindSessionTokenAsync(IdOf(session), OwnerOf(session), cancellationToken);
        }
        catch (Exception e) when (e is AccountsUnavailableException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Forget(EdgeSession session) => _ = ForgetAsync(session);

    private static Guid IdOf(EdgeSession session) => new(StrictBase64Url.Decode(session.Id)!);

    private static PersonKey OwnerOf(EdgeSession session) => new(session.Issuer, session.Subject);

    private static string NameOf(IssuerSettings issuer) => VaultConnection.SessionPrefix + issuer.Key;

    private static TimeSpan Age(TimeSpan age) => age > TimeSpan.Zero ? age : TimeSpan.Zero;

    private async Task ForgetAsync(EdgeSession session)
    {
        try
        {
            await vault.RevokeSessionTokenAsync(IdOf(session), OwnerOf(session), CancellationToken.None);
        }
        catch (Exception e)
        {
            // The session is over whatever becomes of them; the vault removes them when it would have ended.
            SignInLog.NotForgotten(logger, session.Id, e.Message);
        }
    }
}
