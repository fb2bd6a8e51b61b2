namespace Berth.Operator;

/// <summary>How backups are made.</summary>
public enum BackupMode
{
    /// <summary>Snapshots where the claim's driver can make them, else archives where there is a place for them; the default.</summary>
    Auto,

    /// <summary>Snapshots only.</summary>
    Snapshot,

    /// <summary>Archives only.</summary>
    Archive,

    /// <summary>None: neither made nor restored.</summary>
    Off,
}

/// <summary>Backups and restores, as an installation wants them.</summary>
public sealed record BackupSettings
{
    /// <summary>How they are made. Default Auto.</summary>
    public BackupMode Mode { get; init; }

    /// <summary>The operator's own image, which holds the archive command. Default berth-operator:dev.</summary>
    public string Image { get; init; } = "berth-operator:dev";

    /// <summary>Its pull policy; null: the cluster's rule.</summary>
    public string? ImagePullPolicy { get; init; }

    /// <summary>Claim that holds archives, in each namespace of workspaces; null: none.</summary>
    public string? Claim { get; init; }

    /// <summary>Object store that holds archives; null: none.</summary>
    public ObjectStoreSettings? ObjectStore { get; init; }

    /// <summary>Class of snapshots; null: one of the claim's own driver.</summary>
    public string? SnapshotClass { get; init; }

    /// <summary>The most that one backup or restore may take. Default 6 hours: a terabyte at 50 MB/s.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromHours(6);

    /// <summary>CPU limit of a Job. Default 1: compressing uses one core.</summary>
    public string Cpu { get; init; } = "1";

    /// <summary>Memory limit of a Job. Default 512Mi: a part of an upload and the tables of hard links and folders.</summary>
    public string Memory { get; init; } = "512Mi";

    /// <summary>Archives have a place.</summary>
    internal bool HasArchives => Claim is not null || ObjectStore is not null;
}

/// <summary>An S3-compatible object store.</summary>
public sealed record ObjectStoreSettings
{
    /// <summary>http or https URL, without the bucket.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>Bucket.</summary>
    public required string Bucket { get; init; }

    /// <summary>Region. Default us-east-1.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>What stands before all keys; empty: nothing.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in each namespace of workspaces.</summary>
    public required string Secret { get; init; }

    /// <summary>Networks (CIDR) in which the endpoint is, for the network policy of Jobs. Empty: any, on the endpoint's port.</summary>
    public IReadOnlyList<string> Networks { get; init; } = [];
}
