using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;
using Kube.Client;
using Kube.Client.Models;
using Kube.Client.Schema;

namespace Berth.Resources;

/// <summary>berth.dev/v1alpha1 WorkspaceTemplate: an application that people can have as a workspace.</summary>
/// <remarks>A change never restarts a running workspace: it takes effect at the next start, see <see cref="TemplateRevision"/>.</remarks>
[Description("An application that people can have as a workspace. A change takes effect when a workspace starts the next time.")]
[ResourceNames(ShortNames = ["wst"], Categories = ["berth"])]
[PrinterColumn("Display", "string", ".spec.displayName")]
[PrinterColumn("Image", "string", ".spec.image")]
[PrinterColumn("Port", "integer", ".spec.port")]
[PrinterColumn("Age", "date", ".metadata.creationTimestamp")]
[PrinterColumn("Description", "string", ".spec.description", Priority = 1)]
public sealed record WorkspaceTemplate : IKubeResource<WorkspaceTemplate>
{
    /// <inheritdoc/>
    public static ResourceDescriptor Descriptor { get; } = new("berth.dev", "v1alpha1", "WorkspaceTemplate", "workspacetemplates");

    /// <inheritdoc/>
    public static JsonTypeInfo<WorkspaceTemplate> JsonTypeInfo => BerthJson.Default.WorkspaceTemplate;

    /// <inheritdoc/>
    public string ApiVersion => Descriptor.ApiVersion;

    /// <inheritdoc/>
    public string Kind => Descriptor.Kind;

    /// <inheritdoc/>
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    /// <summary>The application.</summary>
    [Description("The application.")]
    [Required]
    public WorkspaceTemplateSpec Spec { get; init => field = value ?? new(); } = new();
}

/// <summary>What workspaces of a template are made from.</summary>
[UnconditionalSuppressMessage("Trimming", "IL2026", Justification = SchemaMetadata.Why)]
public sealed record WorkspaceTemplateSpec
{
    /// <summary>Port used when none is given.</summary>
    public const int DefaultPort = 8080;

    /// <summary>Seconds to end gracefully when none are given.</summary>
    public const int DefaultGraceSeconds = 30;

    /// <summary>Name for people; null: the name of the resource.</summary>
    [Description("Name for people.")]
    [StringLength(100)]
    public string? DisplayName { get; init; }

    /// <summary>A sentence for people who choose.</summary>
    [Description("A sentence for people who choose.")]
    [StringLength(1000)]
    public string? Description { get; init; }

    /// <summary>A picture: an emoji, or an https or data URL.</summary>
    [Description("A picture: an emoji, or an https or data URL.")]
    [StringLength(16384)]
    public string? Icon { get; init; }

    /// <summary>Container image.</summary>
    [Description("Container image. Pin it by tag or digest.")]
    [Required]
    [StringLength(512, MinimumLength = 1)]
    public string Image { get; init => field = value ?? ""; } = "";

    /// <summary>Always, IfNotPresent or Never; null: the operator's setting.</summary>
    [Description("When to pull the image. Absent: the operator's setting.")]
    [AllowedValues("Always", "IfNotPresent", "Never")]
    public string? ImagePullPolicy { get; init; }

    /// <summary>Entry point instead of the image's.</summary>
    [Description("Entry point instead of the image's. $(NAME) stands for a variable, as in a pod.")]
    [MaxLength(64)]
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Arguments instead of the image's.</summary>
    [Description("Arguments instead of the image's. $(NAME) stands for a variable, as in a pod.")]
    [MaxLength(64)]
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>Further variables; those that Berth sets (PORT, WORKSPACE_…) cannot be given.</summary>
    [Description("Further environment variables. $(NAME) stands for one that Berth sets: PORT, WORKSPACE_NAME, WORKSPACE_ROOT, "
        + "WORKSPACE_URL, "
        + "WORKSPACE_IDENTITY_ISSUER, WORKSPACE_IDENTITY_AUDIENCE, WORKSPACE_IDENTITY_JWKS, BERTH_PROXY_URL, BERTH_TOKEN_FILE; "
        + "those cannot be given here.")]
    [ListMap("name")]
    [MaxLength(64)]
    public IReadOnlyList<TemplateVariable>? Env { get; init; }

    /// <summary>
    /// Which variables of a workspace's owner the application gets; null: all but those of <see cref="Env"/> and of parameters.
    /// </summary>
    [Description("Which environment variables of a workspace's owner (spec.environment) the application gets. Absent: all but those that "
        + "the template sets itself.")]
    public TemplatePersonalVariables? PersonalVariables { get; init; }

    /// <summary>Port the application listens on; null: <see cref="DefaultPort"/>.</summary>
    [Description("Port that the application listens on; it is given as PORT and is the port named http.")]
    [Range(1024, 65535)]
    [SchemaDefault("8080")]
    public int? Port { get; init; }

