using System.Text.Json;

namespace Berth.Edge;

/// <summary>What the discovery document of a provider says, as far as it is used (OpenID Connect Discovery 1.0, RFC 8414).</summary>
internal sealed record ProviderMetadata
{
    /// <summary>Where browsers are sent to sign in.</summary>
    public required Uri AuthorizationEndpoint { get; init; }

    /// <summary>Where codes are exchanged.</summary>
    public required Uri TokenEndpoint { get; init; }

    /// <summary>JWK set.</summary>
    public required Uri JwksUri { get; init; }

    /// <summary>Userinfo, or null.</summary>
    public Uri? UserInfoEndpoint { get; init; }

    /// <summary>RP-initiated logout, or null.</summary>
    public Uri? EndSessionEndpoint { get; init; }

    /// <summary>Introspection (RFC 7662), or null.</summary>
    public Uri? IntrospectionEndpoint { get; init; }

    /// <summary>How the client authenticates there.</summary>
    public ClientAuthentication IntrospectionAuthentication { get; init; }

    /// <summary>Whether authorisation answers carry iss (RFC 9207).</summary>
    public bool SendsIssuer { get; init; }

    /// <summary>Whether it takes the claims parameter (OpenID Connect Core 5.5).</summary>
    public bool TakesClaims { get; init; }

    /// <summary>Values of prompt it names (OpenID Connect Prompt Create 1.0, 4); empty when it names none.</summary>
    public IReadOnlyList<string> Prompts { get; init; } = [];

    /// <summary>How the client authenticates at the token endpoint.</summary>
    public required ClientAuthentication Authentication { get; init; }

    /// <summary>Reads a document.</summary>
    /// <returns>The metadata, or why the provider cannot be used.</returns>
    public static (ProviderMetadata? Metadata, string? Problem) Parse(ReadOnlyMemory<byte> utf8, IssuerSettings issuer)
    {
        if (StrictJson.ParseObject(utf8) is not { } root)
        {
            return (null, "the discovery document is not a JSON object");
        }

        if (root.Text("issuer") != issuer.Issuer)
        {
            return (null, $"the discovery document is of issuer '{root.Text("issuer")}', configured is '{issuer.Issuer}'");
        }

        if (Endpoint(root, "authorization_endpoint") is not { } authorization || Endpoint(root, "token_endpoint") is not { } token
            || Endpoint(root, "jwks_uri") is not { } jwks)
        {
            return (null, "authorization_endpoint, token_endpoint or jwks_uri is missing, or not https");
        }

        // Many providers do PKCE without saying so; one that speaks of methods and leaves S256 out cannot do it.
        if (root.TryGetProperty("code_challenge_methods_supported", out _)
            && !root.Texts("code_challenge_methods_supported").Contains("S256"))
        {
            return (null, "the provider offers PKCE without S256");
        }

        if (root.TryGetProperty("response_types_supported", out _) && !root.Texts("response_types_supported").Contains("code"))
        {
            return (null, "the provider does not offer the authorisation code flow");
        }

        if (root.TryGetProperty("id_token_signing_alg_values_supported", out _)
            && !root.Texts("id_token_signing_alg_values_supported").Any(issuer.Algorithms.Contains))
        {
            return (null, "the provider signs ID tokens with none of the accepted algorithms");
        }

        if (Authenticate(root, issuer, "token_endpoint") is not { } authentication)
        {
            return (null, "the provider offers no client authentication that the edge has (client_secret_basic, client_secret_post, none)");
        }

        return (new ProviderMetadata
        {
            AuthorizationEndpoint = authorization,
            TokenEndpoint = token,
            JwksUri = jwks,
            UserInfoEndpoint = Endpoint(root, "userinfo_endpoint"),
            EndSessionEndpoint = Endpoint(root, "end_session_endpoint"),
            IntrospectionEndpoint = Endpoint(root, "introspection_endpoint"),
            IntrospectionAuthentication = root.TryGetProperty("introspection_endpoint_auth_methods_supported", out _)
                ? Authenticate(root, issuer, "introspection_endpoint") ?? authentication : authentication,
            SendsIssuer = root.TryGetProperty("authorization_response_iss_parameter_supported", out var iss)
                && iss.ValueKind == JsonValueKind.True,
            TakesClaims = root.TryGetProperty("claims_parameter_supported", out var takes) && takes.ValueKind == JsonValueKind.True,
            Prompts = root.Texts("prompt_values_supported"),
            Authentication = authentication,
        }, null);
    }

    private static Uri? Endpoint(JsonElement root, string name) =>
        Uri.TryCreate(root.Text(name), UriKind.Absolute, out var uri) && HostNames.IsSecureUrl(uri) && uri.UserInfo.Length == 0
            && uri.Fragment.Length == 0
            ? uri
            : null;

    private static ClientAuthentication? Authenticate(JsonElement root, IssuerSettings issuer, string endpoint)
    {
        if (issuer.ClientSecret is null)
        {
            return ClientAuthentication.None;
        }

        var offered = root.Texts($"{endpoint}_auth_methods_supported");
        if (offered.Count == 0 || offered.Contains("client_secret_basic"))
        {
            return ClientAuthentication.Basic;
        }

        return offered.Contains("client_secret_post") ? ClientAuthentication.Post : null;
    }
}

/// <summary>Client authentication at the token endpoint.</summary>
internal enum ClientAuthentication
{
    /// <summary>Public client; PKCE alone.</summary>
    None,

    /// <summary>client_secret_basic.</summary>
    Basic,

    /// <summary>client_secret_post.</summary>
    Post,
}
