namespace Berth.Edge;

/// <summary>What is remembered of a request: who decided what, and why. Never a token, a cookie, a query or who the person is.</summary>
internal sealed record RequestRecord
{
    /// <summary>Longest path that is kept: what anybody sends must not fill the memory.</summary>
    public const int MaximumText = 256;

    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>When it came.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Time until it had been answered.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Method.</summary>
    public required string Method { get; init; }

    /// <summary>Canonical host; null where the request could not be read in one way only.</summary>
    public string? Host { get; init; }

    /// <summary>What that host is to us.</summary>
    public HostKind? HostKind { get; init; }

    /// <summary>Canonical path, cut at <see cref="MaximumText"/>; null where the request could not be read in one way only.</summary>
    public string? Path { get; init; }

    /// <summary>One of <see cref="RequestMetrics"/>'s names.</summary>
    public required string Route { get; init; }

    /// <summary>Status of the answer.</summary>
    public required int Status { get; init; }

    /// <summary>Which rule decided, and what of the token, where one was refused.</summary>
    public RequestNotes? Notes { get; init; }

    /// <summary>Who asked; null for a stranger.</summary>
    public Caller? Caller { get; init; }

    /// <summary>The workspace it was let through to.</summary>
    public WorkspaceAccess? Access { get; init; }

    /// <summary>What forwarding came to.</summary>
    public Yarp.ReverseProxy.Forwarder.ForwarderError? Forwarding { get; init; }
}
