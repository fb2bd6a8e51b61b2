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

    public const string Protobuf = "application/vnd.kubernetes.protobuf";

    public static string MediaType(HttpRequest request) => (request.ContentType ?? "").Split(';')[0].Trim().ToLowerInvariant();

    public static async Task<byte[]> ReadAsync(HttpContext context)
    {
        if (context.Request.ContentLength > Limit)
        {
            throw Status.TooLarge(Limit);
        }
        var reader = context.Request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            if (result.Buffer.Length > Limit)
            {
                reader.AdvanceTo(result.Buffer.End);
                throw Status.TooLarge(Limit);
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

    public static JsonObject AsObject(JsonNode? node) => node as JsonObject ?? throw Status.BadRequest("the body of the request must be an object");
}
