using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Testing;

namespace Berth.Edge.Tests.VaultProxy;

/// <summary>
/// An API as one finds them: <c>GET /me</c> tells whose access token came with the call, after it was verified against the provider's keys
/// (RFC 9068). It shares no code with the edge.
/// </summary>
internal sealed class ProfileApi : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _http = new();
    private readonly string _issuer;

    private ProfileApi(WebApplication app, string issuer)
    {
        _app = app;
        _issuer = issuer;
    }

    public string Origin => _app.Urls.Single();

    /// <summary>Access tokens that arrived, in order.</summary>
    public ConcurrentQueue<string> Tokens { get; } = new();

    /// <summary>Tokens that it does not accept though they are good, as after a change of its own.</summary>
    public ConcurrentDictionary<string, bool> Refused { get; } = new();

    public static async Task<ProfileApi> StartAsync(string issuer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var api = new ProfileApi(app, issuer);
        app.MapGet("/me", api.MeAsync);
        await app.StartAsync();
        return api;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _http.Dispose();
    }

    private async Task MeAsync(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        var token = header.StartsWith("Bearer ", StringComparison.Ordinal) ? header["Bearer ".Length..] : "";
        Tokens.Enqueue(token);
        if (Refused.ContainsKey(token) || await SubjectAsync(token) is not { } subject)
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
            return;
        }

        await context.Response.WriteAsJsonAsync(new Dictionary<string, string> { ["sub"] = subject });
    }

    private async Task<string?> SubjectAsync(string token)
    {
        if (token.Split('.') is not [var head, _, var signature])
        {
            return null;
        }

        var header = Jwt.Part(head);
        using var keys = JsonDocument.Parse(await _http.GetStringAsync(_issuer + "/jwks"));
        var jwk = keys.RootElement.GetProperty("keys").EnumerateArray()
            .First(k => k.GetProperty("kid").GetString() == header.GetProperty("kid").GetString());
        using var rsa = RSA.Create(new RSAParameters
        {
            Modulus = Base64Url.DecodeFromChars(jwk.GetProperty("n").GetString()),
            Exponent = Base64Url.DecodeFromChars(jwk.GetProperty("e").GetString()),
        });
        var claims = Jwt.Claims(token);
        var isGood = header.GetProperty("typ").GetString() == "at+jwt" && header.GetProperty("alg").GetString() == "RS256"
            && rsa.VerifyData(Encoding.ASCII.GetBytes(token[..token.LastIndexOf('.')]), Base64Url.DecodeFromChars(signature),
                HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            && claims.GetProperty("iss").GetString() == _issuer && claims.GetProperty("aud").GetString() == ForeignProvider.Audience
            && claims.GetProperty("exp").GetInt64() > TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        return isGood ? claims.GetProperty("sub").GetString() : null;
    }
}

/// <summary>Reads JWTs; verifies nothing.</summary>
internal static class Jwt
{
    public static JsonElement Claims(string token) => Part(token.Split('.')[1]);

    public static JsonElement Part(string text) => JsonElement.Parse(Base64Url.DecodeFromChars(text));
}
