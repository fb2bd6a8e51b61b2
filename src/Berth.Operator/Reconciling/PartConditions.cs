using Berth.Resources;

namespace Berth.Operator;

/// <summary>The conditions of all parts but the pod: template, volume, route.</summary>
internal static class PartConditions
{
    internal static void Template(ConditionSet conditions, Observation seen, Blueprint blueprint)
    {
        var name = seen.Workspace.Spec.Template.Name;
        if (!blueprint.Problems.IsEmpty)
        {
            conditions.False(ConditionTypes.TemplateResolved, blueprint.Problems[0].Reason, string.Join(" ", blueprint.Problems.Select(p =>
                p.Message)));
        }
        else if (seen.Template is null)
        {
            conditions.False(ConditionTypes.TemplateResolved, Reasons.TemplateNotFound, NotFound(seen));
        }
        else if (blueprint.Fallback is { } fallback)
        {
            conditions.True(ConditionTypes.TemplateResolved, Reasons.Fallback, FellBack(seen, fallback) + LeftOut(blueprint));
        }
        else if (seen.Chain is { IsRedirected: true } chain)
        {
            conditions.True(ConditionTypes.TemplateResolved, Reasons.Redirected, Redirected(seen, chain, blueprint));
        }
        else
        {
            conditions.True(ConditionTypes.TemplateResolved, Reasons.Resolved,
                $"Template '{name}' was found and takes the parameters.{LeftOut(blueprint)}");
        }
    }

    /// <summary>Why another template is in effect, and until when.</summary>
    internal static string FellBack(Observation seen, TemplateFallback fallback) =>
        $"Template '{seen.Template?.Metadata.Name}' failed {FallbackPlan.Attempts} times in a row, so the workspace is made from its "
            + "fallback "
            + $"'{fallback.Template}' until somebody asks for a start or restart, or the template is changed. {fallback.Message}";

    /// <summary>What a redirect means for the workspace, with what of its parameters it leaves out.</summary>
    internal static string Redirected(Observation seen, TemplateChain chain, Blueprint blueprint)
    {
        var left = blueprint.LeftOutParameters.IsEmpty
            ? ""
            : $" It has no parameter {string.Join(", ", blueprint.LeftOutParameters.Select(TemplateProblems.Shorten))}: left out. Change "
                + "spec.parameters to what it takes.";
        return $"Template '{seen.Workspace.Spec.Template.Name}' is retired; '{chain.Redirects[^1]}' takes its place from the next "
            + $"start on.{left}{LeftOut(blueprint)}";
    }

    private static string LeftOut(Blueprint blueprint) => blueprint.LeftOutVariables.IsEmpty
        ? ""
        : $" It sets or refuses these variables of the owner, which are left out: "
            + $"{string.Join(", ", blueprint.LeftOutVariables.Take(20))}.";

    internal static string NotFound(Observation seen)
    {
        var known = seen.KnownTemplates.IsEmpty
            ? "there are none yet: create a WorkspaceTemplate"
            : $"set spec.template.name to one of {string.Join(", ", seen.KnownTemplates.Order(StringComparer.Ordinal).Take(20))}";
        return $"There is no template '{seen.Workspace.Spec.Template.Name}' in namespace {seen.Workspace.Metadata.Namespace}; {known}.";
    }

    internal static void Storage(ConditionSet conditions, Observation seen, Blueprint blueprint, ChildPlan children, PodPlan pod,
        StoragePlan storage)
    {
        const string type = ConditionTypes.StorageReady;
        if (children.Obstacles.TryGetValue(ChildPart.Volume, out var obstacle))
        {
            conditions.False(type, obstacle.Reason, obstacle.Message);
        }
        else if (storage.Restore.BlocksPod)
        {
            conditions.False(type, Reasons.Restoring, storage.Restore.Message ?? "A backup is being restored.");
        }
        else if (seen.Volume is not { } volume)
        {
            if (blueprint.Volume is null)
            {
                conditions.Unknown(type, Reasons.NotReady, "The volume is made once the template is resolved.");
            }
            else
            {
                conditions.False(type, Reasons.Provisioning, "The volume is being made.");
            }
        }
        else if (volume.Status?.Phase == "Lost")
        {
            conditions.False(type, Reasons.VolumeLost,
                $"The data behind volume {volume.Metadata.Name} is lost. An administrator has to restore it from a backup, or remove "
                    + "the volume.");
        }
        else if (volume.Status?.Phase == "Bound" || pod.State == PodState.Ready)
        {
            var (reason, message) = StorageRemarks.Of(volume, blueprint, storage);
            conditions.True(type, reason, message);
        }
        else
        {
            conditions.False(type, Reasons.Provisioning, "The volume is being made; some clusters make it only when the pod has a node.");
        }
    }

    internal static void Route(ConditionSet conditions, Observation seen, Blueprint blueprint, ChildPlan children,
        BlueprintSettings settings)
    {
        const string type = ConditionTypes.RouteReady;
        foreach (var part in (ReadOnlySpan<ChildPart>)[ChildPart.Service, ChildPart.NetworkPolicy, ChildPart.Middleware, ChildPart.Route])
        {
            if (children.Obstacles.TryGetValue(part, out var obstacle))
            {
                conditions.False(type, obstacle.Reason, obstacle.Message);
                return;
            }
        }

        if (blueprint.Url is null)
        {
            conditions.False(type, Reasons.InvalidName, "The workspace has no name or owner that could be served.");
        }
        else if (blueprint.Route is null)
        {
            conditions.True(type, Reasons.EdgeServes, settings.Routing == RoutingMode.None
                ? $"Routes are switched off (Routing: None); the edge serves {blueprint.Url} itself."
                : $"This cluster has no Traefik (traefik.io/v1alpha1 is not served); the edge serves {blueprint.Url} itself.");
        }
        else if (settings.Routing == RoutingMode.ForwardAuth)
        {
            conditions.True(type, Reasons.ForwardAuth,
                "Traefik leads to the workspace and asks the edge about each request; while it is not ready, to the edge.");
        }
        else
        {
            conditions.True(type, Reasons.ThroughEdge, "Traefik leads to the edge, which forwards to the workspace.");
        }
    }
}
