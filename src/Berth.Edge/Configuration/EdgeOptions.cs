namespace Berth.Edge;

/// <summary>
/// Configuration of the edge: section <c>Berth:Edge</c>, so <c>Berth__Edge__PublicOrigin</c> as an environment variable and
/// <c>Berth__Edge__Issuers__0__ClientId</c> for lists. Checked once at start; every problem is named in one message.
/// </summary>
public sealed record EdgeOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Berth:Edge";

    /// <summary>
    /// Origin people use to reach the edge: scheme, host and port if not the default one. https unless the host is loopback.
    /// </summary>
    /// <value>No default; example <c>https://berth.example.com</c>.</value>
    public string PublicOrigin { get; init; } = "";

    /// <summary>Workspaces are served one label below this domain, with the scheme and port of <see cref="PublicOrigin"/>.</summary>
    /// <value>No default; example <c>workspaces.example.dev</c>. Give it a registrable domain of its own in production.</value>
    public string WorkspaceDomain { get; init; } = "";

    /// <summary>Workspaces as folders of one host, for installations without wildcard DNS. The default is a host each.</summary>
    public PathPrefixOptions PathPrefix { get; init; } = new();

    /// <summary>OpenID Providers people may sign in with; the first is the default.</summary>
    public IList<IssuerOptions> Issuers { get; init; } = [];

    /// <summary>Administrators by identity; more by claim in <see cref="IssuerOptions.AdministratorClaim"/>.</summary>
    public IList<AdministratorOptions> Administrators { get; init; } = [];

    /// <summary>Session cookies.</summary>
    public SessionOptions Session { get; init; } = new();

    /// <summary>Keys that sign the identity header.</summary>
    public WorkspaceIdentityOptions Identity { get; init; } = new();

    /// <summary>Networks (CIDR) of proxies whose X-Forwarded-For, -Proto and -Host count. The default is none.</summary>
    public IList<string> TrustedProxies { get; init; } = [];

    /// <summary>Forwarding to workspaces.</summary>
    public ProxyOptions Proxy { get; init; } = new();

    /// <summary>What one client, person or workspace may ask for.</summary>
    public EdgeLimitOptions Limits { get; init; } = new();

    /// <summary>Pages of other origins that may call the API.</summary>
    public CorsOptions Cors { get; init; } = new();
}

/// <summary>One OpenID Provider.</summary>
public sealed record IssuerOptions
{
    /// <summary>
    /// Short name used in <c>/login?provider=</c>; lower-case letters, digits and dashes. The default is the issuer's host.
    /// </summary>
    public string? Key { get; init; }

    /// <summary>Name shown to people when there are several. The default is the issuer's host.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Issuer identifier, exactly as the provider's discovery document states it; https unless loopback.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>Client id of the edge at this provider.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>Client secret; empty for a public client (PKCE is used always).</summary>
    public string? ClientSecret { get; init; }

    /// <summary>File that holds the client secret, read at start; instead of <see cref="ClientSecret"/>.</summary>
    public string? ClientSecretFile { get; init; }

    /// <summary>Scopes asked for. The default is openid profile email; openid is added when missing.</summary>
    public IList<string> Scopes { get; init; } = [];

    /// <summary>
    /// Audience that access tokens must carry to be accepted as bearer tokens on the API; empty accepts none from this provider.
    /// </summary>
    public string? Audience { get; init; }

    /// <summary>Signature algorithms accepted: RS256, PS256, ES256, ES384. The default is all four.</summary>
    public IList<string> Algorithms { get; init; } = [];

    /// <summary>
    /// Accept access tokens typed <c>JWT</c> or not typed, for providers that do not follow RFC 9068. Needs an audience other than the
    /// client id. The default is false: <c>at+jwt</c> only.
    /// </summary>
    public bool AcceptUntypedAccessTokens { get; init; }

    /// <summary>Longest lifetime of an access token that is accepted. The default is 24 hours.</summary>
    public TimeSpan MaximumTokenLifetime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Asking this provider about access tokens that are no JWTs. Off by default.</summary>
    public IntrospectionOptions Introspection { get; init; } = new();

    /// <summary>
    /// Claim (of the ID token or of an access token; a string or a list of strings) that can make a person an administrator.
    /// </summary>
    public string? AdministratorClaim { get; init; }

    /// <summary>Value of <see cref="AdministratorClaim"/> that does so.</summary>
    public string? AdministratorClaimValue { get; init; }

    /// <summary>
    /// Values of the claim acr, one of which an administrator of this provider has to have signed in with. The default is none: being named
    /// is enough. Asked for when an administrator signs in for it (<c>/login?step_up=administrator</c>), not of everybody.
    /// </summary>
    public IList<string> AdministratorAcr { get; init; } = [];

    /// <summary>
    /// Values that the claim amr of an administrator has to contain, all of them, such as <c>mfa</c>. The default is none.
    /// </summary>
    public IList<string> AdministratorAmr { get; init; } = [];

