namespace Kube.Server;

/// <summary>A request for <c>/pods/{name}/log</c>; the pod and container exist and the container name is filled in.</summary>
public sealed record PodLogRequest
{
    /// <summary>Namespace of the pod.</summary>
    public required string Namespace { get; init; }

    /// <summary>Name of the pod.</summary>
    public required string Pod { get; init; }

    /// <summary>Uid of the pod.</summary>
    public required string Uid { get; init; }

    /// <summary>Container name.</summary>
    public required string Container { get; init; }

    /// <summary>Keep the stream open and send what comes.</summary>
    public bool Follow { get; init; }

    /// <summary>The last run of the container instead of this one.</summary>
    public bool Previous { get; init; }

    /// <summary>Prefix each line with its RFC 3339 time (nanoseconds).</summary>
    public bool Timestamps { get; init; }

    /// <summary>Only the last lines; null for all.</summary>
    public long? TailLines { get; init; }

    /// <summary>Only lines not older than this; null for all. sinceSeconds is already turned into a time.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Stop after this many bytes; null for no limit.</summary>
    public long? LimitBytes { get; init; }
}

/// <summary>Where logs of containers come from; the process runner is one.</summary>
public interface IPodLogSource
{
    /// <summary>
    /// Opens a log. Throws <see cref="ApiException"/> (400 BadRequest) when there is none to give, before the first byte.
    /// </summary>
    /// <param name="request">What to read.</param>
    /// <param name="cancellationToken">The client is gone.</param>
    /// <returns>Chunks of text as they are to be sent; ends when the log ends (or, following, when the container ends).</returns>
    ValueTask<IAsyncEnumerable<ReadOnlyMemory<byte>>> OpenAsync(PodLogRequest request, CancellationToken cancellationToken);
}
