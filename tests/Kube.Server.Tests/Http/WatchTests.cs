using System.Text.Json.Nodes;
using Testing;

namespace Kube.Server.Tests.Http;

/// <summary>Watches over HTTP: their end, their bookmarks, and readers that are too slow.</summary>
public sealed class WatchTests
{
    private const string Table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

    [Fact]
    public async Task Watch_FromAVersionOutsideTheHistory_IsOneErrorEventWith410()
    {
        await using var api = await ApiServer.StartAsync(o => o with { HistoryEvents = 4 });
        var ns = await api.NamespaceAsync();
        var old = await api.MapAsync(ns, "first");
        for (var i = 0; i < 10; i++)
        {
            await api.MapAsync(ns, "m" + i);
        }
        using var watch = await api.WatchAsync($"/api/v1/namespaces/{ns}/configmaps?watch=true&resourceVersion={old}");
        var error = (await watch.NextAsync())!;
        Assert.Equal(("ERROR", "Status", 410, "Expired"), (
            error["type"]!.ToString(), error["object"]!["kind"]!.ToString(), error["object"]!["code"]!.GetValue<int>(),
            error["object"]!["reason"]!.ToString()));
        Assert.StartsWith($"too old resource version: {old} (", error["object"]!["message"]!.ToString(), StringComparison.Ordinal);
        Assert.Null(await watch.NextAsync());
    }

    [Fact]
    public async Task Watch_ReaderThatStops_BlocksNoWriterAndEndsWith410()
    {
        await using var api = await ApiServer.StartAsync(o => o with { HistoryEvents = 50, FlushToDisk = false });
        var ns = await api.NamespaceAsync();
        await api.MapAsync(ns, "big");
        using var watch = await api.WatchAsync($"/api/v1/namespaces/{ns}/configmaps?watch=true");
        Assert.Equal("ADDED", (await watch.NextAsync())!["type"]!.ToString());

        // More than the connection's windows and the pipe between handler and connection hold, while nobody reads.
        var filler = new string('x', 256 * 1024);
        for (var i = 0; i < 200; i++)
        {
            var data = new JsonObject { ["data"] = new JsonObject { ["n"] = $"{i}", ["f"] = filler } };
            await api.Server.Api.PatchAsync(GroupResource.ConfigMaps, ns, "big", data);
        }
        var seen = 0;
        JsonNode? last = null;
        while (await watch.NextAsync() is { } next)
        {
            last = next;
            seen++;
            if (next["type"]!.ToString() == "ERROR" || next["object"]!["data"]!["n"]!.ToString() == "199")
            {
                break;
            }
        }
        Assert.True(seen < 200, "a reader that slow cannot have seen every change");
        Assert.Equal(("ERROR", 410), (last!["type"]!.ToString(), last["object"]!["code"]!.GetValue<int>()));
    }

    [Fact]
    public async Task Watch_Bookmarks_ComeAtTheirTimeAndBeforeTheEnd()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var api = await ApiServer.StartAsync(o =>
            o with { BuiltInControllers = false, BookmarkInterval = TimeSpan.FromSeconds(60) }, time);
        var ns = await api.NamespaceAsync();
        var version = await api.MapAsync(ns, "a");
        using var watch = await api.WatchAsync(
            $"/api/v1/namespaces/{ns}/configmaps?watch=true&resourceVersion={version}&allowWatchBookmarks=true&timeoutSeconds=100");
        var other = await api.MapAsync(await api.NamespaceAsync(), "elsewhere");
        await AdvanceAsync(time, 59);
        await api.MapAsync(ns, "b");
        Assert.Equal("ADDED", (await watch.NextAsync())!["type"]!.ToString());
        var latest = api.Server.Api.List(GroupResource.ConfigMaps).ResourceVersion;
        await AdvanceAsync(time, 1);
        var bookmark = (await watch.NextAsync())!;
        Assert.Equal(("BOOKMARK", "ConfigMap", $"{latest}"), (
            bookmark["type"]!.ToString(), bookmark["object"]!["kind"]!.ToString(),
            bookmark["object"]!["metadata"]!["resourceVersion"]!.ToString()));
        Assert.True(latest > long.Parse(other));
        await AdvanceAsync(time, 38);
        Assert.Equal("BOOKMARK", (await watch.NextAsync())!["type"]!.ToString());
        await AdvanceAsync(time, 2);
        Assert.Null(await watch.NextAsync());
    }

    [Fact]
    public async Task Watch_AsTable_SendsColumnsOnceAndRowsAsTheyChange()
    {
        await using var api = await ApiServer.StartAsync();
        var ns = await api.NamespaceAsync();
        await api.MapAsync(ns, "a");
        using var watch = await api.WatchAsync($"/api/v1/namespaces/{ns}/configmaps?watch=true", Table);
        var added = (await watch.NextAsync())!["object"]!;
        Assert.Equal("Table", added["kind"]!.ToString());
        Assert.Equal(["Name", "Data", "Age"], added["columnDefinitions"]!.AsArray().Select(c => c!["name"]!.ToString()));
        Assert.Equal(["a", "0"], Cells(added).Take(2));
        await api.SendAsync("PATCH", $"/api/v1/namespaces/{ns}/configmaps/a", """{"data":{"x":"1"}}""", "application/merge-patch+json");
        var modified = (await watch.NextAsync())!;
        Assert.Equal("MODIFIED", modified["type"]!.ToString());
        Assert.Empty(modified["object"]!["columnDefinitions"]!.AsArray());
        Assert.Equal(["a", "1"], Cells(modified["object"]!).Take(2));
    }

    private static IEnumerable<string> Cells(JsonNode table) => table["rows"]![0]!["cells"]!.AsArray().Select(c => c!.ToString());

    // The watch sleeps on the same clock: it must be asleep before time moves, or it would miss nothing but sleep too long.
    private static async Task AdvanceAsync(FakeTimeProvider time, int seconds)
    {
        var patience = TimeProvider.System.GetTimestamp();
        while (time.ArmedTimers == 0)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(patience) < TimeSpan.FromSeconds(30), "the watch never went to sleep");
            await Task.Delay(5);
        }
        time.Advance(TimeSpan.FromSeconds(seconds));
    }
}
