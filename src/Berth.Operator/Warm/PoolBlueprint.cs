using System.Security.Cryptography;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>What a pool's pods and claims are made from: a workspace's blueprint without everything that tells whose it is.</summary>
/// <remarks>
/// It is made of a whole blueprint, not beside it: whatever a template gives to the pod of a workspace, it gives to a waiting one. Two
/// blueprints with one <see cref="Revision"/> may use each other's pods, which is how a workspace with choices of its own is told from one
/// that takes what is there.
/// </remarks>
internal sealed record PoolBlueprint
{
    private const string AudiencePrefix = "urn:berth:pod:";
    private const string NamePrefix = "pool-";

    // With a dot, which no workspace has in its name: the policy of one called pool-studio is another object.
    internal const string PolicyPrefix = "pool.";
    private const int RandomLength = 10;

    // No vowels and no look-alikes: names that people read aloud.
    private const string RandomLetters = "bcdfghjkmnpqrstvwxz2456789";

    // Their values differ for each workspace, and a running process cannot be told new ones: pods from a pool read files instead.
    private static readonly string[] Personal = ["WORKSPACE_NAME", "WORKSPACE_URL"];

    // What the blueprint of one workspace's pod says of that workspace.
    private static readonly string[] PersonalAnnotations =
        [Annotations.Revision, Annotations.RestartedAt, Annotations.WorkspaceUrl, Annotations.Identity];

    private readonly Pod _pod = new();
    private readonly PersistentVolumeClaim _claim = new();

    private PoolBlueprint()
    {
    }

    /// <summary>Hash of everything but names.</summary>
    public string Revision { get; private init; } = "";

    /// <summary>Name of the template that the pod is made from.</summary>
    public string Template { get; private init; } = "";

    /// <summary>Why such a pod cannot be made before it is known whose it will be, in words; null when it can.</summary>
    public string? Obstacle { get; private init; }

    /// <summary>The network policy of the pods that wait: nobody may reach them.</summary>
    public NetworkPolicy? NetworkPolicy { get; private init; }

    /// <summary>The pool's form of a workspace's pod and claim; null when there is no pod.</summary>
    internal static PoolBlueprint? Of(Pod? pod, PersistentVolumeClaim? claim, NetworkPolicy? policy = null)
    {
        if (pod?.Spec is null || claim?.Spec is null || pod.Metadata.Labels?.GetValueOrDefault(Labels.Template) is not { } template)
        {
            return null;
        }

        var ns = pod.Metadata.Namespace;
        var annotations = (pod.Metadata.Annotations ?? new Dictionary<string, string>())
            .Where(a => !PersonalAnnotations.Contains(a.Key))
            .OrderBy(a => a.Key, StringComparer.Ordinal)
            .ToDictionary(a => a.Key, a => a.Value, StringComparer.Ordinal);
        var form = new Pod
        {
            Metadata = new ObjectMeta { Namespace = ns, Annotations = annotations.Count == 0 ? null : annotations },
            Spec = Impersonal(pod.Spec, "", ""),
        };
        var volume = new PersistentVolumeClaim { Metadata = new ObjectMeta { Namespace = ns }, Spec = claim.Spec };
        return new PoolBlueprint(form, volume)
        {
            Template = template,
            Revision = Hashes.Of(System.Text.Encoding.UTF8.GetBytes(
                Hashes.Of(form, Pod.JsonTypeInfo) + Hashes.Of(volume, PersistentVolumeClaim.JsonTypeInfo))),
            Obstacle = Reference(pod.Spec) is { } name
                ? $"it refers to $({name}), which is not known before a person comes; let the application read the file in the folder "
                    + $"that {WorkspaceInfo.Variable} names"
                : null,
            NetworkPolicy = policy is null ? null : Closed(policy, template),
        };
    }

    private PoolBlueprint(Pod pod, PersistentVolumeClaim claim)
    {
        _pod = pod;
        _claim = claim;
    }

    /// <summary>The blueprint of a template's pool: that of a workspace which belongs to nobody and wishes for nothing.</summary>
    internal static (PoolBlueprint? Pool, string? Problem) For(WorkspaceTemplate template, BlueprintSettings settings)
    {
        var nobody = new UserWorkspace
        {
            Metadata = new ObjectMeta { Name = "pool", Namespace = template.Metadata.Namespace },
            Spec = new UserWorkspaceSpec
            {
                Owner = new WorkspaceOwner { Issuer = "urn:berth:pool", Subject = "nobody" },
                Template = new TemplateReference { Name = template.Metadata.Name! },
            },
        };
        var blueprint = Blueprint.For(nobody, template, settings, new BlueprintFacts());
        var pool = Of(blueprint.Pod, blueprint.Volume, blueprint.NetworkPolicy);
        return pool is null
            ? (null, string.Join(" ", blueprint.Problems.Select(p => p.Message)))
            : pool.Obstacle is { } obstacle ? (null, obstacle) : (pool, null);
    }

