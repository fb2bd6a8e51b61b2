using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using Kube.Client.Schema;

namespace Berth.Resources;

/// <summary>What a workspace should be.</summary>
[UnconditionalSuppressMessage("Trimming", "IL2026", Justification = SchemaMetadata.Why)]
public sealed record UserWorkspaceSpec
{
    /// <summary>Whose it is; never changes.</summary>
    [Description("Whose workspace it is. Issuer and subject never change; e-mail address and name are for display.")]
    [Required]
    [CelRule("self.issuer == oldSelf.issuer && self.subject == oldSelf.subject",
        "the owner of a workspace cannot change: create a workspace for the other person and move the files")]
    public WorkspaceOwner Owner { get; init => field = value ?? new(); } = new();

    /// <summary>What it is made from.</summary>
    [Description("The template it is made from, in the same namespace. A change takes effect at the next start.")]
    [Required]
    public TemplateReference Template { get; init => field = value ?? new(); } = new();

    /// <summary>Values for the template's parameters, by name. A change takes effect at the next start.</summary>
    [Description("Values for the template's parameters, by name; at most 64. A change takes effect at the next start.")]
    [MaxLength(64)]
    [CelRule("self.all(k, size(k) > 0 && size(k) <= 63)", "the name of a parameter has 1 to 63 characters")]
    [CelRule("self.all(k, size(self[k]) <= 256)", "the value of a parameter has at most 256 characters")]
    public IReadOnlyDictionary<string, string>? Parameters { get; init; }

    /// <summary>Environment variables of the owner for the application. A change takes effect at the next start.</summary>
    /// <remarks>
    /// A list and not a map, as in a pod: so every API server can check the names, also those that know no CEL, and CEL rules on the keys
    /// of a map would cost more than an API server allows.
    /// </remarks>
    [Description("Environment variables of the owner for the application, at most 64 and 32 KiB. The edge writes them from the owner's "
        + "preferences. Those that the template sets, or does not take (personalVariables), are left out. A change takes effect at the "
        + "next start. No place for secrets.")]
    [ListMap("name")]
    [MaxLength(EnvironmentRules.MaximumVariables)]
    public IReadOnlyList<WorkspaceVariable>? Environment { get; init; }

    /// <summary>One of <see cref="DesiredStates"/>. Default Running.</summary>
    [Description("Running: a pod should run. Stopped: the pod is ended and the volume is kept.")]
    [AllowedValues(DesiredStates.Running, DesiredStates.Stopped)]
    [SchemaDefault("\"Running\"")]
    public string DesiredState
    {
        get; init =>
        field = string.IsNullOrEmpty(value) ? DesiredStates.Running : value;
    } = DesiredStates.Running;

    /// <summary>Who asked last for a start or a stop, and why.</summary>
    [Description("Who asked last for a start or a stop, why and when. Whoever writes desiredState writes it.")]
    public WorkspaceRequest? LastRequest { get; init; }

    /// <summary>Wishes within the template's ceiling; null takes the template's defaults.</summary>
    [Description("CPU, memory and storage wished for, within the template's ceiling. Absent: the template's defaults.")]
    public WorkspaceResources? Resources { get; init; }

    /// <summary>How long it may run.</summary>
    [Description("How long it may run.")]
    public WorkspaceLifetime? Lifetime { get; init; }

    /// <summary>What becomes of the volume.</summary>
    [Description("What becomes of the volume.")]
    [SchemaDefault("{}")]
    public WorkspaceStorage? Storage { get; init; }

    /// <summary>A pod that fails is kept for a look at it, and no other is made until the next wish. Default false.</summary>
    [Description("A pod that fails is kept, so that one can look at it, and no other is made until somebody stops, "
        + "restarts or unsets this.")]
    public bool? Debug { get; init; }

    /// <summary>What an administrator decided.</summary>
    [Description("What an administrator decided. Only administrators may write it.")]
    public WorkspaceAdministration? Administration { get; init; }

    /// <summary>Other people who may use it; one entry per subject.</summary>
    [Description("Other people who may use it; one entry per subject, at most 32.")]
    [ListMap("subject")]
    [MaxLength(32)]
    public IReadOnlyList<WorkspaceSharing>? Sharing { get; init; }
}

/// <summary>A person, as an OpenID Provider knows them. Identity is issuer and subject; the rest is for display.</summary>
public sealed record WorkspaceOwner
{
    /// <summary>Issuer identifier, exactly as the provider states it.</summary>
    [Description("Issuer identifier of the person's OpenID Provider, exactly as the provider states it.")]
    [Required]
    [StringLength(512, MinimumLength = 1)]
    public string Issuer { get; init => field = value ?? ""; } = "";

    /// <summary>Subject at that issuer.</summary>
    [Description("Subject of the person at that provider.")]
    [Required]
    [StringLength(255, MinimumLength = 1)]
    public string Subject { get; init => field = value ?? ""; } = "";

    /// <summary>E-mail address, verified or not; display only.</summary>
    [Description("E-mail address, verified or not: for display, never for decisions.")]
    [StringLength(320)]
    public string? Email { get; init; }

    /// <summary>Name; display only.</summary>
    [Description("Name, for display.")]
    [StringLength(256)]
    public string? Name { get; init; }
}

