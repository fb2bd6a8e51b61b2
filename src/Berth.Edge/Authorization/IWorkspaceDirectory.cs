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

    /// <summary>Tells of changes of one workspace. Subscribe first and look then, and no change is missed.</summary>
    /// <param name="name">Its name.</param>
    IWorkspaceChanges Subscribe(string name);
}

/// <summary>Changes of one workspace; dispose it when they no longer matter.</summary>
internal interface IWorkspaceChanges : IDisposable
{
    /// <summary>Waits for a change since the last return, or for <paramref name="patience"/> to pass.</summary>
    /// <returns>True after a change; false when nothing happened for that long.</returns>
    Task<bool> WaitAsync(TimeSpan patience, TimeProvider clock, CancellationToken cancellationToken);
}
