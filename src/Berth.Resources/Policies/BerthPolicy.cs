using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;
using Kube.Client;
using Kube.Client.Models;
using Kube.Client.Schema;

namespace Berth.Resources;

/// <summary>
/// berth.dev/v1alpha1 BerthPolicy: what an installation allows and what it costs. Cluster-wide; the one named <see cref="DefaultName"/>
/// counts.
/// </summary>
[Description("What an installation allows and what it costs. The one named 'default' counts.")]
[ResourceNames(ShortNames = ["bp"], Categories = ["berth"])]
[PrinterColumn("Idle", "integer", ".spec.lifetime.idleTimeoutSeconds")]
[PrinterColumn("Age", "date", ".metadata.creationTimestamp")]
public sealed record BerthPolicy : IKubeResource<BerthPolicy>
{
    /// <summary>Name of the policy that counts.</summary>
    public const string DefaultName = "default";

    /// <inheritdoc/>
    public static ResourceDescriptor Descriptor { get; } = new("berth.dev", "v1alpha1", "BerthPolicy", "berthpolicies", Namespaced: false);

    /// <inheritdoc/>
    public static JsonTypeInfo<BerthPolicy> JsonTypeInfo => BerthJson.Default.BerthPolicy;

    /// <inheritdoc/>
    public string ApiVersion => Descriptor.ApiVersion;

    /// <inheritdoc/>
    public string Kind => Descriptor.Kind;

    /// <inheritdoc/>
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    /// <summary>The policy.</summary>
    [Description("The policy.")]
    [Required]
    public BerthPolicySpec Spec { get; init => field = value ?? new(); } = new();
}

/// <summary>What an installation allows and what it costs. What is absent is not bounded.</summary>
[UnconditionalSuppressMessage("Trimming", "IL2026", Justification = SchemaMetadata.Why)]
public sealed record BerthPolicySpec
{
    /// <summary>How long workspaces run that do not say otherwise, and the most they may say.</summary>
    [Description("How long workspaces run that do not say otherwise, and the most they may say.")]
    public PolicyLifetime? Lifetime { get; init; }

    /// <summary>Ceilings for each person.</summary>
    [Description("Ceilings for each person, over all namespaces.")]
    public PolicyCeilings? PerPerson { get; init; }

    /// <summary>Ceilings for each namespace that <see cref="Namespaces"/> does not name.</summary>
    [Description("Ceilings for each namespace that 'namespaces' does not name.")]
    public PolicyCeilings? PerNamespace { get; init; }

    /// <summary>Ceilings and budgets of single namespaces.</summary>
    [Description("Ceilings and budgets of single namespaces.")]
    [ListMap("name")]
    [MaxLength(256)]
    public IReadOnlyList<PolicyNamespace>? Namespaces { get; init; }

    /// <summary>What is kept of volumes, and for how long.</summary>
    [Description("What is kept of volumes, and for how long.")]
    public PolicyStorage? Storage { get; init; }

    /// <summary>What things cost.</summary>
    [Description("What things cost.")]
    public PolicyPrices? Prices { get; init; }

    /// <summary>Monthly budgets; reaching one is an event, not a stop.</summary>
    [Description("Monthly budgets. Reaching one is told by an event and a metric; nothing is stopped.")]
    public PolicyBudgets? Budgets { get; init; }
}

/// <summary>Life times; in seconds.</summary>
public sealed record PolicyLifetime
{
    /// <summary>Idle time-out where neither workspace nor template says one; 0 never. Default 1800, as most products have.</summary>
    [Description("Stop after this many seconds without use where neither workspace nor template says otherwise; 0 never. Default 1800.")]
    [Range(0, 604800)]
    public long? IdleTimeoutSeconds { get; init; }

    /// <summary>The longest idle time-out that workspaces and templates may have; null: not bounded, and 0 (never) is allowed.</summary>
    [Description("The longest idle time-out that a workspace may wish for; with it, never is not allowed. Absent: not bounded.")]
    [Range(60, 604800)]
    public long? MaxIdleTimeoutSeconds { get; init; }

    /// <summary>Longest run where neither says one; 0 never. Default 0.</summary>
    [Description("Stop after this many seconds in any case where neither says otherwise; 0 never. Default 0.")]
    [Range(0, 2592000)]
    public long? MaxRunSeconds { get; init; }

    /// <summary>How long before a stop it is announced. Default 300.</summary>
    [Description("How many seconds before a stop it is announced, so that people can object. Default 300; at most a sixth of a day.")]
    [Range(10, 14400)]
    public long? WarnBeforeSeconds { get; init; }

    /// <summary>The most that a hold may keep a workspace from its start. Default 86400.</summary>
    [Description("The most seconds from its start that holds can keep a workspace running. Default 86400 (a day).")]
    [Range(60, 2592000)]
    public long? MaxHoldSeconds { get; init; }
}

