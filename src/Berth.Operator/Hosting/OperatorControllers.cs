using System.Collections.Immutable;
using Kube.Client;
using Kube.Runtime;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>
/// The controllers of one term of leadership, put together over the caches; the simulation runs the same ones step by step.
/// </summary>
internal sealed class OperatorControllers : IDisposable
{
    private readonly WorkspaceCaches _caches;
    private readonly PolicySource _policy;
    private readonly AdmissionLedger _admissions;
    private readonly BudgetWatch _budgets;
    private readonly Controller _workspaces;
    private readonly Controller _pools;
    private readonly List<IDisposable> _owned = [];

    internal OperatorControllers(
        IKubeClient client,
        WorkspaceCaches caches,
        PolicySource policy,
        BlueprintSettings settings,
        IEventRecorder events,
        OperatorMetrics metrics,
        int workers,
        TimeProvider time,
        ILoggerFactory loggers,
        bool traefik,
        Func<string, string>? poolNames = null)
    {
        _caches = caches;
        _policy = policy;
        if (traefik)
        {
            caches.WatchTraefik();
        }

        var gate = Own(caches.Gate(time));
        var poolGate = Own(caches.Pools.Gate(time));
        var pools = new PoolReconciler(
            client, caches.Templates, caches.Pools, ns => caches.RoomIn(ns, policy.Current), poolGate, settings, events, time,
            loggers.CreateLogger<PoolReconciler>(), poolNames);
        var warmMetrics = Own(new WarmMetrics(() => pools.Counts));
        var warm = new WarmStart(client, caches.Pools, gate, settings, warmMetrics, time, loggers.CreateLogger<WarmStart>());
        _pools = Own(caches.PoolController(pools, new ControllerOptions { MaxConcurrentReconciles = 2 }));
        _admissions = Own(new AdmissionLedger(
            () => policy.Current, () => Claims(settings, traefik, time), key => _workspaces!.Enqueue(key), time));
        _budgets = Own(new BudgetWatch(
            () => policy.Current, caches.Workspaces.Store.List, events, time, loggers.CreateLogger<BudgetWatch>()));
        Own(new AdmissionMetrics(_admissions, _budgets));
        Own(caches.Workspaces.AddHandler(e =>
        {
            if (e.Old?.Status?.Usage != e.Resource.Status?.Usage)
            {
                _budgets.Changed();
            }
        }));
        var look = new StorageLook(client, caches, settings.Backup, time, loggers.CreateLogger<StorageLook>());
        var released = new ReleasedVolumes(client, caches, () => policy.Current, time, loggers.CreateLogger<ReleasedVolumes>());
        var reconciler = new WorkspaceReconciler(
            client, caches, gate, settings, events, metrics, _admissions, new AuditLog(events, loggers, time), warm, look, released,
            time, loggers.CreateLogger<WorkspaceReconciler>(), traefik);
        _workspaces = Own(caches.Controller(reconciler, new ControllerOptions { MaxConcurrentReconciles = workers }, traefik));
        All = [_workspaces, _pools];
        policy.Changed += Wake;
    }

    /// <summary>All of them.</summary>
    internal ImmutableArray<Controller> All { get; }

    /// <summary>Who waits and under which ceiling; <see cref="RunAsync"/> lets it tell places, a simulation does so itself.</summary>
    internal AdmissionLedger Admissions => _admissions;

    /// <summary>Works until cancelled. One that cannot go on ends the others: the operator works whole or not at all.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        await _policy.WaitAsync(cancellationToken);
        using var all = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = All.Select(c => c.RunAsync(all.Token)).Append(_admissions.RunAsync(all.Token))
            .Append(_budgets.RunAsync(all.Token)).ToList();
        await Task.WhenAny(running);
        await all.CancelAsync();
        await Task.WhenAll(running);
    }

    /// <summary>Takes them out of the metrics; cancel <see cref="RunAsync"/> first.</summary>
    public void Dispose()
    {
        _policy.Changed -= Wake;
        _owned.ForEach(o => o.Dispose());
    }

    private IEnumerable<Claim> Claims(BlueprintSettings settings, bool traefik, TimeProvider time) => _caches.Workspaces.Store.List()
        .Select(w => _caches.Observe(w.Key(), traefik, time.GetUtcNow())).OfType<Observation>()
        .Select(seen => ClaimReader.Read(seen, Decider.BlueprintOf(seen, settings))).OfType<Claim>();

    private void Wake(EffectivePolicy former, EffectivePolicy next)
    {
        _admissions.PolicyChanged();
        _budgets.Changed();
        if (EffectivePolicy.ConcernsWorkspaces(former, next))
        {
            foreach (var workspace in _caches.Workspaces.Store.List())
            {
                _workspaces.Enqueue(workspace.Key());
            }
        }

        // How many pods may wait is bounded by how many may run.
        foreach (var template in _caches.Templates.Store.List().Where(t => t.Spec.WarmPool?.Size > 0))
        {
            _pools.Enqueue(template.Key());
        }
    }

    private T Own<T>(T part)
        where T : IDisposable
    {
        _owned.Add(part);
        return part;
    }
}
