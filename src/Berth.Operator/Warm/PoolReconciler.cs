using System.Collections.Concurrent;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>Keeps the pods and volumes that wait for a template's people. Keyed by template; see docs/warm-pool.md.</summary>
internal sealed class PoolReconciler(
    IKubeClient client,
    SharedInformer<WorkspaceTemplate> templates,
    PoolCaches pools,
    Func<string, long> room,
    ConsistencyGate gate,
    BlueprintSettings settings,
    IEventRecorder events,
    TimeProvider time,
    ILogger logger,
    Func<string, string>? names = null) : IReconciler
{
    // Random ones; a simulation takes those of its seed.
    private readonly Func<string, string> _names = names ?? PoolBlueprint.NewName;

    // A large pool is filled over several looks, so that the others get theirs.
    private const int MostInOnePass = 20;

    private static readonly TimeSpan StaleDelay = TimeSpan.FromMilliseconds(100);

    // Each claim is several changes of the pool. Looking at them together leaves the API to the people who start.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(250);

    // No change of the pool tells that a workspace of another template has started or stopped, and so how many may wait under a ceiling.
    private static readonly TimeSpan RoomDelay = TimeSpan.FromSeconds(30);

    private readonly Applier _applier = new(client, WorkspaceReconciler.FieldManager);
    private readonly ConcurrentDictionary<ResourceKey, State> _states = new();
    private readonly DateTimeOffset _since = time.GetUtcNow();

    private readonly ConcurrentDictionary<ResourceKey, Made> _blueprints = new();

    private sealed record Made(WorkspaceTemplate Template, PoolBlueprint? Pool, string? Problem);

    private sealed record State(PoolMemory Memory, PoolCount Count, string? Told, long At);

    /// <summary>The pools as they were seen last, for metrics.</summary>
    internal IEnumerable<PoolCount> Counts => _states.Values.Select(s => s.Count);

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (!gate.IsReady(key))
        {
            return ReconcileResult.After(StaleDelay);
        }

        var former = _states.GetValueOrDefault(key);
        if (former is not null && time.GetElapsedTime(former.At) is var since && since < Settle)
        {
            return ReconcileResult.After(Settle - since);
        }

        var template = templates.Store.Get(key);
        var pods = pools.PodsOf(key);
        var claims = pools.ClaimsOf(key);
        var wanted = template is { Spec: { WarmPool.Size: > 0, Retired: null }, Metadata.DeletionTimestamp: null };
        if (!wanted && pods.Count == 0 && claims.Count == 0 && pools.PoliciesOf(key).Count == 0)
        {
            _states.TryRemove(key, out _);
            _blueprints.TryRemove(key, out _);
            gate.Clear(key);
            return ReconcileResult.Done;
        }

        var (blueprint, problem) = wanted ? Blueprint(key, template!) : (null, null);
        var free = wanted ? room(key.Namespace) : 0;
        var wish = PoolWish.Of(template, blueprint, free);
        var now = time.GetUtcNow();
        var plan = PoolPlan.Make(wish, pods, claims, former?.Memory ?? new PoolMemory { Since = _since }, now);
        WarmLog.Planned(logger, key, plan.Create, plan.Delete.Length, plan.DeleteClaims.Length, plan.Ready, wish.Size);
        var told = Tell(template, key, plan, problem, former?.Told);

        foreach (var pod in plan.Delete)
        {
            await DeleteAsync(pod, cancellationToken);
        }

        foreach (var claim in plan.DeleteClaims)
        {
            await DeleteOrphanAsync(claim, cancellationToken);
        }

        await PolicyAsync(key, blueprint, pods, claims, cancellationToken);
        var memory = plan.Memory;
        var made = Math.Min(plan.Create, MostInOnePass);
        if (plan.Create > made)
        {
            memory = memory with { Made = memory.Made[..^(plan.Create - made)] };
        }

        // Noted before it is done: what fails half-way counts as made.
        _states[key] = new State(memory, Count(key, wish, plan), told, time.GetTimestamp());
        for (var i = 0; i < made; i++)
        {
            try
            {
                await MakeAsync(key, template!, blueprint!, cancellationToken);
            }
            catch (KubeException e) when (e.Code is 400 or 403 or 405 or 413 or 422)
            {
                // A quota, most likely, or a rule of the cluster: asking again at once would not change the answer.
                memory = memory.Failed(now);
                _states[key] = _states[key] with { Memory = memory };
                WarmLog.Refused(logger, key, memory.NextTryAt, e.Message);
                events.Warning(template!, Reasons.Refused, $"The API refused a pod or volume of the warm pool: {e.Message}");
                return ReconcileResult.After(memory.NextTryAt!.Value - now);
            }
        }

        return plan.Create > made ? ReconcileResult.After(StaleDelay)
            : (plan.LookAgainAt, Bounded: wanted && free < long.MaxValue) switch
            {
                ({ } at, true) => ReconcileResult.After(Later(at - now < RoomDelay ? at - now : RoomDelay)),
                (null, true) => ReconcileResult.After(RoomDelay),
                ({ } at, false) => ReconcileResult.After(Later(at - now)),
                (null, false) => ReconcileResult.Done,
            };
    }

    private (PoolBlueprint? Pool, string? Problem) Blueprint(ResourceKey key, WorkspaceTemplate template)
    {
        // Stores keep the same object until it changes.
        if (!_blueprints.TryGetValue(key, out var known) || !ReferenceEquals(known.Template, template))
        {
            var (pool, problem) = PoolBlueprint.For(template, settings);
            _blueprints[key] = known = new Made(template, pool, problem);
        }

        return (known.Pool, known.Problem);
    }

    private static TimeSpan Later(TimeSpan delay) => delay < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : delay;

    /// <summary>First the volume, then the pod: a pod that waits for a volume that never comes would count as one that starts.</summary>
    private async Task MakeAsync(ResourceKey key, WorkspaceTemplate template, PoolBlueprint blueprint, CancellationToken cancellationToken)
    {
        var name = _names(blueprint.Template);
        var options = new WriteOptions { FieldManager = WorkspaceReconciler.FieldManager };
        var claim = await client.CreateAsync(blueprint.MakeClaim(name), options, cancellationToken);
        gate.WroteAt(key, claim);
        try
        {
            gate.WroteAt(key, await client.CreateAsync(blueprint.MakePod(name, template), options, cancellationToken));
        }
        catch (KubeException e) when (e.Code is 400 or 403 or 405 or 413 or 422)
        {
            await DeleteAsync(claim, cancellationToken);
            throw;
        }
    }

    /// <summary>
    /// The policy of the pods that wait is there before them, and goes after them. It stays while there is a template for a pool,
    /// even one without room for a single pod now.
    /// </summary>
    private async Task PolicyAsync(
        ResourceKey key, PoolBlueprint? blueprint, IReadOnlyList<Pod> pods, IReadOnlyList<PersistentVolumeClaim> claims,
        CancellationToken cancellationToken)
    {
        var present = pools.PoliciesOf(key);
        if (blueprint?.NetworkPolicy is { } policy)
        {
            var stamped = policy with { Metadata = ChildDiff.Stamp(policy, NetworkPolicy.JsonTypeInfo) };
            var known = present.FirstOrDefault(p => p.Metadata.Name == policy.Metadata.Name);
            if (ChildDiff.Differs(stamped, known, NetworkPolicy.JsonTypeInfo))
            {
                gate.WroteAt(key, await _applier.ApplyAsync(stamped, cancellationToken));
            }
        }
        else if (present.Count > 0 && !AreWaiting(pods) && !AreWaiting(claims) && await IsEmptyAsync(key, cancellationToken))
        {
            foreach (var policyOfOld in present)
            {
                await DeleteAsync(policyOfOld, cancellationToken);
            }
        }
    }

    private static bool AreWaiting<T>(IEnumerable<T> objects)
        where T : class, IKubeResource<T> => objects.Any(o => !PoolPods.IsClaimed(o.Metadata));

    /// <summary>
    /// Looks behind the caches: an operator that led before may have made something last. Claims count as pods do, because a pod that it
    /// is still about to make runs only with the claim that it made first.
    /// </summary>
    private async Task<bool> IsEmptyAsync(ResourceKey key, CancellationToken cancellationToken) =>
        !await AnyWaitingAsync<PersistentVolumeClaim>(key, cancellationToken) && !await AnyWaitingAsync<Pod>(key, cancellationToken);

    private async Task<bool> AnyWaitingAsync<T>(ResourceKey key, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        var options = new ListOptions { LabelSelector = $"{Labels.ManagedBy}={Labels.ManagedByValue},{Labels.Pool}={key.Name}" };
        await foreach (var obj in client.ListAllAsync<T>(key.Namespace, options, cancellationToken))
        {
            if (!PoolPods.IsClaimed(obj.Metadata))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Looks behind the caches first: a pod that they do not show may use it.</summary>
    private async Task DeleteOrphanAsync(PersistentVolumeClaim claim, CancellationToken cancellationToken)
    {
        if (await client.TryGetAsync<Pod>(claim.Metadata.Namespace, claim.Metadata.Name!, cancellationToken) is null)
        {
            await DeleteAsync(claim, cancellationToken);
        }
    }

    // By version: whatever happened to it since it was seen, a claim above all, must be looked at first.
    private async Task DeleteAsync<T>(T obj, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        try
        {
            await client.DeleteAsync<T>(
                obj.Metadata.Namespace, obj.Metadata.Name!,
                new DeleteOptions { Uid = obj.Metadata.Uid, ResourceVersion = obj.Metadata.ResourceVersion }, cancellationToken);
        }
        catch (KubeException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone already, or changed: the change brings another look.
        }
    }

    private static PoolCount Count(ResourceKey key, PoolWish wish, PoolPlan plan) =>
        new(key.Namespace, key.Name, wish.Size, plan.Ready, plan.Starting, plan.Failing.Length, plan.Outdated);

    /// <summary>Says once what keeps a pool from being; returns what was said.</summary>
    private string? Tell(WorkspaceTemplate? template, ResourceKey key, PoolPlan plan, string? problem, string? told)
    {
        if (template is null)
        {
            return null;
        }

        if (problem is not null)
        {
            if (told != problem)
            {
                WarmLog.Unusable(logger, key, problem);
                events.Warning(template, Reasons.InvalidTemplate, $"There can be no warm pool: {problem}");
            }

            return problem;
        }

        if (plan.Failing is [var (pod, message), ..])
        {
            if (told != message)
            {
                WarmLog.Failing(logger, key, pod.Metadata.Name!, message);
                events.Warning(template, Reasons.Failed, $"Pod {pod.Metadata.Name} of the warm pool does not come up: {message}");
            }

            return message;
        }

        return null;
    }
}
