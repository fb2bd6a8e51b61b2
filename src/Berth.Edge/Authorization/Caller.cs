using System.Collections.Immutable;

namespace Berth.Edge;

/// <summary>How a caller proved who they are.</summary>
internal enum CallerKind
{
    /// <summary>A session cookie of the edge origin or of one workspace host.</summary>
    Session,

    /// <summary>An access token in the Authorization header.</summary>
    Bearer,

    /// <summary>A workspace's own token, which speaks for its owner (API proxy only).</summary>
    Workspace,
}

/// <summary>
/// The person behind a request, set by authentication and read with <see cref="RequestStateExtensions.GetCaller"/>. Identity is (issuer,
/// subject); everything else is for display.
/// </summary>
internal sealed record Caller
{
    /// <summary>How they proved it.</summary>
    public required CallerKind Kind { get; init; }

    /// <summary>Issuer of the identity, exactly as configured.</summary>
    public required string Issuer { get; init; }

    /// <summary>Subject at that issuer.</summary>
    public required string Subject { get; init; }

    /// <summary>E-mail address as the provider told it, verified or not; display only.</summary>
    public string? Email { get; init; }

    /// <summary>Name as the provider told it; display only.</summary>
    public string? Name { get; init; }

    /// <summary>Whether configuration makes this person an administrator (by identity, or by a claim).</summary>
    public bool IsAdministrator { get; init; }

    /// <summary>
    /// What this person has to show before they are an administrator, where that is all that keeps them from it; else null.
    /// </summary>
    public StepUpSettings? MissingStepUp { get; init; }

    /// <summary>Session id of a <see cref="CallerKind.Session"/>, the same on the edge origin and on workspace hosts; else null.</summary>
    public string? SessionId { get; init; }

    /// <summary>Revocation epoch of the person when the session of <see cref="SessionId"/> began; else 0.</summary>
    public long Epoch { get; init; }

    /// <summary>Token id (jti) of a <see cref="CallerKind.Bearer"/> when the token has one; else null.</summary>
    public string? TokenId { get; init; }

    /// <summary>Id (kid) of the key that signed the token of a <see cref="CallerKind.Bearer"/>; null when it has none.</summary>
    public string? KeyId { get; init; }

    /// <summary>
    /// Id of the personal access token that a <see cref="CallerKind.Bearer"/> came with; else null. Where it is not null,
    /// <see cref="Scopes"/> bound what the caller may do: see <see cref="TokenScopes"/>.
    /// </summary>
    public Guid? PersonalToken { get; init; }

    /// <summary>Name of the workspace of a <see cref="CallerKind.Workspace"/>; else null.</summary>
    public string? Workspace { get; init; }

    /// <summary>Scopes of a bearer token; empty for a session.</summary>
    public ImmutableArray<string> Scopes { get; init; } = [];

    /// <summary>When this proof ends whatever happens: absolute end of the session, or exp of the token.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The best text to address the person with: name, else e-mail address, else subject.</summary>
    public string DisplayName => Name ?? Email ?? Subject;
}
