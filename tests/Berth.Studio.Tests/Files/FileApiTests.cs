using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Berth.Studio.Files;

namespace Berth.Studio.Tests.Files;

public sealed class FileApiTests : IAsyncLifetime
{
    private StudioServer _server = null!;

    public async Task InitializeAsync() => _server = await StudioServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task PutGet_NewFile_RoundTripsWithAnETag()
    {
        var made = await _server.PutAsync("/api/files/content?path=dir/a.txt&parents=true", "one", ("If-None-Match", "*"));
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);

        var read = await _server.GetAsync("/api/files/content?path=dir/a.txt");
        Assert.Equal("one", await read.Content.ReadAsStringAsync());
        Assert.Equal(made.Headers.ETag, read.Headers.ETag);
        Assert.StartsWith("attachment", read.Content.Headers.ContentDisposition!.ToString(), StringComparison.Ordinal);
        Assert.Contains("sandbox", read.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Put_TwoTabs_TheSecondIsToldAndTheFirstSaveStays()
    {
        var first = (await _server.PutAsync("/api/files/content?path=a", "0", ("If-None-Match", "*"))).Headers.ETag!.ToString();

        Assert.Equal(HttpStatusCode.OK, (await _server.PutAsync("/api/files/content?path=a", "tab 1", ("If-Match", first))).StatusCode);
        await StudioServer.ProblemAsync(
            await _server.PutAsync("/api/files/content?path=a", "tab 2", ("If-Match", first)),
            HttpStatusCode.PreconditionFailed,
            "changed"
        );

        Assert.Equal("tab 1", await File.ReadAllTextAsync(Path.Combine(_server.Root, "a")));
    }

    [Fact]
    public async Task Put_ManyAtOnceFromOneVersion_ExactlyOneWins()
    {
        var tag = (await _server.PutAsync("/api/files/content?path=a", "0", ("If-None-Match", "*"))).Headers.ETag!.ToString();

        var answers = await Task.WhenAll(
            Enumerable.Range(1, 16).Select(i => _server.PutAsync("/api/files/content?path=a", $"v{i}", ("If-Match", tag)))
        );

        Assert.Single(answers, a => a.StatusCode == HttpStatusCode.OK);
        Assert.Equal(15, answers.Count(a => a.StatusCode == HttpStatusCode.PreconditionFailed));
    }

    [Fact]
    public async Task Put_ChangedInPlaceByAProgram_IsToldAlsoAtTheSameSize()
    {
        var path = Path.Combine(_server.Root, "a");
        var tag = (await _server.PutAsync("/api/files/content?path=a", "aaa", ("If-None-Match", "*"))).Headers.ETag!.ToString();
        var before = File.GetLastWriteTimeUtc(path);
        while (File.GetLastWriteTimeUtc(path) == before)
        {
            // The kernel's file clock ticks every few milliseconds.
            await File.WriteAllTextAsync(path, "bbb");
        }

        await StudioServer.ProblemAsync(
            await _server.PutAsync("/api/files/content?path=a", "ccc", ("If-Match", tag)),
            HttpStatusCode.PreconditionFailed,
            "changed"
        );
    }

    [Fact]
    public async Task Put_Conditions_AreAskedForAndKept()
    {
        await StudioServer.ProblemAsync(
            await _server.PutAsync("/api/files/content?path=a", "x"),
            HttpStatusCode.PreconditionRequired,
            "precondition-required"
        );
        await StudioServer.ProblemAsync(
            await _server.PutAsync("/api/files/content?path=a", "x", ("If-Match", "\"1\"")),
            HttpStatusCode.PreconditionFailed,
            "gone"
        );
        await StudioServer.ProblemAsync(
            await _server.PutAsync("/api/files/content?path=a", "x", ("If-Match", "nonsense")),
            HttpStatusCode.BadRequest,
            "bad-request"
        );
        await _server.PutAsync("/api/files/content?path=a", "x", ("If-None-Match", "*"));
        await StudioServer.ProblemAsync(
            await _server.PutAsync("/api/files/content?path=a", "y", ("If-None-Match", "*")),
            HttpStatusCode.Conflict,
            "exists"
        );
        Assert.Equal(HttpStatusCode.OK, (await _server.PutAsync("/api/files/content?path=a", "z", ("If-Match", "*"))).StatusCode);
    }

    [Fact]
    public async Task Put_ExistingFile_KeepsItsMode()
    {
        var path = Path.Combine(_server.Root, "run.sh");
        await File.WriteAllTextAsync(path, "old");
        File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32("750", 8));

        await _server.PutAsync("/api/files/content?path=run.sh", "new", ("If-Match", "*"));

        Assert.Equal(Convert.ToInt32("750", 8), (int)File.GetUnixFileMode(path));
        Assert.Equal("new", await File.ReadAllTextAsync(path));
    }

