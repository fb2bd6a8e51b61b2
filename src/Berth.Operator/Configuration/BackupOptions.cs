namespace Berth.Operator;

/// <summary>Backups and restores: section <c>Berth:Operator:Backup</c>.</summary>
public sealed record BackupOptions
{
    /// <summary>How backups are made. Default Auto: snapshots where there are any, else archives where there is a place for them.</summary>
    public BackupMode Mode { get; init; }

    /// <summary>The operator's own image, which holds the archive command. Default berth-operator:dev.</summary>
    public string Image { get; init; } = "berth-operator:dev";

    /// <summary>Claim for archives, in each namespace of workspaces. Default: none.</summary>
    public string Claim { get; init; } = "";

    /// <summary>Class of snapshots. Default: empty, one of the claim's own driver.</summary>
    public string SnapshotClass { get; init; } = "";

    /// <summary>The most seconds that a backup or restore may take. Default 21600 (6 hours).</summary>
    public int DeadlineSeconds { get; init; } = 21600;

    /// <summary>CPU limit of a Job. Default 1.</summary>
    public string Cpu { get; init; } = "1";

    /// <summary>Memory limit of a Job. Default 512Mi.</summary>
    public string Memory { get; init; } = "512Mi";

    /// <summary>URL of an S3-compatible object store for archives. Default: none.</summary>
    public string S3Endpoint { get; init; } = "";

    /// <summary>Its bucket.</summary>
    public string S3Bucket { get; init; } = "";

    /// <summary>Its region. Default us-east-1.</summary>
    public string S3Region { get; init; } = "us-east-1";

    /// <summary>What stands before all keys. Default: nothing.</summary>
    public string S3Prefix { get; init; } = "";

    /// <summary>
    /// Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in each namespace of workspaces. Default berth-backup.
    /// </summary>
    public string S3Secret { get; init; } = "berth-backup";

    /// <summary>Networks (CIDR, separated by commas) in which the store is. Default: any, on the endpoint's port.</summary>
    public string S3Networks { get; init; } = "";
}
