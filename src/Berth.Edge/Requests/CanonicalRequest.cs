using System.Net;

namespace Berth.Edge;

/// <summary>Whose host a request names.</summary>
internal enum HostKind
{
    /// <summary>None of ours.</summary>
    Unknown,

    /// <summary>The edge's own origin: pages, sign-in, API.</summary>
    Edge,

    /// <summary>One label below the workspace domain; in path-prefix mode, the folder of a workspace.</summary>
    Workspace,

    /// <summary>The one host of all workspaces in path-prefix mode, outside of their folders.</summary>
    SharedWorkspaces,
}

/// <summary>
/// A request in its one canonical form, made once, before anything is decided. Routing, authorisation, logs and the upstream use this value
/// and never look at the raw request again. Read it with <see cref="RequestStateExtensions.GetCanonical"/>.
/// </summary>
internal sealed record CanonicalRequest
{
    /// <summary><c>http</c> or <c>https</c> as the client used it (a trusted proxy's X-Forwarded-Proto counts).</summary>
    public required string Scheme { get; init; }

    /// <summary>
    /// Lower case, no port, no trailing dot. In path-prefix mode, in a workspace's folder, the host that the workspace would otherwise
    /// have: cookies, tickets
    /// and the table go by it in both modes. What browsers see is <see cref="EdgeSettings.WorkspaceAuthority"/>.
    /// </summary>
    public required string Host { get; init; }

    /// <summary>What the host is to us.</summary>
    public required HostKind HostKind { get; init; }

    /// <summary>The folder of the workspace in path-prefix mode, such as <c>/w/ws-one</c>; empty everywhere else.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>
    /// Path, within the folder where there is one: starts with a slash, unreserved characters decoded, other escapes in upper case, no dot
    /// segments, nothing ambiguous.
    /// </summary>
    public required string Path { get; init; }

    /// <summary>Query with its question mark as the client sent it, or empty.</summary>
    public required string Query { get; init; }

    /// <summary>Address of the client, behind trusted proxies only.</summary>
    public required IPAddress ClientAddress { get; init; }

    /// <summary>Whether this asks to switch protocols (HTTP/1.1 Upgrade or an extended CONNECT).</summary>
    public required bool IsUpgrade { get; init; }

    /// <summary>Whether a person's browser goes to a page, so that a redirect or HTML makes sense.</summary>
    public required bool IsNavigation { get; init; }
}