    [Fact]
    public async Task Put_BrokenOffInTheMiddle_LeavesTheOldFileAndNothingElse()
    {
        var path = Path.Combine(_server.Root, "a");
        await File.WriteAllTextAsync(path, "old");
        var first = new TaskCompletionSource();
        using var cancel = new CancellationTokenSource();
        using var request = _server.Request(HttpMethod.Put, "/api/files/content?path=a");
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        request.Content = new EndlessContent(first);

        var sending = _server.Http.SendAsync(request, cancel.Token);
        await first.Task;

        // It is being written beside the file, and the list does not show it.
        await UntilAsync(() => Directory.GetFiles(_server.Root).Length == 2);
        var listing = JsonNode.Parse(await (await _server.GetAsync("/api/files")).Content.ReadAsStringAsync())!;
        Assert.Equal(["a"], listing["entries"]!.AsArray().Select(e => (string)e!["name"]!));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => sending);

        await UntilAsync(() => Directory.GetFiles(_server.Root).Length == 1);
        Assert.Equal("old", await File.ReadAllTextAsync(path));
    }

    [Fact]
    public async Task Put_LargeUpload_ArrivesWholeAndRangesRead()
    {
        var bytes = RandomNumberGenerator.GetBytes(40 * 1024 * 1024);
        var answer = await _server.SendAsync(
            HttpMethod.Put,
            "/api/files/content?path=big.bin",
            new StreamContent(new MemoryStream(bytes)),
            ("If-None-Match", "*")
        );
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);

        Assert.Equal(
            SHA256.HashData(bytes),
            SHA256.HashData(await (await _server.GetAsync("/api/files/content?path=big.bin")).Content.ReadAsByteArrayAsync())
        );
        var part = await _server.SendAsync(HttpMethod.Get, "/api/files/content?path=big.bin", null, ("Range", "bytes=1000-1009"));
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(bytes[1000..1010], await part.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("../x", HttpStatusCode.BadRequest, "bad-path")]
    [InlineData("%2e%2e/x", HttpStatusCode.BadRequest, "bad-path")]
    [InlineData("%2fetc/passwd", HttpStatusCode.BadRequest, "bad-path")]
    [InlineData("..%2fx", HttpStatusCode.BadRequest, "bad-path")]
    [InlineData("a%00b", HttpStatusCode.BadRequest, "bad-path")]
    [InlineData("a&path=b", HttpStatusCode.BadRequest, "bad-path")]
    [InlineData("%252e%252e/x", HttpStatusCode.NotFound, "not-found")]
    [InlineData("..%5cx", HttpStatusCode.NotFound, "not-found")]
    [InlineData("missing", HttpStatusCode.NotFound, "not-found")]
    public async Task Get_HostilePath_IsOneClearProblem(string path, HttpStatusCode status, string code) =>
        await StudioServer.ProblemAsync(await _server.GetAsync("/api/files/content?path=" + path), status, code);

    [Fact]
    public async Task Get_FolderOrPipe_IsNotAFile()
    {
        Directory.CreateDirectory(Path.Combine(_server.Root, "dir"));
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", Path.Combine(_server.Root, "pipe")))
        {
            await mkfifo.WaitForExitAsync();
        }

        await StudioServer.ProblemAsync(await _server.GetAsync("/api/files/content?path=dir"), HttpStatusCode.Conflict, "not-a-file");
        await StudioServer.ProblemAsync(await _server.GetAsync("/api/files/content?path=pipe"), HttpStatusCode.Conflict, "not-a-file");
    }

    [Fact]
    public async Task Delete_Folder_NeedsTheFlagWhenItIsNotEmpty()
    {
        await _server.PutAsync("/api/files/content?path=d/e/f.txt&parents=true", "x", ("If-None-Match", "*"));

        await StudioServer.ProblemAsync(
            await _server.SendAsync(HttpMethod.Delete, "/api/files?path=d"),
            HttpStatusCode.Conflict,
            "not-empty"
        );
        await StudioServer.ProblemAsync(
            await _server.SendAsync(HttpMethod.Delete, "/api/files?path=&recursive=true"),
            HttpStatusCode.BadRequest,
            "is-root"
        );
        Assert.Equal(HttpStatusCode.NoContent, (await _server.SendAsync(HttpMethod.Delete, "/api/files?path=d&recursive=true")).StatusCode);

        Assert.Empty(Directory.EnumerateFileSystemEntries(_server.Root));
    }

    [Fact]
    public async Task Rename_Cases_MoveOrSayWhyNot()
    {
        await _server.PutAsync("/api/files/content?path=a", "A", ("If-None-Match", "*"));
        await _server.PutAsync("/api/files/content?path=b", "B", ("If-None-Match", "*"));
        await _server.SendAsync(HttpMethod.Post, "/api/files/folder?path=d");

        await StudioServer.ProblemAsync(await RenameAsync("a", "b"), HttpStatusCode.Conflict, "exists");
        await StudioServer.ProblemAsync(await RenameAsync("d", "d/e"), HttpStatusCode.BadRequest, "bad-request");
        await StudioServer.ProblemAsync(await RenameAsync("a", "d", true), HttpStatusCode.Conflict, "exists");
        await StudioServer.ProblemAsync(await RenameAsync("a", "../x"), HttpStatusCode.BadRequest, "bad-path");
        await StudioServer.ProblemAsync(await RenameAsync("nothing", "x"), HttpStatusCode.NotFound, "not-found");
        Assert.Equal(HttpStatusCode.OK, (await RenameAsync("a", "d/moved")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await RenameAsync("d/moved", "b", true)).StatusCode);
        Assert.Equal("A", await File.ReadAllTextAsync(Path.Combine(_server.Root, "b")));
    }

    [Theory]
    [InlineData("tar")]
    [InlineData("zip")]
    public async Task Archive_Folder_HoldsEverythingAndLinksAsLinks(string format)
    {
        await _server.PutAsync("/api/files/content?path=d/sub/f.txt&parents=true", "content", ("If-None-Match", "*"));
        File.CreateSymbolicLink(Path.Combine(_server.Root, "d", "out"), _server.Outside);

        var answer = await _server.GetAsync($"/api/files/archive?path=d&format={format}");
        using var bytes = new MemoryStream(await answer.Content.ReadAsByteArrayAsync());
        var found = new Dictionary<string, string>();
        if (format == "tar")
        {
            await using var reader = new TarReader(bytes);
            while (await reader.GetNextEntryAsync() is { } entry)
            {
                found[entry.Name] = entry.EntryType switch
                {
                    TarEntryType.SymbolicLink => "-> " + entry.LinkName,
                    TarEntryType.Directory => "dir",
                    _ => await new StreamReader(entry.DataStream!).ReadToEndAsync(),
                };
            }
        }
        else
        {
            await using var zip = new ZipArchive(bytes);
            foreach (var entry in zip.Entries)
            {
                var text = await new StreamReader(await entry.OpenAsync()).ReadToEndAsync();
                found[entry.FullName] =
                    entry.FullName.EndsWith('/') ? "dir"
                    : (entry.ExternalAttributes >> 28 & 0xf) == 0xa ? "-> " + text
                    : text;
            }
        }

        Assert.Equal(
            new Dictionary<string, string>
            {
                ["d/"] = "dir",
                ["d/out"] = "-> " + _server.Outside,
                ["d/sub/"] = "dir",
                ["d/sub/f.txt"] = "content",
            }.OrderBy(p => p.Key),
            found.OrderBy(p => p.Key)
        );
    }

    [Fact]
    public async Task List_Folder_SortsAndTellsSizes()
    {
        await File.WriteAllTextAsync(Path.Combine(_server.Root, "b"), "12345");
        Directory.CreateDirectory(Path.Combine(_server.Root, "a"));
        await File.WriteAllTextAsync(Path.Combine(_server.Root, "%2e%2e"), "x");

        var listing = JsonNode.Parse(await (await _server.GetAsync("/api/files")).Content.ReadAsStringAsync())!;

        Assert.Equal(["%2e%2e", "a", "b"], listing["entries"]!.AsArray().Select(e => (string)e!["name"]!));
        Assert.Equal(5, (int)listing["entries"]![2]!["size"]!);
        Assert.Equal("folder", (string)listing["entries"]![1]!["type"]!);
        Assert.False((bool)listing["truncated"]!);
    }

    [Fact]
    public void ExactLength_FileShrinksOrGrows_ReadsTheAnnouncedLength()
    {
        using var shrunk = new ExactLengthStream(new MemoryStream([1, 2]), 4);
        using var grown = new ExactLengthStream(new MemoryStream([1, 2, 3, 4, 5, 6]), 4);

        Assert.Equal([1, 2, 0, 0], ReadAll(shrunk));
        Assert.Equal([1, 2, 3, 4], ReadAll(grown));
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var target = new MemoryStream();
        stream.CopyTo(target);
        return target.ToArray();
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private Task<HttpResponseMessage> RenameAsync(string from, string to, bool overwrite = false) =>
        _server.SendAsync(
            HttpMethod.Post,
            "/api/files/rename",
            new StringContent(
                new JsonObject
                {
                    ["from"] = from,
                    ["to"] = to,
                    ["overwrite"] = overwrite,
                }.ToJsonString(),
                new MediaTypeHeaderValue("application/json")
            )
        );

    private sealed class EndlessContent(TaskCompletionSource first) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(new byte[100_000], cancellationToken);
            await stream.FlushAsync(cancellationToken);
            first.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, default);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
