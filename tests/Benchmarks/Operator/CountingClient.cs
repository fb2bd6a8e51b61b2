using System.Collections.Concurrent;
using Kube.Client;
using Kube.Client.Models;

namespace Benchmarks.Operator;

/// <summary>Counts the requests of an operator by verb and kind; what it does not count, it passes on.</summary>
internal sealed class CountingClient(IKubeClient inner) : IKubeClient
{
    private readonly ConcurrentDictionary<(string Verb, string Kind), long> _counts = new();
    private int _pending;

    public IKubeRawClient Raw => inner.Raw;

    /// <summary>Writes of anything but Leases and Events, which do not grow with the workspaces.</summary>
    internal long Writes => Sum(c => IsWrite(c.Verb) && c.Kind is not ("Lease" or "Event"));

    internal long Leases => Sum(c => IsWrite(c.Verb) && c.Kind == "Lease");

    internal long Events => Sum(c => IsWrite(c.Verb) && c.Kind == "Event");

    internal long Gets => Sum(c => c.Verb is "get" && c.Kind != "Lease");

    internal long Lists => Sum(c => c.Verb is "list");

    internal long Watches => Sum(c => c.Verb is "watch");

    /// <summary>Requests under way, watches apart.</summary>
    internal int Pending => Volatile.Read(ref _pending);

    internal void Reset() => _counts.Clear();

    internal string Details() => string.Join(", ", _counts.OrderBy(c => c.Key.Kind).Select(c => $"{c.Key.Verb} {c.Key.Kind} {c.Value}"));

    public Task<T> GetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => PassAsync<T, T>("get", inner.GetAsync<T>(ns, name, cancellationToken));

    public Task<T?> TryGetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => PassAsync<T, T?>("get", inner.TryGetAsync<T>(ns, name, cancellationToken));

    public Task<ResourceList<T>> ListPageAsync<T>(string? ns, ListOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => PassAsync<T, ResourceList<T>>("list", inner.ListPageAsync<T>(ns, options, cancellationToken));

    public IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(string? ns, WatchOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        Count<T>("watch");
        return inner.WatchAsync<T>(ns, options, cancellationToken);
    }

    public Task<T> CreateAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => PassAsync<T, T>("create", inner.CreateAsync(obj, options, cancellationToken));

    public Task<T> ReplaceAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => PassAsync<T, T>("update", inner.ReplaceAsync(obj, options, cancellationToken));

    public Task<T> ReplaceStatusAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => PassAsync<T, T>("update-status", inner.ReplaceStatusAsync(obj, options, cancellationToken));

    public Task<T> PatchAsync<T>(
        string? ns, string name, KubePatch patch, WriteOptions? options, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubeResource<T> => PassAsync<T, T>("patch", inner.PatchAsync<T>(ns, name, patch, options, cancellationToken, subresource));

    public Task<T> ApplyAsync<T>(T obj, WriteOptions options, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubeResource<T> => PassAsync<T, T>("apply", inner.ApplyAsync(obj, options, cancellationToken, subresource));

    public Task DeleteAsync<T>(string? ns, string name, DeleteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        Count<T>("delete");
        return inner.DeleteAsync<T>(ns, name, options, cancellationToken);
    }

    public Task<Stream> OpenLogAsync(string ns, string pod, LogOptions options, CancellationToken cancellationToken) =>
        inner.OpenLogAsync(ns, pod, options, cancellationToken);

    public Task<bool> IsServedAsync(ResourceDescriptor descriptor, CancellationToken cancellationToken)
    {
        _counts.AddOrUpdate(("discovery", descriptor.Kind), 1, static (_, n) => n + 1);
        return inner.IsServedAsync(descriptor, cancellationToken);
    }

    private static bool IsWrite(string verb) => verb is not ("get" or "list" or "watch" or "discovery");

    private long Sum(Func<(string Verb, string Kind), bool> which) => _counts.Where(c => which(c.Key)).Sum(c => c.Value);

    private async Task<TAnswer> PassAsync<T, TAnswer>(string verb, Task<TAnswer> request)
        where T : class, IKubeResource<T>
    {
        Count<T>(verb);
        Interlocked.Increment(ref _pending);
        try
        {
            return await request;
        }
        finally
        {
            Interlocked.Decrement(ref _pending);
        }
    }

    private void Count<T>(string verb)
        where T : class, IKubeResource<T> => _counts.AddOrUpdate((verb, T.Descriptor.Kind), 1, static (_, n) => n + 1);
}
