using System.Globalization;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Kube.Server.Http;

/// <summary>Writes answers.</summary>
internal static class Answer
{
    // Smaller bodies are not worth the work (as in Kubernetes).
    private const int GzipFrom = 128 * 1024;

    public static Task StatusAsync(HttpContext context, ApiException e)
    {
        if (e.Details?["retryAfterSeconds"] is { } retry)
        {
            context.Response.Headers.RetryAfter = Json.ToText(retry);
        }
        return JsonAsync(context, e.Code, Status.Failure(e));
    }

    public static Task JsonAsync(HttpContext context, int code, JsonNode body) =>
        BytesAsync(context, code, Json.ToUtf8(body), "application/json");

    public static async Task BytesAsync(HttpContext context, int code, ReadOnlyMemory<byte> body, string contentType)
    {
        var response = context.Response;
        response.StatusCode = code;
        response.ContentType = contentType;
        if (!response.Headers.ContainsKey("Cache-Control"))
        {
            response.Headers.CacheControl = "no-cache, private";
        }
        if (body.Length > GzipFrom
            && context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
        {
            using var packed = new MemoryStream();
            await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            {
                await gzip.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
            }
            response.Headers.ContentEncoding = "gzip";
            response.Headers.Vary = "Accept-Encoding";
            body = packed.GetBuffer().AsMemory(0, (int)packed.Length);
        }
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.BodyWriter.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
        }
    }

    public static Task TextAsync(HttpContext context, int code, string text) =>
        BytesAsync(context, code, System.Text.Encoding.UTF8.GetBytes(text), "text/plain; charset=utf-8");

    /// <summary>Warning headers (RFC 7234, code 299).</summary>
    public static void Warn(HttpContext context, IEnumerable<string> warnings)
    {
        foreach (var warning in warnings.Distinct())
        {
            var clean = new string(warning.Where(c => c is >= ' ' and < '\u007f').ToArray()).Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal);
            context.Response.Headers.Append("Warning", $"299 - \"{clean}\"");
        }
    }

    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
