using System.Reflection;
using System.Security.Cryptography;

namespace Berth.Edge;

/// <summary>
/// The style sheet and the script of the pages: in the assembly, read once, addressed by their contents so that browsers may keep them for
/// ever.
/// </summary>
internal sealed class EdgeAssets
{
    private readonly Dictionary<string, Asset> _byPath = new(StringComparer.Ordinal);

    public EdgeAssets()
    {
        Style = Add("berth.css", "text/css; charset=utf-8");
        Script = Add("berth.js", "text/javascript; charset=utf-8");
        Icon = Add("berth.svg", "image/svg+xml");
    }

    /// <summary>File name of the style sheet.</summary>
    public string Style { get; }

    /// <summary>File name of the script.</summary>
    public string Script { get; }

    /// <summary>File name of the icon.</summary>
    public string Icon { get; }

    /// <summary>Answers with a file; false when there is none of that name.</summary>
    public async Task<bool> TryServeAsync(HttpContext context, string name)
    {
        if (!_byPath.TryGetValue(name, out var asset))
        {
            return false;
        }

        var response = context.Response;
        response.ContentType = asset.ContentType;
        response.ContentLength = asset.Bytes.Length;
        response.Headers.CacheControl = "public, max-age=31536000, immutable";
        response.Headers.XContentTypeOptions = "nosniff";

        // The progress page on a workspace's host, another site in production, uses them too. There is nothing private in them.
        response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(asset.Bytes, context.RequestAborted).ConfigureAwait(false);
        }

        return true;
    }

    private string Add(string file, string contentType)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("assets/" + file)
            ?? throw new InvalidOperationException($"The asset {file} is missing from the assembly.");
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        var bytes = memory.ToArray();
        var dot = file.LastIndexOf('.');
        var name = $"{file[..dot]}.{Convert.ToHexStringLower(SHA256.HashData(bytes))[..12]}{file[dot..]}";
        _byPath[name] = new Asset(bytes, contentType);
        return name;
    }

    private sealed record Asset(byte[] Bytes, string ContentType);
}
