using System.Globalization;
using System.Runtime.Versioning;
using System.Text.Json;

namespace Berth.Operator.Archives;

/// <summary>
/// <c>Berth.Operator archive create|verify|restore|list</c>: what a backup's Job runs. It knows nothing of Kubernetes; what came of it is
/// told in JSON, on standard output and in the file that <c>--result</c> names (a container's termination message).
/// </summary>
[SupportedOSPlatform("linux")]
internal static class ArchiveCommand
{
    private const int FailureExitCode = 1;
    private const int UsageExitCode = 2;

    // A termination message has 4096 bytes.
    private const int MostArchives = 10;
    private const int LongestMessage = 1500;

    internal static async Task<int> RunAsync(
        IReadOnlyList<string> arguments, Func<string, string?> variable, TimeProvider time, TextWriter output,
            CancellationToken cancellationToken)
    {
        ArchiveArguments parsed;
        try
        {
            parsed = ArchiveArguments.Parse(arguments);
        }
        catch (ArchiveException e)
        {
            await output.WriteLineAsync(e.Message);
            return UsageExitCode;
        }

        ArchiveResult result;
        try
        {
            using var http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(15), AllowAutoRedirect = false })
            {
                Timeout = Timeout.InfiniteTimeSpan,
            };
            result = await RunAsync(parsed, Store(parsed, variable, http, time), time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            result = new ArchiveResult { Name = parsed.Name, Message = "It was ended before it was done." };
        }
        catch (Exception e) when (e is ArchiveException or IOException or UnauthorizedAccessException or HttpRequestException)
        {
            result = new ArchiveResult { Name = parsed.Name, Message = e.Message };
        }

        if (!result.Ok && parsed is { Verb: "restore", Root: { } volume, Id: { } id })
        {
            result = result with { Touched = new RestoreFolders(volume, id).IsUnpacked };
        }

        if (result.Message?.Length > LongestMessage)
        {
            result = result with { Message = result.Message[..LongestMessage] + "…" };
        }

        var json = JsonSerializer.Serialize(result, ArchiveJson.Default.ArchiveResult);
        await output.WriteLineAsync(json);
        if (parsed.Result is { } file)
        {
            await File.WriteAllTextAsync(file, json, CancellationToken.None);
        }

        return result.Ok ? 0 : FailureExitCode;
    }

    internal static Task<ArchiveResult> RunAsync(
        ArchiveArguments arguments, IArchiveStore store, TimeProvider time, CancellationToken cancellationToken) => arguments.Verb switch
        {
            "create" => CreateAsync(arguments, store, time, cancellationToken),
            "verify" => VerifyAsync(arguments, store, cancellationToken),
            "restore" => RestoreAsync(arguments, store, cancellationToken),
            _ => ListAsync(store, new ArchiveResult { Ok = true }, cancellationToken),
        };

    private static async Task<ArchiveResult> CreateAsync(
        ArchiveArguments arguments, IArchiveStore store, TimeProvider time, CancellationToken cancellationToken)
    {
        var name = arguments.Name!;
        if (await store.OpenAsync(name, cancellationToken) is { } present)
        {
            // A run that was ended after its last step, before anybody knew.
            await using (present)
            {
                var known = ArchiveReader.Read(present, null, ArchiveLimits.None, null, cancellationToken);
                return await ListAsync(store, Told(name, known, 0), cancellationToken);
            }
        }

        ManifestEnd end = new();
        var stored = await store.WriteAsync(
            name, stream => end = ArchiveWriter.Write(arguments.Root!, stream, time.GetUtcNow(), cancellationToken), cancellationToken);
        try
        {
            await using var written = await store.OpenWrittenAsync(name, cancellationToken);
            var read = ArchiveReader.Read(written, null, ArchiveLimits.None, null, cancellationToken);
            if (read.Entries != end.Entries || read.Bytes != end.Bytes)
            {
                throw new ArchiveException("What was read back is not what was written; the place for archives may be damaged.");
            }
        }
        catch (ArchiveException)
        {
            await store.AbandonAsync(name, CancellationToken.None);
            throw;
        }

        await store.CommitAsync(name, end.UnreadCount > 0, cancellationToken);
        if (arguments.Keep > 0)
        {
            foreach (var old in ArchiveNames.Superfluous(await store.ListAsync(cancellationToken), arguments.Keep))
            {
                await store.DeleteAsync(old, cancellationToken);
            }
        }

        return await ListAsync(store, Told(name, end, stored), cancellationToken);
    }

    private static ArchiveResult Told(string name, ManifestEnd end, long stored)
    {
        var words = new List<string>();
        if (end.UnreadCount > 0)
        {
            words.Add(string.Create(CultureInfo.InvariantCulture,
                $"{end.UnreadCount} could not be read and are not in it: {string.Join("; ", end.Unread ?? [])}."));
        }

        if (end.Changed > 0)
        {
            words.Add(string.Create(CultureInfo.InvariantCulture, $"{end.Changed} files changed while they were read."));
        }

        return new ArchiveResult
        {
            Ok = true,
            Name = name,
            Entries = end.Entries,
            Bytes = end.Bytes,
            Stored = stored,
            Verified = end.UnreadCount == 0,
            Message = words.Count == 0 ? null : string.Join(" ", words),
        };
    }

    private static async Task<ArchiveResult> VerifyAsync(
        ArchiveArguments arguments, IArchiveStore store, CancellationToken cancellationToken)
    {
        await using var archive = await OpenAsync(arguments, store, cancellationToken);
        return Told(arguments.Name!, ArchiveReader.Read(archive, null, ArchiveLimits.None, null, cancellationToken), 0);
    }

    private static async Task<ArchiveResult> RestoreAsync(
        ArchiveArguments arguments, IArchiveStore store, CancellationToken cancellationToken)
    {
        var (message, end) = await ArchiveRestore.RunAsync(
            arguments.Root!,
            arguments.Id!,
            () => OpenAsync(arguments, store, cancellationToken),
            new ArchiveLimits(arguments.MaxBytes, arguments.MaxEntries),
            cancellationToken);
        return new ArchiveResult
        {
            Ok = true,
            Name = arguments.Name,
            Entries = end?.Entries ?? 0,
            Bytes = end?.Bytes ?? 0,
            Verified = true,
            Message = message,
        };
    }

    private static async Task<Stream> OpenAsync(ArchiveArguments arguments, IArchiveStore store, CancellationToken cancellationToken)
    {
        if (await store.OpenAsync(arguments.Name!, cancellationToken) is { } found)
        {
            return found;
        }

        var known = (await store.ListAsync(cancellationToken)).Take(MostArchives).Select(a => a.Name).DefaultIfEmpty("none");
        throw new ArchiveException($"There is no archive '{arguments.Name}'. There are: {string.Join(", ", known)}.");
    }

    private static async Task<ArchiveResult> ListAsync(IArchiveStore store, ArchiveResult result, CancellationToken cancellationToken) =>
        result with { Archives = [.. (await store.ListAsync(cancellationToken)).Take(MostArchives)] };

    private static IArchiveStore Store(ArchiveArguments arguments, Func<string, string?> variable, HttpClient http, TimeProvider time) =>
        arguments.Folder is { } folder
            ? Directory.Exists(folder)
                ? new FolderArchives(folder)
                : throw new ArchiveException($"There is no folder {folder} for archives.")
            : new S3Archives(new S3Client(S3Settings.Read(variable), http, time), arguments.Prefix!);
}
