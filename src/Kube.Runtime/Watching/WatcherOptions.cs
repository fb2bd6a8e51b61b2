namespace Kube.Runtime;

/// <summary>What a <see cref="Watcher{T}"/> watches, and how.</summary>
public sealed record WatcherOptions
{
    /// <summary>One namespace, or null for all (and for cluster-scoped kinds).</summary>
    public string? Namespace { get; init; }

    /// <summary>Label selector in the API's syntax.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>Field selector in the API's syntax.</summary>
    public string? FieldSelector { get; init; }

    /// <summary>Objects per page of a list. Default 500, as client-go and kubectl: some MiB per answer for typical objects.</summary>
    public int PageSize { get; init; } = 500;

    /// <summary>
    /// Get the first picture by the watch itself (<c>sendInitialEvents</c>, KEP-3157; default on in Kubernetes 1.34). Falls back to a list
    /// when the server refuses. Default false: a server before 1.27 ignores the wish silently, and only the end of the watch shows that.
    /// </summary>
    public bool StreamInitialList { get; init; }

    /// <summary>When the server should end a watch. Default 290 s, as kube-rs: below the 5 minutes at which load balancers like to cut
    /// connections.</summary>
    public TimeSpan WatchTimeout { get; init; } = TimeSpan.FromSeconds(290);
}
