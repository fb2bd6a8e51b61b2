using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Edge;

/// <summary>Makes the table's entry of a workspace out of what the API knows of it; a pure function.</summary>
internal static class WorkspaceEntries
{
    /// <summary>Name of the port of the workspace's Service and Endpoints.</summary>
    public const string PortName = "http";

    /// <summary>The Service's own port, for <see cref="TargetResolution.Service"/>.</summary>
    public const int ServicePort = 80;

    /// <summary>The entry, or null for an object that cannot be served (a name that is no host, no owner).</summary>
    public static WorkspaceEntry? From(UserWorkspace workspace, Endpoints? endpoints, WorkspaceUrls urls, TargetResolution targets)
    {
        var (metadata, spec, status) = (workspace.Metadata, workspace.Spec, workspace.Status);
        if (!WorkspaceNames.IsValid(metadata.Name) || spec.Owner.Issuer.Length == 0 || spec.Owner.Subject.Length == 0)
        {
            return null;
        }

        var (target, audience) = TargetOf(workspace, endpoints, targets);
        var url = urls.Url(metadata.Name);
        return new WorkspaceEntry
        {
            Name = metadata.Name,
            Namespace = metadata.Namespace ?? "",
            Host = urls.Host(metadata.Name),
            Url = url,
            Audience = audience ?? url,
            OwnerIssuer = spec.Owner.Issuer,
            OwnerSubject = spec.Owner.Subject,
            Shares =
            [
                .. (spec.Sharing ?? [])
                    .Where(s => s.Subject.Length > 0 && s.Role is "view" or "use")
                    .Select(s => new WorkspaceShare(s.Subject, s.Issuer, s.Role, s.Until)),
            ],
            Phase = PhaseOf(workspace),
            Message = status?.Message,
            Template = TemplateNameOf(workspace),
            Target = target,
        };
    }

    /// <summary>The template in effect: a retired one may have sent the workspace on to its successor.</summary>
    public static string TemplateNameOf(UserWorkspace workspace) =>
        workspace.Status?.TemplateRevision?.Redirects is { Count: > 0 } redirects ? redirects[^1] : workspace.Spec.Template.Name;

    /// <summary>The phase as people should see it now: the operator's, except where the wish is newer than what it saw.</summary>
    public static string PhaseOf(UserWorkspace workspace)
    {
        var status = workspace.Status;
        if (workspace.Metadata.DeletionTimestamp is not null)
        {
            return WorkspacePhases.Terminating;
        }

        var phase = status?.Phase ?? WorkspacePhases.Pending;
        if (status?.ObservedGeneration is { } seen && workspace.Metadata.Generation is { } generation && seen < generation)
        {
            return (workspace.Spec.DesiredState, phase) switch
            {
                (DesiredStates.Running, WorkspacePhases.Stopped or WorkspacePhases.Stopping) => WorkspacePhases.Starting,
                (DesiredStates.Stopped, WorkspacePhases.Running or WorkspacePhases.Starting) => WorkspacePhases.Stopping,
                _ => phase,
            };
        }

        return phase;
    }

    private static (WorkspaceTarget? Target, string? Audience) TargetOf(
        UserWorkspace workspace, Endpoints? endpoints, TargetResolution targets)
    {
        // Endpoints may lag behind: what is wanted away is not forwarded to, however ready it still looks.
        if (workspace.Metadata.DeletionTimestamp is not null || workspace.Spec.DesiredState != DesiredStates.Running)
        {
            return default;
        }

        foreach (var subset in endpoints?.Subsets ?? [])
        {
            var port = (subset.Ports ?? []).FirstOrDefault(p => p.Name == PortName)
                ?? ((subset.Ports ?? []) is [{ Name: null or "" } only] ? only : null);
            if (port is { Port: > 0 and <= 65535 } && subset.Addresses is [{ IP.Length: > 0 } address, ..])
            {
                var pod = address.TargetRef?.Name;
                if (!IsKnown(workspace, pod))
                {
                    return default;
                }

                return (
                    targets == TargetResolution.Service
                        ? new WorkspaceTarget($"{workspace.Metadata.Name}.{workspace.Metadata.Namespace}.svc", ServicePort)
                        : new WorkspaceTarget(address.IP, port.Port),
                    pod == workspace.Metadata.Name ? null : workspace.Status?.IdentityAudience);
            }
        }

        return default;
    }

    // A pod from a warm pool has another name than the workspace, and an audience of its own. The status names both at once, but Endpoints
    // may show the pod earlier: until then what it expects is not known.
    private static bool IsKnown(UserWorkspace workspace, string? pod) =>
        string.IsNullOrEmpty(pod) || pod == workspace.Metadata.Name || pod == workspace.Status?.PodName;
}