    /// <summary>How long ago an administrator may have authenticated (auth_time). The default is no limit.</summary>
    public TimeSpan? AdministratorMaxAge { get; init; }

    /// <summary>Who of this provider's people may come in; by default everybody whom it knows.</summary>
    public AllowOptions Allow { get; init; } = new();

    /// <summary>
    /// Renew what is known of a person while their session lasts, with a refresh token that is kept in the token vault. The default is
    /// false: what was said at sign-in counts until the session ends. Needs the vault's keys and a database.
    /// </summary>
    public bool RefreshSessions { get; init; }

    /// <summary>
    /// How old claims may get with <see cref="RefreshSessions"/>. The default is 15 minutes: so late is it noticed at most that somebody
    /// left a group, and a provider sees four requests an hour of a person who works.
    /// </summary>
    public TimeSpan RefreshAfter { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Value of the parameter prompt for sign-ins that name none themselves: login, consent or select_account. The default is none.
    /// </summary>
    public string? Prompt { get; init; }
}

/// <summary>
/// Who may come in. What is configured has to be met, by sign-ins and by bearer tokens; a claim that is missing meets nothing.
/// </summary>
public sealed record AllowOptions
{
    /// <summary>Organisations, one of which <see cref="OrganizationClaim"/> has to name. The default is none: not asked.</summary>
    public IList<string> Organizations { get; init; } = [];

    /// <summary>Claim with the organisation, a string or a list of strings. The default is <c>org_id</c>, Auth0's.</summary>
    public string? OrganizationClaim { get; init; }

    /// <summary>
    /// Domains, one of which has to be that of the e-mail address, which has to be verified (email_verified). The default is none: not
    /// asked. The whole domain counts; those below it are others.
    /// </summary>
    public IList<string> EmailDomains { get; init; } = [];

    /// <summary>Groups, one of which <see cref="GroupClaim"/> has to name. The default is none: not asked.</summary>
    public IList<string> Groups { get; init; } = [];

    /// <summary>Claim with the groups, a string or a list of strings. The default is <c>groups</c>.</summary>
    public string? GroupClaim { get; init; }
}

/// <summary>Introspection of opaque access tokens (RFC 7662).</summary>
public sealed record IntrospectionOptions
{
    /// <summary>
    /// Whether tokens that are no JWTs are shown to this provider. The default is false; true for one issuer at most, since such a token
    /// does not say whose it is. Needs a client secret.
    /// </summary>
    public bool Enabled { get; init; }

    /// <summary>
    /// Clients whose tokens are accepted where the provider names no audience (aud); with one, <see cref="IssuerOptions.Audience"/> has to
    /// be in it. The default is none.
    /// </summary>
    public IList<string> Clients { get; init; } = [];

    /// <summary>
    /// How long a good answer counts, at most until the token's end. The default is 1 minute: so late is a token noticed that was revoked
    /// at the provider. Other answers count for 10 seconds.
    /// </summary>
    public TimeSpan CacheFor { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the provider may take. The default is 3 seconds: a caller waits for it.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(3);
}

/// <summary>An administrator by identity.</summary>
public sealed record AdministratorOptions
{
    /// <summary>Issuer; one of <see cref="EdgeOptions.Issuers"/>.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>Subject at that issuer.</summary>
    public string Subject { get; init; } = "";
}

/// <summary>Session cookies.</summary>
public sealed record SessionOptions
{
    /// <summary>
    /// Time without a request after which a session ends. The default is 8 hours: a lunch, a meeting or a long build does not sign a person
    /// out, a night does; a stolen laptop's session can be revoked at once.
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromHours(8);

    /// <summary>
    /// Time after which a session ends in any case. The default is 24 hours: the provider is asked at least daily, so people who left and
    /// groups that changed are noticed by the next day without any provider feature.
    /// </summary>
    public TimeSpan AbsoluteTimeout { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Cookie keys, 32 bytes each in base64: the first protects, both are accepted. One or two.</summary>
    public IList<string> Keys { get; init; } = [];

    /// <summary>Files with one base64 key each; instead of <see cref="Keys"/>.</summary>
    public IList<string> KeyFiles { get; init; } = [];

    /// <summary>Make a key at start when none is given: for one replica in development, sessions end with the process.</summary>
    public bool GenerateKey { get; init; }
}

/// <summary>Keys of the identity header.</summary>
public sealed record WorkspaceIdentityOptions
{
    /// <summary>PEM files with a P-256 private key each: the first signs, both are published. One or two.</summary>
    public IList<string> KeyFiles { get; init; } = [];

    /// <summary>Make a key at start when none is given: for one replica in development.</summary>
    public bool GenerateKey { get; init; }

    /// <summary>
    /// How long a signed identity is used again for the same person, role and workspace; 0 signs each request. The default is 10 seconds,
    /// the most 30: a page that loads a hundred files costs one signature, and an application still sees at least nine tenths of the five
    /// minutes that an identity lasts.
    /// </summary>
    public TimeSpan ReuseFor { get; init; } = TimeSpan.FromSeconds(10);
}
