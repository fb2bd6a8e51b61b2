using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// Whether a child differs from its blueprint. Two questions: is the hash of what was applied last the hash of what would be applied now (a
/// field that is gone from the blueprint shows here), and does the object still hold everything that was applied (somebody else's change
/// shows here)? What others added is theirs.
/// </summary>
internal static class ChildDiff
{
    /// <summary>The annotation to put on a child before it is applied.</summary>
    internal static ObjectMeta Stamp<T>(T desired, JsonTypeInfo<T> type)
        where T : IKubeObject
    {
        var annotations = new Dictionary<string, string>(desired.Metadata.Annotations ?? new Dictionary<string, string>(),
            StringComparer.Ordinal)
        {
            [Annotations.AppliedHash] = Hashes.Of(desired, type),
        };
        return desired.Metadata with { Annotations = annotations };
    }

    /// <summary>Whether a stamped blueprint has to be applied.</summary>
    internal static bool Differs<T>(T stamped, T? actual, JsonTypeInfo<T> type)
        where T : class, IKubeObject
    {
        if (actual is null)
        {
            return true;
        }

        using var want = JsonSerializer.SerializeToDocument(stamped, type);
        using var have = JsonSerializer.SerializeToDocument(actual, type);
        return !Covers(want.RootElement, have.RootElement);
    }

    /// <summary>
    /// Whether everything in <paramref name="want"/> is also in <paramref name="have"/>; lists have to agree item by item.
    /// </summary>
    internal static bool Covers(JsonElement want, JsonElement have)
    {
        switch (want.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in want.EnumerateObject())
                {
                    if (!have.ValueKind.Equals(JsonValueKind.Object) || !have.TryGetProperty(property.Name, out var value))
                    {
                        // An empty object says the same as an absent one, and some servers leave it out.
                        if (property.Value.ValueKind == JsonValueKind.Object && !property.Value.EnumerateObject().Any())
                        {
                            continue;
                        }

                        return false;
                    }

                    if (!Covers(property.Value, value))
                    {
                        return false;
                    }
                }

                return true;
            case JsonValueKind.Array:
                return have.ValueKind == JsonValueKind.Array
                    && want.GetArrayLength() == have.GetArrayLength()
                    && want.EnumerateArray().Zip(have.EnumerateArray()).All(pair => Covers(pair.First, pair.Second));
            case JsonValueKind.String when have.ValueKind == JsonValueKind.String:
                // The server writes quantities in its own canonical way: 1024Mi comes back as 1Gi.
                return want.ValueEquals(have.GetString())
                    || (Quantity.TryParse(want.GetString(), out var a) && Quantity.TryParse(have.GetString(), out var b) && a == b);
            default:
                return JsonElement.DeepEquals(want, have);
        }
    }
}
