using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Berth.Local.Identity;

/// <summary>
/// A small OpenID Provider for development: code flow with PKCE, consent, rotation of refresh tokens, userinfo, end of session, revocation.
/// It asks nobody for a password, so it listens on the loopback interfaces alone and answers only to a loopback host name.
/// </summary>
/// <remarks>OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0; RFC 6749, 7009, 7636, 9207, 9700.</remarks>
public sealed class DevelopmentProvider : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ProviderKey _key;

    private DevelopmentProvider(WebApplication app, ProviderKey key, string issuer)
    {
        _app = app;
        _key = key;
        Issuer = issuer;
    }

    /// <summary>The issuer, such as <c>http://localhost:8081</c>.</summary>
    public string Issuer { get; }

    /// <summary>Starts the provider.</summary>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<DevelopmentProvider> StartAsync(
        DevelopmentProviderOptions options,
        ILoggerProvider? logging,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        var key = ProviderKey.LoadOrCreate(options.DataDirectory);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, Hosting.NoSignals>();
        builder.Services.AddRoutingCore();
        if (logging is not null)
        {
            builder.Logging.AddProvider(logging);
        }

        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = 64 * 1024;
                if (options.Address is { } address)
                {
                    kestrel.Listen(address, options.Port, listen => listen.Protocols = HttpProtocols.Http1);
                }
                else if (options.Port == 0)
                {
                    kestrel.Listen(IPAddress.Loopback, 0);
                }
                else
                {
                    kestrel.ListenLocalhost(options.Port, listen => listen.Protocols = HttpProtocols.Http1);
                }
            });
        var app = builder.Build();
        try
        {
            // The issuer is known only once a free port is; the endpoints read it through this holder.
            var issuer = new IssuerHolder();
            var store = new GrantStore(clock, Path.Combine(options.DataDirectory, "grants.json"));
            var tokens = new TokenService(options, store, key, issuer, clock);
            app.Use((HttpContext http, RequestDelegate next) => GuardAsync(http, next, options.Host));
            app.UseRouting();
            app.MapGet("/.well-known/openid-configuration", (HttpContext http) => JsonAnswer.WriteAsync(http, Discovery(issuer.Value)));
            app.MapGet(
                "/jwks",
                (HttpContext http) => JsonAnswer.WriteAsync(http, new JsonObject { ["keys"] = new JsonArray(key.ToJwk()) })
            );
            new AuthorizationEndpoint(options, store, issuer, clock).Map(app);
            tokens.Map(app);
            new EndSessionEndpoint(options, store, key, issuer).Map(app);
            await app.StartAsync(cancellationToken);
            var port = options.Port == 0 ? new Uri(app.Urls.First()).Port : options.Port;
            issuer.Value = $"http://{options.Host}:{port}";
            return new DevelopmentProvider(app, key, issuer.Value);
        }
        catch
        {
            await app.DisposeAsync();
            key.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
    }

    private static JsonObject Discovery(string issuer) =>
        new()
        {
            ["issuer"] = issuer,
            ["authorization_endpoint"] = $"{issuer}/authorize",
            ["token_endpoint"] = $"{issuer}/token",
            ["userinfo_endpoint"] = $"{issuer}/userinfo",
            ["jwks_uri"] = $"{issuer}/jwks",
            ["end_session_endpoint"] = $"{issuer}/end_session",
            ["revocation_endpoint"] = $"{issuer}/revoke",
            ["scopes_supported"] = new JsonArray("openid", "profile", "email", "groups", "offline_access"),
            ["response_types_supported"] = new JsonArray("code"),
            ["response_modes_supported"] = new JsonArray("query"),
            ["grant_types_supported"] = new JsonArray("authorization_code", "refresh_token"),
            ["subject_types_supported"] = new JsonArray("public"),
            ["id_token_signing_alg_values_supported"] = new JsonArray("RS256"),
            ["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_basic", "client_secret_post", "none"),
            ["code_challenge_methods_supported"] = new JsonArray("S256"),
            ["claims_supported"] = new JsonArray("sub", "name", "preferred_username", "email", "email_verified", "groups"),
            ["prompt_values_supported"] = new JsonArray("none", "login", "consent", "select_account", "create"),
            ["authorization_response_iss_parameter_supported"] = true,
        };

    // A page of another site that resolves its own name to 127.0.0.1 must not talk to this provider (DNS rebinding).
    private static Task GuardAsync(HttpContext http, RequestDelegate next, string host)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        if (http.Request.Host.Host is "localhost" or "127.0.0.1" or "[::1]" || http.Request.Host.Host == host)
        {
            return next(http);
        }

        http.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
        return http.Response.WriteAsync("This provider answers to localhost only.");
    }
}

/// <summary>Holds the issuer from the moment the port is known.</summary>
internal sealed class IssuerHolder
{
    public string Value { get; set; } = "";
}

/// <summary>JSON without reflection.</summary>
internal static class JsonAnswer
{
    public static Task WriteAsync(HttpContext http, JsonObject body, int status = StatusCodes.Status200OK)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(body.ToJsonString());
    }

    public static Task ErrorAsync(HttpContext http, string error, string description, int status = StatusCodes.Status400BadRequest) =>
        WriteAsync(http, new JsonObject { ["error"] = error, ["error_description"] = description }, status);
}
