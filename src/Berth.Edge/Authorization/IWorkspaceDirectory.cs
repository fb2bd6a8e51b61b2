using System.Diagnostics.CodeAnalysis;

namespace Berth.Edge;

/// <summary>
/// The workspaces this replica knows of, by host. An in-memory table fed by a watch: it is asked on every request and never blocks.
/// </summary>
internal interface IWorkspaceDirectory
{
    /// <summary>Finds the workspace that is served on a host.</summary>
    /// <param name="host">The canonical host of the request: lower case, no port, no trailing dot.</param>
    /// <param name="entry">The workspace as it is known now; a later call may return another value.</param>
    /// <returns>False when no workspace has that host.</returns>
    bool TryFindByHost(string host, [NotNullWhen(true)] out WorkspaceEntry? entry);
}
