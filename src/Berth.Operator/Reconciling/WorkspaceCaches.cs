using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator;

/// <summary>The informers that the operator reads. Children are watched by label, so a busy cluster's other pods cost no memory.</summary>
internal sealed class WorkspaceCaches
{
    private const string TemplateIndex = "template";
    private const string SuccessorIndex = "successor";

    private readonly InformerFactory _informers;

    private static readonly TimeSpan GateGivesUpAfter = TimeSpan.FromSeconds(10);

    private readonly Func<EffectivePolicy> _policy;

    internal WorkspaceCaches(InformerFactory informers, string? ns, string edgeNamespace, Func<EffectivePolicy> policy, bool backups = true)
    {
        _informers = informers;
        _policy = policy;
        Namespace = ns;
        Workspaces = informers.Get(All<UserWorkspace>());
        Workspaces.EnsureIndex(TemplateIndex, static w => [$"{w.Metadata.Namespace}/{w.Spec.Template.Name}"]);
        Templates = informers.Get(All<WorkspaceTemplate>());
        Templates.EnsureIndex(SuccessorIndex, static t =>
            ((IEnumerable<string?>)[t.Spec.Retired?.Successor, t.Spec.FallbackTemplate])
                .Where(n => !string.IsNullOrEmpty(n)).Select(n => $"{t.Metadata.Namespace}/{n}"));
        Pools = new PoolCaches(informers, ns, Templates);
        Pods = informers.Get(Ours<Pod>());
        PodLookup = new PodLookup(Pods);
        Volumes = informers.Get(Ours<PersistentVolumeClaim>());
        VolumeLookup = new VolumeLookup(Volumes);
        StorageJobs = backups ? new StorageJobCache(informers, ns) : null;
        Services = informers.Get(Ours<Service>());
        NetworkPolicies = informers.Get(Ours<NetworkPolicy>());
        Edges = new EdgeWatch(informers.Time, edgeNamespace);
        foreach (var edges in (ReadOnlySpan<string?>)(ns is null || ns == edgeNamespace ? [ns] : [ns, edgeNamespace]))
        {
            var leases = informers.Get(new InformerOptions<Lease>
            {
                Watcher = new WatcherOptions
                {
                    Namespace = edges,
                    LabelSelector = $"{EdgeLeases.Component}={EdgeLeases.ComponentValue}",
                },
            });
            Edges.Follow(leases);
            EdgeLeaseCaches.Add(leases);
        }
    }

    internal string? Namespace { get; }

    internal SharedInformer<UserWorkspace> Workspaces { get; }

    internal SharedInformer<WorkspaceTemplate> Templates { get; }

    internal SharedInformer<Pod> Pods { get; }

    /// <summary>What warm pools made.</summary>
    internal PoolCaches Pools { get; }

    /// <summary>Which pod is a workspace's.</summary>
    internal PodLookup PodLookup { get; }

    internal SharedInformer<PersistentVolumeClaim> Volumes { get; }

    /// <summary>Which claim is a workspace's.</summary>
    internal VolumeLookup VolumeLookup { get; }

    /// <summary>Jobs of backups and restores; null where there are none.</summary>
    internal StorageJobCache? StorageJobs { get; }

    /// <summary>What the replicas of the edge say. Nothing waits for it: without it, nothing is stopped for lack of use.</summary>
    internal EdgeWatch Edges { get; }

    internal List<SharedInformer<Lease>> EdgeLeaseCaches { get; } = [];

    internal SharedInformer<Service> Services { get; }

    internal SharedInformer<NetworkPolicy> NetworkPolicies { get; }

    /// <summary>Null until <see cref="WatchTraefik"/>: watching kinds that are not served would fail for ever.</summary>
    internal SharedInformer<IngressRoute>? Routes { get; private set; }

    internal SharedInformer<Middleware>? Middlewares { get; private set; }

    internal void WatchTraefik()
    {
        Routes ??= _informers.Get(Ours<IngressRoute>());
        Middlewares ??= _informers.Get(Ours<Middleware>());
    }

    // It gives up soon: names are fixed, and the API refuses a second pod, so acting on an old picture costs a write at most, while a watch
    // that stands still for one kind (its definition was just replaced) must not hold up workspaces.
    internal ConsistencyGate Gate(TimeProvider time) =>
        new(
            time,
            [Workspaces, Pods, Volumes, Services, NetworkPolicies, .. Routes is null ? [] : (IInformer[])[Routes, Middlewares!],
                .. StorageJobs is null ? [] : (IInformer[])[StorageJobs.Informer]],
            GateGivesUpAfter);

    /// <summary>A controller over everything that bears on a workspace.</summary>
    internal Controller Controller(IReconciler reconciler, ControllerOptions options, bool traefik)
    {
        var builder = new ControllerBuilder<UserWorkspace>(_informers, All<UserWorkspace>())
            .Named("userworkspace")
            .With(options)
            .Watches(Users, All<WorkspaceTemplate>())
            .Watches(Owner, Ours<Pod>())
            .Watches(Owner, Ours<PersistentVolumeClaim>())
            .Watches(Owner, Ours<Service>())
            .Watches(Owner, Ours<NetworkPolicy>())

            // For its first picture only: the first starts should find the pods that wait.
            .Watches(static _ => [], new InformerOptions<Pod> { Watcher = Pools.Selection });
        if (StorageJobs is not null)
        {
            builder = builder.Watches(StorageJobCache.KeyOf, StorageJobs.Options);
        }

        if (traefik)
        {
            builder = builder.Watches(Owner, Ours<IngressRoute>()).Watches(Owner, Ours<Middleware>());
        }

        return builder.Build(reconciler);
    }

