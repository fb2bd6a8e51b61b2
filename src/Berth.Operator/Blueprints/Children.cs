using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>What all children have in common.</summary>
internal static class Children
{
    internal static Dictionary<string, string> LabelsOf(UserWorkspace workspace) => new(StringComparer.Ordinal)
    {
        [Labels.ManagedBy] = Labels.ManagedByValue,
        [Labels.Workspace] = workspace.Metadata.Name!,
        [Labels.Owner] = WorkspaceNames.OwnerHash(workspace.Spec.Owner.Issuer, workspace.Spec.Owner.Subject),
    };

    /// <summary>Metadata of a child that garbage collection removes with the workspace.</summary>
    internal static ObjectMeta Owned(UserWorkspace workspace, string? suffix = null) => new()
    {
        Name = workspace.Metadata.Name + suffix,
        Namespace = workspace.Metadata.Namespace,
        Labels = LabelsOf(workspace),
        OwnerReferences =
        [
            new OwnerReference
            {
                ApiVersion = UserWorkspace.Descriptor.ApiVersion,
                Kind = UserWorkspace.Descriptor.Kind,
                Name = workspace.Metadata.Name!,
                Uid = workspace.Metadata.Uid ?? "",
                Controller = true,
                BlockOwnerDeletion = true,
            },
        ],
    };

    /// <summary>
    /// Whether an object belongs to exactly this workspace, not to an earlier one of the same name. One that lost its owner reference is
    /// known by its labels, and gets it back.
    /// </summary>
    internal static bool Owns(UserWorkspace workspace, ObjectMeta child) =>
        child.OwnerReferences?.FirstOrDefault(o => o.Controller == true) is { } controller
            ? controller.Uid == workspace.Metadata.Uid && controller.Uid.Length > 0
            : BearsLabels(workspace, child);

    /// <summary>Whether an object belongs to an earlier workspace of the same name: garbage collection is about to remove it.</summary>
    internal static bool OwnedByFormer(UserWorkspace workspace, ObjectMeta child) =>
        child.OwnerReferences?.Any(o => o.Controller == true && o.Kind == UserWorkspace.Descriptor.Kind && o.Name == workspace.Metadata.Name
            && o.Uid != workspace.Metadata.Uid) == true;

    /// <summary>
    /// Whether an object was made for this workspace when it had another owner. The API forbids such a change, but for servers without CEL
    /// rules; there nothing of the one person may serve the other.
    /// </summary>
    internal static bool IsOfAnotherOwner(UserWorkspace workspace, ObjectMeta child) =>
        !BearsLabels(workspace, child)
        && ChildIdentity.Of(child) is var identity && identity != ChildIdentity.For(workspace)
        && (SaysAnother(child, workspace) || identity?.Workspace == workspace.Metadata.Name);

    /// <summary>
    /// Whether a volume is this person's, left by this workspace or by an earlier one of the same name. It says so twice: one of the two
    /// may be damaged, and is put right by the other.
    /// </summary>
    internal static bool OwnsVolume(UserWorkspace workspace, ObjectMeta volume) =>
        BearsLabels(workspace, volume)
        || (ChildIdentity.For(workspace) is { IsKnown: true } identity && ChildIdentity.Of(volume) == identity);

    private static bool BearsLabels(UserWorkspace workspace, ObjectMeta child) =>
        child.Labels is { } labels
        && labels.GetValueOrDefault(Labels.ManagedBy) == Labels.ManagedByValue
        && labels.GetValueOrDefault(Labels.Workspace) == workspace.Metadata.Name
        && ChildIdentity.For(workspace) is { IsKnown: true } identity
        && labels.GetValueOrDefault(Labels.Owner) == identity.Owner;

    private static bool SaysAnother(ObjectMeta child, UserWorkspace workspace) =>
        child.Labels is { } labels
        && labels.GetValueOrDefault(Labels.ManagedBy) == Labels.ManagedByValue
        && labels.GetValueOrDefault(Labels.Workspace) == workspace.Metadata.Name
        && labels.GetValueOrDefault(Labels.Owner) is { } owner
        && owner != ChildIdentity.For(workspace).Owner;
}
