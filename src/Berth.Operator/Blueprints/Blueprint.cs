using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// What is true of the cluster now and bears on what should be: the changing half of what <see cref="Blueprint.For"/> is made from.
/// </summary>
public sealed record BlueprintFacts
{
    /// <summary>The cluster serves Traefik's kinds.</summary>
    public bool TraefikServed { get; init; }

    /// <summary>The pod is ready: a route may lead to it.</summary>
    public bool PodReady { get; init; }

    /// <summary>The volume that is there already; its size never shrinks and its class never changes.</summary>
    public PersistentVolumeClaim? Volume { get; init; }

    /// <summary>Whether the volume may become larger.</summary>
    internal Growth Growth { get; init; } = Growth.Unknown;

    /// <summary>Name of the claim; null: the workspace's own name.</summary>
    public string? ClaimName { get; init; }

    /// <summary>The way to the template; null: it is the one that the workspace names.</summary>
    internal TemplateChain? Chain { get; init; }

    /// <summary>Templates that people can take, for a message.</summary>
    internal ImmutableArray<string> KnownTemplates { get; init; } = [];

    /// <summary>The workspace has never had a pod: a retired template takes no such.</summary>
    internal bool NeverStarted { get; init; }

    /// <summary>The workspace has a pod, made from <see cref="PodTemplate"/>.</summary>
    internal bool HasPod { get; init; }

    /// <summary>The template that the pod was made from, as it is now; null when it is gone.</summary>
    internal WorkspaceTemplate? PodTemplate { get; init; }

    /// <summary>The network policy that is there.</summary>
    internal NetworkPolicy? NetworkPolicy { get; init; }
}

/// <summary>Why no pod can be made.</summary>
/// <param name="Class">One of <see cref="FailureClasses"/>.</param>
/// <param name="Reason">One of <see cref="Reasons"/>.</param>
/// <param name="Message">What is wrong and what to do, in words.</param>
public sealed record BlueprintProblem(string Class, string Reason, string Message);

/// <summary>
/// The objects that should exist for a workspace. A pure function of its inputs: the same answer today, tomorrow and in a test.
/// </summary>
/// <remarks>
/// All of them but a volume that was found bear the name of the workspace, so that the API itself keeps a second pod from being made on
/// one volume. Service, network policy and route need no template: they keep working while a template is gone.
/// </remarks>
public sealed record Blueprint
{
    /// <summary>Name of the container in the pod.</summary>
    public const string ContainerName = "workspace";

    /// <summary>Name of the port in pod and Service.</summary>
    public const string PortName = "http";

    /// <summary>Port of the Service; it leads to the pod's port named <see cref="PortName"/>, whatever its number.</summary>
    public const int ServicePort = 80;

    /// <summary>Public origin of the workspace; null when its name cannot be a host.</summary>
    public string? Url { get; init; }

    /// <summary>Hash of everything the pod is made from; null when none can be made.</summary>
    public string? Revision { get; init; }

    /// <summary>The volume; null when no template says what it should be.</summary>
    public PersistentVolumeClaim? Volume { get; init; }

    /// <summary>The pod as it would be made now; null when there are <see cref="Problems"/>.</summary>
    public Pod? Pod { get; init; }

    /// <summary>The Service; null when the name of the workspace cannot be used.</summary>
    public Service? Service { get; init; }

    /// <summary>The network policy; null when the name of the workspace cannot be used.</summary>
    public NetworkPolicy? NetworkPolicy { get; init; }

    /// <summary>The route; null where Traefik is not there or not wanted.</summary>
    public IngressRoute? Route { get; init; }

    /// <summary>Middlewares of the route.</summary>
    public ImmutableArray<Middleware> Middlewares { get; init; } = [];

    /// <summary>Why no pod can be made; empty when one can.</summary>
    public ImmutableArray<BlueprintProblem> Problems { get; init; } = [];

    /// <summary>Parameters of the workspace that a successor of its template does not know, and that were left out.</summary>
    public ImmutableArray<string> LeftOutParameters { get; init; } = [];

    /// <summary>Variables of the workspace's owner that the template has itself or does not take, and that were left out.</summary>
    public ImmutableArray<string> LeftOutVariables { get; init; } = [];

    /// <summary>The fallback that this is made from, as the wished template failed; null when it is made from the wished one.</summary>
    public TemplateFallback? Fallback { get; init; }

    /// <summary>Hash of everything that the pod of the wished template is made from, where that is another one than this.</summary>
    public string? WishedRevision { get; init; }

