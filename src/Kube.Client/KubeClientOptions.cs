using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kube.Client;

/// <summary>Settings of a <see cref="KubeClient"/>.</summary>
public sealed record KubeClientOptions
{
    /// <summary>Clock of every wait and time-out.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where the client logs.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>Sent with every request; shows in the server's audit log and is the default name of the field manager.</summary>
    public string UserAgent { get; init; } = "kube-client/0.1";

    /// <summary>Longest time for one request with its answer, retries not counted; watches and logs are exempt.</summary>
    /// <value>The default value is 60 s, as the API server's own --request-timeout: it has given up by then too.</value>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Most tries of a request that may be repeated.</summary>
    /// <value>The default value is 5: with the waits between them about 6 s, enough for a server that restarts; longer is the caller's
    /// decision.</value>
    public int MaxTries { get; init; } = 5;

    /// <summary>First wait between tries; it doubles each time, with full jitter in its upper half.</summary>
    /// <value>The default value is 400 ms.</value>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>
    /// Longest wait between tries. A server that asks for more (Retry-After) gets its error handed to the caller instead.
    /// </summary>
    /// <value>The default value is 10 s.</value>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Largest watch frame, in bytes.</summary>
    /// <value>The default value is 32 MiB; etcd refuses objects over 1.5 MiB, so anything near it is not a Kubernetes API.</value>
    public int MaxFrameBytes { get; init; } = 32 << 20;

    /// <summary>Largest answer that is held in memory as a whole (lists are not), in bytes.</summary>
    /// <value>The default value is 64 MiB.</value>
    public int MaxResponseBytes { get; init; } = 64 << 20;

    /// <summary>
    /// Extra silence granted to a watch after <see cref="WatchOptions.Timeout"/> before the connection is taken for dead.
    /// </summary>
    /// <value>The default value is 5 s, as kube-rs.</value>
    public TimeSpan WatchGrace { get; init; } = TimeSpan.FromSeconds(5);
}
