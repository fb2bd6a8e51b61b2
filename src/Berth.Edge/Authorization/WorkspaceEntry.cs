using System.Collections.Immutable;

namespace Berth.Edge;

/// <summary>What the edge has to know of one workspace to decide and to forward. Immutable: a change makes a new entry.</summary>
internal sealed record WorkspaceEntry
{
    /// <summary>metadata.name of the UserWorkspace.</summary>
    public required string Name { get; init; }

    /// <summary>metadata.namespace of the UserWorkspace.</summary>
    public required string Namespace { get; init; }

    /// <summary>Host it is served on: lower case, no port, one label below the workspace domain.</summary>
    public required string Host { get; init; }

    /// <summary>Public origin, such as <c>http://ws-abc.localhost:8080</c>.</summary>
    public required string Url { get; init; }

    /// <summary>Audience of the identity header: the origin, unless the pod was started before it had one.</summary>
    public string Audience { get => field ?? Url; init; }

    /// <summary>Issuer of the owner's identity, compared as an exact string.</summary>
    public required string OwnerIssuer { get; init; }

    /// <summary>Subject of the owner at that issuer, compared as an exact string.</summary>
    public required string OwnerSubject { get; init; }

    /// <summary>Other people who may use it. The default is nobody.</summary>
    public ImmutableArray<WorkspaceShare> Shares { get; init; } = [];

    /// <summary>
    /// Whether its owner alone may open it, shares and administrators notwithstanding: where it has one origin with the visitor's own
    /// workspaces. The default
    /// is false.
    /// </summary>
    public bool IsOwnerOnly { get; init; }

    /// <summary>status.phase, for messages; the decision to forward is <see cref="Target"/> alone.</summary>
    public string Phase { get; init; } = "Pending";

    /// <summary>status.message, for the reason in a 503; null when there is none.</summary>
    public string? Message { get; init; }

    /// <summary>Name of the template in effect; null where it is not known.</summary>
    public string? Template { get; init; }

    /// <summary>Where its process listens now; null while it is not ready.</summary>
    public WorkspaceTarget? Target { get; init; }

    /// <summary>Whether requests can be forwarded now.</summary>
    public bool IsReady => Target is not null;
}

/// <summary>One entry of spec.sharing.</summary>
/// <param name="Subject">The person's subject.</param>
/// <param name="Issuer">The person's issuer; null means the owner's issuer, never "any".</param>
/// <param name="Role">What they may do; handed to the workspace in the identity header. <c>owner</c> and <c>admin</c> are refused
/// here.</param>
/// <param name="Until">When the share ends; null for no end.</param>
internal sealed record WorkspaceShare(string Subject, string? Issuer, string Role, DateTimeOffset? Until);

/// <summary>Address of the workspace's process.</summary>
/// <param name="Host">IP address or DNS name inside the cluster.</param>
/// <param name="Port">TCP port.</param>
internal readonly record struct WorkspaceTarget(string Host, int Port);
