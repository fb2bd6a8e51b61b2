using System.Text.Json.Nodes;

namespace Kube.Server;

/// <summary>
/// The API without HTTP, for what runs in the server's process. Every write passes the same validation, defaulting, managed fields,
/// generation and finalizer rules as a request over the wire, and returns once it is on disk. Refusals are <see cref="ApiException"/>.
/// Objects that come back are shared with the store: treat them as read-only and DeepClone before changing. Thread-safe.
/// </summary>
public interface IClusterApi
{
    /// <summary>All kinds served now, custom ones included.</summary>
    IReadOnlyList<ResourceType> ResourceTypes { get; }

    /// <summary>Finds a served kind by group and kind (any version), or null.</summary>
    /// <param name="group">API group; empty for core.</param>
    /// <param name="kind">Kind such as <c>Pod</c>.</param>
    ResourceType? FindKind(string group, string kind);

    /// <summary>The newest version of an object, or null when there is none.</summary>
    /// <param name="resource">Collection.</param>
    /// <param name="ns">Namespace; null for cluster-scoped kinds.</param>
    /// <param name="name">Name.</param>
    JsonObject? Get(GroupResource resource, string? ns, string name);

    /// <summary>A consistent list of a collection, of one namespace or (null) of all.</summary>
    /// <param name="resource">Collection.</param>
    /// <param name="ns">Namespace, or null for all.</param>
    /// <param name="selectors">Selectors, or null for everything.</param>
    ObjectList List(GroupResource resource, string? ns = null, SelectorOptions? selectors = null);

    /// <summary>
    /// Watches a collection. With <paramref name="fromResourceVersion"/> null the present objects come first as Added, then one
    /// InitialListDone, then what happens; with a version, everything after it. Throws 410 Expired when the version is older than the
    /// history. Ends with the token.
    /// </summary>
    /// <param name="resource">Collection.</param>
    /// <param name="ns">Namespace, or null for all.</param>
    /// <param name="fromResourceVersion">Version to start after, or null for an initial list.</param>
    /// <param name="selectors">Selectors; an object that leaves them is reported as Deleted.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    IAsyncEnumerable<WatchEvent> WatchAsync(
        GroupResource resource, string? ns = null, long? fromResourceVersion = null, SelectorOptions? selectors = null,
        CancellationToken cancellationToken = default);

    /// <summary>Like WatchAsync, over every collection at once, those of later CRDs included (for garbage collection).</summary>
    /// <param name="fromResourceVersion">Version to start after, or null for an initial list of everything.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    IAsyncEnumerable<WatchEvent> WatchAllAsync(long? fromResourceVersion = null, CancellationToken cancellationToken = default);

    /// <summary>Creates an object; apiVersion and kind may be left out.</summary>
    /// <param name="resource">Collection.</param>
    /// <param name="ns">Namespace; null for cluster-scoped kinds.</param>
    /// <param name="obj">The object; taken over by the call.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The object as stored.</returns>
    Task<JsonObject> CreateAsync(GroupResource resource, string? ns, JsonObject obj, WriteOptions? options = null,
        CancellationToken cancellationToken = default);

    /// <summary>Replaces an object (its status is kept); a resourceVersion in it makes the write conditional.</summary>
    /// <param name="resource">Collection.</param>
    /// <param name="ns">Namespace; null for cluster-scoped kinds.</param>
    /// <param name="name">Name.</param>
    /// <param name="obj">The object; taken over by the call.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The object as stored.</returns>
    Task<JsonObject> UpdateAsync(GroupResource resource, string? ns, string name, JsonObject obj, WriteOptions? options = null,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Replaces the status of an object; everything else in <paramref name="obj"/> is ignored, but a resourceVersion makes the write
    /// conditional.
    /// </summary>
    /// <param name="resource">Collection.</param>
    /// <param name="ns">Namespace; null for cluster-scoped kinds.</param>
    /// <param name="name">Name.</param>
    /// <param name="obj">Object with a status; taken over by the call.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The object as stored.</returns>
    Task<JsonObject> UpdateStatusAsync(GroupResource resource, string? ns, string name, JsonObject obj, WriteOptions? options = null,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// JSON merge patch (RFC 7396). Without a resourceVersion in the patch it is applied to the newest object until it wins.
    /// </summary>
    /// <param name="resource">Collection.</param>
    /// <param name="ns">Namespace; null for cluster-scoped kinds.</param>
    /// <param name="name">Name.</param>
    /// <param name="patch">The patch.</param>
    /// <param name="subresource">Null, or <c>status</c>.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The object as stored.</returns>
    Task<JsonObject> PatchAsync(
        GroupResource resource, string? ns, string name, JsonObject patch, string? subresource = null, WriteOptions? options = null,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads, changes and writes an object until the write wins. <paramref name="change"/> gets a private copy and returns false to leave
    /// all as it is; it may run several times. With subresource <c>status</c> only the status is written.
    /// </summary>
    /// <param name="resource">Collection.</param>
    /// <param name="ns">Namespace; null for cluster-scoped kinds.</param>
    /// <param name="name">Name.</param>
    /// <param name="change">Changes the copy in place.</param>
    /// <param name="subresource">Null, or <c>status</c>.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The object as stored, or null when it does not exist.</returns>
    Task<JsonObject?> ModifyAsync(
        GroupResource resource, string? ns, string name, Func<JsonObject, bool> change, string? subresource = null,
        WriteOptions? options = null,
        CancellationToken cancellationToken = default);

    /// <summary>Deletes an object: at once, or (finalizers, a pod's grace period) by marking it.</summary>
    /// <param name="resource">Collection.</param>
    /// <param name="ns">Namespace; null for cluster-scoped kinds.</param>
    /// <param name="name">Name.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The marked object, or null when it is gone. A missing object is a 404 <see cref="ApiException"/>.</returns>
    Task<JsonObject?> DeleteAsync(GroupResource resource, string? ns, string name, DeleteOptions? options = null,
        CancellationToken cancellationToken = default);
}
