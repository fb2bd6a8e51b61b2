using Kube.Client.Models;

namespace Kube.Client;

/// <summary>
/// Typed access to a Kubernetes API. Failures are <see cref="KubeException"/>; nothing returns null for "not found" but the Try methods.
/// </summary>
public interface IKubeClient
{
    /// <summary>Untyped access to any path.</summary>
    IKubeRawClient Raw { get; }

    /// <summary>Reads one object.</summary>
    Task<T> GetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>;

    /// <summary>Reads one object, or null when the API answers 404 for the object.</summary>
    Task<T?> TryGetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>;

    /// <summary>Reads one page of a list (all namespaces when <paramref name="ns"/> is null).</summary>
    Task<ResourceList<T>> ListPageAsync<T>(string? ns, ListOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>;

    /// <summary>
    /// Opens a watch and returns its events until the server or the caller ends it. Returns as soon as the headers are there.
    /// </summary>
    /// <remarks>
    /// A status event in the stream and a failed request both throw <see cref="KubeException"/>; a clean end of the stream ends the
    /// enumeration.
    /// </remarks>
    IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(string? ns, WatchOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>;

    /// <summary>Creates an object.</summary>
    Task<T> CreateAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>;

    /// <summary>Replaces an object; its resourceVersion guards against lost updates (409 Conflict).</summary>
    Task<T> ReplaceAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>;

    /// <summary>Replaces the status of an object through its status sub-resource.</summary>
    Task<T> ReplaceStatusAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>;

    /// <summary>Patches an object or one of its sub-resources.</summary>
    Task<T> PatchAsync<T>(
        string? ns,
        string name,
        KubePatch patch,
        WriteOptions? options,
        CancellationToken cancellationToken,
        string? subresource = null
    )
        where T : class, IKubeResource<T>;

    /// <summary>
    /// Server-side apply: creates the object or makes it have the given fields. <see cref="WriteOptions.FieldManager"/> is required.
    /// </summary>
    Task<T> ApplyAsync<T>(T obj, WriteOptions options, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubeResource<T>;

    /// <summary>Begins the deletion of an object; 404 throws, see <see cref="KubeException.IsNotFound"/>.</summary>
    Task DeleteAsync<T>(string? ns, string name, DeleteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>;

    /// <summary>Opens the log of a container as plain text; the caller disposes the stream.</summary>
    Task<Stream> OpenLogAsync(string ns, string pod, LogOptions options, CancellationToken cancellationToken);

    /// <summary>Whether the server serves a kind now (asked each time, not cached).</summary>
    Task<bool> IsServedAsync(ResourceDescriptor descriptor, CancellationToken cancellationToken);
}

/// <summary>Untyped access: any path, bytes in and out, the same credentials, retries and errors as the typed client.</summary>
public interface IKubeRawClient
{
    /// <summary>Sends a request and returns the body of a 2xx answer; everything else throws <see cref="KubeException"/>.</summary>
    Task<byte[]> SendAsync(
        HttpMethod method,
        string pathAndQuery,
        ReadOnlyMemory<byte> body,
        string? contentType,
        CancellationToken cancellationToken
    );
}

/// <summary>A page of a list.</summary>
/// <param name="Items">The objects, with apiVersion and kind filled in even where the server left them out.</param>
/// <param name="Metadata">Version and continue token.</param>
public sealed record ResourceList<T>(IReadOnlyList<T> Items, ListMeta Metadata);

/// <summary>What to list.</summary>
public sealed record ListOptions
{
    /// <summary>Label selector in the API's syntax.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>Field selector in the API's syntax.</summary>
    public string? FieldSelector { get; init; }

    /// <summary>Largest number of objects in a page; null leaves it to the server.</summary>
    public int? Limit { get; init; }

    /// <summary>Token of the previous page.</summary>
    public string? Continue { get; init; }

    /// <summary>Read objects without <see cref="ObjectMeta.ManagedFields"/>, about a quarter of their bytes. Default false.</summary>
    public bool OmitManagedFields { get; init; }

    /// <summary>null or empty: newest by quorum; <c>0</c>: any version the server has at hand; else not older than that.</summary>
    public string? ResourceVersion { get; init; }
}

/// <summary>What to watch.</summary>
public sealed record WatchOptions
{
    /// <summary>Label selector in the API's syntax.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>Field selector in the API's syntax.</summary>
    public string? FieldSelector { get; init; }

    /// <summary>Events after this version.</summary>
    public string? ResourceVersion { get; init; }

    /// <summary>Ask for the current objects first, ended by a bookmark (KEP-3157); the server may refuse.</summary>
    public bool SendInitialEvents { get; init; }

    /// <summary>
    /// When the server should end the watch. Default 290 s, as kube-rs: below the 5 min at which some load balancers cut idle connections.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(290);

    /// <summary>Read objects without <see cref="ObjectMeta.ManagedFields"/>, about a quarter of their bytes. Default false.</summary>
    public bool OmitManagedFields { get; init; }

    /// <summary>Ask for bookmarks, so that the version moves on while nothing happens. Default true.</summary>
    public bool AllowBookmarks { get; init; } = true;
}

/// <summary>How to write.</summary>
public sealed record WriteOptions
{
    /// <summary>Name under which the written fields are recorded (at most 128 printable characters).</summary>
    public string? FieldManager { get; init; }

    /// <summary>Take over fields of other managers instead of failing with 409; for apply only.</summary>
    public bool Force { get; init; }

    /// <summary>Run the whole pipeline and store nothing.</summary>
    public bool DryRun { get; init; }
}

/// <summary>How to delete.</summary>
public sealed record DeleteOptions
{
    /// <summary><c>Background</c>, <c>Foreground</c> or <c>Orphan</c>; null leaves the server's default.</summary>
    public string? PropagationPolicy { get; init; }

    /// <summary>Seconds for a graceful end; null leaves the object's own.</summary>
    public long? GracePeriodSeconds { get; init; }

    /// <summary>Delete only if the object still has this uid (409 otherwise).</summary>
    public string? Uid { get; init; }

    /// <summary>Delete only if the object still has this version (409 otherwise).</summary>
    public string? ResourceVersion { get; init; }
}

/// <summary>Which part of a log.</summary>
public sealed record LogOptions
{
    /// <summary>Container; needed only where a pod has several.</summary>
    public string? Container { get; init; }

    /// <summary>Keep the stream open for what comes.</summary>
    public bool Follow { get; init; }

    /// <summary>Log of the previous instance.</summary>
    public bool Previous { get; init; }

    /// <summary>Only the last lines.</summary>
    public int? TailLines { get; init; }

    /// <summary>Prefix each line with its time.</summary>
    public bool Timestamps { get; init; }
}

/// <summary>A patch and its content type.</summary>
/// <param name="ContentType">One of the API's patch media types.</param>
/// <param name="Body">UTF-8 JSON.</param>
public sealed record KubePatch(string ContentType, ReadOnlyMemory<byte> Body)
{
    /// <summary>RFC 7396.</summary>
    public static KubePatch Merge(ReadOnlyMemory<byte> json) => new("application/merge-patch+json", json);

    /// <summary>RFC 6902.</summary>
    public static KubePatch Json(ReadOnlyMemory<byte> json) => new("application/json-patch+json", json);
}
