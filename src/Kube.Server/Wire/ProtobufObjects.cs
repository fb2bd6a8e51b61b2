using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Kube.Server.Wire;

/// <summary>
/// kubectl sends some creations as protobuf whatever the server says. Decoded are Namespace, ConfigMap, Secret, Job (as far as
/// <c>kubectl create job</c> fills it in) and the access reviews, by the field numbers of Kubernetes' generated.proto; anything else is a
/// clear 415.
/// </summary>
internal static class ProtobufObjects
{
    private enum Form
    {
        Text,
        Number,
        Flag,
        Time,
        Message,
        TextMap,
        BytesMap,
        TextList,
        MessageList,
    }

    private sealed record Field(string Name, Form Form, Dictionary<int, Field>? Message = null);

    private static readonly Dictionary<int, Field> Time = new() { [1] = new("seconds", Form.Number) };

    private static readonly Dictionary<int, Field> Owner = new()
    {
        [1] = new("kind", Form.Text),
        [3] = new("name", Form.Text),
        [4] = new("uid", Form.Text),
        [5] = new("apiVersion", Form.Text),
        [6] = new("controller", Form.Flag),
        [7] = new("blockOwnerDeletion", Form.Flag),
    };

    private static readonly Dictionary<int, Field> Meta = new()
    {
        [1] = new("name", Form.Text),
        [2] = new("generateName", Form.Text),
        [3] = new("namespace", Form.Text),
        [5] = new("uid", Form.Text),
        [6] = new("resourceVersion", Form.Text),
        [11] = new("labels", Form.TextMap),
        [12] = new("annotations", Form.TextMap),
        [13] = new("ownerReferences", Form.MessageList, Owner),
        [14] = new("finalizers", Form.TextList),
    };

    private static readonly Dictionary<int, Field> ResourceAttributes = new()
    {
        [1] = new("namespace", Form.Text),
        [2] = new("verb", Form.Text),
        [3] = new("group", Form.Text),
        [4] = new("version", Form.Text),
        [5] = new("resource", Form.Text),
        [6] = new("subresource", Form.Text),
        [7] = new("name", Form.Text),
    };

    private static readonly Dictionary<int, Field> AccessSpec = new()
    {
        [1] = new("resourceAttributes", Form.Message, ResourceAttributes),
        [2] = new("nonResourceAttributes", Form.Message, new() { [1] = new("path", Form.Text), [2] = new("verb", Form.Text) }),
    };

    // What kubectl create job fills in.
    private static readonly Dictionary<int, Field> Container = new()
    {
        [1] = new("name", Form.Text),
        [2] = new("image", Form.Text),
        [3] = new("command", Form.TextList),
        [4] = new("args", Form.TextList),
        [5] = new("workingDir", Form.Text),
        [7] = new("env", Form.MessageList, new() { [1] = new("name", Form.Text), [2] = new("value", Form.Text) }),
        [14] = new("imagePullPolicy", Form.Text),
    };

    private static readonly Dictionary<int, Field> PodTemplate = new()
    {
        [1] = new("metadata", Form.Message, Meta),
        [2] = new("spec", Form.Message, new()
        {
            [2] = new("containers", Form.MessageList, Container),
            [3] = new("restartPolicy", Form.Text),
            [7] = new("nodeSelector", Form.TextMap),
            [8] = new("serviceAccountName", Form.Text),
        }),
    };

    private static readonly Dictionary<int, Field> JobSpec = new()
    {
        [1] = new("parallelism", Form.Number),
        [2] = new("completions", Form.Number),
        [3] = new("activeDeadlineSeconds", Form.Number),
        [6] = new("template", Form.Message, PodTemplate),
        [7] = new("backoffLimit", Form.Number),
        [8] = new("ttlSecondsAfterFinished", Form.Number),
    };

    private static readonly Dictionary<string, Dictionary<int, Field>> Messages = new(StringComparer.Ordinal)
    {
        ["v1/Namespace"] = new() { [1] = new("metadata", Form.Message, Meta) },
        ["v1/ConfigMap"] = new()
        {
            [1] = new("metadata", Form.Message, Meta),
            [2] = new("data", Form.TextMap),
            [3] = new("binaryData", Form.BytesMap),
            [4] = new("immutable", Form.Flag)
        },
        ["v1/Secret"] = new()
        {
            [1] = new("metadata", Form.Message, Meta),
            [2] = new("data", Form.BytesMap),
            [3] = new("type", Form.Text),
            [4] = new("stringData", Form.TextMap),
            [5] = new("immutable", Form.Flag),
        },
        ["batch/v1/Job"] = new() { [1] = new("metadata", Form.Message, Meta), [2] = new("spec", Form.Message, JobSpec) },
        ["v1/ServiceAccount"] = new() { [1] = new("metadata", Form.Message, Meta) },
        ["authorization.k8s.io/v1/SelfSubjectAccessReview"] = new()
        {
            [1] = new("metadata", Form.Message, Meta),
            [2] = new("spec", Form.Message, AccessSpec)
        },
        ["authorization.k8s.io/v1/SelfSubjectRulesReview"] = new()
        {
            [1] = new("metadata", Form.Message, Meta),
            [2] = new("spec", Form.Message, new() { [1] = new("namespace", Form.Text) })
        },
        ["authentication.k8s.io/v1/SelfSubjectReview"] = new() { [1] = new("metadata", Form.Message, Meta) },
    };

