using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kube.Server.Wire;
using Microsoft.AspNetCore.Http;

namespace Kube.Server.Http;

/// <summary>Reads request bodies: JSON, YAML, and the few protobuf messages kubectl insists on.</summary>
internal static class Body
{
    /// <summary>Largest body, as in Kubernetes.</summary>
    public const int Limit = 3 * 1024 * 1024;

    /// <summary>How much of a body that is too large is read to be able to say so.</summary>
    public const int Discard = 16 * 1024 * 1024;

    public const string Protobuf = "application/vnd.kubernetes.protobuf";

    public static string MediaType(HttpRequest request) => (request.ContentType ?? "").Split(';')[0].Trim().ToLowerInvariant();

    public static async Task<byte[]> ReadAsync(HttpContext context)
    {
        var reader = context.Request.BodyReader;
        long dropped = 0;
        while (true)
        {
            var result = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            if (dropped > 0 || result.Buffer.Length > Limit)
            {
                // Read on for a while: a client that is still sending would see a broken connection instead of the answer.
                dropped += result.Buffer.Length;
                reader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted || dropped > Discard)
                {
                    throw Status.TooLarge(Limit);
                }
                continue;
            }
            if (result.IsCompleted)
            {
                var bytes = result.Buffer.ToArray();
                reader.AdvanceTo(result.Buffer.End);
                return bytes;
            }
            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    public static async Task<JsonObject> ObjectAsync(HttpContext context, List<string> duplicates)
    {
        var type = MediaType(context.Request);
        var bytes = await ReadAsync(context).ConfigureAwait(false);
        return type switch
        {
            "" or "application/json" or "application/x-www-form-urlencoded" => AsObject(ParseJson(bytes, duplicates)),
            "application/yaml" => AsObject(ParseYaml(bytes, duplicates)),
            Protobuf => ProtobufObjects.Decode(bytes),
            _ => throw Status.UnsupportedMediaType(type, "application/json", "application/yaml"),
        };
    }

    public static JsonNode? ParseJson(byte[] bytes, List<string>? duplicates)
    {
        try
        {
            return Json.Parse(bytes, duplicates);
        }
        catch (JsonException e)
        {
            throw Status.BadRequest("the object provided is unrecognized (must be of type JSON): " + e.Message);
        }
    }

    public static JsonNode? ParseYaml(byte[] bytes, List<string>? duplicates)
    {
        try
        {
            return Yaml.Parse(System.Text.Encoding.UTF8.GetString(bytes), duplicates);
        }
        catch (JsonException e)
        {
            throw Status.BadRequest("error decoding YAML: " + e.Message);
        }
    }

    public static JsonObject AsObject(JsonNode? node) =>
        node as JsonObject ?? throw Status.BadRequest("the body of the request must be an object");
}
