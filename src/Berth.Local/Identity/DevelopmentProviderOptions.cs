namespace Berth.Local.Identity;

/// <summary>What the development provider needs to know.</summary>
public sealed record DevelopmentProviderOptions
{
    /// <summary>
    /// Port on the loopback interfaces; 0 takes a free one. It is part of the issuer, so it must stay the same for people to find their
    /// workspaces again.
    /// </summary>
    public required int Port { get; init; }

    /// <summary>Name in the issuer, <c>localhost</c> or one below it; it answers to no other.</summary>
    public string Host { get; init; } = "localhost";

    /// <summary>Address to listen on; null listens on loopback.</summary>
    public System.Net.IPAddress? Address { get; init; }

    /// <summary>Folder for the signing key, which outlives restarts so that tokens and caches of relying parties stay good.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The client that signs people in.</summary>
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

    /// <summary>More clients, whose tokens are for other APIs. Default none.</summary>
    public IReadOnlyList<DevelopmentClient> OtherClients { get; init; } = [];

    /// <summary>A client by its id; null when there is none.</summary>
    internal DevelopmentClient? Find(string? id) =>
        id == ClientId ? new DevelopmentClient(ClientId, ClientSecret, RedirectUris, Audience)
            : OtherClients.FirstOrDefault(c => c.Id == id);
}

/// <summary>A client of the development provider.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Secret">Its secret; null makes it a public client, which has PKCE alone.</param>
/// <param name="RedirectUris">Where codes may be sent: compared character by character.</param>
/// <param name="Audience">Audience of its access tokens: the API that takes them, and no other does.</param>
public sealed record DevelopmentClient(string Id, string? Secret, IReadOnlyList<string> RedirectUris, string Audience)
{
    /// <summary>Keeps the secret out of logs.</summary>
    public override string ToString() => Id;
}
