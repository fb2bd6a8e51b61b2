using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Berth.Local.Identity;

/// <summary>The token, userinfo and revocation endpoints.</summary>
internal sealed class TokenService(
    DevelopmentProviderOptions options,
    GrantStore store,
    ProviderKey key,
    IssuerHolder issuer,
    TimeProvider clock
)
{
    private const string AccessTokenType = "at+jwt";

    public void Map(WebApplication app)
    {
        app.MapPost("/token", (HttpContext http) => TokenAsync(http));
        app.MapPost("/revoke", (HttpContext http) => RevokeAsync(http));
        app.MapGet("/access-token/{user}", (HttpContext http, string user) => AccessTokenAsync(http, user));
        app.MapMethods("/userinfo", ["GET", "POST"], (HttpContext http) => UserInfoAsync(http));
    }

    private async Task TokenAsync(HttpContext http)
    {
        if (await ReadClientFormAsync(http) is not var (client, form))
        {
            return;
        }

        var refresh = false;
        Grant? grant;
        switch (form["grant_type"].ToString())
        {
            case "authorization_code":
                grant = store.RedeemCode(form["code"].ToString());
                if (
                    grant is not null
                    && (grant.RedirectUri != form["redirect_uri"] || !VerifierFits(form["code_verifier"].ToString(), grant.CodeChallenge))
                )
                {
                    grant = null;
                }

                break;
            case "refresh_token":
                refresh = true;
                grant = store.RedeemRefreshToken(form["refresh_token"].ToString());
                break;
            default:
                await JsonAnswer.ErrorAsync(http, "unsupported_grant_type", "Offered are authorization_code and refresh_token.");
                return;
        }

        if (grant is null || grant.ClientId != client.Id)
        {
            await JsonAnswer.ErrorAsync(
                http,
                "invalid_grant",
                "The code or token is unknown, expired, was used before, or does not fit this request."
            );
            return;
        }

        await JsonAnswer.WriteAsync(http, Tokens(grant, refresh));
    }

    // For a person at a terminal: what the code flow would give, as one line of text. Whoever can ask can sign in as anybody anyway; a page
    // of another site can ask but not read the answer.
    private Task AccessTokenAsync(HttpContext http, string user)
    {
        if (DevelopmentAccount.Find(user) is not { } account)
        {
            return JsonAnswer.ErrorAsync(
                http,
                "invalid_request",
                "There is no such account; there are user1, user2 and admin.",
                StatusCodes.Status404NotFound
            );
        }

        var grant = new Grant(account, Secrets.New(), options.ClientId, "", "", null, "openid profile email", clock.GetUtcNow());
        http.Response.ContentType = "text/plain";
        return http.Response.WriteAsync(AccessToken(grant) + "\n");
    }

    private string AccessToken(Grant grant)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        return key.Sign(
            AccessTokenType,
            new JsonObject
            {
                ["iss"] = issuer.Value,
                ["sub"] = grant.Account.Subject,
                ["aud"] = options.Find(grant.ClientId)!.Audience,
                ["client_id"] = grant.ClientId,
                ["scope"] = grant.Scope,
                ["iat"] = now,
                ["exp"] = now + (long)options.TokenLifetime.TotalSeconds,
                ["jti"] = Secrets.New(),
                ["sid"] = grant.SessionId,
                ["email"] = grant.Account.Email,
                ["name"] = grant.Account.Name,
                ["groups"] = Groups(grant.Account),
                ["family"] = grant.Family,
            }
        );
    }

    private JsonObject Tokens(Grant grant, bool refresh)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var accessToken = AccessToken(grant);
        var idToken = new JsonObject
        {
            ["iss"] = issuer.Value,
            ["sub"] = grant.Account.Subject,
            ["aud"] = grant.ClientId,
            ["iat"] = now,
            ["exp"] = now + (long)options.TokenLifetime.TotalSeconds,
            ["auth_time"] = grant.AuthTime.ToUnixTimeSeconds(),
            ["sid"] = grant.SessionId,
            ["at_hash"] = System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)).AsSpan(0, 16)),
        };
        if (grant.Nonce is not null && !refresh)
        {
            idToken["nonce"] = grant.Nonce;
        }

        AddPersonClaims(idToken, grant.Account, grant.Scope);
        var answer = new JsonObject
        {
            ["access_token"] = accessToken,
            ["token_type"] = "Bearer",
            ["expires_in"] = (long)options.TokenLifetime.TotalSeconds,
            ["id_token"] = key.Sign("JWT", idToken),
            ["scope"] = grant.Scope,
        };
        if (grant.Scope.Split(' ').Contains("offline_access"))
        {
            answer["refresh_token"] = store.AddRefreshToken(grant);
        }

        return answer;
    }

    private async Task UserInfoAsync(HttpContext http)
    {
        var claims =
            AuthenticationHeaderValue.TryParse(http.Request.Headers.Authorization, out var header)
            && header.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase)
            && header.Parameter is { } token
                ? key.Verify(token, AccessTokenType)
                : null;
        var account = DevelopmentAccount.FindSubject((string?)claims?["sub"]);
        if (
            claims is null
            || account is null
            || (long?)claims["exp"] <= clock.GetUtcNow().ToUnixTimeSeconds()
            || store.IsEnded((string?)claims["family"] ?? "")
        )
        {
            http.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
            await JsonAnswer.ErrorAsync(
                http,
                "invalid_token",
                "The access token is missing, expired or not from here.",
                StatusCodes.Status401Unauthorized
            );
            return;
        }

        var answer = new JsonObject { ["sub"] = account.Subject };
        AddPersonClaims(answer, account, (string?)claims["scope"] ?? "");
        await JsonAnswer.WriteAsync(http, answer);
    }

    private async Task RevokeAsync(HttpContext http)
    {
        if (await ReadClientFormAsync(http) is var (client, form))
        {
            store.Revoke(form["token"].ToString(), client.Id);
            http.Response.StatusCode = StatusCodes.Status200OK;
        }
    }

    private async Task<(DevelopmentClient Client, IFormCollection Form)?> ReadClientFormAsync(HttpContext http)
    {
        if (!http.Request.HasFormContentType)
        {
            await JsonAnswer.ErrorAsync(http, "invalid_request", "The body must be application/x-www-form-urlencoded.");
            return null;
        }

        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        if (form.Any(field => field.Value.Count > 1))
        {
            await JsonAnswer.ErrorAsync(http, "invalid_request", "A parameter is there twice.");
            return null;
        }

        var (id, secret) = ClientCredentials(http, form);
        if (
            options.Find(id) is { } client
            && (client.Secret is null ? secret is null : secret is not null && Secrets.Same(secret, client.Secret))
        )
        {
            return (client, form);
        }

        http.Response.Headers.WWWAuthenticate = "Basic realm=\"development provider\"";
        await JsonAnswer.ErrorAsync(http, "invalid_client", "The client's credentials are wrong.", StatusCodes.Status401Unauthorized);
        return null;
    }

    private static (string? Id, string? Secret) ClientCredentials(HttpContext http, IFormCollection form)
    {
        if (
            !AuthenticationHeaderValue.TryParse(http.Request.Headers.Authorization, out var header)
            || !header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)
        )
        {
            return (form["client_id"], form.TryGetValue("client_secret", out var posted) ? posted.ToString() : null);
        }

        try
        {
            var pair = Encoding.UTF8.GetString(Convert.FromBase64String(header.Parameter ?? "")).Split(':', 2);
            // RFC 6749, 2.3.1: both halves are form-encoded before they are joined.
            return pair.Length == 2 ? (System.Net.WebUtility.UrlDecode(pair[0]), System.Net.WebUtility.UrlDecode(pair[1])) : (null, null);
        }
        catch (FormatException)
        {
            return (null, null);
        }
    }

    private static bool VerifierFits(string verifier, string challenge) =>
        verifier.Length is >= 43 and <= 128 && Secrets.Same(Secrets.Hash(verifier), challenge);

    private static void AddPersonClaims(JsonObject claims, DevelopmentAccount account, string scope)
    {
        var scopes = scope.Split(' ');
        if (scopes.Contains("profile"))
        {
            claims["name"] = account.Name;
            claims["preferred_username"] = account.Username;
        }

        if (scopes.Contains("email"))
        {
            claims["email"] = account.Email;
            claims["email_verified"] = true;
        }

        claims["groups"] = Groups(account);
    }

    private static JsonArray Groups(DevelopmentAccount account) => new([.. account.Groups.Select(g => (JsonNode)g!)]);
}
