using System.Text.Json.Nodes;
using Kube.Server.Crd;
using Kube.Server.Schema;
using Kube.Server.Storage;

namespace Kube.Server.Kinds;

/// <summary>
/// Holds the present <see cref="KindTable"/>. Rebuilt by the store's commit loop, so a kind is served before the writer of its CRD gets an
/// answer.
/// </summary>
internal sealed class KindRegistry
{
    public static readonly GroupResource Crds = GroupResource.CustomResourceDefinitions;

    private readonly Dictionary<string, (long Generation, List<KindInfo> Kinds)> _compiled = [];
    private volatile KindTable _table = new(BuiltinSchemas.Kinds);

    public KindTable Table => _table;

    public void Rebuild(StoreState state)
    {
        var custom = new List<KindInfo>();
        foreach (var stored in state.Table(Crds).Values)
        {
            if (!CrdCompiler.IsEstablished(stored.Value))
            {
                continue;
            }
            var uid = Json.Text(stored.Value, "metadata", "uid") ?? stored.Key;
            var generation = Json.AsLong(Json.At(stored.Value, "metadata", "generation")) ?? 0;
            if (!_compiled.TryGetValue(uid, out var entry) || entry.Generation != generation)
            {
                // Errors were reported when it was written; what compiled then compiles now.
                entry = (generation, CrdCompiler.Compile(Json.Clone(stored.Value), []));
                _compiled[uid] = entry;
            }
            custom.AddRange(entry.Kinds);
        }
        _table = new KindTable(BuiltinSchemas.Kinds.Concat(custom));
    }
}
