using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator;

/// <summary>
/// What warm pools made: pods, claims and network policies with the label <see cref="Labels.Pool"/>, also those that workspaces claimed
/// meanwhile, so that a claimed pod's volume is not mistaken for one that nobody needs.
/// </summary>
internal sealed class PoolCaches
{
    private const string PoolIndex = "pool";

    private readonly SharedInformer<WorkspaceTemplate> _templates;

    internal PoolCaches(InformerFactory informers, string? ns, SharedInformer<WorkspaceTemplate> templates)
    {
        _templates = templates;
        Selection = new WatcherOptions { Namespace = ns, LabelSelector = $"{Labels.ManagedBy}={Labels.ManagedByValue},{Labels.Pool}" };
        Pods = Get<Pod>();
        Claims = Get<PersistentVolumeClaim>();
        Policies = Get<NetworkPolicy>();

        SharedInformer<T> Get<T>()
            where T : class, IKubeResource<T>
        {
            var informer = informers.Get(new InformerOptions<T> { Watcher = Selection });
            informer.EnsureIndex(PoolIndex, static o => KeyOf(o) is { } key ? [$"{key.Namespace}/{key.Name}"] : []);
            return informer;
        }
    }

    /// <summary>What is watched.</summary>
    internal WatcherOptions Selection { get; }

    internal SharedInformer<Pod> Pods { get; }

    internal SharedInformer<PersistentVolumeClaim> Claims { get; }

    internal SharedInformer<NetworkPolicy> Policies { get; }

    internal bool HasSynced => Pods.HasSynced && Claims.HasSynced && Policies.HasSynced;

    internal ConsistencyGate Gate(TimeProvider time) => new(time, [Pods, Claims, Policies], TimeSpan.FromSeconds(10));

    /// <summary>Key of the template that an object was made for.</summary>
    internal static ResourceKey? KeyOf(IKubeObject obj) =>
        obj.Metadata.Labels?.GetValueOrDefault(Labels.Pool) is { Length: > 0 } name
            ? new ResourceKey(obj.Metadata.Namespace ?? "", name)
            : null;

    internal IReadOnlyList<Pod> PodsOf(ResourceKey template) => Pods.Store.ByIndex(PoolIndex, $"{template.Namespace}/{template.Name}");

    internal IReadOnlyList<PersistentVolumeClaim> ClaimsOf(ResourceKey template) =>
        Claims.Store.ByIndex(PoolIndex, $"{template.Namespace}/{template.Name}");

    internal IReadOnlyList<NetworkPolicy> PoliciesOf(ResourceKey template) =>
        Policies.Store.ByIndex(PoolIndex, $"{template.Namespace}/{template.Name}");

    /// <summary>Whether a namespace has or had a pool: a workspace there may have a claimed pod that the caches do not show yet.</summary>
    internal bool HasPools(string ns) =>
        Pods.Store.ListNamespace(ns).Count > 0 || _templates.Store.ListNamespace(ns).Any(t => t.Spec.WarmPool?.Size > 0);
}