    /// <summary>How to see that the application answers.</summary>
    [Description("How to see that the application answers. Absent: it is ready when its port accepts connections.")]
    public TemplateProbes? Probes { get; init; }

    /// <summary>CPU and memory.</summary>
    [Description("CPU and memory.")]
    public TemplateResources? Resources { get; init; }

    /// <summary>The volume.</summary>
    [Description("The volume.")]
    [SchemaDefault("{}")]
    public TemplateStorage? Storage { get; init; }

    /// <summary>User and file system of the container.</summary>
    [Description("User and file system of the container. What is not here is fixed: not root, no privilege escalation, no capabilities, "
        + "the runtime's seccomp profile, no service account token.")]
    public TemplateSecurity? SecurityContext { get; init; }

    /// <summary>What people can choose; each becomes an environment variable.</summary>
    [Description("What people can choose; each becomes an environment variable.")]
    [ListMap("name")]
    [MaxLength(64)]
    public IReadOnlyList<TemplateParameter>? Parameters { get; init; }

    /// <summary>Seconds that the application gets to end; null: <see cref="DefaultGraceSeconds"/>.</summary>
    [Description("Seconds that the application gets to end before it is killed.")]
    [Range(1, 600)]
    [SchemaDefault("30")]
    public int? TerminationGracePeriodSeconds { get; init; }

    /// <summary>Containers that run to their end before the application starts, in order: git clone, dotfiles.</summary>
    [Description("Containers that run to their end before the application starts, in order: git clone, dotfiles.")]
    [ListMap("name")]
    [MaxLength(8)]
    public IReadOnlyList<TemplateContainer>? InitContainers { get; init; }

    /// <summary>Containers that run beside the application.</summary>
    [Description("Containers that run beside the application.")]
    [ListMap("name")]
    [MaxLength(8)]
    public IReadOnlyList<TemplateContainer>? Sidecars { get; init; }

    /// <summary>Where pods may run.</summary>
    [Description("Where pods may run.")]
    public TemplateScheduling? Scheduling { get; init; }

    /// <summary>Secrets of the namespace with registry credentials.</summary>
    [Description("Secrets of the namespace that hold credentials of the registry.")]
    [ListMap("name")]
    [MaxLength(8)]
    public IReadOnlyList<SecretReference>? ImagePullSecrets { get; init; }

    /// <summary>ServiceAccount of the pods; its token is never mounted. Null: the namespace's default.</summary>
    [Description("ServiceAccount of the pods, for its pull secrets and admission rules; its token is never mounted. Absent: 'default'.")]
    [StringLength(253)]
    public string? ServiceAccountName { get; init; }

    /// <summary>What the pods may reach; null: <see cref="EgressModes.Internet"/>.</summary>
    [Description("What the pods may reach. Absent: public addresses.")]
    public TemplateEgress? Egress { get; init; }

    /// <summary>Connections of the edge that programs in the workspace may call; null: none.</summary>
    [Description("Connections of the edge whose APIs programs in the workspace may call in its owner's name, "
        + "with a token of the workspace's "
        + "own. Absent: none, and no token.")]
    [MaxLength(32)]
    public IReadOnlyList<string>? Connections { get; init; }

    /// <summary>How long workspaces may run.</summary>
    [Description("How long workspaces may run, unless they say otherwise.")]
    public TemplateLifetime? Lifetime { get; init; }

    /// <summary>How use is told from noise.</summary>
    [Description("How use of the application is told from noise.")]
    public TemplateActivity? Activity { get; init; }

    /// <summary>Pods that wait for people.</summary>
    [Description("Pods that wait for people, so that a first start takes no time.")]
    public TemplateWarmPool? WarmPool { get; init; }

