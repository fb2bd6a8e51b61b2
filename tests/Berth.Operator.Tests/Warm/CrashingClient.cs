using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// A client that dies: after a number of writes for workspaces, none that follows reaches the API. What a pool is filled with does not
/// count, nor do leases and events.
/// </summary>
internal sealed class CrashingClient(IKubeClient inner) : IKubeClient
{
    private int _left = int.MaxValue;
    private int _dead;

    internal TaskCompletionSource Crashed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IKubeRawClient Raw => inner.Raw;

    /// <summary>A kind whose patches the API refuses.</summary>
    internal string? Refused { get; set; }

    internal void CrashAfter(int writes) => Interlocked.Exchange(ref _left, writes);

    public Task<T> GetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => inner.GetAsync<T>(ns, name, cancellationToken);

    public Task<T?> TryGetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => inner.TryGetAsync<T>(ns, name, cancellationToken);

    public Task<ResourceList<T>> ListPageAsync<T>(string? ns, ListOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => inner.ListPageAsync<T>(ns, options, cancellationToken);

    public IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(string? ns, WatchOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => inner.WatchAsync<T>(ns, options, cancellationToken);

    public Task<T> CreateAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> =>
        WriteAsync<T, T>(
            obj.Metadata.Name!.StartsWith("pool-", StringComparison.Ordinal), () => inner.CreateAsync(obj, options, cancellationToken));

    public Task<T> ReplaceAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => WriteAsync<T, T>(false, () => inner.ReplaceAsync(obj, options, cancellationToken));

    public Task<T> ReplaceStatusAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => WriteAsync<T, T>(false, () => inner.ReplaceStatusAsync(obj, options, cancellationToken));

    public Task<T> PatchAsync<T>(string? ns, string name, KubePatch patch, WriteOptions? options, CancellationToken cancellationToken,
        string? subresource = null)
        where T : class, IKubeResource<T> =>
        T.Descriptor.Kind == Refused
            ? throw new KubeException(new Status { Code = 403, Reason = "Forbidden", Message = "not today" })
            : WriteAsync<T, T>(false, () => inner.PatchAsync<T>(ns, name, patch, options, cancellationToken, subresource));

    public Task<T> ApplyAsync<T>(T obj, WriteOptions options, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubeResource<T> => WriteAsync<T, T>(false, () => inner.ApplyAsync(obj, options, cancellationToken, subresource));

    public Task DeleteAsync<T>(string? ns, string name, DeleteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => WriteAsync<T, bool>(false, async () =>
        {
            await inner.DeleteAsync<T>(ns, name, options, cancellationToken);
            return true;
        });

    public Task<Stream> OpenLogAsync(string ns, string pod, LogOptions options, CancellationToken cancellationToken) =>
        inner.OpenLogAsync(ns, pod, options, cancellationToken);

    public Task<bool> IsServedAsync(ResourceDescriptor descriptor, CancellationToken cancellationToken) =>
        inner.IsServedAsync(descriptor, cancellationToken);

    private async Task<TResult> WriteAsync<T, TResult>(bool pool, Func<Task<TResult>> write)
        where T : class, IKubeResource<T>
    {
        if (T.Descriptor.Kind is "Lease" or "Event")
        {
            return await write();
        }

        if (!pool && Interlocked.Decrement(ref _left) < 0)
        {
            Volatile.Write(ref _dead, 1);
            Crashed.TrySetResult();
        }

        if (Volatile.Read(ref _dead) == 1)
        {
            throw new KubeException(new Status { Code = 500, Reason = "InternalError", Message = "the operator is dead" });
        }

        try
        {
            return await write();
        }
        catch (KubeException) when (!pool)
        {
            // A lost race, which is tried again; only what was written counts.
            Interlocked.Increment(ref _left);
            throw;
        }
    }
}
