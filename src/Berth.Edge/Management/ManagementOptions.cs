using System.Net;

namespace Berth.Edge;

/// <summary>The listener for probes and metrics: section <c>Berth:Edge:Management</c>. Never reachable through the public one.</summary>
public sealed record ManagementOptions
{
    /// <summary>
    /// Address to listen on. The default is 127.0.0.1; in a pod, where the kubelet and Prometheus come from outside, 0.0.0.0.
    /// </summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Port. The default is 0: a free one, which is logged.</summary>
    public int Port { get; init; }

    /// <summary>Adds a sentence to <paramref name="problems"/> for each value that cannot be used.</summary>
    internal void Check(ICollection<string> problems)
    {
        if (!IPAddress.TryParse(Address, out _))
        {
            problems.Add($"Berth:Edge:Management:Address is '{Address}': give an IP address.");
        }

        if (Port is < 0 or > 65535)
        {
            problems.Add($"Berth:Edge:Management:Port is {Port}: give a port from 0 to 65535.");
        }
    }
}
