using System.Text.Json.Nodes;
using Kube.Server.Kinds;
using Kube.Server.Schema;

namespace Kube.Server.Pipeline;

/// <summary>Between the stored form of an object and the served version of its kind.</summary>
internal static class Conversion
{
    // events.k8s.io/v1 and core/v1 name the same fields differently.
    private static readonly (string Core, string Events)[] EventFields =
    [
        ("involvedObject", "regarding"), ("message", "note"), ("reportingComponent", "reportingController"), ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"), ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"),
    ];

    /// <summary>Stored object to the form of a served version. Returns the same tree when nothing differs.</summary>
    public static JsonObject ToServed(JsonObject stored, KindInfo kind)
    {
        var needsDefaults = kind.IsCustom && Defaulter.Needs(stored, kind.Schema);
        if (!needsDefaults && !kind.IsEventsGroup && Json.Text(stored, "apiVersion") == kind.ApiVersion)
        {
            return stored;
        }
        var copy = Json.Clone(stored);
        copy["apiVersion"] = kind.ApiVersion;
        if (needsDefaults)
        {
            Defaulter.Apply(copy, kind.Schema);
        }
        if (kind.IsEventsGroup)
        {
            foreach (var (core, events) in EventFields)
            {
                Rename(copy, core, events);
            }
        }
        return copy;
    }

    /// <summary>Served form to the stored one, in place.</summary>
    public static void ToStored(JsonObject served, KindInfo kind)
    {
        // First, so that a list can leave them out by leaving out the beginning.
        served.Remove("kind");
        served.Remove("apiVersion");
        served.Insert(0, "kind", kind.Kind);
        served.Insert(1, "apiVersion", kind.IsEventsGroup ? "v1" : kind.StorageApiVersion);
        if (kind.IsEventsGroup)
        {
            foreach (var (core, events) in EventFields)
            {
                Rename(served, events, core);
            }
        }
    }

    private static void Rename(JsonObject obj, string from, string to)
    {
        if (obj.TryGetPropertyValue(from, out var value))
        {
            obj.Remove(from);
            obj[to] = value;
        }
    }
}