    /// <summary>A name that was never used before.</summary>
    internal static string NewName(string template)
    {
        var room = WorkspaceNames.MaxLength - NamePrefix.Length - RandomLength - 1;
        var stem = template.Replace('.', '-');
        stem = (stem.Length > room ? stem[..room] : stem).TrimEnd('-');
        return $"{NamePrefix}{stem}-{RandomNumberGenerator.GetString(RandomLetters, RandomLength)}";
    }

    /// <summary>The audience of the identity header of a pod; no other pod accepts it.</summary>
    internal static string AudienceOf(string? ns, string name) => $"{AudiencePrefix}{ns}:{name}";

    /// <summary>The claim of one pod; it bears the pod's name, and nobody owns it: what is in it decides whether it may go.</summary>
    internal PersistentVolumeClaim MakeClaim(string name) =>
        _claim with { Metadata = _claim.Metadata with { Name = name, Labels = LabelsOf() } };

    /// <summary>One pod.</summary>
    internal Pod MakePod(string name, WorkspaceTemplate template)
    {
        var audience = AudienceOf(_pod.Metadata.Namespace, name);
        var annotations = new Dictionary<string, string>(
            _pod.Metadata.Annotations ?? new Dictionary<string, string>(), StringComparer.Ordinal)
        {
            [Annotations.PoolRevision] = Revision,
            [Annotations.IdentityAudience] = audience,
        };
        return _pod with
        {
            Metadata = _pod.Metadata with
            {
                Name = name,
                Labels = LabelsOf(),
                Annotations = annotations,
                OwnerReferences =
                [
                    // Not blocking: that would take the right to write templates' finalizers.
                    new OwnerReference
                    {
                        ApiVersion = WorkspaceTemplate.Descriptor.ApiVersion,
                        Kind = WorkspaceTemplate.Descriptor.Kind,
                        Name = template.Metadata.Name!,
                        Uid = template.Metadata.Uid ?? "",
                        Controller = true,
                    },
                ],
            },
            Spec = Impersonal(_pod.Spec!, name, audience),
        };
    }

    private Dictionary<string, string> LabelsOf() => new(StringComparer.Ordinal)
    {
        [Labels.ManagedBy] = Labels.ManagedByValue,
        [Labels.Template] = Template,
        [Labels.Pool] = Template,
    };

    private static PodSpec Impersonal(PodSpec spec, string claim, string audience) =>
        PodForm.WithEnvironment(PodForm.WithClaim(spec, claim), v =>
            Personal.Contains(v.Name) ? null : v.Name == "WORKSPACE_IDENTITY_AUDIENCE" ? v with { Value = audience } : v);

    /// <summary>A variable of one workspace that something in the pod is put together from.</summary>
    private static string? Reference(PodSpec spec)
    {
        var texts = spec.Containers.Concat(spec.InitContainers ?? [])
            .SelectMany(c => (c.Command ?? []).Concat(c.Args ?? []).Concat((c.Env ?? []).Select(e => e.Value ?? "")))
            .ToList();
        return Personal.FirstOrDefault(name => texts.Any(t => t.Contains($"$({name})", StringComparison.Ordinal)));
    }

    private static NetworkPolicy Closed(NetworkPolicy policy, string template) => policy with
    {
        Metadata = new ObjectMeta
        {
            Name = PolicyPrefix + template,
            Namespace = policy.Metadata.Namespace,
            Labels = new Dictionary<string, string>
            {
                [Labels.ManagedBy] = Labels.ManagedByValue,
                [Labels.Pool] = template,
            },
        },
        Spec = policy.Spec! with
        {
            PodSelector = new LabelSelector
            {
                MatchLabels = new Dictionary<string, string> { [Labels.Pool] = template },
                MatchExpressions = [new LabelSelectorRequirement { Key = Labels.Workspace, Operator = "DoesNotExist" }],
            },

            // No rule at all: the type Ingress is among the policy's, so nothing may come in. An empty list would say the same, and the API
            // drops it, which would look like a difference for ever.
            Ingress = null,
        },
    };
}
