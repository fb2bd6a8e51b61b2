namespace Berth.Edge;

/// <summary>Waiting, circuit breaker and repeats.</summary>
internal sealed partial class EdgeSettingsParser
{
    private void Forwarding(ProxyOptions proxy)
    {
        if (proxy.WakeTimeout < TimeSpan.Zero || proxy.WakeTimeout > TimeSpan.FromMinutes(10))
        {
            Problem("Proxy:WakeTimeout",
                $"is {proxy.WakeTimeout}; give a time up to 10 minutes, such as 00:00:30, or 0 to wait for none");
        }

        if (proxy.PingInterval != TimeSpan.Zero
            && (proxy.PingInterval < TimeSpan.FromSeconds(1) || proxy.PingInterval > TimeSpan.FromHours(1)))
        {
            Problem("Proxy:PingInterval",
                $"is {proxy.PingInterval}; give a time from 1 second to 1 hour, such as 00:00:30, or 0 for no pings");
        }

        Count("Proxy:WaitingPerWorkspace", proxy.WaitingPerWorkspace);
        Count("Proxy:WaitingInAll", proxy.WaitingInAll);
        Count("Proxy:BreakerFailures", proxy.BreakerFailures);
        if (proxy.BreakerOpenFor < TimeSpan.FromSeconds(1) || proxy.BreakerOpenFor > TimeSpan.FromMinutes(5))
        {
            Problem("Proxy:BreakerOpenFor", $"is {proxy.BreakerOpenFor}; give a time from 1 second to 5 minutes, such as 00:00:05");
        }

        if (proxy.RetryPercent is < 0 or > 100)
        {
            Problem("Proxy:RetryPercent", $"is {proxy.RetryPercent}; give a number from 0 to 100");
        }

        for (var i = 0; i < proxy.Routes.Count; i++)
        {
            Route($"Proxy:Routes:{i}", proxy.Routes[i]);
        }
    }

    private void Route(string name, RouteOptions route)
    {
        if (!route.Path.StartsWith('/') || CanonicalPath.Make(route.Path, PathStrictness.Workspace) != route.Path)
        {
            Problem($"{name}:Path", $"is '{route.Path}'; give a path as the edge forwards it, such as /api/builds");
        }

        (string Name, TimeSpan? Time)[] times =
        [
            ("ResponseHeaderTimeout", route.ResponseHeaderTimeout), ("ActivityTimeout", route.ActivityTimeout),
            ("StreamActivityTimeout", route.StreamActivityTimeout),
        ];
        if (times.All(t => t.Time is null))
        {
            Problem(name, "has no time-out; give ResponseHeaderTimeout, ActivityTimeout or StreamActivityTimeout, or take it out");
        }

        foreach (var (timeName, time) in times)
        {
            Positive($"{name}:{timeName}", time ?? TimeSpan.FromSeconds(1));
        }
    }
}