/// <summary>Ceilings; what is absent is not bounded.</summary>
public record PolicyCeilings
{
    /// <summary>Workspaces, running or not.</summary>
    [Description("Workspaces, running or not.")]
    [Range(0, 1000000)]
    public int? Workspaces { get; init; }

    /// <summary>Workspaces that run at a time.</summary>
    [Description("Workspaces that run at a time; who comes later waits in a queue.")]
    [Range(0, 1000000)]
    public int? Running { get; init; }

    /// <summary>CPU limits of running workspaces together.</summary>
    [Description("CPU limits of running workspaces together.")]
    [StringLength(24)]
    [RegularExpression(QuantityPatterns.Positive)]
    public string? Cpu { get; init; }

    /// <summary>Memory limits of running workspaces together.</summary>
    [Description("Memory limits of running workspaces together.")]
    [StringLength(24)]
    [RegularExpression(QuantityPatterns.Positive)]
    public string? Memory { get; init; }

    /// <summary>Volumes together, of running and stopped workspaces.</summary>
    [Description("Volumes together, of running and stopped workspaces.")]
    [StringLength(24)]
    [RegularExpression(QuantityPatterns.Positive)]
    public string? Storage { get; init; }

    /// <summary>GPUs of running workspaces together.</summary>
    [Description("GPUs of running workspaces together.")]
    [Range(0, 100000)]
    public int? Gpu { get; init; }
}

/// <summary>Ceilings and budget of one namespace.</summary>
public sealed record PolicyNamespace : PolicyCeilings
{
    /// <summary>Its name.</summary>
    [Description("Name of the namespace.")]
    [Required]
    [StringLength(63, MinimumLength = 1)]
    public string Name { get; init => field = value ?? ""; } = "";

    /// <summary>Monthly budget, in the currency of the prices.</summary>
    [Description("Monthly budget, in the currency of the prices.")]
    [StringLength(24)]
    [RegularExpression(PolicyPrices.AmountPattern)]
    public string? MonthlyBudget { get; init; }
}

/// <summary>What is kept of volumes.</summary>
public sealed record PolicyStorage
{
    /// <summary>
    /// How long a retained volume is kept after its workspace was deleted; 0 for ever. Default 0: data is not deleted unless somebody
    /// says so.
    /// </summary>
    [Description("Seconds that a retained volume is kept after its workspace was deleted: the undelete window. 0 means for ever. "
        + "Default 0.")]
    [Range(0, 315360000)]
    public long? UndeleteSeconds { get; init; }

    /// <summary>Schedule of backups where a workspace says none.</summary>
    [Description("Schedule of backups where a workspace says none: a cron expression with five fields, in UTC. Absent: none.")]
    [StringLength(100)]
    public string? BackupSchedule { get; init; }

    /// <summary>How many backups are kept of a volume. Default 3.</summary>
    [Description("How many backups are kept of a volume where a workspace says nothing. Default 3.")]
    [Range(1, 100)]
    public int? BackupKeep { get; init; }

    /// <summary>A backup is made before a volume is deleted. Default false.</summary>
    [Description("A backup is made before a volume is deleted where a workspace says nothing. Default false.")]
    public bool? BackupBeforeDelete { get; init; }
}

/// <summary>What things cost; amounts as decimal numbers.</summary>
public sealed record PolicyPrices
{
    internal const string AmountPattern = @"^[0-9]{1,12}(\.[0-9]{1,6})?$";

    /// <summary>Currency, for display. Default USD.</summary>
    [Description("Currency, for display. Default USD.")]
    [StringLength(16)]
    public string? Currency { get; init; }

    /// <summary>One core for an hour.</summary>
    [Description("One core for an hour.")]
    [StringLength(24)]
    [RegularExpression(AmountPattern)]
    public string? CpuHour { get; init; }

    /// <summary>One GiB of memory for an hour.</summary>
    [Description("One GiB of memory for an hour.")]
    [StringLength(24)]
    [RegularExpression(AmountPattern)]
    public string? MemoryGiBHour { get; init; }

    /// <summary>One GPU for an hour.</summary>
    [Description("One GPU for an hour.")]
    [StringLength(24)]
    [RegularExpression(AmountPattern)]
    public string? GpuHour { get; init; }

    /// <summary>One GiB of storage for 30 days.</summary>
    [Description("One GiB of storage for 30 days.")]
    [StringLength(24)]
    [RegularExpression(AmountPattern)]
    public string? StorageGiBMonth { get; init; }
}

/// <summary>Monthly budgets, in the currency of the prices.</summary>
public sealed record PolicyBudgets
{
    /// <summary>For each person.</summary>
    [Description("For each person, over all namespaces.")]
    [StringLength(24)]
    [RegularExpression(PolicyPrices.AmountPattern)]
    public string? PerPerson { get; init; }

    /// <summary>For each namespace that has none of its own.</summary>
    [Description("For each namespace that has none of its own.")]
    [StringLength(24)]
    [RegularExpression(PolicyPrices.AmountPattern)]
    public string? PerNamespace { get; init; }
}
