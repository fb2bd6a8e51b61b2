using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Kube.Client.Schema;

namespace Berth.Resources;

/// <summary>Somebody or something that keeps a workspace running for a while: a person's "keep", a build, an agent.</summary>
public sealed record WorkspaceHold
{
    /// <summary>Name, unique in the workspace.</summary>
    [Description("Name, unique in the workspace, such as build-17.")]
    [Required]
    [StringLength(63, MinimumLength = 1)]
    [RegularExpression("^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")]
    public string Name { get; init => field = value ?? ""; } = "";

    /// <summary>When it ends, at the policy's ceiling at the latest.</summary>
    [Description("When it ends; at the policy's ceiling at the latest, counted from the start.")]
    [Required]
    public DateTimeOffset Until { get; init; }

    /// <summary>What for, in words.</summary>
    [Description("What for, in words.")]
    [StringLength(256)]
    public string? Reason { get; init; }
}

/// <summary>What an administrator decided about a workspace. Only administrators may write it.</summary>
public sealed record WorkspaceAdministration
{
    /// <summary>Another time than the last one served: the pod is ended at once, without its grace period, and stays down.</summary>
    [Description("Force a stop: another time than the one served last ends the pod at once, without its grace period.")]
    public DateTimeOffset? ForceStopAt { get; init; }

    /// <summary>It is stopped and cannot be started; nothing of it is lost. Default false.</summary>
    [Description("Frozen: it is stopped, and nobody can start it. Nothing of it is lost.")]
    public bool? Frozen { get; init; }

    /// <summary>Its volume, backups and resource are kept whatever anybody deletes. Default false.</summary>
    [Description("Legal hold: volume and backups are kept, whatever is deleted and whatever the policies say.")]
    public bool? LegalHold { get; init; }

    /// <summary>Who decided.</summary>
    [Description("Who decided.")]
    [StringLength(256)]
    public string? By { get; init; }

    /// <summary>Why, in words; shown to the owner.</summary>
    [Description("Why, in words; the owner sees it.")]
    [StringLength(512)]
    public string? Reason { get; init; }
}

/// <summary>Backups of a workspace's volume.</summary>
public sealed record WorkspaceBackup
{
    /// <summary>When, as a cron expression of five fields in UTC; null: the policy's, or none.</summary>
    [Description("When, as a cron expression with five fields, in UTC, such as '0 3 * * *'. Absent: the policy's, or never.")]
    [StringLength(100)]
    public string? Schedule { get; init; }

    /// <summary>How many are kept; null: the policy's.</summary>
    [Description("How many are kept; the oldest goes first. Absent: the policy's.")]
    [Range(1, 100)]
    public int? Keep { get; init; }

    /// <summary>One is made before the volume is deleted; null: the policy's.</summary>
    [Description("One is made before the volume is deleted. Absent: the policy's.")]
    public bool? BeforeDelete { get; init; }

    /// <summary>Another value than the one served last makes one now.</summary>
    [Description("Another time than the one served last makes one now.")]
    public DateTimeOffset? RequestedAt { get; init; }
}

/// <summary>A wish to have a volume's earlier content back.</summary>
public sealed record WorkspaceRestore
{
    /// <summary>Name of the backup, as in <c>status.storage.backups</c>.</summary>
    [Description("Name of the backup, as in status.storage.backups.")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string Backup { get; init => field = value ?? ""; } = "";

    /// <summary>When it was asked for; another time asks again.</summary>
    [Description("When it was asked for; another time asks again. The workspace is stopped for it and started afterwards.")]
    public DateTimeOffset? RequestedAt { get; init; }
}
