using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

internal sealed partial class Simulation
{
    /// <summary>
    /// Reconciles after which the last write must be made once the faults end, for each workspace and pool. What is left is time: pauses
    /// after failures, and waiting for nodes.
    /// </summary>
    internal const int MostReconciles = 40;

    /// <summary>Longer than anything looks again at what does not change.</summary>
    private const int QuietRounds = 8;

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(5);

    /// <summary>How often replicas of the edge that live speak: one that is kept from it is silent, and the operator says so.</summary>
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(EdgeLeases.RenewSeconds);

    /// <summary>Longest pause after failures, and the time until a failure is forgotten.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(45);

    /// <summary>Reconciles without anything to do: a start costs some ten, and there are few workspaces.</summary>
    private const int MostAtOnce = 2000;

    /// <summary>
    /// Reconciles that take a second. A watch that broke is tried again after a pause: until then an operator makes anew what garbage
    /// collection takes from a workspace that it does not know is gone, and if work took no time, the pause would never end.
    /// </summary>
    private const int WorkInASecond = 100;

    /// <summary>Reconciles between the end of the faults and the last write.</summary>
    internal int ReconcilesToConverge { get; private set; }

    /// <summary>The faults end. Everything must come to rest, be as it should be, and cost no further write, not even to a new process.</summary>
    internal void SettleAndCheck()
    {
        Trace.Add("The faults end.");
        foreach (var ghost in _operators.Concat(_ghosts))
        {
            while (ghost.Wire.Held.Count > 0)
            {
                ghost.Release(0, Fate.Answered);
            }
        }

        while (_operators.Count > 1)
        {
            End(_operators[0], o => o.StopLeading());
        }

        var leader = _operators.Count == 0 ? Launch() : _operators[0];
        _cluster.ReturnAll();
        _people.EndHolds();
        Rest(leader);
        CheckEnd();
        CheckQuiet(leader, "a further look at everything");
        End(leader, o => o.Wire.Kill());
        leader = Launch();
        CheckQuiet(leader, "a restart of the operator");
        CheckIdle(leader);
    }

    /// <summary>Now nobody uses anything, and the edge says so: all that runs must stop.</summary>
    private void CheckIdle(SimulatedOperator leader)
    {
        // Those who wait for a place start when another stops. What a replica that died may have seen counts as use, until it is known to be dead.
        const int Silence = 15 * 60;
        for (var waited = 0; waited < (3 * (IdleSeconds + WarnSeconds)) + Silence && IsAnyRunning() is not null; waited += 10)
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            _edges.BeatAll();
            Drain(leader);
        }

