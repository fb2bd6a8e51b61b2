using System.Buffers.Text;
using System.Collections.Concurrent;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Berth.Studio.Hosting;

/// <summary>
/// The page and its files. They are embedded in the assembly: the program is then one file, works from any folder and from a read-only one,
/// and nothing that lies in the workspace can be taken for a part of the page.
/// </summary>
internal sealed class StaticAssets
{
    private const string Prefix = "wwwroot/";
    private readonly ConcurrentDictionary<string, Asset> _loaded = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = [.. typeof(StaticAssets).Assembly.GetManifestResourceNames()];

    /// <summary>Whether the path is one of the files that hold nothing secret: everything but the page itself.</summary>
    public static bool IsPublic(PathString path) => path.StartsWithSegments("/assets", StringComparison.Ordinal);

    /// <summary>
    /// The page. Styles need a nonce because the terminal emulator writes its own style elements; scripts come from files alone.
    /// </summary>
    public static Task WritePageAsync(HttpContext context)
    {
        var nonce = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        var page = System.Text.Encoding.UTF8.GetString(Load("index.html").Plain).Replace("{{nonce}}", nonce, StringComparison.Ordinal);
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy =
            $"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; connect-src 'self'; "
            + "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        headers.CacheControl = "no-store";
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(page, context.RequestAborted);
    }

    /// <summary>One of the page's files, compressed where the browser can take it, and not sent again when the browser has it.</summary>
    public async Task WriteAssetAsync(HttpContext context)
    {
        var name = context.Request.Path.Value!["/assets/".Length..];
        if (name == "index.html" || !_names.Contains(Prefix + name))
        {
            context.Response.StatusCode = 404;
            return;
        }

        var asset = _loaded.GetOrAdd(name, Load);
        var headers = context.Response.Headers;
        headers.CacheControl = "no-cache";
        headers.Vary = "Accept-Encoding";
        headers.ETag = asset.ETag;
        if (context.Request.Headers.IfNoneMatch.Any(v => v is not null && v.Contains(asset.ETag, StringComparison.Ordinal)))
        {
            context.Response.StatusCode = 304;
            return;
        }

        context.Response.ContentType = asset.ContentType;
        var gzip = context.Request.GetTypedHeaders().AcceptEncoding.Any(e => e.Value == "gzip" && e.Quality is not 0);
        if (gzip)
        {
            headers[HeaderNames.ContentEncoding] = "gzip";
        }

        var body = gzip ? asset.Gzip.Value : asset.Plain;
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }

    private static Asset Load(string name)
    {
        using var stream =
            Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + name)
            ?? throw new InvalidOperationException($"The asset {name} is not in the assembly.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return new Asset(
            bytes,
            new Lazy<byte[]>(() => Compress(bytes)),
            "\"" + Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 12)) + "\"",
            Path.GetExtension(name) switch
            {
                ".js" or ".mjs" => "text/javascript; charset=utf-8",
                ".css" => "text/css; charset=utf-8",
                ".html" => "text/html; charset=utf-8",
                ".svg" => "image/svg+xml",
                _ => "text/plain; charset=utf-8",
            }
        );
    }

    private static byte[] Compress(byte[] bytes)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Optimal))
        {
            gzip.Write(bytes);
        }

        return target.ToArray();
    }

    private sealed record Asset(byte[] Plain, Lazy<byte[]> Gzip, string ETag, string ContentType);
}
