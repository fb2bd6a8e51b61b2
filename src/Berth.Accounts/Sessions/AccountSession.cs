namespace Berth.Accounts;

/// <summary>A session as a person sees it in a list of "where am I signed in".</summary>
public sealed record AccountSession
{
    /// <summary>Random id, the one in the cookie.</summary>
    public required string Id { get; init; }

    /// <summary>Browser and system in a few words, such as <c>Firefox on Linux</c>.</summary>
    public required string Device { get; init; }

    /// <summary>When the person signed in.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last use, to within the renewal interval of the session cookie.</summary>
    public required DateTimeOffset LastSeenAt { get; init; }

    /// <summary>Absolute end.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>End unless it is used before; null when the sign-in did not say.</summary>
    public DateTimeOffset? IdleExpiresAt { get; init; }

    /// <summary>How often its cookie was renewed, about.</summary>
    public int RefreshCount { get; init; }

    /// <summary>The workspace it went into last; null when it was in none.</summary>
    public string? Workspace { get; init; }

    /// <summary>When it first went into a workspace.</summary>
    public DateTimeOffset? StartedAt { get; init; }
}