        if (IsAnyRunning() is { } runs)
        {
            throw new ViolationException($"Nobody uses {runs.Metadata.Name}, and it still runs: {runs.Status!.Activity?.KeptBy}.");
        }
    }

    private UserWorkspace? IsAnyRunning() => Api.All<UserWorkspace>().FirstOrDefault(w => w.Status?.Phase == WorkspacePhases.Running);

    /// <summary>Everybody uses what runs, so that nothing stops for lack of use meanwhile.</summary>
    private void UseAll()
    {
        _edges.Start();
        foreach (var name in SimulatedPeople.Names)
        {
            _edges.Use(0, name);
        }

        _edges.BeatAll();
    }

    /// <summary>All work that there is at this time. It ends, or the operator occupies itself.</summary>
    private void Drain(SimulatedOperator leader, Action? worked = null)
    {
        var began = leader.Reconciles;
        var counted = began;
        do
        {
            leader.TellPlaces();
            leader.DeliverAll();
            while (leader.HasWork)
            {
                for (var i = 0; i < leader.Controllers; i++)
                {
                    leader.Work(i);
                }

                worked?.Invoke();
                if (leader.Reconciles - began > MostAtOnce)
                {
                    throw new ViolationException($"It found work for itself {MostAtOnce} times, while nothing happened.");
                }

                if (leader.Reconciles - counted >= WorkInASecond)
                {
                    counted = leader.Reconciles;
                    _time.Advance(TimeSpan.FromSeconds(1));
                }
            }
        }
        while (_cluster.Settle() || leader.IsBehind);
    }

    private void Rest(SimulatedOperator leader)
    {
        var began = leader.Reconciles;
        var end = _time.GetUtcNow() + Longest;
        var used = DateTimeOffset.MinValue;
        var spoke = DateTimeOffset.MinValue;
        var quiet = 0;
        while (_time.GetUtcNow() < end)
        {
            if (_time.GetUtcNow() - used > TimeSpan.FromSeconds(IdleSeconds / 4))
            {
                used = _time.GetUtcNow();
                UseAll();
            }
            else if (_time.GetUtcNow() - spoke >= Beat)
            {
                _edges.BeatAll();
                spoke = _time.GetUtcNow();
            }

            var version = Api.Version;
            var before = leader.Wire.Writes;
            Drain(leader, () =>
            {
                if (leader.Wire.Writes != before)
                {
                    before = leader.Wire.Writes;
                    ReconcilesToConverge = leader.Reconciles - began;
                }
            });

            if (_log.Defect is { } defect)
            {
                throw defect as ViolationException ?? new ViolationException($"A reconcile ended with {defect}.");
            }

            if (ReconcilesToConverge > MostReconciles * (SimulatedPeople.Names.Count + 1))
            {
                throw new ViolationException($"After {ReconcilesToConverge} reconciles without a fault it still writes.");
            }

            quiet = version == Api.Version && IsQuietForGood() ? quiet + 1 : 0;
            if (quiet == QuietRounds)
            {
                return;
            }

            _time.Advance(Round);
        }
    }

    // What waits for time is a pause after a failure, or is forgotten some time after it.
    private bool IsQuietForGood() => Api.All<UserWorkspace>().All(w => w.Status?.Failure?.NextRetryAt is null && w.Status?.Failure?.Attempts is null)
        && Problems().Concat(PoolProblems()).FirstOrDefault() is null;

    private void CheckEnd()
    {
        if (Problems().Concat(PoolProblems()).FirstOrDefault() is { } problem)
        {
            throw new ViolationException($"At the end: {problem}");
        }
    }

    private IEnumerable<string> Problems()
    {
        foreach (var workspace in Api.All<UserWorkspace>())
        {
            var name = workspace.Metadata.Name;
            var pods = _cluster.Pods.Where(p => Children.Owns(workspace, p.Metadata)).ToList();
            if (workspace.Metadata.DeletionTimestamp is not null)
            {
                yield return $"{name} is still being deleted.";
            }
            else if (workspace.Spec.DesiredState == DesiredStates.Stopped || workspace.Spec.Administration?.Frozen == true)
            {
                if (pods.Count > 0 || workspace.Status?.Phase != WorkspacePhases.Stopped)
                {
                    yield return $"{name} should be stopped, is {workspace.Status?.Phase} and has {pods.Count} pods.";
                }
            }
            else if (!IsHindered(workspace) && !(pods.Count == 0 && IsFull(workspace))
                && (pods is not [var pod] || !SimulatedCluster.IsReady(pod) || workspace.Status?.Phase != WorkspacePhases.Running))
            {
                yield return $"{name} should run, is {workspace.Status?.Phase} ({workspace.Status?.Message}) and has {pods.Count} pods.";
            }

            if (pods is [var runs] && !IsHindered(workspace) && workspace.Status?.TemplateRevision?.PendingRestart != true
                && !Environments.Has(runs, workspace))
            {
                yield return $"{name} has a pod with {Environments.Of(runs)}, which is not its environment, and nothing says so.";
            }

            if (workspace.Status?.ObservedGeneration != workspace.Metadata.Generation)
            {
                yield return $"The status of {name} is that of an earlier generation.";
            }
        }

        foreach (var pod in _cluster.Pods.Where(p => p.Metadata.Labels?.ContainsKey(Labels.Workspace) == true))
        {
            if (Api.Get<UserWorkspace>(new(pod.Metadata.Namespace!, pod.Metadata.Labels![Labels.Workspace])) is null)
            {
                yield return $"Pod {pod.Metadata.Name} has no workspace any more.";
            }
        }
    }

    /// <summary>Whether the ceilings leave no room for one more: a place is held with a pod, and by whoever was let in and is hindered.</summary>
    private bool IsFull(UserWorkspace workspace)
    {
        var policy = Api.Get<BerthPolicy>(new("", BerthPolicy.DefaultName))!.Spec;
        var running = Api.All<UserWorkspace>()
            .Where(w => _cluster.Pods.Any(p => Children.Owns(w, p.Metadata)) || (w.Spec.DesiredState == DesiredStates.Running && IsHindered(w)))
            .ToList();
        return running.Count(w => w.Spec.Owner.Subject == workspace.Spec.Owner.Subject) >= (policy.PerPerson?.Running ?? int.MaxValue)
            || running.Count >= (policy.PerNamespace?.Running ?? int.MaxValue);
    }

    /// <summary>How many may wait: no more than may still run, by the ceiling of the namespace.</summary>
    private int Room => Api.Get<BerthPolicy>(new("", BerthPolicy.DefaultName))!.Spec.PerNamespace?.Running is { } most
        ? Math.Max(0, most - Api.All<UserWorkspace>().Count(w =>
            w is { Metadata.DeletionTimestamp: null, Spec.DesiredState: DesiredStates.Running }))
        : int.MaxValue;

    private IEnumerable<string> PoolProblems()
    {
        foreach (var template in Api.All<WorkspaceTemplate>())
        {
            var waiting = _cluster.Pods.Where(p => p.Metadata.Labels?.GetValueOrDefault(Labels.Pool) == template.Metadata.Name
                && p.Metadata.Labels?.ContainsKey(Labels.Workspace) != true).ToList();
            var size = Math.Min(template.Spec.WarmPool?.Size ?? 0, Room);
            if (waiting.Count != size || !waiting.All(SimulatedCluster.IsReady))
            {
                yield return $"The pool of {template.Metadata.Name} should have {size} pods and has {waiting.Count}.";
            }
        }
    }

    /// <summary>Whether something that is not the operator's to mend stands in the way.</summary>
    private bool IsHindered(UserWorkspace workspace) =>
        Api.Get<WorkspaceTemplate>(new(workspace.Metadata.Namespace!, workspace.Spec.Template.Name)) is null
        || Api.Everything().Any(r => r.Key == workspace.Key() && r.Json["metadata"]!["labels"]?["foreign"] is not null)
        || Api.All<PersistentVolumeClaim>().Any(c =>
            c.Metadata.Name == (workspace.Status?.Storage?.ClaimName ?? workspace.Metadata.Name) && !Children.OwnsVolume(workspace, c.Metadata));

    private void CheckQuiet(SimulatedOperator leader, string why)
    {
        List<Request> sent = [];
        leader.Wire.Sending = sent.Add;
        leader.DeliverAll();
        foreach (var workspace in Api.All<UserWorkspace>())
        {
            leader.Poke(0, workspace.Key());
        }

        foreach (var template in Api.All<WorkspaceTemplate>())
        {
            for (var i = 1; i < leader.Controllers; i++)
            {
                leader.Poke(i, template.Key());
            }
        }

        while (leader.HasWork)
        {
            for (var i = 0; i < leader.Controllers; i++)
            {
                leader.Work(i);
            }
        }

        var writes = sent.Where(r => r.IsWrite).ToList();
        if (writes.Count > 0)
        {
            throw new ViolationException($"Nothing changed, and {why} cost {writes.Count} writes: {string.Join(", ", writes)}.");
        }
    }
}
