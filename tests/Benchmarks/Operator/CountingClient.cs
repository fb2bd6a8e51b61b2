using System.Collections.Concurrent;
using Kube.Client;
using Kube.Client.Models;
using Testing;

namespace Benchmarks.Operator;

/// <summary>Counts the requests of an operator by verb and kind; what it does not count, it passes on.</summary>
internal sealed class CountingClient(IKubeClient inner) : DelegatingKubeClient(inner)
{
    private readonly ConcurrentDictionary<(string Verb, string Kind), long> _counts = new();
    private int _pending;

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

    public override IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(string? ns, WatchOptions options, CancellationToken cancellationToken)
    {
        Count("watch", T.Descriptor);
        return base.WatchAsync<T>(ns, options, cancellationToken);
    }

    public override Task<bool> IsServedAsync(ResourceDescriptor descriptor, CancellationToken cancellationToken)
    {
        Count("discovery", descriptor);
        return base.IsServedAsync(descriptor, cancellationToken);
    }

    protected override async Task<TAnswer> PassAsync<T, TAnswer>(string verb, Func<Task<TAnswer>> send)
    {
        Count(verb, T.Descriptor);
        Interlocked.Increment(ref _pending);
        try
        {
            return await send();
        }
        finally
        {
            Interlocked.Decrement(ref _pending);
        }
    }

    private long Sum(Func<(string Verb, string Kind), bool> which) => _counts.Where(c => which(c.Key)).Sum(c => c.Value);

    private void Count(string verb, ResourceDescriptor kind) => _counts.AddOrUpdate((verb, kind.Kind), 1, static (_, n) => n + 1);
}
