using System.Security.Cryptography;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>A session: everything in its cookie.</summary>
internal sealed record EdgeSession
{
    /// <summary>Random 128-bit id, new at every sign-in.</summary>
    public required string Id { get; init; }

    /// <summary>Issuer.</summary>
    public required string Issuer { get; init; }

    /// <summary>Subject.</summary>
    public required string Subject { get; init; }

    /// <summary>E-mail address for display, or null.</summary>
    public string? Email { get; init; }

    /// <summary>Name for display, or null.</summary>
    public string? Name { get; init; }

    /// <summary>The provider's sid, or null.</summary>
    public string? ProviderSessionId { get; init; }

    /// <summary>A claim made the person an administrator at sign-in.</summary>
    public bool IsAdministratorByClaim { get; init; }

    /// <summary>
    /// When the person authenticated as administrators of their provider have to (<see cref="StepUpSettings"/>); null when they did not.
    /// </summary>
    public DateTimeOffset? ProvenAt { get; init; }

    /// <summary>When the provider said what stands here; null where it counts for the whole session (no refresh).</summary>
    public DateTimeOffset? ClaimsAt { get; init; }

    /// <summary>Hash of the nonce of the sign-in, for ID tokens of refreshes; null where there are none.</summary>
    public string? NonceHash { get; init; }

    /// <summary>When the cookie was last written; idle time counts from here.</summary>
    public required DateTimeOffset RenewedAt { get; init; }

    /// <summary>Absolute end.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Revocation epoch of the person at sign-in.</summary>
    public required long Epoch { get; init; }

    /// <summary>What <see cref="SessionPolicy"/> computes with.</summary>
    public SessionTimes Times => new(RenewedAt, ExpiresAt);

    /// <summary>Key towards <see cref="ISessionState"/>.</summary>
    public SessionKey Key => new(Id, Issuer, Subject, Epoch);

    /// <summary>Its caller as it was last made: one for all requests that come with one cookie. No part of what a session is.</summary>
    internal CallerMemo Caller { get; } = new();

    /// <summary>A new id.</summary>
    public static string NewId() => StrictBase64Url.Encode(RandomNumberGenerator.GetBytes(16));
}

/// <summary>
/// Remembers a caller for the very object it was made of: a changed copy of that (<c>with</c>) shares the memo, not the caller.
/// </summary>
internal sealed class CallerMemo
{
    private Made? _made;

    /// <summary>The caller that was made of this object and decided on in this way, or null.</summary>
    public Caller? Find(EdgeSession of, bool isAdministrator, StepUpSettings? missing) =>
        _made is { } made && ReferenceEquals(made.Of, of) && made.Caller.IsAdministrator == isAdministrator
        && ReferenceEquals(made.Caller.MissingStepUp, missing) ? made.Caller : null;

    /// <summary>Remembers one instead of the last.</summary>
    public Caller Keep(EdgeSession of, Caller caller)
    {
        _made = new Made(of, caller);
        return caller;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is CallerMemo;

    /// <inheritdoc/>
    public override int GetHashCode() => 0;

    private sealed record Made(EdgeSession Of, Caller Caller);
}

/// <summary>Binary form of a session, made to keep the cookie below 1 KiB.</summary>
internal static class SessionCodec
{
    // 1000 characters of base64url are 750 bytes; name and attributes of the cookie come on top of the value.
    private const int MaximumPayload = 750 - CookieProtector.Overhead;

    // 2 has a proof and refreshes; it is written only for sessions that have them, so that replicas of the version before read the others.
    private const byte Plain = 1;
    private const byte Extended = 2;

    /// <summary>Writes a session. What is only for display is shortened or dropped before the limit is passed; identity never is.</summary>
    public static byte[] Write(EdgeSession session)
    {
        foreach (var candidate in (EdgeSession[])
            [session, session with { Name = null }, session with { Name = null, Email = null },
                session with { Name = null, Email = null, ProviderSessionId = null }])
        {
            var bytes = Encode(candidate);
            if (bytes.Length <= MaximumPayload)
            {
                return bytes;
            }
        }

        throw new ArgumentException("Issuer and subject are too long for a session cookie.", nameof(session));
    }

    /// <summary>Reads a session; null when the bytes are not one.</summary>
    public static EdgeSession? Read(byte[] bytes)
    {
        var reader = new CompactReader(bytes);
        var format = reader.Byte();
        if (format is not (Plain or Extended))
        {
            return null;
        }

        var flags = reader.Byte();
        var id = reader.Text();
        var issuer = reader.Text();
        var subject = reader.Text();
        var email = reader.Text();
        var name = reader.Text();
        var sid = reader.Text();
        var renewed = reader.Time();
        var expires = reader.Time();
        var epoch = reader.Number();
        var (proven, claims, nonce) = format == Extended ? (reader.Time(), reader.Time(), reader.Text()) : (default, default, null);
        if (!reader.IsComplete || id is null || issuer is null || subject is null)
        {
            return null;
        }

        return new EdgeSession
        {
            Id = id,
            Issuer = issuer,
            Subject = subject,
            Email = email,
            Name = name,
            ProviderSessionId = sid,
            IsAdministratorByClaim = (flags & 1) != 0,
            RenewedAt = renewed,
            ExpiresAt = expires,
            Epoch = epoch,
            ProvenAt = Known(proven),
            ClaimsAt = Known(claims),
            NonceHash = nonce,
        };
    }

    // The beginning of time stands for none.
    private static DateTimeOffset? Known(DateTimeOffset time) => time <= DateTimeOffset.UnixEpoch ? null : time;

    private static byte[] Encode(EdgeSession session)
    {
        var isPlain = session is { ProvenAt: null, ClaimsAt: null, NonceHash: null };
        var writer = Common(session, isPlain ? Plain : Extended);
        return (isPlain ? writer : writer.Time(session.ProvenAt ?? DateTimeOffset.UnixEpoch)
            .Time(session.ClaimsAt ?? DateTimeOffset.UnixEpoch).Text(session.NonceHash)).ToArray();
    }

    private static CompactWriter Common(EdgeSession session, byte format) => new CompactWriter()
        .Byte(format)
        .Byte(session.IsAdministratorByClaim ? (byte)1 : (byte)0)
        .Text(session.Id)
        .Text(session.Issuer)
        .Text(session.Subject)
        .Text(session.Email)
        .Text(session.Name)
        .Text(session.ProviderSessionId)
        .Time(session.RenewedAt)
        .Time(session.ExpiresAt)
        .Number(session.Epoch);
}
