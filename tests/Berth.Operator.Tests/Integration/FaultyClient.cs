using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// A client whose writes go: done, refused with 500 before they are done, done, done but answered with 500. So each write of the operator
/// is at some time its last, as if it had been killed there. Leases and events are spared: they have tests of their own, and long pauses.
/// </summary>
internal sealed class FaultyClient(IKubeClient inner) : IKubeClient
{
    private int _writes;

    public IKubeRawClient Raw => inner.Raw;

    public Task<T> GetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => inner.GetAsync<T>(ns, name, cancellationToken);

    public Task<T?> TryGetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => inner.TryGetAsync<T>(ns, name, cancellationToken);

    public Task<ResourceList<T>> ListPageAsync<T>(string? ns, ListOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => inner.ListPageAsync<T>(ns, options, cancellationToken);

    public IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(string? ns, WatchOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => inner.WatchAsync<T>(ns, options, cancellationToken);

    public Task<T> CreateAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => WriteAsync<T, T>(() => inner.CreateAsync(obj, options, cancellationToken));

    public Task<T> ReplaceAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => WriteAsync<T, T>(() => inner.ReplaceAsync(obj, options, cancellationToken));

    public Task<T> ReplaceStatusAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => WriteAsync<T, T>(() => inner.ReplaceStatusAsync(obj, options, cancellationToken));

    public Task<T> PatchAsync<T>(string? ns, string name, KubePatch patch, WriteOptions? options, CancellationToken cancellationToken,
        string? subresource = null)
        where T : class, IKubeResource<T> =>
            WriteAsync<T, T>(() => inner.PatchAsync<T>(ns, name, patch, options, cancellationToken, subresource));

    public Task<T> ApplyAsync<T>(T obj, WriteOptions options, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubeResource<T> => WriteAsync<T, T>(() => inner.ApplyAsync(obj, options, cancellationToken, subresource));

    public Task DeleteAsync<T>(string? ns, string name, DeleteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => WriteAsync<T, bool>(async () =>
        {
            await inner.DeleteAsync<T>(ns, name, options, cancellationToken);
            return true;
        });

    public Task<Stream> OpenLogAsync(string ns, string pod, LogOptions options, CancellationToken cancellationToken) =>
        inner.OpenLogAsync(ns, pod, options, cancellationToken);

    public Task<bool> IsServedAsync(ResourceDescriptor descriptor, CancellationToken cancellationToken) =>
        inner.IsServedAsync(descriptor, cancellationToken);

    private async Task<TResult> WriteAsync<T, TResult>(Func<Task<TResult>> write)
        where T : class, IKubeResource<T>
    {
        if (T.Descriptor.Kind is "Lease" or "Event")
        {
            return await write();
        }

        var turn = Interlocked.Increment(ref _writes) % 4;
        if (turn == 2)
        {
            throw Fault();
        }

        var result = await write();
        return turn == 0 ? throw Fault() : result;
    }

    private static KubeException Fault() => new(new Status { Code = 500, Reason = "InternalError", Message = "a fault for the test" });
}
