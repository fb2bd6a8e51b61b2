using System.IO.Compression;
using System.Text;
using Berth.Studio.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Microsoft.Win32.SafeHandles;

namespace Berth.Studio.Files;

/// <summary>A folder as a .tar (pax) or .zip, made while it is sent: nothing is buffered beyond a block.</summary>
/// <remarks>
/// Links are stored as links and never followed. What cannot be read is left out and named in a text file at the end of the archive, so
/// that one unreadable file neither spoils the download nor goes missing silently. Pipes, sockets and devices are left out.
/// </remarks>
internal sealed class FolderArchive(WorkspaceFolder workspace, InFlight inFlight)
{
    /// <summary>The entry that lists what is missing.</summary>
    public const string MissingList = "NOT-INCLUDED.txt";

    /// <summary>Sends the archive.</summary>
    public async Task WriteAsync(WorkspacePath path, bool tar, HttpContext context)
    {
        using var at = workspace.Locate(path, followLast: true);
        using var folder = at.OpenFolder();
        var name = path.IsRoot ? "workspace" : path.Name;
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName(name + (tar ? ".tar" : ".zip"));
        context.Response.Headers.ContentDisposition = disposition.ToString();
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentType = tar ? "application/x-tar" : "application/zip";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        if (!tar && context.Features.Get<IHttpBodyControlFeature>() is { } body)
        {
            // The framework's zip writer writes its small headers synchronously also in its asynchronous calls.
            body.AllowSynchronousIO = true;
        }

        var missing = new List<string>();
        await using IArchiveSink sink = tar
            ? new TarSink(context.Response.Body)
            : new ZipSink(
                await ZipArchive.CreateAsync(
                    context.Response.Body,
                    ZipArchiveMode.Create,
                    leaveOpen: true,
                    entryNameEncoding: null,
                    context.RequestAborted
                )
            );
        await AddFolderAsync(sink, folder, name, path, missing, 0, context.RequestAborted);
        if (missing.Count > 0)
        {
            var text = Encoding.UTF8.GetBytes("These could not be read and are not in this archive:\n" + string.Join('\n', missing) + "\n");
            using var content = new MemoryStream(text);
            await sink.AddFileAsync(
                name + "/" + MissingList,
                new FileStat { Mode = 0x1A4, ModifiedTicks = 0 },
                content,
                context.RequestAborted
            );
        }
    }

    private async Task AddFolderAsync(
        IArchiveSink sink,
        SafeFileHandle folder,
        string name,
        WorkspacePath path,
        List<string> missing,
        int depth,
        CancellationToken cancellationToken
    )
    {
        await sink.AddFolderAsync(name + "/", Location.StatOpen(folder, path), cancellationToken);
        foreach (var child in Location.NamesIn(folder).Order(StringComparer.Ordinal).ToList())
        {
            var childPath = path.Child(child);
            var childName = name + "/" + child;
            if (inFlight.Contains(child) || Location.TryStat(folder, child, childPath) is not { } stat)
            {
                continue;
            }

            if (stat.IsLink)
            {
                await sink.AddLinkAsync(childName, stat, WorkspaceFolder.ReadLink(folder, child, childPath) ?? "", cancellationToken);
                continue;
            }

            if (!stat.IsFolder && !stat.IsFile)
            {
                continue;
            }

            using var opened = TryOpen(folder, child, childPath, stat.IsFolder && depth < WorkspaceFiles.MaxDepth);
            if (opened is null || (stat.IsFolder && depth >= WorkspaceFiles.MaxDepth))
            {
                missing.Add(childName);
            }
            else if (stat.IsFolder)
            {
                await AddFolderAsync(sink, opened, childName, childPath, missing, depth + 1, cancellationToken);
            }
            else
            {
                var now = Location.StatOpen(opened, childPath);
                await using var stream = new FileStream(opened, FileAccess.Read, bufferSize: 0, isAsync: false);
                await using var exact = new ExactLengthStream(stream, now.Size);
                await sink.AddFileAsync(childName, now, exact, cancellationToken);
            }
        }
    }

    private static SafeFileHandle? TryOpen(SafeFileHandle folder, string name, WorkspacePath path, bool asFolder)
    {
        try
        {
            using var at = new Location(path, folder, name, []);
            return asFolder ? at.OpenFolder() : at.Open(Libc.ORdonly);
        }
        catch (ProblemException)
        {
            return null;
        }
    }
}
