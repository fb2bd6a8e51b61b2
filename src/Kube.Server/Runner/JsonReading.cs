using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kube.Server.Runner;

/// <summary>
/// Reads JSON objects without throwing at what has another type: the API validated them, and what it let pass must not stop the runner.
/// </summary>
internal static class JsonReading
{
    public static JsonObject? Object(this JsonObject? node, string name) => node?[name] as JsonObject;

    public static string? Text(this JsonObject? node, string name) =>
        node?[name] is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    public static long? Number(this JsonObject? node, string name) =>
        node?[name] is JsonValue value && value.GetValueKind() == JsonValueKind.Number
            && long.TryParse(value.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                ? number : null;

    public static bool Flag(this JsonObject? node, string name) => node?[name] is JsonValue value
        && value.GetValueKind() == JsonValueKind.True;

    public static IEnumerable<JsonObject> Objects(this JsonObject? node, string name) =>
        node?[name] is JsonArray items ? items.OfType<JsonObject>() : [];

    public static ImmutableArray<string> Texts(this JsonObject? node, string name) => node?[name] is JsonArray items
        ? [.. items.OfType<JsonValue>().Where(v => v.GetValueKind() == JsonValueKind.String).Select(v => v.GetValue<string>())] : [];

    /// <summary>String entries of a map such as labels or a config map's data.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Map(this JsonObject? node, string name)
    {
        foreach (var (key, value) in node.Object(name) ?? [])
        {
            if (value is JsonValue text && text.GetValueKind() == JsonValueKind.String)
            {
                yield return new KeyValuePair<string, string>(key, text.GetValue<string>());
            }
        }
    }

    public static DateTimeOffset? Time(this JsonObject? node, string name) =>
        DateTimeOffset.TryParse(node.Text(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;

    /// <summary>RFC 3339 with whole seconds, UTC: the API's Time.</summary>
    public static string Stamp(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
