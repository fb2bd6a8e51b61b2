using System.Text.Json.Nodes;
using Kube.Server.Storage;

namespace Kube.Server.Pipeline;

/// <summary>Hands out service addresses from 10.96.0.0/16. They only have to be unique: nothing routes them here.</summary>
internal sealed class ClusterIpAllocator(ObjectStore store)
{
    private readonly Lock _gate = new();
    private int _next = 10;

    public string Allocate(JsonObject service)
    {
        lock (_gate)
        {
            var used = store.State.Table(GroupResource.Services).Values.Select(s => Json.Text(s.Value, "spec", "clusterIP"))
                .ToHashSet(StringComparer.Ordinal);
            for (var i = 0; i < 65_000; i++)
            {
                _next = _next >= 65_000 ? 10 : _next + 1;
                var candidate = $"10.96.{_next / 256}.{_next % 256}";
                if (!used.Contains(candidate))
                {
                    return candidate;
                }
            }
        }
        throw new ApiException(500, "InternalError", "failed to allocate IP: the range 10.96.0.0/16 is full");
    }
}