    public static JsonObject Decode(byte[] body)
    {
        if (!body.AsSpan().StartsWith("k8s\0"u8))
        {
            throw Status.BadRequest("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
        }
        try
        {
            var unknown = Read(body.AsSpan(4),
                new() { [1] = new("type", Form.Message, new() { [1] = new("apiVersion", Form.Text), [2] = new("kind", Form.Text) }) },
                out var raw);
            var apiVersion = Json.Text(unknown, "type", "apiVersion") ?? "";
            var kind = Json.Text(unknown, "type", "kind") ?? "";
            if (!Messages.TryGetValue($"{apiVersion}/{kind}", out var fields))
            {
                throw Status.UnsupportedMediaType($"{Body} for {kind}", "application/json", "application/yaml");
            }
            var obj = Read(raw, fields, out _);
            obj["apiVersion"] = apiVersion;
            obj["kind"] = kind;
            return obj;
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            throw Status.BadRequest("the protobuf body is damaged: " + e.Message);
        }
    }

    private const string Body = "application/vnd.kubernetes.protobuf";

    // Field 2 of the envelope (the raw object) is handed out beside the tree.
    private static JsonObject Read(ReadOnlySpan<byte> data, Dictionary<int, Field> fields, out byte[] second)
    {
        var obj = new JsonObject();
        second = [];
        while (data.Length > 0)
        {
            var tag = Varint(ref data);
            var number = (int)(tag >> 3);
            var wire = (int)(tag & 7);
            ReadOnlySpan<byte> payload = default;
            ulong scalar = 0;
            switch (wire)
            {
                case 0:
                    scalar = Varint(ref data);
                    break;
                case 1:
                    data = data[8..];
                    break;
                case 2:
                    var length = checked((int)Varint(ref data));
                    payload = data[..length];
                    data = data[length..];
                    break;
                case 5:
                    data = data[4..];
                    break;
                default:
                    throw new ArgumentException($"wire type {wire}");
            }
            if (number == 2 && wire == 2)
            {
                second = payload.ToArray();
            }
            if (fields.TryGetValue(number, out var field))
            {
                Set(obj, field, payload, scalar);
            }
        }
        return obj;
    }

    private static void Set(JsonObject obj, Field field, ReadOnlySpan<byte> payload, ulong scalar)
    {
        switch (field.Form)
        {
            case Form.Text:
                if (payload.Length > 0)
                {
                    obj[field.Name] = Encoding.UTF8.GetString(payload);
                }
                break;
            case Form.Number:
                obj[field.Name] = (long)scalar;
                break;
            case Form.Flag:
                obj[field.Name] = scalar != 0;
                break;
            case Form.Time:
                obj[field.Name] = DateTimeOffset.FromUnixTimeSeconds(Json.AsLong(Read(payload, Time, out _)["seconds"]) ?? 0)
                    .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
                break;
            case Form.Message:
                obj[field.Name] = Read(payload, field.Message!, out _);
                break;
            case Form.TextMap or Form.BytesMap:
                var entry = Read(payload, new() { [1] = new("key", Form.Text), [2] = new("value", Form.Text) }, out var value);
                Json.Ensure(obj, field.Name)[Json.Text(entry, "key") ?? ""] = field.Form == Form.TextMap
                    ? Encoding.UTF8.GetString(value)
                    : Convert.ToBase64String(value);
                break;
            case Form.TextList or Form.MessageList:
                if (obj[field.Name] is not JsonArray list)
                {
                    obj[field.Name] = list = [];
                }
                list.Add(field.Form == Form.TextList ? (JsonNode?)Encoding.UTF8.GetString(payload) : Read(payload, field.Message!, out _));
                break;
        }
    }

    private static ulong Varint(ref ReadOnlySpan<byte> data)
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = data[0];
            data = data[1..];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }
        throw new ArgumentException("varint too long");
    }
}
