using System.Net;
using System.Text.Json;

namespace Berth.Edge;

/// <summary>What the token endpoint gave for a code.</summary>
/// <param name="IdToken">ID token.</param>
/// <param name="AccessToken">Access token, for userinfo.</param>
/// <param name="RefreshToken">Refresh token, for sessions that are renewed.</param>
internal sealed record ExchangedTokens(string IdToken, string? AccessToken, string? RefreshToken)
{
    /// <summary>Keeps the tokens out of logs.</summary>
    public override string ToString() => "(tokens)";
}

/// <summary>Exchanges codes (RFC 6749, 4.1.3) and asks userinfo.</summary>
internal sealed class CodeExchange(OidcBackchannel backchannel)
{
    private const int MaximumToken = 16 * 1024;

    /// <summary>Exchanges a code.</summary>
    /// <exception cref="ProviderUnavailableException">The provider did not answer, or refused; the message says which.</exception>
    public async Task<ExchangedTokens> ExchangeAsync(
        IssuerSettings issuer, ProviderMetadata metadata, string code, string verifier, string redirectUri,
            CancellationToken cancellationToken)
    {
        var form = new List<KeyValuePair<string, string>>
        {
            new("grant_type", "authorization_code"),
            new("code", code),
            new("redirect_uri", redirectUri),
            new("code_verifier", verifier),
        };
        var authorization = ClientCredentials.Apply(form, issuer, metadata.Authentication);
        var (status, body) = await backchannel.PostAsync(metadata.TokenEndpoint, form, authorization, cancellationToken);
        var answer = StrictJson.ParseObject(body);
        if (status != HttpStatusCode.OK)
        {
            throw new ProviderUnavailableException(
                $"the token endpoint answered {(int)status} {QueryParameters.ForLog(answer?.Text("error"))}")
            {
                IsAboutUs = status == HttpStatusCode.Unauthorized || answer?.Text("error") is "invalid_client" or "unauthorized_client",
            };
        }

        if (answer is not { } tokens || !"Bearer".Equals(tokens.Text("token_type"), StringComparison.OrdinalIgnoreCase)
            || tokens.Text("id_token", MaximumToken) is not { } idToken)
        {
            throw new ProviderUnavailableException("the token endpoint's answer lacks an ID token or is not of type Bearer");
        }

        return new ExchangedTokens(idToken, tokens.Text("access_token", MaximumToken), tokens.Text("refresh_token", MaximumToken));
    }

    /// <summary>Claims of userinfo.</summary>
    /// <returns>The claims, or a problem: the endpoint did not answer usefully, or spoke of somebody else.</returns>
    public async Task<(JsonElement? Claims, string? Problem)> UserInfoAsync(
        ProviderMetadata metadata, string accessToken, string subject, CancellationToken cancellationToken)
    {
        try
        {
            var body = await backchannel.GetAsync(metadata.UserInfoEndpoint!, accessToken, cancellationToken);
            if (StrictJson.ParseObject(body) is not { } root)
            {
                return (null, "it is not a JSON object");
            }

            return root.Text("sub") == subject ? (root, null) : (null, "its subject is not the ID token's");
        }
        catch (ProviderUnavailableException e)
        {
            return (null, e.Message);
        }
    }
}
