using System.Text.Json;
using Berth.Studio.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Berth.Studio.Files;

/// <summary>The HTTP side of the files. docs/studio.md describes it for those who call it.</summary>
internal sealed class FileEndpoints(WorkspaceFiles files, FileWriter writer, FolderArchive archive)
{
    /// <summary>GET /api/files: a folder.</summary>
    public Task ListAsync(HttpContext context)
    {
        var listing = files.List(PathOf(context));
        return Json(context, listing, StudioJson.Default.FolderListing);
    }

    /// <summary>GET /api/files/stat: one entry.</summary>
    public Task StatAsync(HttpContext context) => Json(context, files.Stat(PathOf(context)), StudioJson.Default.FileEntry);

    /// <summary>
    /// GET /api/files/content: the bytes, with ETag and ranges. Always as a download and never as a document of this origin: a page that
    /// lies in the workspace must not run as the Studio.
    /// </summary>
    public async Task ReadAsync(HttpContext context)
    {
        var path = PathOf(context);
        var (file, stat) = files.OpenRead(path);
        var stream = new FileStream(file, FileAccess.Read, bufferSize: 0, isAsync: false);
        context.Response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
        context.Response.Headers.CacheControl = "private, no-cache";

        // The result disposes the stream, whatever happens.
        await TypedResults
            .Stream(
                stream,
                "application/octet-stream",
                path.Name,
                stat.Modified,
                EntityTagHeaderValue.Parse(stat.ETag),
                enableRangeProcessing: true
            )
            .ExecuteAsync(context);
    }

    /// <summary>PUT /api/files/content: saves or uploads; the body is the bytes, of any length.</summary>
    public async Task WriteAsync(HttpContext context)
    {
        context.Writer();
        var path = PathOf(context);
        var condition = ConditionOf(context.Request.Headers, path);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }

        if (
            Flag(context, "parents")
            && path.Value.LastIndexOf('/') is var slash and > 0
            && WorkspacePath.TryParse(path.Value[..slash], out var folder, out _)
        )
        {
            files.CreateFolder(folder, parents: true);
        }

        var (stat, created) = await writer.WriteAsync(path, context.Request.Body, condition, context.RequestAborted);
        context.Response.Headers.ETag = stat.ETag;
        context.Response.StatusCode = created ? 201 : 200;
        await Json(context, files.Stat(path), StudioJson.Default.FileEntry);
    }

    /// <summary>DELETE /api/files.</summary>
    public Task DeleteAsync(HttpContext context)
    {
        context.Writer();
        files.Delete(PathOf(context), Flag(context, "recursive"));
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    /// <summary>POST /api/files/folder.</summary>
    public Task CreateFolderAsync(HttpContext context)
    {
        context.Writer();
        var path = PathOf(context);
        files.CreateFolder(path, Flag(context, "parents"));
        context.Response.StatusCode = 201;
        return Json(context, files.Stat(path), StudioJson.Default.FileEntry);
    }

    /// <summary>POST /api/files/rename.</summary>
    public async Task RenameAsync(HttpContext context)
    {
        context.Writer();
        RenameRequest? request;
        try
        {
            request = await context.Request.ReadFromJsonAsync(StudioJson.Default.RenameRequest, context.RequestAborted);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            request = null;
        }

        if (request is not { From: not null, To: not null })
        {
            throw FileProblems.BadRequest(
                "The body is not what a rename needs.",
                "Send application/json: {\"from\": \"old/path\", \"to\": \"new/path\", \"overwrite\": false}."
            );
        }

        var to = Parse("to", request.To);
        files.Rename(Parse("from", request.From), to, request.Overwrite);
        await Json(context, files.Stat(to), StudioJson.Default.FileEntry);
    }

    /// <summary>GET /api/files/archive: a folder as one .tar or .zip, made while it is sent.</summary>
    public Task ArchiveAsync(HttpContext context)
    {
        var path = PathOf(context);
        return context.Request.Query["format"].ToString() switch
        {
            "tar" => archive.WriteAsync(path, tar: true, context),
            "zip" or "" => archive.WriteAsync(path, tar: false, context),
            var other => throw FileProblems.BadRequest($"The format '{other}' is not known.", "Say format=zip or format=tar."),
        };
    }

    private static WorkspacePath PathOf(HttpContext context)
    {
        var values = context.Request.Query["path"];
        return values.Count <= 1 ? Parse("path", values.ToString()) : throw FileProblems.BadPath("path", "it is given more than once");
    }

    private static WorkspacePath Parse(string parameter, string text) =>
        WorkspacePath.TryParse(text, out var path, out var problem) ? path : throw FileProblems.BadPath(parameter, problem);

    private static bool Flag(HttpContext context, string name) =>
        context.Request.Query[name].ToString() switch
        {
            "true" => true,
            "" or "false" => false,
            var other => throw FileProblems.BadRequest($"'{other}' is not a value of {name}.", $"Say {name}=true or {name}=false."),
        };

    private static WriteCondition ConditionOf(IHeaderDictionary headers, WorkspacePath path)
    {
        var create = headers.IfNoneMatch;
        var match = headers.IfMatch;
        if (create.Count > 0 && match.Count == 0)
        {
            return create.ToString().Trim() == "*"
                ? new WriteCondition(true, [])
                : throw FileProblems.BadRequest(
                    "If-None-Match with an ETag means nothing for a save.",
                    "Send If-None-Match: * to create a new file."
                );
        }

        if (match.Count == 0 || create.Count > 0)
        {
            throw FileProblems.PreconditionRequired(path);
        }

        return match.ToString().Trim() == "*" ? new WriteCondition(false, []) : new WriteCondition(false, Tags(match));
    }

    private static List<string> Tags(StringValues match) =>
        EntityTagHeaderValue.TryParseList([.. match.Where(m => m is not null).Select(m => m!)], out var tags)
            ? [.. tags.Where(t => !t.IsWeak).Select(t => t.Tag.ToString())]
            : throw FileProblems.BadRequest("If-Match is not an ETag.", "Send the ETag that came with the file, with its quotation marks.");

    private static Task Json<T>(HttpContext context, T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(value, type, null, context.RequestAborted);
    }
}
