using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Berth.Edge.Tests;

/// <summary>A small OpenID Provider whose every answer a test can bend.</summary>
internal sealed class FakeProvider : IAsyncDisposable
{
    public const string ClientId = "berth";
    public const string ClientSecret = "s3cret+/with odd&chars";

    private int _introspections;
    private readonly WebApplication _app;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<string, JsonObject> _codes = new();

    private FakeProvider(WebApplication app, TimeProvider clock)
    {
        _app = app;
        _clock = clock;
    }

    public string Issuer { get; private set; } = "";

    public TestKey Key { get; set; } = TestKey.NewEc("key-1");

    public string Subject { get; set; } = "user1";

    public Action<JsonObject>? OnDiscovery { get; set; }

    public Action<JsonObject>? OnIdToken { get; set; }

    public Action<JsonObject>? OnTokenAnswer { get; set; }

    public Func<string, string>? OnRedirect { get; set; }

    public Func<string, string>? OnIdTokenText { get; set; }

    public JsonObject? UserInfo { get; set; }

    public bool IsDown { get; set; }

    /// <summary>Answers every token request with this; null: as it should be.</summary>
    public (int Status, string Body)? TokenRefusal { get; set; }

    /// <summary>Published beside <see cref="Key"/>.</summary>
    public List<TestKey> MoreKeys { get; } = [];

    /// <summary>Awaited before the keys are answered.</summary>
    public Func<Task>? OnJwks { get; set; }

    /// <summary>Answers introspection with a status and a body; null answers that nothing is known.</summary>
    public Func<string, Task<(int Status, string Body)>>? OnIntrospect { get; set; }

    /// <summary>Tokens that were revoked (RFC 7009).</summary>
    public ConcurrentQueue<string> Revoked { get; } = [];

    public int Introspections => _introspections;

    public IFormCollection? LastIntrospection { get; private set; }

    public int TokenRequests { get; private set; }

    public int JwksRequests { get; private set; }

    public string? LastAuthorization { get; private set; }

    public static async Task<FakeProvider> StartAsync(TimeProvider clock)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var provider = new FakeProvider(app, clock);
        app.Use(async (context, next) =>
        {
            if (provider.IsDown)
            {
                context.Response.StatusCode = 500;
                return;
            }

            await next(context);
        });
        app.MapGet("/.well-known/openid-configuration", provider.DiscoveryAsync);
        app.MapGet("/jwks", provider.JwksAsync);
        app.MapGet("/authorize", provider.Authorize);
        app.MapPost("/token", provider.TokenAsync);
        app.MapPost("/introspect", provider.IntrospectAsync);
        app.MapPost("/revoke", async context => provider.Revoked.Enqueue((await context.Request.ReadFormAsync())["token"].ToString()));
        app.MapGet("/userinfo", context => context.Response.WriteAsync((provider.UserInfo ?? []).ToJsonString()));
        await app.StartAsync();
        provider.Issuer = app.Urls.Single();
        return provider;
    }

    public string Sign(JsonObject claims, string? type = "JWT") => Key.Sign(claims, type);

    public JsonObject AccessTokenClaims(string audience)
    {
        var now = _clock.GetUtcNow().ToUnixTimeSeconds();
        return new JsonObject
        {
            ["iss"] = Issuer,
            ["aud"] = audience,
            ["sub"] = Subject,
            ["client_id"] = "cli",
            ["iat"] = now,
            ["exp"] = now + 3600,
            ["jti"] = "token-1",
            ["scope"] = "openid api",
        };
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private Task DiscoveryAsync(HttpContext context)
    {
        var document = new JsonObject
        {
            ["issuer"] = Issuer,
            ["authorization_endpoint"] = Issuer + "/authorize",
            ["token_endpoint"] = Issuer + "/token",
            ["jwks_uri"] = Issuer + "/jwks",
            ["userinfo_endpoint"] = Issuer + "/userinfo",
            ["introspection_endpoint"] = Issuer + "/introspect",
            ["revocation_endpoint"] = Issuer + "/revoke",
            ["end_session_endpoint"] = Issuer + "/logout",
            ["code_challenge_methods_supported"] = new JsonArray("S256"),
            ["response_types_supported"] = new JsonArray("code"),
            ["authorization_response_iss_parameter_supported"] = true,
        };
        OnDiscovery?.Invoke(document);
        return context.Response.WriteAsync(document.ToJsonString());
    }

    private async Task IntrospectAsync(HttpContext context)
    {
        Interlocked.Increment(ref _introspections);
        LastIntrospection = await context.Request.ReadFormAsync();
        LastAuthorization = context.Request.Headers.Authorization;
        var (status, body) = OnIntrospect is null ? (200, """{"active":false}""") : await OnIntrospect(LastIntrospection["token"]!);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(body);
    }

    private async Task JwksAsync(HttpContext context)
    {
        JwksRequests++;
        await (OnJwks?.Invoke() ?? Task.CompletedTask);
        await context.Response.WriteAsync(
            new JsonObject { ["keys"] = new JsonArray([Key.ToJwk(), .. MoreKeys.Select(k => k.ToJwk())]) }.ToJsonString());
    }

    private Task Authorize(HttpContext context)
    {
        var query = context.Request.Query;
        var code = Guid.NewGuid().ToString("n");
        _codes[code] = new JsonObject
        {
            ["nonce"] = query["nonce"].ToString(),
            ["challenge"] = query["code_challenge"].ToString(),
            ["sub"] = Subject,
            ["redirect"] = query["redirect_uri"].ToString(),
        };
        var target = $"{query["redirect_uri"]}?code={code}&state={query["state"]}&iss={Uri.EscapeDataString(Issuer)}";
        context.Response.Redirect(OnRedirect?.Invoke(target) ?? target);
        return Task.CompletedTask;
    }

    private async Task TokenAsync(HttpContext context)
    {
        TokenRequests++;
        LastAuthorization = context.Request.Headers.Authorization;
        if (TokenRefusal is { } refusal)
        {
            context.Response.StatusCode = refusal.Status;
            await context.Response.WriteAsync(refusal.Body);
            return;
        }

        var form = await context.Request.ReadFormAsync();
        var challenge = Convert.ToBase64String(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))).TrimEnd('=')
            .Replace('+', '-').Replace('/', '_');
        if (!_codes.TryRemove(form["code"].ToString(), out var grant) || challenge != (string?)grant["challenge"]
            || form["redirect_uri"] != (string?)grant["redirect"])
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync("""{"error":"invalid_grant"}""");
            return;
        }

        var now = _clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = Issuer,
            ["aud"] = ClientId,
            ["sub"] = grant["sub"]!.DeepClone(),
            ["nonce"] = grant["nonce"]!.DeepClone(),
            ["iat"] = now,
            ["exp"] = now + 300,
            ["email"] = $"{grant["sub"]}@example.test",
            ["email_verified"] = true,
            ["name"] = $"Name of {grant["sub"]}",
            ["sid"] = "provider-session",
        };
        OnIdToken?.Invoke(claims);
        var idToken = Sign(claims);
        var answer = new JsonObject
        {
            ["token_type"] = "Bearer",
            ["access_token"] = "opaque",
            ["expires_in"] = 300,
            ["id_token"] = OnIdTokenText?.Invoke(idToken)
                ?? idToken,
        };
        OnTokenAnswer?.Invoke(answer);
        await context.Response.WriteAsync(answer.ToJsonString());
    }
}

