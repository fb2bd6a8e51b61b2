using System.Text;
using Kube.Client.Models;
using Kube.Client.Tests.Support;
using Testing;

namespace Kube.Client.Tests.Watching;

public sealed class WatchTests
{
    [Fact]
    public async Task WatchAsync_AllKindsOfEvents_AreReadInOrder()
    {
        var events = await WatchAsync(
            Answer.Event("ADDED", Answer.ConfigMap("a", "1")),
            Answer.Event("MODIFIED", Answer.ConfigMap("a", "2")),
            Answer.Event("BOOKMARK", """{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"5"}}"""),
            Answer.Event("BOOKMARK", """{"metadata":{"resourceVersion":"6","annotations":{"k8s.io/initial-events-end":"true"}}}"""),
            Answer.Event("DELETED", Answer.ConfigMap("a", "7"))
        );
        Assert.Equal("1", Assert.IsType<WatchEvent<ConfigMap>.Added>(events[0]).Object.Metadata.ResourceVersion);
        Assert.Equal("2", Assert.IsType<WatchEvent<ConfigMap>.Modified>(events[1]).Object.Metadata.ResourceVersion);
        Assert.Equal(new WatchEvent<ConfigMap>.Bookmark("5", false), events[2]);
        Assert.Equal(new WatchEvent<ConfigMap>.Bookmark("6", true), events[3]);
        Assert.Equal("7", Assert.IsType<WatchEvent<ConfigMap>.Deleted>(events[4]).Object.Metadata.ResourceVersion);
    }

    [Fact]
    public async Task WatchAsync_ChunkBoundaryAtEveryByte_GivesTheSameEvents()
    {
        var frames = Answer.Event("ADDED", Answer.ConfigMap("ä")) + Answer.Event("MODIFIED", Answer.ConfigMap("b"));
        var bytes = Encoding.UTF8.GetBytes(frames);
        var at = 0;
        await using var server = new ScriptedServer(
            async (_, c) =>
            {
                await c.WriteAsync(Answer.WatchHead);
                foreach (var part in new[] { bytes[..at], bytes[at..] })
                {
                    await c.WriteAsync(
                        (ReadOnlyMemory<byte>)(byte[])[.. Encoding.ASCII.GetBytes($"{part.Length:x}\r\n"), .. part, .. "\r\n"u8]
                    );
                }

                await c.WriteAsync("0\r\n\r\n");
            }
        );
        for (at = 1; at < bytes.Length; at++)
        {
            var events = await ReadAllAsync(server);
            Assert.Equal(["ä", "b"], events.Select(NameOf));
        }
    }

    [Fact]
    public async Task WatchAsync_EmptyWatch_EndsWithoutError() => Assert.Empty(await WatchAsync());

    [Fact]
    public async Task WatchAsync_UnknownType_IsSkipped()
    {
        var events = await WatchAsync(Answer.Event("SURPRISE", "{}"), Answer.Event("ADDED", Answer.ConfigMap("a")));
        Assert.Equal("a", NameOf(Assert.Single(events)));
    }

    [Fact]
    public async Task WatchAsync_ErrorEvent_ThrowsItsStatus()
    {
        var error = await Assert.ThrowsAsync<KubeException>(() =>
            WatchAsync(
                Answer.Event(
                    "ERROR",
                    """{"kind":"Status","apiVersion":"v1","status":"Failure","message":"too old resource version: 1 (9)","reason":"Expired","code":410}"""
                )
            )
        );
        Assert.True(error.IsExpired);
        Assert.Equal("too old resource version: 1 (9)", error.Message);
    }

