using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator;

/// <summary>Brings a child to its blueprint, also where somebody added to a list of it.</summary>
/// <remarks>
/// Server-side apply merges lists by keys, and leaves what others added: the Service whose port somebody changed would have two ports for
/// ever, or none that the API accepts (their names clash), and each look would write. Such lists are written whole.
/// </remarks>
internal sealed class ChildWriter(IKubeClient client, Applier applier)
{
    // Kinds that this server does not create by a guarded apply.
    private readonly ConcurrentDictionary<ResourceDescriptor, bool> _unguarded = new();

    /// <summary>Makes a child that is not there as far as anybody knows.</summary>
    /// <exception cref="KubeException">409: there is something of that name. It was not touched; look whose it is.</exception>
    internal async Task<T> MakeAsync<T>(T stamped, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        if (!_unguarded.ContainsKey(T.Descriptor))
        {
            try
            {
                return await applier.CreateAsync(stamped, cancellationToken);
            }
            catch (KubeException e) when (Applier.IsUnguarded(e))
            {
                _unguarded.TryAdd(T.Descriptor, true);
            }
            catch (KubeException e) when (e.Code == 409)
            {
                if (await IsThereAsync(stamped, cancellationToken))
                {
                    throw;
                }

                // It is gone again, or this server compares the version with that of nothing: then it would refuse for ever.
                _unguarded.TryAdd(T.Descriptor, true);
            }
        }

        return await IsThereAsync(stamped, cancellationToken) ? throw Taken(stamped) : await ApplyAsync(stamped, cancellationToken);
    }

    /// <summary>Brings a child to its blueprint: one that is there and ours.</summary>
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

        return await IsThereAsync(stamped, cancellationToken)
            ? await WriteWholeAsync(stamped, cancellationToken)
            : throw new KubeException(refusal.Status);
    }

    private async Task<bool> IsThereAsync<T>(T stamped, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> =>
        await client.TryGetAsync<T>(stamped.Metadata.Namespace, stamped.Metadata.Name!, cancellationToken) is not null;

    private static KubeException Taken<T>(T stamped)
        where T : class, IKubeResource<T> => new(new Status
        {
            Code = 409,
            Reason = "AlreadyExists",
            Message = $"{T.Descriptor.Plural} \"{stamped.Metadata.Name}\" already exists",
        });

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
