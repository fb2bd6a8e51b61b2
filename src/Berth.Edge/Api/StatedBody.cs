using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Berth.Edge;

/// <summary>Bodies of the edge's own answers that are at hand whole: their length is stated, and HEAD gets it without them.</summary>
internal static class StatedBody
{
    /// <summary>Writes JSON; status and type of the content are set.</summary>
    public static Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type) =>
        WriteAsync(context, JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>Writes bytes.</summary>
    public static Task WriteAsync(HttpContext context, byte[] body)
    {
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
