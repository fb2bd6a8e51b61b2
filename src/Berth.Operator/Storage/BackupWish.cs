using Berth.Resources;

namespace Berth.Operator;

/// <summary>What a workspace, or the policy in its stead, says about backups.</summary>
internal sealed record BackupWish
{
    internal const int DefaultKeep = 3;

    public CronSchedule? Schedule { get; init; }

    /// <summary>Why there is no schedule although one was written; null otherwise.</summary>
    public string? Problem { get; init; }

    public int Keep { get; init; } = DefaultKeep;

    public bool BeforeDelete { get; init; }

    public DateTimeOffset? RequestedAt { get; init; }

    internal static BackupWish Of(Observation seen)
    {
        var own = seen.Workspace.Spec.Storage?.Backup;
        var policy = seen.Policy.Spec.Storage;
        var text = own?.Schedule ?? policy?.BackupSchedule;
        var (schedule, problem) = string.IsNullOrWhiteSpace(text) ? (null, null) : CronSchedule.Parse(text);
        return new BackupWish
        {
            Schedule = schedule,
            Problem = problem,
            Keep = own?.Keep ?? policy?.BackupKeep ?? DefaultKeep,
            BeforeDelete = own?.BeforeDelete ?? policy?.BackupBeforeDelete ?? false,
            RequestedAt = own?.RequestedAt,
        };
    }
}
