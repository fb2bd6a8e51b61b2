using System.Collections;
using Kube.Client;

namespace Kube.Runtime;

/// <summary>What every log line within a reconcile carries.</summary>
internal sealed class ReconcileScope(string controller, ResourceKey key, string reconcileId) : IReadOnlyList<KeyValuePair<string, object?>>
{
    public int Count => 4;

    public KeyValuePair<string, object?> this[int index] => index switch
    {
        0 => new("controller", controller),
        1 => new("namespace", key.Namespace),
        2 => new("name", key.Name),
        3 => new("reconcileID", reconcileId),
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"controller:{controller} namespace:{key.Namespace} name:{key.Name} reconcileID:{reconcileId}";
}
