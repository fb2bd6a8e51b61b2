using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Kube.Server.Http;
using Kube.Server.Kinds;
using Microsoft.AspNetCore.Http;

namespace Kube.Server.Discovery;

/// <summary>
/// /openapi/v3: the index, and one document per group and version, built when first asked for and kept as bytes until a kind changes.
/// </summary>
internal sealed class OpenApiHandler(KindRegistry registry)
{
    private readonly ConcurrentDictionary<(KindTable Table, string Path), (byte[] Bytes, string Hash)> _documents = new();

    // swagger "2.0", an info and no paths, as kubectl up to 1.27 wants it (protobuf, gnostic's OpenAPIv2.proto): it insists on a document,
    // and then finds what it needs in version 3 and in its own types.
    private static ReadOnlyMemory<byte> EmptyV2 =>
        new byte[] { 0x0a, 3, (byte)'2', (byte)'.', (byte)'0', 0x12, 6, 0x0a, 1, (byte)'K', 0x12, 1, (byte)'1', 0x42, 0 };

    public async Task<bool> TryHandleAsync(HttpContext context, string path)
    {
        if (path == "/openapi/v2")
        {
            if (!context.Request.Headers.Accept.ToString().Contains("protobuf", StringComparison.Ordinal))
            {
                return false;
            }
            await Answer.BytesAsync(context, 200, EmptyV2,
                "application/com.github.proto-openapi.spec.v2.v1.0+protobuf").ConfigureAwait(false);
            return true;
        }
        if (path is "/openapi/v3" or "/openapi/v3/")
        {
            var paths = new JsonObject();
            foreach (var (gv, _) in GroupVersions(registry.Table))
            {
                paths[gv] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{gv}?hash={Document(gv)!.Value.Hash}" };
            }
            await Answer.JsonAsync(context, 200, new JsonObject { ["paths"] = paths }).ConfigureAwait(false);
            return true;
        }
        if (!path.StartsWith("/openapi/v3/", StringComparison.Ordinal)
            || Document(path["/openapi/v3/".Length..].TrimEnd('/')) is not { } document)
        {
            return false;
        }
        var asked = context.Request.Query["hash"].ToString();
        if (asked.Length > 0 && asked != document.Hash)
        {
            context.Response.StatusCode = 301;
            context.Response.Headers.Location = $"{path}?hash={document.Hash}";
            return true;
        }
        context.Response.Headers.ETag = $"\"{document.Hash}\"";
        if (asked.Length > 0)
        {
            context.Response.Headers.CacheControl = "public, immutable";
        }
        if (context.Request.Headers.IfNoneMatch.ToString().Contains(document.Hash, StringComparison.Ordinal))
        {
            context.Response.StatusCode = 304;
            return true;
        }
        await Answer.BytesAsync(context, 200, document.Bytes, "application/json").ConfigureAwait(false);
        return true;
    }

    private (byte[] Bytes, string Hash)? Document(string gv)
    {
        var table = registry.Table;
        if (_documents.TryGetValue((table, gv), out var known))
        {
            return known;
        }
        foreach (var (path, kinds) in GroupVersions(table))
        {
            if (path != gv)
            {
                continue;
            }
            foreach (var stale in _documents.Keys.Where(k => !ReferenceEquals(k.Table, table)).ToList())
            {
                _documents.TryRemove(stale, out _);
            }
            var bytes = Json.ToUtf8(OpenApiDocument.Build(path, kinds));
            return _documents[(table, gv)] = (bytes, Convert.ToHexString(SHA512.HashData(bytes)));
        }
        return null;
    }

    private static IEnumerable<(string Path, List<KindInfo> Kinds)> GroupVersions(KindTable table) => table.Kinds
        .GroupBy(k => (k.Group, k.Version))
            .Select(g => (g.Key.Group.Length == 0 ? "api/" + g.Key.Version : $"apis/{g.Key.Group}/{g.Key.Version}",
            g.Where(k => k.Plural != "scales").ToList()));
}