/// <summary>Names a template of the same namespace.</summary>
public sealed record TemplateReference
{
    /// <summary>metadata.name of the WorkspaceTemplate.</summary>
    [Description("Name of a WorkspaceTemplate in the same namespace.")]
    [Required]
    [StringLength(63, MinimumLength = 1)]
    [RegularExpression(@"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
    public string Name { get; init => field = value ?? ""; } = "";
}

/// <summary>Who asked for a start or a stop.</summary>
public sealed record WorkspaceRequest
{
    /// <summary>One of <see cref="Berth.Resources.RequestedBy"/>.</summary>
    [Description("Who asked: user, edge (somebody came), operator (a rule) or admin.")]
    [AllowedValues(RequestedBy.User, RequestedBy.Edge, RequestedBy.Operator, RequestedBy.Admin)]
    public string? By { get; init; }

    /// <summary>A CamelCase word, such as those of <see cref="RequestReasons"/>.</summary>
    [Description("Why, as a CamelCase word: Manual, Visit, Idle, Policy, Quota.")]
    [StringLength(64)]
    [RegularExpression("^[A-Z][A-Za-z0-9]*$")]
    public string? Reason { get; init; }

    /// <summary>When.</summary>
    [Description("When.")]
    public DateTimeOffset? At { get; init; }
}

/// <summary>Wishes for resources; Kubernetes quantities.</summary>
public sealed record WorkspaceResources
{
    /// <summary>Most CPU, such as 500m or 2.</summary>
    [Description("Most CPU it may use, such as 500m or 2.")]
    [StringLength(24)]
    [RegularExpression(QuantityPatterns.Positive)]
    public string? Cpu { get; init; }

    /// <summary>Most memory, such as 4Gi.</summary>
    [Description("Most memory it may use, such as 4Gi. A program that needs more is ended.")]
    [StringLength(24)]
    [RegularExpression(QuantityPatterns.Positive)]
    public string? Memory { get; init; }

    /// <summary>Size of the volume, such as 20Gi; may grow where the storage class allows it, never shrink.</summary>
    [Description("Size of the volume, such as 20Gi. It may grow where the storage class allows it and never shrinks.")]
    [StringLength(24)]
    [RegularExpression(QuantityPatterns.Positive)]
    public string? Storage { get; init; }

    /// <summary>GPUs, within the template's ceiling.</summary>
    [Description("GPUs, within the template's ceiling.")]
    [Range(0, 64)]
    public int? Gpu { get; init; }
}

/// <summary>How long a workspace may run; times in seconds.</summary>
[UnconditionalSuppressMessage("Trimming", "IL2026", Justification = SchemaMetadata.Why)]
public sealed record WorkspaceLifetime
{
    /// <summary>Stop after this time without use; 0 never. 60 to 604800 (a week). Null: the installation's default.</summary>
    [Description("Stop after this many seconds without use; 0 means never, else 60 to 604800 (a week). Absent: the installation's "
        + "default.")]
    [Range(0, 604800)]
    [CelRule("self == 0 || self >= 60", "idleTimeoutSeconds is 0 (never) or at least 60")]
    public long? IdleTimeoutSeconds { get; init; }

    /// <summary>Stop after this time in any case; 0 never. 300 to 2592000 (30 days).</summary>
    [Description("Stop after this many seconds in any case; 0 means never, else 300 to 2592000 (30 days). Absent: the installation's "
        + "default.")]
    [Range(0, 2592000)]
    [CelRule("self == 0 || self >= 300", "maxRunSeconds is 0 (never) or at least 300")]
    public long? MaxRunSeconds { get; init; }

    /// <summary>Not stopped for lack of use before this time.</summary>
    [Description("Not stopped for lack of use before this time.")]
    public DateTimeOffset? KeepUntil { get; init; }

    /// <summary>What else keeps it running for a while.</summary>
    [Description("What else keeps it running for a while: builds, agents. At most 16.")]
    [ListMap("name")]
    [MaxLength(16)]
    public IReadOnlyList<WorkspaceHold>? Holds { get; init; }
}

/// <summary>What becomes of the volume.</summary>
public sealed record WorkspaceStorage
{
    /// <summary>One of <see cref="DeletionPolicies"/>. Default Retain.</summary>
    [Description("What becomes of the volume when the workspace is deleted. Retain: it is kept and found again by the same owner. "
        + "Delete: it goes too.")]
    [AllowedValues(DeletionPolicies.Retain, DeletionPolicies.Delete)]
    [SchemaDefault("\"Retain\"")]
    public string DeletionPolicy
    {
        get; init =>
        field = string.IsNullOrEmpty(value) ? DeletionPolicies.Retain : value;
    } = DeletionPolicies.Retain;

    /// <summary>Backups of the volume.</summary>
    [Description("Backups of the volume.")]
    public WorkspaceBackup? Backup { get; init; }

    /// <summary>A wish to have earlier content back.</summary>
    [Description("A wish to have earlier content back: the workspace is stopped, its volume restored and compared, and started again.")]
    public WorkspaceRestore? Restore { get; init; }
}

/// <summary>Another person who may use the workspace.</summary>
public sealed record WorkspaceSharing
{
    /// <summary>The person's subject.</summary>
    [Description("Subject of the person.")]
    [Required]
    [StringLength(255, MinimumLength = 1)]
    public string Subject { get; init => field = value ?? ""; } = "";

    /// <summary>The person's issuer; null means the owner's issuer, never "any".</summary>
    [Description("Issuer of the person's identity. Absent: the owner's issuer.")]
    [StringLength(512)]
    public string? Issuer { get; init; }

    /// <summary>What they may do: handed to the application in the identity header.</summary>
    [Description("What they may do, as the application understands it: view or use. Handed to it in the identity header.")]
    [Required]
    [AllowedValues("view", "use")]
    public string Role { get; init => field = value ?? ""; } = "";

    /// <summary>When the share ends; null for no end.</summary>
    [Description("When the share ends. Absent: it does not.")]
    public DateTimeOffset? Until { get; init; }
}
