using Kube.Client;
using Kube.Client.Models;

namespace Testing;

/// <summary>Passes everything on to another client; a test's own client overrides what it is about.</summary>
public abstract class DelegatingKubeClient(IKubeClient inner) : IKubeClient
{
    public IKubeRawClient Raw => inner.Raw;

    /// <summary>The client behind this one.</summary>
    protected IKubeClient Inner => inner;

    public Task<T> GetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => PassAsync<T, T>("get", () => inner.GetAsync<T>(ns, name, cancellationToken));

    public Task<T?> TryGetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => PassAsync<T, T?>("get", () => inner.TryGetAsync<T>(ns, name, cancellationToken));

    public Task<ResourceList<T>> ListPageAsync<T>(string? ns, ListOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> =>
        PassAsync<T, ResourceList<T>>("list", () => inner.ListPageAsync<T>(ns, options, cancellationToken));

    public virtual IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(string? ns, WatchOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => inner.WatchAsync<T>(ns, options, cancellationToken);

    public virtual Task<T> CreateAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => PassAsync<T, T>("create", () => inner.CreateAsync(obj, options, cancellationToken));

    public Task<T> ReplaceAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => PassAsync<T, T>("update", () => inner.ReplaceAsync(obj, options, cancellationToken));

    public Task<T> ReplaceStatusAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> =>
        PassAsync<T, T>("update-status", () => inner.ReplaceStatusAsync(obj, options, cancellationToken));

    public virtual Task<T> PatchAsync<T>(
        string? ns, string name, KubePatch patch, WriteOptions? options, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubeResource<T> =>
        PassAsync<T, T>("patch", () => inner.PatchAsync<T>(ns, name, patch, options, cancellationToken, subresource));

    public Task<T> ApplyAsync<T>(T obj, WriteOptions options, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubeResource<T> => PassAsync<T, T>("apply", () => inner.ApplyAsync(obj, options, cancellationToken, subresource));

    public Task DeleteAsync<T>(string? ns, string name, DeleteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => PassAsync<T, bool>("delete", async () =>
        {
            await inner.DeleteAsync<T>(ns, name, options, cancellationToken);
            return true;
        });

    public Task<Stream> OpenLogAsync(string ns, string pod, LogOptions options, CancellationToken cancellationToken) =>
        inner.OpenLogAsync(ns, pod, options, cancellationToken);

    public virtual Task<bool> IsServedAsync(ResourceDescriptor descriptor, CancellationToken cancellationToken) =>
        inner.IsServedAsync(descriptor, cancellationToken);

    /// <summary>Whether a verb changes anything.</summary>
    protected static bool IsWrite(string verb) => verb is not ("get" or "list" or "watch" or "discovery");

    /// <summary>Sends one request about objects of one kind; watches do not come here.</summary>
    /// <param name="verb">get, list, create, update, update-status, patch, apply or delete.</param>
    /// <param name="send">Sends it.</param>
    protected virtual Task<TAnswer> PassAsync<T, TAnswer>(string verb, Func<Task<TAnswer>> send)
        where T : class, IKubeResource<T> => send();
}
