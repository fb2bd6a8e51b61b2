using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// Whose a pod or a volume is, written a second time into an annotation: what people select by is what people change, and a volume has no
/// owner reference to be known by.
/// </summary>
/// <param name="Workspace">Name of the workspace.</param>
/// <param name="Owner">Hash of the owner's identity.</param>
internal readonly record struct ChildIdentity(string Workspace, string Owner)
{
    internal static ChildIdentity For(UserWorkspace workspace) => new(workspace.Metadata.Name ?? "", OwnerOf(workspace.Spec.Owner));

    /// <summary>False for an owner that is none: nothing belongs to nobody.</summary>
    internal bool IsKnown => Owner.Length > 0;

    /// <summary>What an object says of itself; null when it says nothing that could be read.</summary>
    internal static ChildIdentity? Of(ObjectMeta child) =>
        child.Annotations?.GetValueOrDefault(Annotations.Identity)?.Split('/') is [var workspace, var owner, ..]
            ? new(workspace, owner) : null;

    /// <summary>Name of the template that a pod says it was made from; null when it does not say so.</summary>
    internal static string? TemplateOf(ObjectMeta pod) =>
        pod.Annotations?.GetValueOrDefault(Annotations.Identity)?.Split('/') is [_, _, { Length: > 0 } template]
            ? template
            : pod.Labels?.GetValueOrDefault(Labels.Template);

    private static string OwnerOf(WorkspaceOwner owner) =>
        owner.Issuer.Length == 0 || owner.Subject.Length == 0 || owner.Issuer.Contains('\0', StringComparison.Ordinal)
        || owner.Subject.Contains('\0', StringComparison.Ordinal)
            ? ""
            : WorkspaceNames.OwnerHash(owner.Issuer, owner.Subject);

    /// <summary>The annotation.</summary>
    internal string ToAnnotation(string? template = null) => template is null ? $"{Workspace}/{Owner}" : $"{Workspace}/{Owner}/{template}";
}
