using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using Berth.Accounts;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>The options after they were checked and parsed; the only form the rest of the core reads.</summary>
internal sealed record EdgeSettings
{
    /// <summary>Scheme, host and port of the edge, no trailing slash: <c>http://localhost:8080</c>.</summary>
    public required string PublicOrigin { get; init; }

    /// <summary>Scheme of <see cref="PublicOrigin"/>.</summary>
    public required string Scheme { get; init; }

    /// <summary>Host of <see cref="PublicOrigin"/>, canonical.</summary>
    public required string EdgeHost { get; init; }

    /// <summary><c>:8080</c>, or empty for the scheme's default port.</summary>
    public required string PortSuffix { get; init; }

    /// <summary>Canonical workspace domain.</summary>
    public required string WorkspaceDomain { get; init; }

    /// <summary>Providers, at least one, distinct issuers and keys.</summary>
    public required ImmutableArray<IssuerSettings> Issuers { get; init; }

    /// <summary>Administrators as (issuer, subject).</summary>
    public required ImmutableHashSet<(string Issuer, string Subject)> Administrators { get; init; }

    /// <summary>Networks of trusted proxies.</summary>
    public required ImmutableArray<IPNetwork> TrustedProxies { get; init; }

    /// <summary>Cookie keys of 32 bytes, first protects.</summary>
    public required ImmutableArray<ImmutableArray<byte>> CookieKeys { get; init; }

    /// <summary>Identity keys, first signs.</summary>
    public required ImmutableArray<ECParameters> IdentityKeys { get; init; }

    /// <summary>How long a signed identity is used again.</summary>
    public TimeSpan IdentityReuse { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time-outs of sessions; all that follows from them is computed by it.</summary>
    public required SessionPolicy Sessions { get; init; }

    /// <summary>Forwarding.</summary>
    public required ProxyOptions Proxy { get; init; }

    /// <summary>What one client, person or workspace may ask for.</summary>
    public EdgeLimitOptions Limits { get; init; } = new();

    /// <summary>Pages of other origins that may call the API.</summary>
    public CorsPolicy Cors { get; init; } = CorsPolicy.Closed;

    /// <summary>Whether cookies are Secure and carry the <c>__Host-</c> prefix.</summary>
    public bool IsHttps => Scheme == "https";

    /// <summary>What administrators of a provider need; null for nothing more than being named.</summary>
    public StepUpSettings? StepUpOf(string issuer) => Issuers.FirstOrDefault(i => i.Issuer == issuer)?.StepUp;

    /// <summary>Whether all workspaces are folders of the host <see cref="WorkspaceDomain"/>.</summary>
    public bool IsPathPrefix { get; init; }

    /// <summary>Host and port, as browsers see it, of the workspace with this host.</summary>
    public string WorkspaceAuthority(string host) => (IsPathPrefix ? WorkspaceDomain : host) + PortSuffix;

    /// <summary>Origin, as browsers see it, of the workspace with this host.</summary>
    public string WorkspaceOrigin(string host) => $"{Scheme}://{WorkspaceAuthority(host)}";

    /// <summary>
    /// Where the workspace with this host is opened: its origin, and its folder in path-prefix mode; no slash at the end.
    /// </summary>
    public string WorkspaceAddress(string host) => IsPathPrefix
        ? WorkspaceOrigin(host) + WorkspaceUrls.PathRoot + host[..host.IndexOf('.')] : WorkspaceOrigin(host);
}

/// <summary>One provider after checking.</summary>
internal sealed record IssuerSettings
{
    /// <summary>Name in <c>/login?provider=</c>.</summary>
    public required string Key { get; init; }

    /// <summary>Name shown to people.</summary>
    public required string DisplayName { get; init; }

    /// <summary>Issuer identifier.</summary>
    public required string Issuer { get; init; }

    /// <summary>Client id.</summary>
    public required string ClientId { get; init; }

    /// <summary>Client secret or null.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>Scopes, with openid.</summary>
    public required string Scope { get; init; }

    /// <summary>Audience of access tokens or null.</summary>
    public string? Audience { get; init; }

    /// <summary>Accepted algorithms.</summary>
    public required ImmutableHashSet<string> Algorithms { get; init; }

    /// <summary>Whether access tokens typed JWT, or not typed, are accepted.</summary>
    public bool AcceptUntypedAccessTokens { get; init; }

    /// <summary>Longest accepted lifetime of an access token.</summary>
    public required TimeSpan MaximumTokenLifetime { get; init; }

    /// <summary>Introspection of opaque tokens; null when off.</summary>
    public IntrospectionSettings? Introspection { get; init; }

    /// <summary>Who of its people may come in.</summary>
    public SignInRules Rules { get; init; } = SignInRules.None;

    /// <summary>What its administrators have to show besides; null for nothing.</summary>
    public StepUpSettings? StepUp { get; init; }

    /// <summary>How old claims of a session may get before they are renewed; null: they are as old as the session.</summary>
    public TimeSpan? RefreshAfter { get; init; }

    /// <summary>Value of prompt for sign-ins that name none, or null.</summary>
    public string? Prompt { get; init; }

    /// <summary>Claim that can make an administrator, or null.</summary>
    public string? AdministratorClaim { get; init; }

    /// <summary>The value that does.</summary>
    public string? AdministratorClaimValue { get; init; }

    /// <summary>Keeps the secret out of logs and exception texts.</summary>
    public override string ToString() => $"{Key} ({Issuer})";
}

/// <summary>Introspection of opaque tokens.</summary>
/// <param name="Clients">Clients whose tokens are accepted where no audience is named.</param>
/// <param name="CacheFor">How long a good answer counts.</param>
/// <param name="Timeout">How long the provider may take.</param>
internal sealed record IntrospectionSettings(ImmutableHashSet<string> Clients, TimeSpan CacheFor, TimeSpan Timeout);
