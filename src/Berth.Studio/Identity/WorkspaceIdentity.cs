namespace Berth.Studio.Identity;

/// <summary>The person behind a request, as the signed identity header says.</summary>
internal sealed record WorkspaceIdentity
{
    /// <summary>The issuer of the person's identity provider; with <see cref="Subject"/> it is who they are.</summary>
    public required string ProviderIssuer { get; init; }

    /// <summary>The person's subject at their provider.</summary>
    public required string Subject { get; init; }

    /// <summary>What they may do here: owner, admin, or the role of a share (view, use).</summary>
    public required string Role { get; init; }

    /// <summary>Their e-mail address, for display only.</summary>
    public string? Email { get; init; }

    /// <summary>Their name, for display only.</summary>
    public string? Name { get; init; }

    /// <summary>Name of the workspace that the header was signed for; null where the platform does not say.</summary>
    public string? Workspace { get; init; }

    /// <summary>
    /// Origin under which the browser sees the workspace; null where the platform does not say. A program that was started before it had
    /// one learns it here, and cannot be told a wrong one: the header is signed.
    /// </summary>
    public string? Origin { get; init; }

    /// <summary>
    /// Whether this role may change files and open a terminal (a terminal can change anything). A role that is not known may only read:
    /// a role added later must not gain rights here by being unknown.
    /// </summary>
    public bool CanWrite => Role is "owner" or "admin" or "use";

    /// <summary>True when both are the same person: by issuer and subject, never by e-mail address.</summary>
    public bool IsSamePerson(WorkspaceIdentity other) =>
        string.Equals(ProviderIssuer, other.ProviderIssuer, StringComparison.Ordinal)
        && string.Equals(Subject, other.Subject, StringComparison.Ordinal);
}
