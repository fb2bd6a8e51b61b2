using System.Net;

namespace Berth.Edge;

/// <summary>The public listener of the program: section <c>Berth:Edge:Listener</c>. In-process composition brings its own.</summary>
public sealed record ListenerOptions
{
    /// <summary>Address to listen on. The default is 0.0.0.0: in a pod everything comes from outside; TLS ends at the ingress.</summary>
    public string Address { get; init; } = "0.0.0.0";

    /// <summary>Port. The default is 8080.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Adds a sentence to <paramref name="problems"/> for each value that cannot be used.</summary>
    internal void Check(ICollection<string> problems)
    {
        if (!IPAddress.TryParse(Address, out _))
        {
            problems.Add($"Berth:Edge:Listener:Address is '{Address}': give an IP address.");
        }

        if (Port is < 0 or > 65535)
        {
            problems.Add($"Berth:Edge:Listener:Port is {Port}: give a port from 0 to 65535.");
        }
    }
}
