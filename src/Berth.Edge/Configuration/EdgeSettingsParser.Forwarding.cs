namespace Berth.Edge;

/// <summary>Waiting, circuit breaker and repeats.</summary>
internal sealed partial class EdgeSettingsParser
{
    private void Forwarding(ProxyOptions proxy)
    {
        if (proxy.WakeTimeout < TimeSpan.Zero || proxy.WakeTimeout > TimeSpan.FromMinutes(10))
        {
            Problem("Proxy:WakeTimeout", $"is {proxy.WakeTimeout}; give a time up to 10 minutes, such as 00:00:30, or 0 to wait for none");
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
    }
}