    [Fact]
    public async Task WatchAsync_RefusedWith410_Throws()
    {
        await using var server = ScriptedServer.Answers(Answer.Status(410, "Expired", "too old"));
        var error = await Assert.ThrowsAsync<KubeException>(() => ReadAllAsync(server));
        Assert.True(error.IsExpired);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("not json\n")]
    [InlineData("[]\n")]
    [InlineData("{\"type\":\"ADDED\"}\n")]
    [InlineData("{\"type\":3,\"object\":{}}\n")]
    [InlineData("{\"type\":\"ADDED\",\"object\":null}\n")]
    [InlineData("{\"type\":\"BOOKMARK\",\"object\":{}}\n")]
    public async Task WatchAsync_NoWatchFrame_SaysSo(string line)
    {
        var error = await Assert.ThrowsAsync<KubeException>(() => WatchAsync(line));
        Assert.Contains("not a watch event", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WatchAsync_LastFrameCutWithoutChunking_SaysThatTheConnectionWasCut()
    {
        await using var server = new ScriptedServer(
            async (_, c) =>
            {
                await c.WriteAsync(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + Answer.Event("ADDED", Answer.ConfigMap("a")) + "{\"type\":\"MODI"
                );
                throw new IOException();
            }
        );
        List<string> names = [];
        var error = await Assert.ThrowsAsync<KubeException>(() => ReadAllAsync(server, e => names.Add(NameOf(e))));
        Assert.Equal(["a"], names);
        Assert.Contains("middle of a frame", error.Message, StringComparison.Ordinal);
        Assert.True(error.IsTransient);
    }

    [Fact]
    public async Task WatchAsync_LastFrameCompleteWithoutLineEnd_IsDelivered()
    {
        await using var server = new ScriptedServer(
            async (_, c) =>
            {
                await c.WriteAsync("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + Answer.Event("ADDED", Answer.ConfigMap("a")).TrimEnd());
                throw new IOException();
            }
        );
        Assert.Equal("a", NameOf(Assert.Single(await ReadAllAsync(server))));
    }

    [Fact]
    public async Task WatchAsync_ConnectionReset_ThrowsTransient()
    {
        await using var server = new ScriptedServer(
            async (_, c) =>
            {
                await c.WriteAsync(Answer.WatchHead);
                await c.WriteChunkAsync(Answer.Event("ADDED", Answer.ConfigMap("a")));
                c.Reset();
            }
        );
        var error = await Assert.ThrowsAsync<KubeException>(() => ReadAllAsync(server));
        Assert.True(error.IsTransient);
    }

    [Fact]
    public async Task WatchAsync_SilentLongerThanTimeoutAndGrace_ThrowsTransient()
    {
        await using var server = new ScriptedServer(
            async (_, c) =>
            {
                await c.WriteAsync(Answer.WatchHead);
                await c.WriteChunkAsync(Answer.Event("ADDED", Answer.ConfigMap("a")));
                await c.SilenceAsync();
            }
        );
        var clock = new FakeTimeProvider();
        using var client = KubeClient.Create(server.Config, new() { TimeProvider = clock });
        await using var events = client.WatchAsync<ConfigMap>("a", new(), Wait.Limit()).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync());
        var next = events.MoveNextAsync().AsTask();
        await Wait.UntilAsync(() => clock.ArmedTimers == 1);
        clock.Advance(TimeSpan.FromSeconds(294));
        Assert.False(next.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        var error = await Assert.ThrowsAsync<KubeException>(() => next);
        Assert.Contains("295 s", error.Message, StringComparison.Ordinal);
        Assert.True(error.IsTransient);
    }

    [Fact]
    public async Task WatchAsync_CallerTakesLongForAnEvent_IsNotTheServersSilence()
    {
        await using var server = new ScriptedServer(
            async (_, c) =>
            {
                await c.WriteAsync(Answer.WatchHead);
                await c.WriteChunkAsync(Answer.Event("ADDED", Answer.ConfigMap("a")));
                await c.WriteChunkAsync(Answer.Event("ADDED", Answer.ConfigMap("b")));
                await c.WriteAsync("0\r\n\r\n");
            }
        );
        var clock = new FakeTimeProvider();
        using var client = KubeClient.Create(server.Config, new() { TimeProvider = clock });
        await using var events = client.WatchAsync<ConfigMap>("a", new(), Wait.Limit()).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync());
        clock.Advance(TimeSpan.FromHours(1));
        Assert.True(await events.MoveNextAsync());
        Assert.False(await events.MoveNextAsync());
    }

    [Fact]
    public async Task WatchAsync_Cancelled_EndsWithTheCallersToken()
    {
        await using var server = new ScriptedServer(
            async (_, c) =>
            {
                await c.WriteAsync(Answer.WatchHead);
                await c.SilenceAsync();
            }
        );
        using var client = KubeClient.Create(server.Config);
        using var cancel = new CancellationTokenSource();
        await using var events = client.WatchAsync<ConfigMap>("a", new(), cancel.Token).GetAsyncEnumerator();
        var next = events.MoveNextAsync().AsTask();
        await Wait.UntilAsync(() => !server.Requests.IsEmpty);
        await cancel.CancelAsync();
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
        Assert.Equal(cancel.Token, error.CancellationToken);
    }

    [Fact]
    public async Task WatchAsync_HugeFrame_IsReadWithinTheBoundAndRefusedAboveIt()
    {
        var large = Answer.ConfigMap("a").Replace("\"v\"", $"\"{new string('x', 3_000_000)}\"", StringComparison.Ordinal);
        Assert.Equal(
            3_000_000,
            ((WatchEvent<ConfigMap>.Added)(await WatchAsync(Answer.Event("ADDED", large)))[0]).Object.Data!["k"].Length
        );
        await using var server = Chunked(Answer.Event("ADDED", large));
        using var client = KubeClient.Create(server.Config, new() { MaxFrameBytes = 1 << 20 });
        await Assert.ThrowsAsync<KubeException>(async () =>
        {
            await foreach (var _ in client.WatchAsync<ConfigMap>("a", new(), Wait.Limit())) { }
        });
    }

    [Fact]
    public async Task WatchAsync_Options_AreInTheQuery()
    {
        await using var server = Chunked();
        using var client = KubeClient.Create(server.Config);
        await foreach (
            var _ in client.WatchAsync<ConfigMap>(
                null,
                new()
                {
                    SendInitialEvents = true,
                    LabelSelector = "a=b,c",
                    FieldSelector = "metadata.name=x",
                    ResourceVersion = "7",
                    Timeout = TimeSpan.FromSeconds(9.5),
                },
                Wait.Limit()
            )
        ) { }

        Assert.Equal(
            "/api/v1/configmaps?watch=true&allowWatchBookmarks=true&timeoutSeconds=10&resourceVersion=7&sendInitialEvents=true"
                + "&resourceVersionMatch=NotOlderThan&labelSelector=a%3Db%2Cc&fieldSelector=metadata.name%3Dx",
            server.Requests.Single().Path
        );
    }

    private static ScriptedServer Chunked(params string[] frames) =>
        new(
            async (_, c) =>
            {
                await c.WriteAsync(Answer.WatchHead);
                foreach (var frame in frames)
                {
                    await c.WriteChunkAsync(frame);
                }

                await c.WriteAsync("0\r\n\r\n");
            }
        );

    private static async Task<List<WatchEvent<ConfigMap>>> WatchAsync(params string[] frames)
    {
        await using var server = Chunked(frames);
        return await ReadAllAsync(server);
    }

    private static async Task<List<WatchEvent<ConfigMap>>> ReadAllAsync(ScriptedServer server, Action<WatchEvent<ConfigMap>>? seen = null)
    {
        using var client = KubeClient.Create(server.Config);
        List<WatchEvent<ConfigMap>> events = [];
        await foreach (var e in client.WatchAsync<ConfigMap>("a", new(), Wait.Limit()))
        {
            seen?.Invoke(e);
            events.Add(e);
        }

        return events;
    }

    private static string NameOf(WatchEvent<ConfigMap> e) =>
        ((WatchEvent<ConfigMap>.Added?)(e as WatchEvent<ConfigMap>.Added))?.Object.Metadata.Name
        ?? ((WatchEvent<ConfigMap>.Modified)e).Object.Metadata.Name!;
}
