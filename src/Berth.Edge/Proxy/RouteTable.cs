using System.Collections.Immutable;

namespace Berth.Edge;

/// <summary>Time-outs of one route: a template's workspaces, a path, or both.</summary>
public sealed record RouteOptions
{
    /// <summary>Name of the template it is for, as workspaces name it. The default is all.</summary>
    public string? Template { get; init; }

    /// <summary>Path it is for, with all below it. The default is <c>/</c>.</summary>
    public string Path { get; init; } = "/";

    /// <summary>Instead of <see cref="ProxyOptions.ResponseHeaderTimeout"/>. The default is that.</summary>
    public TimeSpan? ResponseHeaderTimeout { get; init; }

    /// <summary>Instead of <see cref="ProxyOptions.ActivityTimeout"/>. The default is that.</summary>
    public TimeSpan? ActivityTimeout { get; init; }

    /// <summary>Instead of <see cref="ProxyOptions.StreamActivityTimeout"/>. The default is that.</summary>
    public TimeSpan? StreamActivityTimeout { get; init; }
}

/// <summary>Time-outs by route: the first route that fits a request counts, and the general ones where none does.</summary>
internal sealed class RouteTable
{
    private readonly ImmutableArray<(RouteOptions Route, RouteTimes Times)> _routes;
    private readonly RouteTimes _general;

    public RouteTable(ProxyOptions options)
    {
        _general = Times(options, new RouteOptions());
        _routes = [.. options.Routes.Select(r => (r, Times(options, r)))];
    }

    /// <summary>Times of a request.</summary>
    /// <param name="template">Template of the workspace.</param>
    /// <param name="path">Canonical path.</param>
    public RouteTimes Find(string? template, string path)
    {
        foreach (var (route, times) in _routes)
        {
            if ((route.Template is null || route.Template == template) && IsBelow(path, route.Path))
            {
                return times;
            }
        }

        return _general;
    }

    // /build has /build/1 below it, but not /builder.
    private static bool IsBelow(string path, string root) => path.StartsWith(root, StringComparison.Ordinal)
        && (root[^1] == '/' || path.Length == root.Length || path[root.Length] == '/');

    private static RouteTimes Times(ProxyOptions options, RouteOptions route) => new(
        route.ResponseHeaderTimeout ?? options.ResponseHeaderTimeout,
        route.ActivityTimeout ?? options.ActivityTimeout,
        route.StreamActivityTimeout ?? options.StreamActivityTimeout);
}

/// <summary>Times of one route.</summary>
/// <param name="ResponseHeader">From the end of a request to the beginning of its answer.</param>
/// <param name="Plain">Without a byte in either direction, for requests.</param>
/// <param name="Stream">The same for WebSockets and event streams.</param>
internal sealed record RouteTimes(TimeSpan ResponseHeader, TimeSpan Plain, TimeSpan Stream);