    /// <summary>Template tried when pods of this one fail for reasons of the template.</summary>
    [Description("Template of the same namespace that is tried when this one fails again and again for a reason of its own, "
        + "such as an image that cannot be pulled.")]
    [StringLength(63, MinimumLength = 1)]
    [RegularExpression(@"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
    public string? FallbackTemplate { get; init; }

    /// <summary>People should no longer take it.</summary>
    [Description("Present: people should no longer take it.")]
    public TemplateRetirement? Retired { get; init; }
}

/// <summary>Names a Secret of the same namespace.</summary>
public sealed record SecretReference
{
    /// <summary>Its name.</summary>
    [Description("Name of the Secret.")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string Name { get; init => field = value ?? ""; } = "";
}

/// <summary>An environment variable.</summary>
public sealed record TemplateVariable
{
    /// <summary>Name.</summary>
    [Description("Name.")]
    [Required]
    [StringLength(128, MinimumLength = 1)]
    [RegularExpression("^[A-Za-z_][A-Za-z0-9_]*$")]
    public string Name { get; init => field = value ?? ""; } = "";

    /// <summary>Value.</summary>
    [Description("Value; $(NAME) stands for a variable set before it.")]
    [StringLength(4096)]
    public string? Value { get; init; }
}

/// <summary>Probes of the application.</summary>
public sealed record TemplateProbes
{
    /// <summary>People are let in while it succeeds.</summary>
    [Description("People are let in while it succeeds.")]
    public TemplateProbe? Readiness { get; init; }

    /// <summary>The application is ended and started anew when it fails; null: never.</summary>
    [Description("The application is ended and started anew when it fails. Absent: never.")]
    public TemplateProbe? Liveness { get; init; }
}

/// <summary>A probe of the application's port.</summary>
public sealed record TemplateProbe
{
    /// <summary>Path that answers 200 to 399; null: the port has to accept a connection.</summary>
    [Description("Path that has to answer 200 to 399. Absent: the port has to accept a connection.")]
    [StringLength(512)]
    [RegularExpression("^/.*$")]
    public string? Path { get; init; }

    /// <summary>Seconds before the first one. Default 0.</summary>
    [Description("Seconds before the first one. Default 0.")]
    [Range(0, 3600)]
    public int? InitialDelaySeconds { get; init; }

    /// <summary>Seconds between two. Default 2 for readiness, 10 for liveness.</summary>
    [Description("Seconds between two. Default 2 for readiness, 10 for liveness.")]
    [Range(1, 300)]
    public int? PeriodSeconds { get; init; }

    /// <summary>Seconds to wait for the answer. Default 2.</summary>
    [Description("Seconds to wait for the answer. Default 2.")]
    [Range(1, 60)]
    public int? TimeoutSeconds { get; init; }

    /// <summary>Failures in a row that count. Default 3 for readiness, 6 for liveness.</summary>
    [Description("Failures in a row that count. Default 3 for readiness, 6 for liveness.")]
    [Range(1, 100)]
    public int? FailureThreshold { get; init; }
}

/// <summary>CPU and memory of workspaces of a template.</summary>
public sealed record TemplateResources
{
    /// <summary>What a node must have free.</summary>
    [Description("What a node must have free.")]
    public ComputeResources? Requests { get; init; }

    /// <summary>The most they may use, unless a workspace says otherwise.</summary>
    [Description("The most that a workspace may use, unless it says otherwise.")]
    public ComputeResources? Limits { get; init; }

    /// <summary>The most that a workspace may wish for; null: wishes are not bounded by the template.</summary>
    [Description("The most that a workspace may wish for. What is absent is not bounded.")]
    public WorkspaceResources? Ceiling { get; init; }

    /// <summary>GPUs.</summary>
    [Description("GPUs, or other devices that a node hands out whole.")]
    public TemplateGpu? Gpu { get; init; }
}

/// <summary>CPU and memory; Kubernetes quantities.</summary>
public sealed record ComputeResources
{
    /// <summary>CPU, such as 500m.</summary>
    [Description("CPU, such as 500m.")]
    [StringLength(24)]
    [RegularExpression(QuantityPatterns.Positive)]
    public string? Cpu { get; init; }

    /// <summary>Memory, such as 1Gi.</summary>
    [Description("Memory, such as 1Gi.")]
    [StringLength(24)]
    [RegularExpression(QuantityPatterns.Positive)]
    public string? Memory { get; init; }
}

/// <summary>The volume of workspaces of a template.</summary>
public sealed record TemplateStorage
{
    /// <summary>Size when none is given.</summary>
    public const string DefaultSize = "5Gi";

    /// <summary>Mount path when none is given.</summary>
    public const string DefaultMountPath = "/workspace";

    /// <summary>Size, unless a workspace says otherwise; null: <see cref="DefaultSize"/>.</summary>
    [Description("Size, unless a workspace says otherwise.")]
    [StringLength(24)]
    [RegularExpression(QuantityPatterns.Positive)]
    [SchemaDefault("\"5Gi\"")]
    public string? Size { get; init; }

    /// <summary>Storage class; null: the cluster's default.</summary>
    [Description("Storage class. Absent: the cluster's default.")]
    [StringLength(253)]
    public string? StorageClassName { get; init; }

    /// <summary>Where the volume is mounted; given as WORKSPACE_ROOT; null: <see cref="DefaultMountPath"/>.</summary>
    [Description("Where the volume is mounted; given as WORKSPACE_ROOT.")]
    [StringLength(256)]
    [RegularExpression("^/[A-Za-z0-9._/-]+$")]
    [SchemaDefault("\"/workspace\"")]
    public string? MountPath { get; init; }
}

/// <summary>User and file system of the container.</summary>
public sealed record TemplateSecurity
{
    /// <summary>User and group id when none are given.</summary>
    public const long DefaultId = 1000;

    /// <summary>User id; null: <see cref="DefaultId"/>. Never root.</summary>
    [Description("User id. Never root. Default 1000.")]
    [Range(1, 2147483647)]
    public long? RunAsUser { get; init; }

    /// <summary>Group id; null: the user id.</summary>
    [Description("Group id. Default: the user id.")]
    [Range(1, 2147483647)]
    public long? RunAsGroup { get; init; }

    /// <summary>Group of the volume's files; null: the group id.</summary>
    [Description("Group of the volume's files. Default: the group id.")]
    [Range(1, 2147483647)]
    public long? FsGroup { get; init; }

    /// <summary>
    /// The image's files cannot be written; /tmp is an empty directory. Default false: many images write beside their programs.
    /// </summary>
    [Description("The image's files cannot be written; /tmp can. Default false.")]
    public bool? ReadOnlyRootFilesystem { get; init; }
}

/// <summary>Something people can choose.</summary>
[CelRule("self.type != 'enum' || (has(self.values) && size(self.values) > 0)", "a parameter of type enum lists its values")]
[CelRule("self.type == 'enum' || !has(self.values)", "only a parameter of type enum lists values")]
[CelRule("has(self.env) || has(self.file)", "a parameter names the variable (env) or the file that carries it")]
[CelRule("self.type == 'int' || (!has(self.minimum) && !has(self.maximum))", "minimum and maximum are for parameters of type int")]
[CelRule("self.type == 'string' || !has(self.pattern)", "a pattern is for parameters of type string")]
[CelRule("!has(self.minimum) || !has(self.maximum) || self.minimum <= self.maximum", "minimum is at most maximum")]
[UnconditionalSuppressMessage("Trimming", "IL2026", Justification = SchemaMetadata.Why)]
public sealed record TemplateParameter
{
    /// <summary>Name used in <c>spec.parameters</c> of workspaces.</summary>
    [Description("Name that workspaces use in spec.parameters.")]
    [Required]
    [StringLength(63, MinimumLength = 1)]
    [RegularExpression("^[A-Za-z][A-Za-z0-9_.-]*$")]
    public string Name { get; init => field = value ?? ""; } = "";

    /// <summary>Name for people; null: <see cref="Name"/>.</summary>
    [Description("Name for people.")]
    [StringLength(100)]
    public string? DisplayName { get; init; }

    /// <summary>A sentence for people who choose.</summary>
    [Description("A sentence for people who choose.")]
    [StringLength(1000)]
    public string? Description { get; init; }

    /// <summary>One of <see cref="ParameterTypes"/>. Default string.</summary>
    [Description("Type of the value. Default string.")]
    [AllowedValues(ParameterTypes.Text, ParameterTypes.Number, ParameterTypes.Flag, ParameterTypes.Choice)]
    [SchemaDefault("\"string\"")]
    public string Type { get; init => field = string.IsNullOrEmpty(value) ? ParameterTypes.Text : value; } = ParameterTypes.Text;

    /// <summary>Environment variable that carries it; null where <see cref="File"/> does.</summary>
    [Description("Environment variable that carries the value.")]
    [StringLength(128, MinimumLength = 1)]
    [RegularExpression("^[A-Za-z_][A-Za-z0-9_]*$")]
    public string? Env { get; init; }

    /// <summary>Name of a file below WORKSPACE_PARAMETERS that carries it.</summary>
    [Description("Name of a file that carries the value, in the folder that WORKSPACE_PARAMETERS names.")]
    [StringLength(63, MinimumLength = 1)]
    [RegularExpression("^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$")]
    public string? File { get; init; }

    /// <summary>Value of workspaces that give none; null and not required: the variable is not set.</summary>
    [Description("Value for workspaces that give none. Absent and not required: the variable is not set.")]
    [StringLength(256)]
    public string? Default { get; init; }

    /// <summary>A workspace has to give it where there is no default. Default false.</summary>
    [Description("A workspace has to give it when there is no default. Default false.")]
    public bool? Required { get; init; }

    /// <summary>Regular expression for the whole value of a string.</summary>
    [Description("Regular expression that the whole value of a string has to match.")]
    [StringLength(512)]
    public string? Pattern { get; init; }

    /// <summary>Least value of an int.</summary>
    [Description("Least value of an int.")]
    public long? Minimum { get; init; }

    /// <summary>Greatest value of an int.</summary>
    [Description("Greatest value of an int.")]
    public long? Maximum { get; init; }

    /// <summary>Values of an enum.</summary>
    [Description("Values of an enum.")]
    [MaxLength(64)]
    public IReadOnlyList<string>? Values { get; init; }
}
