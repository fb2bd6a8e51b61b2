using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kube.Client;
using Kube.Runtime;

namespace Berth.Operator;

/// <summary>Brings a child to its blueprint, also where somebody added to a list of it.</summary>
/// <remarks>
/// Server-side apply merges lists by keys, and leaves what others added: the Service whose port somebody changed would have two ports for
/// ever, or none that the API accepts (their names clash), and each look would write. Such lists are written whole.
/// </remarks>
internal sealed class ChildWriter(IKubeClient client, Applier applier)
{
    internal async Task<T> ApplyAsync<T>(T stamped, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        KubeException refusal;
        try
        {
            var applied = await applier.ApplyAsync(stamped, cancellationToken);
            return ChildDiff.Differs(stamped, applied, T.JsonTypeInfo) ? await WriteWholeAsync(stamped, cancellationToken) : applied;
        }
        catch (KubeException e) when (e.Code == 422)
        {
            refusal = e;
        }

        return await client.TryGetAsync<T>(stamped.Metadata.Namespace, stamped.Metadata.Name!, cancellationToken) is null
            ? throw new KubeException(refusal.Status)
            : await WriteWholeAsync(stamped, cancellationToken);
    }

    // A merge patch replaces lists, and leaves the fields that only the server sets.
    private Task<T> WriteWholeAsync<T>(T stamped, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        var patch = new JsonObject { ["spec"] = JsonSerializer.SerializeToNode(stamped, T.JsonTypeInfo)!["spec"]?.DeepClone() };
        return client.PatchAsync<T>(
            stamped.Metadata.Namespace,
            stamped.Metadata.Name!,
            KubePatch.Merge(Encoding.UTF8.GetBytes(patch.ToJsonString())),
            new WriteOptions { FieldManager = applier.FieldManager },
            cancellationToken);
    }
}
