namespace Berth.Edge;

/// <summary>Where a session cookie belongs: in another place it is no session.</summary>
/// <param name="Name">Of the cookie.</param>
/// <param name="Purpose">What it is protected for.</param>
/// <param name="Host">The workspace's host; null for the edge's own origin.</param>
internal readonly record struct CookiePlace(string Name, ProtectionPurpose Purpose, string? Host)
{
    /// <summary>What the cookie's protection is bound to.</summary>
    public string Binding => Host is null ? Name : $"{Name}\0{Host}";

    /// <summary>
    /// Whether a cookie was opened as one of this place; the same as comparing <see cref="Binding"/>, which need not be made.
    /// </summary>
    public bool IsOf(OpenedCookie cookie) => cookie.Purpose == Purpose && (Host is null
        ? cookie.Binding == Name
        : cookie.Binding.Length == Name.Length + 1 + Host.Length && cookie.Binding[Name.Length] == '\0'
            && cookie.Binding.StartsWith(Name, StringComparison.Ordinal) && cookie.Binding.EndsWith(Host, StringComparison.Ordinal));
}

/// <summary>A cookie that was opened, and as what.</summary>
internal sealed record OpenedCookie(EdgeSession Session, ProtectionPurpose Purpose, string Binding);

/// <summary>A request brought a session that ended because the rules of its provider do not let its person in any more.</summary>
internal sealed record RefusedSession(EdgeSession Session, RuleRefusal Refusal);

/// <summary>What is known of a session's use besides its cookie.</summary>
internal sealed record UsedElsewhere(string SessionId, DateTimeOffset At);
