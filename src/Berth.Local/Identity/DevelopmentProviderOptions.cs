namespace Berth.Local.Identity;

/// <summary>What the development provider needs to know.</summary>
public sealed record DevelopmentProviderOptions
{
    /// <summary>Port on the loopback interfaces; 0 takes a free one. It is part of the issuer, so it must stay the same for people to find their workspaces again.</summary>
    public required int Port { get; init; }

    /// <summary>Folder for the signing key, which outlives restarts so that tokens and caches of relying parties stay good.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The one client.</summary>
    public required string ClientId { get; init; }

    /// <summary>Its secret; null makes it a public client, which has PKCE alone.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>Where codes may be sent: compared character by character (RFC 9700, 2.1).</summary>
    public required IReadOnlyList<string> RedirectUris { get; init; }

    /// <summary>Where a person may be sent after signing out.</summary>
    public IReadOnlyList<string> PostLogoutRedirectUris { get; init; } = [];

    /// <summary>Audience of access tokens: the API that takes them.</summary>
    public required string Audience { get; init; }

    /// <summary>Life of access and ID tokens. Default 5 min: short, so that a client's refresh is exercised in development.</summary>
    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(5);
}
