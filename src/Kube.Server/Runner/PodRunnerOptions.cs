namespace Kube.Server.Runner;

/// <summary>How pods are run as processes of this machine.</summary>
public sealed record PodRunnerOptions
{
    /// <summary>
    /// The image catalogue: a YAML file that maps image names to <c>command</c>, <c>args</c>, <c>workingDirectory</c> and <c>env</c>.
    /// Read again when it changes. Null: no image can be run.
    /// </summary>
    public string? ImageCatalog { get; init; }

    /// <summary>Folder of volumes, logs and run state. Null (the default): the server's data folder.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>Name of the node that the runner registers. Default <c>local</c>.</summary>
    public string NodeName { get; init; } = "local";

    /// <summary>
    /// PATH of the containers' processes. Null (the default): the host's own, because that is where the catalogue's programs are found.
    /// </summary>
    public string? SearchPath { get; init; }

    /// <summary>First delay after a container failed again. Default 10 s, a kubelet's.</summary>
    public TimeSpan BackoffBase { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Largest delay between restarts; also for images. Default 5 min, a kubelet's.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A container that ran this long since its last restart begins again without delay. Default 10 min, a kubelet's.</summary>
    public TimeSpan BackoffReset { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Between attempts to mount a volume or to find a config map that was missing. Default 2 s: on one machine asking costs nothing.
    /// </summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// What programs get between SIGTERM and SIGKILL when the server itself stops. Default 5 s: a person is waiting for the prompt.
    /// </summary>
    public TimeSpan ShutdownGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Size in bytes at which a container's log is put aside (one is kept). Default 10 MiB, a kubelet's.</summary>
    public long LogBytes { get; init; } = 10 * 1024 * 1024;
}
