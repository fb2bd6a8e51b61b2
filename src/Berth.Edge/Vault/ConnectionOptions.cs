namespace Berth.Edge;

/// <summary>
/// A connection to somebody's API: section <c>Berth:Edge:Connections:NAME</c>. People consent to it once; the token vault keeps what they
/// granted, and gives out access tokens.
/// </summary>
public sealed record ConnectionOptions
{
    /// <summary>
    /// Key of the provider of <c>Berth:Edge:Issuers</c> to use, with its client; instead of issuer and client of its own.
    /// </summary>
    public string? Provider { get; init; }

    /// <summary>Issuer of its own, exactly as its discovery document states it; https unless loopback.</summary>
    public string? Issuer { get; init; }

    /// <summary>Client id at that issuer.</summary>
    public string? ClientId { get; init; }

    /// <summary>Client secret; empty for a public client.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>File that holds the client secret, read at start; instead of <see cref="ClientSecret"/>.</summary>
    public string? ClientSecretFile { get; init; }

    /// <summary>Scopes asked for. The default is openid offline_access; openid is added when missing.</summary>
    public IList<string> Scopes { get; init; } = [];

    /// <summary>Audience parameter of the authorisation request, where the provider wants one.</summary>
    public string? Audience { get; init; }

    /// <summary>Resource indicator (RFC 8707) of the authorisation and token requests.</summary>
    public string? Resource { get; init; }

    /// <summary>
    /// More parameters of the authorisation request, as <c>name=value</c>. The default is <c>prompt=consent</c>, without which many
    /// providers give no offline access a second time.
    /// </summary>
    public IList<string> AuthorizationParameters { get; init; } = [];

    /// <summary>Life of an access token whose answer tells none. The default is 5 minutes.</summary>
    public TimeSpan DefaultTokenLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A token that was not used for so long is refreshed, before the provider ends it for being idle. The default is 24 hours; 0 turns it
    /// off.
    /// </summary>
    public TimeSpan KeepAliveAfter { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The API that this connection's tokens are for; null: its tokens are given out, and nothing is forwarded.</summary>
    public UpstreamOptions? Upstream { get; init; }
}