    /// <summary>A wish for a larger volume that cannot be met, in words; null when there is none.</summary>
    public string? GrowthRefusal { get; init; }

    /// <summary>A wish for a smaller volume that cannot be met, in words; null when there is none.</summary>
    public string? ShrinkRefusal { get; init; }

    /// <summary>Lists the objects that should exist.</summary>
    /// <param name="workspace">The workspace.</param>
    /// <param name="template">Its template, or null when there is none of that name.</param>
    /// <param name="settings">Decisions of the installation.</param>
    /// <param name="facts">What is true of the cluster now.</param>
    public static Blueprint For(UserWorkspace workspace, WorkspaceTemplate? template, BlueprintSettings settings, BlueprintFacts facts)
    {
        ArgumentNullException.ThrowIfNull(workspace);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(facts);

        if (CheckIdentity(workspace) is { } problem)
        {
            return new Blueprint { Problems = [problem] };
        }

        var name = workspace.Metadata.Name!;
        var blueprint = new Blueprint
        {
            Url = settings.Urls.Url(name),
            Service = ServicePart.Make(workspace),

            // What runs is let out as its own template says, today; a redirect takes effect at the next start.
            NetworkPolicy = NetworkPolicyPart.Make(
                workspace, facts.HasPod ? facts.PodTemplate : template, facts.NetworkPolicy, settings),
        };
        if (facts.TraefikServed && settings.Routing != RoutingMode.None)
        {
            blueprint = blueprint with
            {
                Route = RoutePart.Make(workspace, settings, facts.PodReady),
                Middlewares = RoutePart.Middlewares(workspace, settings),
            };
        }

        if (template is null)
        {
            return blueprint;
        }

        if ((facts.Chain?.Problem ?? CheckRetired(template, facts)) is { } dead)
        {
            return blueprint with { Problems = [dead] };
        }

        var plan = TemplateResolution.Resolve(workspace, template, facts.Chain?.IsRedirected == true);
        var problems = plan.Problems.AddRange(EgressRules.Check(template, settings.Network));
        if (problems.Length > 0)
        {
            return blueprint with { Problems = problems };
        }

        var (volume, shrink, growth) = VolumePart.Make(workspace, plan, facts);
        var pod = PodPart.Make(workspace, template, plan, settings, volume.Metadata.Name!);
        var revision = PodPart.Revision(pod);
        return blueprint with
        {
            Volume = volume,
            ShrinkRefusal = shrink,
            GrowthRefusal = growth,
            Revision = revision,
            Pod = PodPart.Stamp(pod, workspace, revision, blueprint.Url),
            LeftOutParameters = plan.LeftOut,
            LeftOutVariables = plan.LeftOutVariables,
        };
    }

    private static BlueprintProblem? CheckRetired(WorkspaceTemplate template, BlueprintFacts facts)
    {
        if (template.Spec.Retired is not { Successor: null } retired || !facts.NeverStarted)
        {
            return null;
        }

        var others = facts.KnownTemplates.IsEmpty ? "" : $": "
            + $"{string.Join(", ", facts.KnownTemplates.Order(StringComparer.Ordinal).Take(20))}";
        var words = string.IsNullOrWhiteSpace(retired.Message) ? "" : $" ({retired.Message.Trim().TrimEnd('.')})";
        return new(FailureClasses.User, Reasons.TemplateRetired,
            $"Template '{template.Metadata.Name}' is retired and takes no new workspaces{words}. Set spec.template.name to another "
                + $"one{others}.");
    }

    private static BlueprintProblem? CheckIdentity(UserWorkspace workspace)
    {
        if (!WorkspaceNames.IsValid(workspace.Metadata.Name))
        {
            return new(FailureClasses.User, Reasons.InvalidName,
                $"The name '{workspace.Metadata.Name}' cannot be a host name. Create the workspace again with at most "
                    + $"{WorkspaceNames.MaxLength} lower-case "
                + "letters, digits and dashes, a letter first and no dash at the end.");
        }

        var owner = workspace.Spec.Owner;
        return owner.Issuer.Length == 0 || owner.Subject.Length == 0 || owner.Issuer.Contains('\0', StringComparison.Ordinal)
            || owner.Subject.Contains('\0', StringComparison.Ordinal)
            ? new(FailureClasses.User, Reasons.InvalidName,
                "spec.owner needs an issuer and a subject. Create the workspace again with both.")
            : null;
    }
}
