using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Berth.Edge;

/// <summary>Signs the identity that a workspace sees (ES256) and publishes the keys to verify it with.</summary>
internal sealed class WorkspaceIdentitySigner : IDisposable
{
    /// <summary>Type of the token, which no other verifier accepts.</summary>
    public const string TokenType = "workspace-identity+jwt";

    /// <summary>Path of the published keys.</summary>
    public const string JwksPath = "/.well-known/workspace-identity/jwks.json";

    /// <summary>
    /// 300 seconds: longer than any request waits to be looked at, short enough that a log with one in it is soon harmless.
    /// </summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(300);

    private readonly EdgeSettings _settings;
    private readonly TimeProvider _clock;
    private readonly string _header;
    private readonly ConcurrentBag<ECDsa> _pool = [];
    private readonly SignedIdentities _signed;

    /// <summary>Makes the signer; the first key signs.</summary>
    public WorkspaceIdentitySigner(EdgeSettings settings, TimeProvider clock)
    {
        _settings = settings;
        _clock = clock;
        var keyId = KeyId(settings.IdentityKeys[0]);
        _header = StrictBase64Url.Encode(Encoding.UTF8.GetBytes($$"""{"alg":"ES256","kid":"{{keyId}}","typ":"{{TokenType}}"}"""));
        Jwks = JwksOf(settings.IdentityKeys);
        _signed = new SignedIdentities(settings.IdentityReuse);
    }

    /// <summary>The JWK set document, UTF-8.</summary>
    public byte[] Jwks { get; }

    /// <summary>Answers with the published keys.</summary>
    public Task WriteJwksAsync(HttpContext context)
    {
        context.Response.ContentType = "application/jwk-set+json";

        // Five minutes: a new key is published long before it signs.
        context.Response.Headers.CacheControl = "public, max-age=300";
        return StatedBody.WriteAsync(context, Jwks);
    }

    /// <summary>
    /// The signed identity of a caller for one workspace; one that was made within the last <see cref="WorkspaceIdentityOptions.ReuseFor"/>
    /// for the very same claims is given again.
    /// </summary>
    public string Sign(WorkspaceAccess access)
    {
        var now = _clock.GetUtcNow();
        var key = SignedIdentities.Key.Of(access);
        if (_signed.Find(key, now) is { } known)
        {
            return known;
        }

        var token = Make(access, now.ToUnixTimeSeconds());
        _signed.Add(key, token, now);
        return token;
    }

    private string Make(WorkspaceAccess access, long now)
    {
        var claims = new JsonObject
        {
            ["iss"] = _settings.PublicOrigin,
            ["aud"] = access.Workspace.Audience,

            // For applications that were started before they had a name and an origin, as those in warm pools are.
            ["workspace"] = access.Workspace.Name,
            ["origin"] = _settings.WorkspaceOrigin(access.Workspace.Host),
            ["sub"] = access.Caller.Subject,
            ["oidc_iss"] = access.Caller.Issuer,
            ["role"] = access.Role,
            ["iat"] = now,
            ["nbf"] = now,
            ["exp"] = now + (long)Lifetime.TotalSeconds,
            ["jti"] = StrictBase64Url.Encode(RandomNumberGenerator.GetBytes(16)),
        };
        if (access.Caller.Email is not null)
        {
            claims["email"] = access.Caller.Email;
        }

        if (access.Caller.Name is not null)
        {
            claims["name"] = access.Caller.Name;
        }

        var input = $"{_header}.{StrictBase64Url.Encode(JsonSerializer.SerializeToUtf8Bytes(claims))}";
        return $"{input}.{StrictBase64Url.Encode(Signature(Encoding.ASCII.GetBytes(input)))}";
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_pool.TryTake(out var key))
        {
            key.Dispose();
        }
    }

    private static byte[] JwksOf(ImmutableArray<ECParameters> keys) => JsonSerializer.SerializeToUtf8Bytes(new JsonObject
    {
        ["keys"] = new JsonArray([.. keys.Select(k => (JsonNode)new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["use"] = "sig",
            ["alg"] = JwsAlgorithms.Es256,
            ["kid"] = KeyId(k),
            ["x"] = StrictBase64Url.Encode(k.Q.X),
            ["y"] = StrictBase64Url.Encode(k.Q.Y),
        })]),
    });

    // Thumbprint of RFC 7638: the same key has the same id on every replica.
    internal static string KeyId(ECParameters key) => StrictBase64Url.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(
        $$"""{"crv":"P-256","kty":"EC","x":"{{StrictBase64Url.Encode(key.Q.X)}}","y":"{{StrictBase64Url.Encode(key.Q.Y)}}"}""")));

    // The framework promises nothing about one instance used by several threads; importing the key costs more than signing.
    private byte[] Signature(byte[] data)
    {
        if (!_pool.TryTake(out var key))
        {
            key = ECDsa.Create(_settings.IdentityKeys[0]);
        }

        try
        {
            return key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        finally
        {
            _pool.Add(key);
        }
    }
}
