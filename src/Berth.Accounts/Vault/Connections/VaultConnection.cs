namespace Berth.Accounts;

/// <summary>
/// A provider as the vault uses it, under a name: whose tokens, as which client, for which scopes. Checked by whoever makes it (the edge:
/// section <c>Connections:NAME</c>).
/// </summary>
public sealed class VaultConnection
{
    /// <summary>Name: lower-case letters, digits and dashes, at most 63.</summary>
    public required string Name { get; init; }

    /// <summary>Issuer, exactly as its discovery document states it.</summary>
    public required string Issuer { get; init; }

    /// <summary>Client id.</summary>
    public required string ClientId { get; init; }

    /// <summary>Client secret; null for a public client.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>Scopes to ask for.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>Audience parameter (Auth0); null sends none.</summary>
    public string? Audience { get; init; }

    /// <summary>Resource indicator (RFC 8707); null sends none.</summary>
    public string? Resource { get; init; }

    /// <summary>
    /// Life of an access token whose answer has neither expires_in nor an exp of its own. The default is 5 minutes, Keycloak's: too short
    /// costs a refresh, too long costs refused calls.
    /// </summary>
    public TimeSpan DefaultTokenLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A token that was not refreshed for so long is, so that the provider does not end it for being idle. The default is 24 hours: far
    /// below the idle limits in use (Keycloak 30 days, others 14 or 7). Zero turns it off.
    /// </summary>
    public TimeSpan KeepAliveAfter { get; init; } = TimeSpan.FromHours(24);

    /// <summary>
    /// What connections of sessions are called, with the provider's key behind it: no connection of the configuration can have such a name.
    /// </summary>
    public const string SessionPrefix = "sign-in.";

    /// <summary>
    /// Whether it renews sessions: what a refresh is made for is then the ID token, which is kept in the access token's place and counts
    /// for
    /// <see cref="DefaultTokenLifetime"/>, whatever it says itself; and nothing of it is shown among a person's connections.
    /// </summary>
    public bool IsOfSessions => IsSessionName(Name);

    /// <summary>Rows of a connection of sessions are removed so long after they were made: the session has ended.</summary>
    public TimeSpan ForgetAfter { get; init; }

    internal static bool IsSessionName(string? name) => name?.StartsWith(SessionPrefix, StringComparison.Ordinal) == true;

    /// <summary>Name and issuer; no secret.</summary>
    public override string ToString() => $"{Name} ({Issuer})";
}
