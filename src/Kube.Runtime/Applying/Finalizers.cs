using System.Buffers;
using System.Text.Json;
using Kube.Client;

namespace Kube.Runtime;

/// <summary>Adding and removing finalizers without disturbing those of others.</summary>
/// <remarks>Add it before creating anything outside that needs cleaning up; the clean-up must be idempotent and may find that nothing was
/// ever created.</remarks>
public static class Finalizers
{
    // Each try loses only to somebody who changed the list in between: more than a few in a row is not chance.
    private const int MaxTries = 5;

    /// <summary>Whether the object carries the finalizer.</summary>
    public static bool Has(IKubeObject obj, string finalizer)
    {
        ArgumentNullException.ThrowIfNull(obj);
        return obj.Metadata.Finalizers?.Contains(finalizer) == true;
    }

    /// <summary>Adds a finalizer; returns the object as it is then. An object that is being deleted is returned as it is: the API allows no
    /// new ones there.</summary>
    /// <exception cref="KubeException">409 when the object changed since it was read, and whatever else the API says.</exception>
    public static async Task<T> AddAsync<T>(IKubeClient client, T obj, string finalizer, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(obj);
        ArgumentException.ThrowIfNullOrEmpty(finalizer);
        if (Has(obj, finalizer) || obj.Metadata.DeletionTimestamp is not null)
        {
            return obj;
        }

        // A merge patch replaces the whole list: the version makes sure that it is the list that was read.
        var patch = Write(json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteString("resourceVersion", obj.Metadata.ResourceVersion);
            json.WriteStartArray("finalizers");
            foreach (var name in obj.Metadata.Finalizers ?? [])
            {
                json.WriteStringValue(name);
            }

            json.WriteStringValue(finalizer);
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        });
        return await client.PatchAsync<T>(obj.Metadata.Namespace, obj.Metadata.Name!, KubePatch.Merge(patch), null, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Removes a finalizer, whatever else changed meanwhile. Does nothing when it, or the object, is gone.</summary>
    public static async Task RemoveAsync<T>(IKubeClient client, T obj, string finalizer, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(obj);
        ArgumentException.ThrowIfNullOrEmpty(finalizer);
        var (ns, name, uid) = (obj.Metadata.Namespace, obj.Metadata.Name!, obj.Metadata.Uid);
        for (var (attempt, current) = (1, (T?)obj); current is not null && current.Metadata.Uid == uid; attempt++)
        {
            var index = IndexOf(current.Metadata.Finalizers, finalizer);
            if (index < 0)
            {
                return;
            }

            try
            {
                await client.PatchAsync<T>(ns, name, KubePatch.Json(RemovePatch(index, finalizer)), null, cancellationToken)
                    .ConfigureAwait(false);
                return;
            }
            catch (KubeException e) when (e.IsNotFound)
            {
                return;
            }
            catch (KubeException e) when ((e.IsConflict || e.Code is 400 or 422) && attempt < MaxTries)
            {
                // The test failed: the list moved. Look again.
                current = await client.TryGetAsync<T>(ns, name, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static int IndexOf(IReadOnlyList<string>? finalizers, string finalizer)
    {
        for (var i = 0; i < finalizers?.Count; i++)
        {
            if (finalizers[i] == finalizer)
            {
                return i;
            }
        }

        return -1;
    }

    private static ReadOnlyMemory<byte> RemovePatch(int index, string finalizer) => Write(json =>
    {
        json.WriteStartArray();
        json.WriteStartObject();
        json.WriteString("op", "test");
        json.WriteString("path", $"/metadata/finalizers/{index}");
        json.WriteString("value", finalizer);
        json.WriteEndObject();
        json.WriteStartObject();
        json.WriteString("op", "remove");
        json.WriteString("path", $"/metadata/finalizers/{index}");
        json.WriteEndObject();
        json.WriteEndArray();
    });

    private static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            write(json);
        }

        return buffer.WrittenMemory;
    }
}
