using System.Diagnostics.Metrics;
using Kube.Client;

namespace Kube.Runtime;

/// <summary>Keeps a reconciler from acting on stores that do not show its own last writes yet (and so from creating a child
/// twice).</summary>
/// <remarks>
/// After each write call <see cref="WroteAt{T}(ResourceKey, T)"/>; at the start of a reconcile ask <see cref="IsReady"/> and, if not,
/// requeue shortly. The idea is that of Kubernetes 1.36's controllers. Versions of one kind are comparable integers (KEP-5504); where they
/// are not, the gate is open. Thread-safe.
/// </remarks>
public sealed class ConsistencyGate : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ResourceDescriptor, IInformer> _informers;
    private readonly Dictionary<ResourceKey, Dictionary<ResourceDescriptor, (string Version, long At)>> _writes = [];
    private readonly TimeProvider _time;
    private readonly TimeSpan _giveUpAfter;
    private readonly Meter _meter = new(RuntimeMeter.Name);
    private readonly Counter<long> _skips;

    /// <summary>Creates a gate over the informers that a reconciler reads.</summary>
    /// <param name="time">Clock.</param>
    /// <param name="informers">One per kind.</param>
    /// <param name="giveUpAfter">
    /// After this time a write no longer holds its object back. Default 5 min, as Kubernetes' expectations: the version may never come,
    /// when a selector hides the object or a back-up was restored.
    /// </param>
    public ConsistencyGate(TimeProvider time, IEnumerable<IInformer> informers, TimeSpan? giveUpAfter = null)
    {
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(informers);
        _time = time;
        _informers = informers.ToDictionary(i => i.Descriptor);
        _giveUpAfter = giveUpAfter ?? TimeSpan.FromMinutes(5);
        _skips = _meter.CreateCounter<long>("stale_sync_skips_total", null,
            "Reconciles put off because a store was behind the controller's own writes.");
    }

    /// <summary>Notes a write made for an object.</summary>
    /// <param name="key">The object that was reconciled, not the one that was written.</param>
    /// <param name="written">What the API answered.</param>
    public void WroteAt<T>(ResourceKey key, T written)
        where T : class, IKubeResource<T>
    {
        ArgumentNullException.ThrowIfNull(written);
        WroteAt(key, T.Descriptor, written.Metadata.ResourceVersion);
    }

    /// <summary>Notes a write of a kind at a version. Kinds without an informer here, and versions that cannot be compared, are
    /// ignored.</summary>
    public void WroteAt(ResourceKey key, ResourceDescriptor kind, string? resourceVersion)
    {
        ArgumentNullException.ThrowIfNull(kind);
        if (!_informers.ContainsKey(kind) || resourceVersion is null
            || !ResourceVersionComparer.TryCompare(resourceVersion, resourceVersion, out _))
        {
            return;
        }

        lock (_gate)
        {
            if (!_writes.TryGetValue(key, out var versions))
            {
                _writes[key] = versions = [];
            }

            if (!versions.TryGetValue(kind, out var known) || IsOlder(known.Version, resourceVersion))
            {
                versions[kind] = (resourceVersion, _time.GetTimestamp());
            }
        }
    }

    /// <summary>Whether the stores show everything that was written for an object.</summary>
    public bool IsReady(ResourceKey key)
    {
        lock (_gate)
        {
            if (!_writes.TryGetValue(key, out var versions))
            {
                return true;
            }

            foreach (var (kind, (version, at)) in versions.ToArray())
            {
                if (!IsOlder(_informers[kind].LastResourceVersion, version) || _time.GetElapsedTime(at) >= _giveUpAfter)
                {
                    versions.Remove(kind);
                }
            }

            if (versions.Count == 0)
            {
                _writes.Remove(key);
                return true;
            }
        }

        _skips.Add(1);
        return false;
    }

    /// <summary>Forgets an object that is gone.</summary>
    public void Clear(ResourceKey key)
    {
        lock (_gate)
        {
            _writes.Remove(key);
        }
    }

    /// <summary>False when they cannot be compared: a gate that nothing can open would be worse than none.</summary>
    private static bool IsOlder(string? version, string than) =>
        version is not null && ResourceVersionComparer.TryCompare(version, than, out var order) && order < 0;

    /// <summary>Takes the gate out of the metrics.</summary>
    public void Dispose() => _meter.Dispose();
}
