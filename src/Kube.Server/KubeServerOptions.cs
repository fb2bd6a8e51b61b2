using System.Net;

namespace Kube.Server;

/// <summary>How to run the embedded API.</summary>
public sealed record KubeServerOptions
{
    /// <summary>Folder of journal, certificates and token; created when missing, owned by one server at a time.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>
    /// Address to listen on. Default: loopback, because the API has one administrator token and no network policy of its own.
    /// </summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>Port to listen on; 0 (the default) takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>
    /// Runs pods as processes of this machine, with scheduler and volumes; also answers <c>/pods/{name}/log</c> unless
    /// <see cref="PodLogs"/> is set.
    /// Null (the default): pods are only stored.
    /// </summary>
    public Runner.PodRunnerOptions? Runner { get; init; }

    /// <summary>Whether garbage collection, namespace deletion, endpoints and the life of events are looked after. Default true.</summary>
    public bool BuiltInControllers { get; init; } = true;

    /// <summary>Started in order after recovery and after the built-in ones; stopped in reverse order.</summary>
    public IReadOnlyList<IHostedController> Controllers { get; init; } = [];

    /// <summary>Answers <c>/pods/{name}/log</c>; null answers 501.</summary>
    public IPodLogSource? PodLogs { get; init; }

    /// <summary>
    /// Whether a write is flushed to the disk before it is acknowledged. Default true. False trades the last moments before a power cut for
    /// speed; the end of the process alone loses nothing either way.
    /// </summary>
    public bool FlushToDisk { get; init; } = true;

    /// <summary>Journal size in bytes that triggers a snapshot. Default 8 MiB: a second of replay at most.</summary>
    public long CompactionBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Events kept per resource for watches that come back. Default 10 000, a few minutes of a busy collection.</summary>
    public int HistoryEvents { get; init; } = 10_000;

    /// <summary>Time between bookmarks. Default 60 s, as in Kubernetes.</summary>
    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromSeconds(60);
}
