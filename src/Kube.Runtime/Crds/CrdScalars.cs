using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Kube.Client.Models;

namespace Kube.Runtime;

/// <summary>Schemas of values that are not taken apart.</summary>
internal static class CrdScalars
{
    /// <summary>The schema of a plain value; null for objects, lists and dictionaries. An empty schema is any JSON.</summary>
    public static JsonObject? TryGet(JsonTypeInfo info, string path)
    {
        var type = info.Type;
        return type.IsEnum ? Enumeration(info, path)
            : type == typeof(string) || type == typeof(Guid) || type == typeof(Uri) ? Of("string")
            : type == typeof(bool) ? Of("boolean")
            : type == typeof(int) || type == typeof(short) ? Of("integer", "int32")
            : type == typeof(long) ? Of("integer", "int64")
            : type == typeof(double) ? Of("number", "double")
            : type == typeof(float) ? Of("number", "float")
            : type == typeof(DateTimeOffset) ? Of("string", "date-time")
            : type == typeof(DateOnly) ? Of("string", "date")
            : type == typeof(byte[]) ? Of("string", "byte")
            : type == typeof(IntOrString) ? new JsonObject { ["x-kubernetes-int-or-string"] = true }
            : type == typeof(JsonElement) || type == typeof(JsonNode) || type == typeof(JsonObject) ? new JsonObject()
            : null;
    }

    /// <summary>meta/v1 Condition with the limits that the API conventions give it.</summary>
    public static JsonObject Condition() => new()
    {
        ["properties"] = new JsonObject
        {
            ["lastTransitionTime"] = Of("string", "date-time"),
            ["message"] = new JsonObject { ["maxLength"] = 32768, ["type"] = "string" },
            ["observedGeneration"] = new JsonObject { ["format"] = "int64", ["minimum"] = 0, ["type"] = "integer" },
            ["reason"] = new JsonObject
            {
                ["maxLength"] = 1024,
                ["minLength"] = 1,
                ["pattern"] = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                ["type"] = "string",
            },
            ["status"] = new JsonObject
            {
                ["enum"] = CrdSchema.Strings([Conditions.True, Conditions.False, Conditions.Unknown]),
                ["type"] = "string"
            },
            ["type"] = new JsonObject
            {
                ["maxLength"] = 316,
                ["pattern"] = "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
                ["type"] = "string",
            },
        },
        ["required"] = CrdSchema.Strings(["lastTransitionTime", "message", "reason", "status", "type"]),
        ["type"] = "object",
    };

    private static JsonObject Of(string type, string? format = null) =>
        format is null ? new JsonObject { ["type"] = type } : new JsonObject { ["format"] = format, ["type"] = type };

    /// <summary>The values as they are serialised: whatever names converter and attributes give them.</summary>
    private static JsonObject Enumeration(JsonTypeInfo info, string path)
    {
        List<string> names = [];
        foreach (var value in Enum.GetValuesAsUnderlyingType(info.Type))
        {
            var json = JsonSerializer.SerializeToNode(Enum.ToObject(info.Type, value), info);
            if (json is null || json.GetValueKind() != JsonValueKind.String)
            {
                throw new CrdException(
                    $"{path} is an enumeration that is written as a number. Give {info.Type.Name} a "
                    + "JsonStringEnumConverter: numbers mean nothing to people.");
            }

            names.Add(json.GetValue<string>());
        }

        return new JsonObject { ["enum"] = CrdSchema.Strings(names), ["type"] = "string" };
    }
}
