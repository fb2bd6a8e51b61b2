namespace Berth.Accounts;

/// <summary>Identity of a person: never an e-mail address. Both parts are compared as exact strings.</summary>
/// <param name="Issuer">Issuer identifier of the provider.</param>
/// <param name="Subject">Subject at that provider.</param>
public readonly record struct PersonKey(string Issuer, string Subject);

/// <summary>A person who has signed in at least once, or come with an access token.</summary>
public sealed record Person
{
    /// <summary>Identity.</summary>
    public required PersonKey Key { get; init; }

    /// <summary>E-mail address as the provider told it last; display only.</summary>
    public string? Email { get; init; }

    /// <summary>Name as the provider told it last; display only.</summary>
    public string? Name { get; init; }

    /// <summary>First sign-in, or first token.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last sign-in, or last use of a token to within an hour.</summary>
    public required DateTimeOffset LastSeenAt { get; init; }

    /// <summary>Since when the person may not sign in; null when they may.</summary>
    public DateTimeOffset? DisabledAt { get; init; }

    /// <summary>Sessions that began under a lower epoch are over.</summary>
    public long Epoch { get; init; }
}

/// <summary>A person who came with a token.</summary>
/// <param name="Key">Who.</param>
/// <param name="Email">E-mail address as the token says; null leaves what is known.</param>
/// <param name="Name">Name as the token says; null leaves what is known.</param>
/// <param name="At">When.</param>
public sealed record SeenPerson(PersonKey Key, string? Email, string? Name, DateTimeOffset At);

/// <summary>A completed sign-in.</summary>
public sealed record SignIn
{
    /// <summary>Who.</summary>
    public required PersonKey Person { get; init; }

    /// <summary>E-mail address; null leaves what is known.</summary>
    public string? Email { get; init; }

    /// <summary>Name; null leaves what is known.</summary>
    public string? Name { get; init; }

    /// <summary>Id of the session that begins.</summary>
    public required string SessionId { get; init; }

    /// <summary>The provider's session id (sid), if it gave one.</summary>
    public string? ProviderSessionId { get; init; }

    /// <summary>The User-Agent header; stored in a short form (<see cref="DeviceName"/>).</summary>
    public string? UserAgent { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Absolute end of the session.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>End of the session unless it is used before; null when only the absolute end counts.</summary>
    public DateTimeOffset? IdleExpiresAt { get; init; }
}

/// <summary>Answer to a sign-in.</summary>
/// <param name="Epoch">The person's epoch, which the session carries.</param>
/// <param name="Disabled">True when the person may not sign in: no session was recorded.</param>
public readonly record struct SignInOutcome(long Epoch, bool Disabled);
