using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Accounts;

/// <content>Consents.</content>
public sealed partial class TokenVault : ITokenConsents
{
    // A person with many tabs; a script that begins without end pushes out its own.
    private const int MostOpenConsents = 10;

    /// <inheritdoc/>
    public async Task<BegunConsent> BeginAsync(ConsentRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequireStarted();
        if (!Connections.TryGetValue(request.Connection, out var connection) || !IsName(request.Owner)
            || request.Purpose.Length > MaximumPurpose || request.Purpose.Contains('\0') || request.ReturnTo?.Length > MaximumScope)
        {
            throw new ArgumentException("The connection is not known, or a value cannot be stored.", nameof(request));
        }

        var (state, nonce, verifier) = (RandomText(), RandomText(), RandomText());
        var row = new ConsentRow
        {
            Id = Guid.CreateVersion7(),
            Owner = request.Owner,
            SessionId = request.SessionId,
            Connection = connection.Name,
            Issuer = connection.Issuer,
            ClientId = connection.ClientId,
            Purpose = request.Purpose,
            ReturnTo = request.ReturnTo,
            Secrets = [],
        };
        using var secrets = Secret.FromText($"{nonce} {verifier}");
        await _store.AddConsentAsync(
            Hash(state), row with { Secrets = _sealer.Seal(secrets, row.Context) }, _sealer.KeyId, ITokenConsents.Life, MostOpenConsents,
            cancellationToken).ConfigureAwait(false);
        return new BegunConsent(state, nonce, Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))));
    }

    /// <inheritdoc/>
    public async Task<TakenConsent?> TakeAsync(string state, PersonKey owner, string? sessionId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(state);
        RequireStarted();
        if (!IsName(owner) || await _store.TakeConsentAsync(Hash(state), owner, sessionId, cancellationToken).ConfigureAwait(false) is not
            { } row)
        {
            return null;
        }

        // The connection may be another one by now: then the code was not for it.
        if (!Connections.TryGetValue(row.Connection, out var connection) || connection.Issuer != row.Issuer
            || connection.ClientId != row.ClientId)
        {
            return null;
        }

        var error = _sealer.TryOpen(row.Secrets, row.Context, out var secrets);
        using (secrets)
        {
            return error == EnvelopeError.None && secrets.Reveal().Split(' ') is [var nonce, var verifier]
                ? new TakenConsent(row, nonce, verifier)
                : null;
        }
    }

    /// <inheritdoc/>
    public async Task<ProviderTokens> RedeemAsync(
        TakenConsent consent, string code, string redirectUri, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(consent);
        using var answer = await _provider.RedeemAsync(
            Connections[consent.Connection], code, consent.Verifier, redirectUri, cancellationToken).ConfigureAwait(false);
        return ToTokens(answer, null);
    }

    /// <inheritdoc/>
    public async Task<ProviderTokens> AdoptAsync(string connection, string refreshToken, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(refreshToken);
        using var brought = Secret.FromText(refreshToken);

        // Not with the caller's token: once the provider has replaced the token, its answer has to arrive.
        using var answer = await _provider.RefreshAsync(Connections[connection], brought, CancellationToken.None).ConfigureAwait(false);
        return ToTokens(answer, refreshToken);
    }

    /// <inheritdoc/>
    public async Task AbandonAsync(string connection, string refreshToken, CancellationToken cancellationToken)
    {
        using var unwanted = Secret.FromText(refreshToken);
        await _provider.RevokeAsync(Connections[connection], unwanted, cancellationToken).ConfigureAwait(false);
    }

    private static ProviderTokens ToTokens(TokenAnswer answer, string? refreshToken) => answer.Kind == TokenAnswerKind.Tokens
        ? new ProviderTokens
        {
            Outcome = AccessTokenOutcome.Granted,
            RefreshToken = answer.RefreshToken?.Reveal() ?? refreshToken,
            AccessToken = answer.AccessToken?.Reveal(),
            IdToken = answer.IdToken?.Reveal(),
            TokenType = answer.TokenType,
            Scope = answer.Scope,
            ExpiresIn = answer.ExpiresIn,
            ProviderSessionId = answer.SessionId,
        }
        : new ProviderTokens
        {
            Outcome = answer.Kind switch
            {
                TokenAnswerKind.InvalidGrant => AccessTokenOutcome.NeedsConsent,
                TokenAnswerKind.Refused => AccessTokenOutcome.ProviderError,
                _ => AccessTokenOutcome.ProviderUnavailable,
            },
            Detail = answer.Detail,
            RetryAfter = answer.RetryAfter,
        };

    private static string RandomText() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    private static byte[] Hash(string state) => SHA256.HashData(Encoding.UTF8.GetBytes(state));
}
