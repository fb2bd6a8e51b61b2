using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// Finds labels and owner references that people changed or removed. Children that are applied are put right by being applied; the pod and
/// the workspace itself take a write of their own. Pure.
/// </summary>
internal sealed record IdentityRepair
{
    private static readonly ImmutableArray<string> Identifying = [Labels.ManagedBy, Labels.Workspace, Labels.Owner];

    public ImmutableArray<Step> Steps { get; private init; } = [];

    public ImmutableArray<Note> Notes { get; private init; } = [];

    /// <summary>What is to be put right.</summary>
    /// <param name="seen">What there is.</param>
    /// <param name="children">The writes of this pass: what is applied is repaired with it.</param>
    /// <param name="pod">What becomes of the pod: one that ends needs no labels.</param>
    internal static IdentityRepair Make(Observation seen, ChildPlan children, PodPlan pod)
    {
        var workspace = seen.Workspace;
        var steps = ImmutableArray.CreateBuilder<Step>();
        List<string> damage = [];
        if (OfWorkspace(workspace) is { } label)
        {
            steps.Add(label);

            // A workspace that nobody labelled when it was made is no damage; the operator has not looked at it yet.
            if (workspace.Status?.Conditions is not null)
            {
                damage.Add($"{Labels.Owner} of the workspace itself");
            }
        }

        foreach (var step in children.Steps)
        {
            var (was, wanted) = Applied(step, seen);
            Describe(step.Part, was, wanted?.Labels, wanted?.OwnerReferences is not null, damage);
        }

        if (seen.Pod is { Metadata.DeletionTimestamp: null } own && Children.Owns(workspace, own.Metadata)
            && !Children.IsOfAnotherOwner(workspace, own.Metadata) && pod.Step is not Step.DeletePod)
        {
            var labels = Children.LabelsOf(workspace);
            if (ChildIdentity.TemplateOf(own.Metadata) is { } template)
            {
                labels[Labels.Template] = template;
            }

            var owned = own.Metadata.OwnerReferences?.Any(o => o.Controller == true) == true;
            if (!owned || labels.Any(l => own.Metadata.Labels?.GetValueOrDefault(l.Key) != l.Value))
            {
                steps.Add(new Step.RepairPod(own, labels, owned ? null : Owners(workspace, own)));
                Describe(ChildPart.Pod, own.Metadata, labels, owned: true, damage);
            }
        }

        return new IdentityRepair
        {
            Steps = steps.ToImmutable(),
            Notes = damage.Count == 0
                ? []
                :
                [
                    new Note(true, Reasons.LabelsRepaired,
                        $"Somebody changed or removed what says whose these are: {string.Join("; ", damage)}. It was put back; "
                            + "the rules in docs/isolation.md forbid such changes."),
                ],
        };
    }

    private static Step.RepairWorkspace? OfWorkspace(UserWorkspace workspace)
    {
        var identity = ChildIdentity.For(workspace);
        return !identity.IsKnown || workspace.Metadata.Labels?.GetValueOrDefault(Labels.Owner) == identity.Owner
            ? null
            : new Step.RepairWorkspace(identity.Owner);
    }

    private static IReadOnlyList<OwnerReference> Owners(UserWorkspace workspace, Pod pod) =>
        [.. pod.Metadata.OwnerReferences ?? [], .. Children.Owned(workspace).OwnerReferences!];

    private static (ObjectMeta? Was, ObjectMeta? Wanted) Applied(Step step, Observation seen) => step switch
    {
        Step.ApplyVolume s => (seen.Volume?.Metadata, s.Object.Metadata),
        Step.ApplyService s => (seen.Service?.Metadata, s.Object.Metadata),
        Step.ApplyNetworkPolicy s => (seen.NetworkPolicy?.Metadata, s.Object.Metadata),
        Step.ApplyRoute s => (seen.Route?.Metadata, s.Object.Metadata),
        Step.ApplyMiddleware s => (
            seen.Middlewares.FirstOrDefault(m => m.Metadata.Name == s.Object.Metadata.Name)?.Metadata, s.Object.Metadata),
        _ => (null, null),
    };

    private static void Describe(
        ChildPart? part, ObjectMeta? was, IReadOnlyDictionary<string, string>? labels, bool owned, List<string> damage)
    {
        if (part is null || was is null || labels is null)
        {
            return;
        }

        var lost = Identifying.Add(Labels.Template)
            .Where(l => labels.TryGetValue(l, out var value) && was.Labels?.GetValueOrDefault(l) != value)
            .ToList();
        if (owned && was.OwnerReferences?.Any(o => o.Controller == true) != true)
        {
            lost.Add("the owner reference");
        }

        if (lost.Count > 0)
        {
            damage.Add($"{string.Join(", ", lost)} of {ChildPlan.Name(part.Value)} {was.Name}");
        }
    }
}
