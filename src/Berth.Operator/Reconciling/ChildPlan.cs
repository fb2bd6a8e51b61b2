using System.Collections.Immutable;
using System.Text.Json.Serialization.Metadata;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>The writes that bring the children but the pod to their blueprint, and what stands in the way.</summary>
internal sealed record ChildPlan
{
    public ImmutableArray<Step> Steps { get; init; } = [];

    /// <summary>Parts that cannot be made, with reason and message.</summary>
    public ImmutableDictionary<ChildPart, (string Reason, string Message)> Obstacles { get; init; } =
        ImmutableDictionary<ChildPart, (string, string)>.Empty;

    internal static ChildPlan Make(Observation seen, Blueprint blueprint)
    {
        var steps = ImmutableArray.CreateBuilder<Step>();
        var obstacles = ImmutableDictionary.CreateBuilder<ChildPart, (string, string)>();
        var workspace = seen.Workspace;

        // The network policy comes before anything it protects against.
        Plan(blueprint.NetworkPolicy, seen.NetworkPolicy, ChildPart.NetworkPolicy, Children.Owns, o => new Step.ApplyNetworkPolicy(o),
            static (o, m) => o with { Metadata = m }, NetworkPolicy.JsonTypeInfo);
        Plan(blueprint.Volume, seen.Volume, ChildPart.Volume, Children.OwnsVolume, o => new Step.ApplyVolume(o),
            static (o, m) => o with { Metadata = m }, PersistentVolumeClaim.JsonTypeInfo);
        Plan(blueprint.Service, seen.Service, ChildPart.Service, Children.Owns, o => new Step.ApplyService(o),
            static (o, m) => o with { Metadata = m }, Service.JsonTypeInfo);
        foreach (var middleware in blueprint.Middlewares)
        {
            Plan(middleware, seen.Middlewares.FirstOrDefault(m =>
                m.Metadata.Name == middleware.Metadata.Name), ChildPart.Middleware, Children.Owns,
                o => new Step.ApplyMiddleware(o), static (o, m) => o with { Metadata = m }, Middleware.JsonTypeInfo);
        }

        Plan(blueprint.Route, seen.Route, ChildPart.Route, Children.Owns, o => new Step.ApplyRoute(o),
            static (o, m) => o with { Metadata = m }, IngressRoute.JsonTypeInfo);

        // Deletions after the route that no longer needs what goes.
        if (blueprint.Route is null && seen.Route is { } route && Children.Owns(workspace, route.Metadata))
        {
            steps.Add(new Step.DeleteRoute(route));
        }

        foreach (var middleware in seen.Middlewares)
        {
            if (Children.Owns(workspace, middleware.Metadata) && blueprint.Middlewares.All(m =>
                m.Metadata.Name != middleware.Metadata.Name))
            {
                steps.Add(new Step.DeleteMiddleware(middleware));
            }
        }

        foreach (var (part, message) in seen.Refusals)
        {
            var refusal = RefusalClassifier.Classify(part, message);
            obstacles[part] = (refusal.Reason, refusal.Message);
        }

        return new ChildPlan { Steps = steps.ToImmutable(), Obstacles = obstacles.ToImmutable() };

        void Plan<T>(
            T? desired,
            T? actual,
            ChildPart part,
            Func<UserWorkspace, ObjectMeta, bool> owns,
            Func<T, Step> apply,
            Func<T, ObjectMeta, T> with,
            JsonTypeInfo<T> type)
            where T : class, IKubeObject
        {
            if (desired is null)
            {
                return;
            }

            if (actual is null || owns(workspace, actual.Metadata))
            {
                var stamped = with(desired, ChildDiff.Stamp(desired, type));
                if (actual?.Metadata.DeletionTimestamp is not null)
                {
                    obstacles[part] = (Reasons.WaitingForFormerPod,
                        $"An earlier {Name(part)} of this name is being deleted; the workspace waits for it.");
                }
                else if (ChildDiff.Differs(stamped, actual, type))
                {
                    steps.Add(apply(stamped));
                }
            }
            else if (Children.OwnedByFormer(workspace, actual.Metadata))
            {
                obstacles[part] = (Reasons.WaitingForFormerPod,
                    $"The {Name(part)} of an earlier workspace of this name is being removed; the workspace waits for it.");
            }
            else if (part == ChildPart.Volume && Children.IsOfAnotherOwner(workspace, actual.Metadata))
            {
                obstacles[part] = (Reasons.OwnerMismatch,
                    $"Volume '{actual.Metadata.Name}' holds the files of another person than spec.owner names. The owner of a workspace "
                        + "cannot change: set spec.owner back, or create a workspace under another name.");
            }
            else
            {
                obstacles[part] = (Reasons.NameClash, Clash(part, workspace));
            }
        }
    }

    internal static string Clash(ChildPart part, UserWorkspace workspace) =>
        $"There is a {Name(part)} named '{workspace.Metadata.Name}' in namespace {workspace.Metadata.Namespace} that does not belong "
            + "to this workspace. "
        + "It is left alone: remove or rename it, or create the workspace under another name.";

    internal static string Name(ChildPart part) => part switch
    {
        ChildPart.Volume => "volume (PersistentVolumeClaim)",
        ChildPart.Pod => "pod",
        ChildPart.Service => "Service",
        ChildPart.NetworkPolicy => "NetworkPolicy",
        ChildPart.Route => "IngressRoute",
        ChildPart.Backup => "backup (Job or VolumeSnapshot)",
        _ => "Middleware",
    };
}