/// <summary>A key pair of the fake provider.</summary>
internal sealed class TestKey
{
    private readonly AsymmetricAlgorithm _key;

    private TestKey(string id, string algorithm, AsymmetricAlgorithm key)
    {
        Id = id;
        Algorithm = algorithm;
        _key = key;
    }

    public string Id { get; }

    public string Algorithm { get; }

    public static TestKey NewEc(string id) => new(id, "ES256", ECDsa.Create(ECCurve.NamedCurves.nistP256));

    public static TestKey NewEc384(string id) => new(id, "ES384", ECDsa.Create(ECCurve.NamedCurves.nistP384));

    public static TestKey NewRsa(string id, string algorithm = "RS256", int bits = 2048) => new(id, algorithm, RSA.Create(bits));

    public JsonObject ToJwk()
    {
        if (_key is RSA rsa)
        {
            var p = rsa.ExportParameters(false);
            return new JsonObject
            {
                ["kty"] = "RSA",
                ["kid"] = Id,
                ["use"] = "sig",
                ["alg"] = Algorithm,
                ["n"] = StrictBase64Url.Encode(p.Modulus),
                ["e"] = StrictBase64Url.Encode(p.Exponent)
            };
        }

        var e = ((ECDsa)_key).ExportParameters(false);
        return new JsonObject
        {
            ["kty"] = "EC",
            ["kid"] = Id,
            ["use"] = "sig",
            ["alg"] = Algorithm,
            ["crv"] = Algorithm == "ES256" ? "P-256" : "P-384",
            ["x"] = StrictBase64Url.Encode(e.Q.X),
            ["y"] = StrictBase64Url.Encode(e.Q.Y),
        };
    }

    public JwkSet ToSet() => JwkSet.Parse(JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["keys"] = new JsonArray(ToJwk()) }))!;

    public string Sign(JsonObject claims, string? type = "JWT", Action<JsonObject>? header = null) =>
        SignText(claims.ToJsonString(), type, header);

    public string SignText(string payload, string? type = "JWT", Action<JsonObject>? header = null)
    {
        var head = new JsonObject { ["alg"] = Algorithm, ["kid"] = Id };
        if (type is not null)
        {
            head["typ"] = type;
        }

        header?.Invoke(head);
        return SignRaw(head.ToJsonString(), payload);
    }

    public string SignRaw(string header, string payload)
    {
        var input = $"{StrictBase64Url.Encode(Encoding.UTF8.GetBytes(header))}.{StrictBase64Url.Encode(Encoding.UTF8.GetBytes(payload))}";
        var data = Encoding.ASCII.GetBytes(input);
        var signature = _key switch
        {
            RSA rsa when Algorithm == "PS256" => rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
            RSA rsa => rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            ECDsa ec => ec.SignData(data, Algorithm == "ES256" ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA384),
            _ => throw new InvalidOperationException(),
        };
        return $"{input}.{StrictBase64Url.Encode(signature)}";
    }
}
