using System.Net;

namespace Berth.Studio.Tests.Files;

/// <summary>Links, through the API, on a real file system.</summary>
public sealed class SymbolicLinkTests : IAsyncLifetime
{
    private StudioServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await StudioServer.StartAsync();
        Directory.CreateDirectory(Path.Combine(_server.Root, "real"));
        await File.WriteAllTextAsync(Path.Combine(_server.Root, "real", "in.txt"), "inside");
        Link("abs", _server.Outside);
        Link("rel", "../outside");
        Link("deep", "real/../../outside");
        Link("file", "../outside/secret.txt");
        Link("tricky", _server.Root + "/../outside");
        Link("prefix", _server.Root + "-other");
        Link("chain", "rel");
        Link("loop", "loop");
        Link("proc", "/proc/self/root");
        Link("good", "real");
        Link("good-abs", _server.Root + "/real");
        Link("real/up", "..");
        Link("new", "real/made.txt");
        Link("broken", "nowhere/at/all");
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("abs/secret.txt")]
    [InlineData("rel/secret.txt")]
    [InlineData("deep/secret.txt")]
    [InlineData("file")]
    [InlineData("tricky/secret.txt")]
    [InlineData("prefix/x")]
    [InlineData("chain/secret.txt")]
    [InlineData("proc/etc/passwd")]
    [InlineData("good/up/rel/secret.txt")]
    public async Task Read_ThroughALinkThatLeavesTheWorkspace_IsRefused(string path) =>
        await StudioServer.ProblemAsync(await _server.GetAsync("/api/files/content?path=" + path), HttpStatusCode.Forbidden, "outside");

    [Theory]
    [InlineData("abs/made.txt")]
    [InlineData("chain/made.txt")]
    public async Task Write_ThroughALinkThatLeavesTheWorkspace_IsRefusedAndMakesNothing(string path)
    {
        var answer = await _server.PutAsync("/api/files/content?path=" + path, "x", ("If-None-Match", "*"));

        await StudioServer.ProblemAsync(answer, HttpStatusCode.Forbidden, "outside");
        Assert.False(File.Exists(Path.Combine(_server.Outside, "made.txt")));
    }

    [Fact]
    public async Task ListDeleteRenameMkdir_ThroughALinkThatLeavesTheWorkspace_AreRefused()
    {
        await StudioServer.ProblemAsync(await _server.GetAsync("/api/files?path=abs"), HttpStatusCode.Forbidden, "outside");
        await StudioServer.ProblemAsync(
            await _server.SendAsync(HttpMethod.Delete, "/api/files?path=abs/secret.txt"),
            HttpStatusCode.Forbidden,
            "outside"
        );
        await StudioServer.ProblemAsync(
            await _server.SendAsync(HttpMethod.Post, "/api/files/folder?path=rel/made&parents=true"),
            HttpStatusCode.Forbidden,
            "outside"
        );
        await StudioServer.ProblemAsync(
            await _server.SendAsync(
                HttpMethod.Post,
                "/api/files/rename",
                new StringContent("""{"from":"abs/secret.txt","to":"mine.txt"}""", null, "application/json")
            ),
            HttpStatusCode.Forbidden,
            "outside"
        );
        await StudioServer.ProblemAsync(await _server.GetAsync("/api/files/archive?path=rel"), HttpStatusCode.Forbidden, "outside");
        Assert.Equal(["secret.txt"], Directory.EnumerateFileSystemEntries(_server.Outside).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("good/in.txt")]
    [InlineData("good-abs/in.txt")]
    [InlineData("real/up/real/in.txt")]
    [InlineData("real/up/good/up/good-abs/in.txt")]
    public async Task Read_ThroughALinkThatStaysInside_Works(string path) =>
        Assert.Equal("inside", await (await _server.GetAsync("/api/files/content?path=" + path)).Content.ReadAsStringAsync());

    [Fact]
    public async Task Read_Loop_SaysSo() =>
        await StudioServer.ProblemAsync(await _server.GetAsync("/api/files/content?path=loop"), HttpStatusCode.Conflict, "link-loop");

    [Fact]
    public async Task Write_ToALink_ReplacesItsTargetAndKeepsTheLink()
    {
        var answer = await _server.PutAsync("/api/files/content?path=new", "content", ("If-None-Match", "*"));

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal("content", await File.ReadAllTextAsync(Path.Combine(_server.Root, "real", "made.txt")));
        Assert.NotNull(new FileInfo(Path.Combine(_server.Root, "new")).LinkTarget);
    }

    [Fact]
    public async Task Delete_OfALinkOrAFolderWithLinks_NeverTouchesTargets()
    {
        Link("real/out", "../../outside");

        Assert.Equal(HttpStatusCode.NoContent, (await _server.SendAsync(HttpMethod.Delete, "/api/files?path=abs")).StatusCode);
        Assert.Equal(
            HttpStatusCode.NoContent,
            (await _server.SendAsync(HttpMethod.Delete, "/api/files?path=real&recursive=true")).StatusCode
        );

        Assert.True(File.Exists(Path.Combine(_server.Outside, "secret.txt")));
        Assert.False(Directory.Exists(Path.Combine(_server.Root, "real")));
    }

    [Fact]
    public async Task List_Links_TellTargetAndKind()
    {
        var text = await (await _server.GetAsync("/api/files")).Content.ReadAsStringAsync();
        var entries = System.Text.Json.Nodes.JsonNode.Parse(text)!["entries"]!.AsArray().ToDictionary(e => (string)e!["name"]!, e => e!);

        Assert.Equal(("link", "folder"), ((string)entries["good"]["type"]!, (string)entries["good"]["targetType"]!));
        Assert.Null(entries["abs"]["targetType"]);
        Assert.Null(entries["broken"]["targetType"]);
        Assert.Equal(_server.Outside, (string)entries["abs"]["target"]!);
    }

    [Fact]
    public async Task Read_WhileAParentIsExchangedForALink_NeverLeaves()
    {
        // One side swaps a folder and a link that leads out, the other reads through the name: every answer is the inside file or an error.
        var folder = Path.Combine(_server.Root, "swap");
        var held = Path.Combine(_server.Root, "held");
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "secret.txt"), "inside");
        using var stop = new CancellationTokenSource();
        var swapping = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Directory.Move(folder, held);
                File.CreateSymbolicLink(folder, _server.Outside);
                File.Delete(folder);
                Directory.Move(held, folder);
            }
        });
        try
        {
            for (var i = 0; i < 300; i++)
            {
                using var answer = await _server.GetAsync("/api/files/content?path=swap/secret.txt");
                Assert.NotEqual("secret", await answer.Content.ReadAsStringAsync());
            }
        }
        finally
        {
            await stop.CancelAsync();
            await swapping;
        }
    }

    private void Link(string name, string target) => File.CreateSymbolicLink(Path.Combine(_server.Root, name), target);
}
