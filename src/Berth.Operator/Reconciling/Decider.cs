using System.Collections.Immutable;
using System.Globalization;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// Decides what to do about a workspace: a pure function from what the caches hold to writes, status and events. It keeps nothing between
/// calls, so a restarted operator decides the same; when the world has become what it should be, it decides nothing.
/// </summary>
internal static class Decider
{
    /// <summary>How often it is looked whether something of others that has the name of a child is still there.</summary>
    internal static readonly TimeSpan ObstacleLook = TimeSpan.FromSeconds(30);

    internal static Decision Decide(Observation seen, BlueprintSettings settings)
    {
        if (seen.Workspace.Metadata.DeletionTimestamp is not null)
        {
            return EndingPlan.Make(seen, settings);
        }

        if (AdministrationPlan.StopFirst(seen) is { } stop)
        {
            return stop;
        }

        seen = AdministrationPlan.Apply(seen);
        var blueprint = AdministrationPlan.Mark(seen, AdmissionPlan.Limit(seen, BlueprintOf(seen, settings)));
        var children = ChildPlan.Make(seen, blueprint);
        var storage = StoragePlan.Make(seen, settings);
        var blocked = children.Obstacles.ContainsKey(ChildPart.Volume)
            || children.Obstacles.ContainsKey(ChildPart.NetworkPolicy)
            || seen.Refusals.ContainsKey(ChildPart.Pod)
            || AdmissionPlan.Blocks(seen);
        var pod = storage.Pod(seen, blueprint, blocked);
        var life = LifetimePlan.Make(seen, pod, StartStatus.Write(seen, pod, Times.Seconds(seen.Now)));
        if (life.Stop is not null)
        {
            // Nothing else in this pass: whether the wish changes decides what the rest is.
            return new Decision { Steps = [life.Stop], Again = TimeSpan.FromSeconds(1) };
        }

        var status = StatusWriter.Write(seen, blueprint, children, pod, life, storage, settings);
        var repair = IdentityRepair.Make(seen, children, pod);

        var steps = ImmutableArray.CreateBuilder<Step>();
        AddFinalizerSteps(seen.Workspace, steps);
        steps.AddRange(repair.Steps);
        steps.AddRange(children.Steps);
        steps.AddRange(storage.Steps);
        steps.AddRange(seen.SurplusPods.Where(p => p.Metadata.DeletionTimestamp is null).Select(p => new Step.DeletePod(p)));
        if (pod.Step is not null)
        {
            steps.Add(pod.Step);
        }

        return new Decision
        {
            Steps = AdministrationPlan.Extend(seen, steps.ToImmutable()),
            Status = status,
            Notes =
            [
                .. Narrator.Tell(seen, blueprint, children, pod, status),
                .. life.Notes,
                .. repair.Notes,
                .. storage.Notes,
                .. AdmissionPlan.Tell(seen.Workspace.Status, status),
            ],
            Again = Earliest(
                seen.Now, pod.LookAgainAt, life.LookAgainAt, storage.LookAgainAt,
                IsInTheWay(children, pod) ? seen.Now + ObstacleLook : null),
        };
    }

    // What bears none of our labels is in no cache, and nothing tells when it goes.
    private static bool IsInTheWay(ChildPlan children, PodPlan pod) => children.Obstacles.Count > 0 || pod.State == PodState.Foreign;

    /// <summary>The objects that should exist, if nothing stood in the way.</summary>
    internal static Blueprint BlueprintOf(Observation seen, BlueprintSettings settings)
    {
        var facts = new BlueprintFacts
        {
            TraefikServed = seen.TraefikServed,
            PodReady = IsReady(seen),
            Volume = seen.Volume is { } volume && Children.OwnsVolume(seen.Workspace, volume.Metadata) ? volume : null,
            ClaimName = VolumeLookup.NameFor(seen.Workspace),
            Chain = seen.Chain,
            KnownTemplates = seen.KnownTemplates,
            NeverStarted = seen.Pod is null && seen.Workspace.Status?.Start is null,
            HasPod = seen.Pod is { } present && Children.Owns(seen.Workspace, present.Metadata),
            PodTemplate = seen.PodTemplate,
            NetworkPolicy = seen.NetworkPolicy,
            Growth = seen.Storage.Growth,
        };
        return FallbackPlan.InEffect(seen, Blueprint.For(seen.Workspace, seen.Template, settings, facts), settings, facts);
    }

    private static bool IsReady(Observation seen) =>
        seen.Pod is { Metadata.DeletionTimestamp: null } pod
        && Children.Owns(seen.Workspace, pod.Metadata)
        && !Children.IsOfAnotherOwner(seen.Workspace, pod.Metadata)
        && seen.Workspace.Spec.DesiredState != DesiredStates.Stopped
        && pod.Status is { Phase: "Running", Conditions: { } conditions }
        && conditions.Any(c => c.Type == "Ready" && c.Status == "True");

    // The finalizer is held only while there is something that garbage collection cannot do.
    private static void AddFinalizerSteps(UserWorkspace workspace, ImmutableArray<Step>.Builder steps)
    {
        var delete = workspace.Spec.Storage?.DeletionPolicy == DeletionPolicies.Delete;
        var held = workspace.Metadata.Finalizers?.Contains(WorkspaceFinalizers.Storage) == true;
        if (delete && !held)
        {
            steps.Add(new Step.AddFinalizer());
        }
        else if (!delete && held)
        {
            steps.Add(new Step.RemoveFinalizer());
        }
    }

    private static TimeSpan? Earliest(DateTimeOffset now, params ReadOnlySpan<DateTimeOffset?> times) =>
        times.ToArray().Min() is { } time ? TimeSpan.FromTicks(Math.Max((time - now).Ticks, TimeSpan.TicksPerSecond)) : null;
}