    /// <summary>How many more workspaces may run in a namespace by its ceiling.</summary>
    internal long RoomIn(string ns, EffectivePolicy policy)
    {
        var most = CeilingSet.Of(policy.Spec).Of(ns).Running;
        return most == long.MaxValue
            ? most
            : most - Workspaces.Store.ListNamespace(ns)
                .Count(w => w.Metadata.DeletionTimestamp is null && w.Spec.DesiredState == DesiredStates.Running);
    }

    /// <summary>A controller over the warm pools, keyed by template.</summary>
    internal Controller PoolController(IReconciler reconciler, ControllerOptions options) =>
        new ControllerBuilder<WorkspaceTemplate>(_informers, All<WorkspaceTemplate>())
            .Named("warmpool")
            .With(options)
            .Watches(Pool, new InformerOptions<Pod> { Watcher = Pools.Selection })
            .Watches(Pool, new InformerOptions<PersistentVolumeClaim> { Watcher = Pools.Selection })
            .Watches(Pool, new InformerOptions<NetworkPolicy> { Watcher = Pools.Selection })
            .Build(reconciler);

    internal Observation? Observe(ResourceKey key, bool traefikServed, DateTimeOffset now)
    {
        if (Workspaces.Store.Get(key) is not { } workspace)
        {
            return null;
        }

        var volume = VolumeLookup.Find(workspace);
        var (pod, surplus) = PodLookup.Find(workspace, volume);
        WorkspaceTemplate? Named(string name) => Templates.Store.Get(new ResourceKey(key.Namespace, name));
        var chain = TemplateChain.Follow(workspace.Spec.Template.Name, Named);
        return new Observation
        {
            Workspace = workspace,
            Template = chain.Template,
            Chain = chain,
            Fallback = chain.Fallback(workspace.Spec.Template.Name, Named),
            PodTemplate = PodTemplate(pod, chain.Template),
            KnownTemplates =
                [.. Templates.Store.ListNamespace(key.Namespace).Where(t => t.Spec.Retired is null).Select(t => t.Metadata.Name!)],
            Pod = pod,
            SurplusPods = surplus,
            Volume = volume,
            Service = Services.Store.Get(key),
            NetworkPolicy = NetworkPolicies.Store.Get(key),
            Route = Routes?.Store.Get(key),
            Middlewares = Middlewares is null
                ? []
                : [.. RoutePart.MiddlewareNames(key.Name).Select(n =>
                    Middlewares.Store.Get(new ResourceKey(key.Namespace, n))).OfType<Middleware>()],
            Policy = _policy(),
            Edges = Edges.For(key.Namespace),
            TraefikServed = traefikServed,
            Now = now,
        };
    }

    /// <summary>The template that a pod was made from; one that does not say so was made before pods did.</summary>
    internal WorkspaceTemplate? PodTemplate(Pod? pod, WorkspaceTemplate? effective) =>
        pod is not null && ChildIdentity.TemplateOf(pod.Metadata) is { Length: > 0 } name
            ? Templates.Store.Get(new ResourceKey(pod.Metadata.Namespace ?? "", name)) : effective;

    // The workspaces that name a template, or one that leads to it.
    private IEnumerable<ResourceKey> Users(WorkspaceTemplate template)
    {
        var ns = template.Metadata.Namespace;
        return TemplateChain.LeadingTo(template.Metadata.Name!, n => Templates.Store.ByIndex(SuccessorIndex, $"{ns}/{n}").Select(t =>
            t.Metadata.Name!))
            .SelectMany(n => Workspaces.Store.ByIndex(TemplateIndex, $"{ns}/{n}"))
            .Select(w => w.Key());
    }

    // By label, not by owner reference: the volume has none, and a pod that an earlier workspace left must wake the present one when it
    // goes.
    private static IEnumerable<ResourceKey> Owner<T>(T child)
        where T : IKubeObject =>
        new[]
        {
            child.Metadata.Labels?.GetValueOrDefault(Labels.Workspace),

            // One whose label somebody changed wakes the workspace that it belongs to all the same.
            child.Metadata.OwnerReferences?.FirstOrDefault(o => o.Controller == true && o.Kind == UserWorkspace.Descriptor.Kind)?.Name,
            ChildIdentity.Of(child.Metadata)?.Workspace,
        }
        .Where(n => !string.IsNullOrEmpty(n))
        .Distinct()
        .Select(n => new ResourceKey(child.Metadata.Namespace ?? "", n!));

    private static IEnumerable<ResourceKey> Pool<T>(T child)
        where T : IKubeObject => PoolCaches.KeyOf(child) is { } key ? [key] : [];

    private InformerOptions<T> All<T>()
        where T : class, IKubeResource<T> => new() { Watcher = new WatcherOptions { Namespace = Namespace } };

    private InformerOptions<T> Ours<T>()
        where T : class, IKubeResource<T> => new()
        {
            Watcher = new WatcherOptions
            {
                Namespace = Namespace,
                LabelSelector = $"{Labels.ManagedBy}={Labels.ManagedByValue},{Labels.Workspace}"
            },
        };
}
