using System.Collections.Concurrent;
using System.Net;

namespace Berth.Edge;

/// <summary>
/// The circuits of all workspaces' processes, by address: those only to which connecting failed lately. A workspace that starts anew has
/// another address, and so a circuit that is closed; one reached by its Service's name is probed.
/// </summary>
internal sealed class Circuits(EdgeSettings settings, TimeProvider clock)
{
    private const int SweepAbove = 256;
    private readonly CircuitPolicy _policy = new(settings.Proxy.BreakerFailures, settings.Proxy.BreakerOpenFor);
    private readonly ConcurrentDictionary<(string Host, int Port), Circuit> _failing = new();

    /// <summary>Addresses to which connecting failed lately.</summary>
    public int Count => _failing.Count;

    /// <summary>Whether a connection to the address may be tried.</summary>
    public bool TryPass(WorkspaceTarget target)
    {
        var key = Key(target.Host, target.Port);
        while (_failing.TryGetValue(key, out var circuit))
        {
            var (passes, next) = circuit.Ask(_policy, clock.GetUtcNow());
            if (next == circuit || _failing.TryUpdate(key, next, circuit))
            {
                return passes;
            }
        }

        return true;
    }

    /// <summary>It was connected to.</summary>
    public void Connected(DnsEndPoint address) => _failing.TryRemove(Key(address.Host, address.Port), out _);

    /// <summary>It could not be connected to.</summary>
    public void Failed(DnsEndPoint address)
    {
        var now = clock.GetUtcNow();
        _failing.AddOrUpdate(
            Key(address.Host, address.Port),
            static (_, s) => default(Circuit).Failed(s._policy, s.now),
            static (_, circuit, s) => circuit.Failed(s._policy, s.now),
            (_policy, now));
        if (_failing.Count > SweepAbove)
        {
            foreach (var entry in _failing.Where(e => e.Value.IsForgettable(now)))
            {
                _failing.TryRemove(entry);
            }
        }
    }

    private static (string Host, int Port) Key(string host, int port) => (host.Trim('[', ']'), port);
}
