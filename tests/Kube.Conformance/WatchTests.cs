using Kube.Client;
using Kube.Client.Models;
using Kube.Conformance.Support;

namespace Kube.Conformance;

[Collection(ClusterTests.Name)]
public sealed class WatchTests(Clusters clusters)
{
    private const string Own = """ "labels":{"own":"1"} """;

    [SkippableTheory, Targets]
    public async Task Watch_FromAVersion_GivesWhatCameAfterIt(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var before = await s.MapAsync("a", metadata: Own);
        await s.MapAsync("b", metadata: Own);
        await s.MergeAsync($"{s.Maps}/a", """{"data":{"k":"1"}}""");
        await s.DeleteAsync($"{s.Maps}/b");
        var events = await TakeAsync(s, new() { ResourceVersion = before.Version, LabelSelector = "own" }, 3);
        Assert.Equal(["ADDED b", "MODIFIED a", "DELETED b"], events.Select(Check.NameOf));
        Assert.All(events, e => Assert.Equal("v1", ObjectOf(e).ApiVersion));
        string[] versions = [before.Version, .. events.Select(e => ObjectOf(e).Metadata.ResourceVersion!)];
        Assert.Equal(versions.Order(ResourceVersionComparer.Instance), versions);
        Assert.Equal(versions.Length, versions.Distinct().Count());
    }

    [SkippableTheory, Targets]
    public async Task Watch_WhileOpen_GivesWhatHappens(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var before = await s.MapAsync("a", metadata: Own);
        await using var events = s.Client.WatchAsync<ConfigMap>(s.Ns, new() { ResourceVersion = before.Version, LabelSelector = "own" },
            s.Limit).GetAsyncEnumerator();
        var next = events.MoveNextAsync();
        await s.MapAsync("late", metadata: Own);
        Assert.True(await next);
        while (events.Current is WatchEvent<ConfigMap>.Bookmark)
        {
            Assert.True(await events.MoveNextAsync());
        }

        Assert.Equal("ADDED late", Check.NameOf(events.Current));
    }

    [SkippableTheory]
    [InlineData(TargetsAttribute.Embedded, null)]
    [InlineData(TargetsAttribute.Embedded, "0")]
    [InlineData(TargetsAttribute.Cluster, null)]
    [InlineData(TargetsAttribute.Cluster, "0")]
    public async Task Watch_WithoutVersion_BeginsWithWhatIsThere(string target, string? version)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a", metadata: Own);
        await s.MapAsync("b", metadata: Own);
        await s.MergeAsync($"{s.Maps}/a", """{"data":{"k":"1"}}""");
        if (target == TargetsAttribute.Cluster && version == "0")
        {
            // "Any version": a watch cache may lag behind; it has caught up when it can answer "not older than".
            var list = await s.Client.ListPageAsync<ConfigMap>(s.Ns, new(), s.Limit);
            await s.Client.ListPageAsync<ConfigMap>(s.Ns, new() { ResourceVersion = list.Metadata.ResourceVersion }, s.Limit);
        }

        var events = await TakeAsync(s, new() { ResourceVersion = version, LabelSelector = "own" }, 2);
        Assert.Equal(["ADDED a", "ADDED b"], events.Select(Check.NameOf).Order());
    }

    [SkippableTheory, Targets]
    public async Task Watch_SelectorTransitions_AreAddedAndDeleted(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var a = await s.MapAsync("a", """{"k":"1"}""");
        await s.MergeAsync($"{s.Maps}/a", """{"metadata":{"labels":{"x":"1"}}}""");
        await s.MergeAsync($"{s.Maps}/a", """{"data":{"k":"2"}}""");
        var left = await s.MergeAsync($"{s.Maps}/a", """{"metadata":{"labels":{"x":"2"}},"data":{"k":"3"}}""");
        await s.MergeAsync($"{s.Maps}/a", """{"data":{"k":"4"}}""");
        await s.MergeAsync($"{s.Maps}/a", """{"metadata":{"labels":{"x":"1"}}}""");
        var events = await TakeAsync(s, new() { ResourceVersion = a.Version, LabelSelector = "x=1" }, 4);
        Assert.Equal(["ADDED a", "MODIFIED a", "DELETED a", "ADDED a"], events.Select(Check.NameOf));
        // The object as it was while it matched, at the version at which it ceased to.
        Assert.Equal(("2", left.Version), (ObjectOf(events[2]).Data!["k"], ObjectOf(events[2]).Metadata.ResourceVersion));
    }

    [SkippableTheory, Targets]
    public async Task Watch_ByName_GivesOnlyThatObject(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var before = await s.MapAsync("first");
        await s.MapAsync("a");
        await s.MapAsync("b");
        var events = await TakeAsync(s, new() { ResourceVersion = before.Version, FieldSelector = "metadata.name=b" }, 1);
        Assert.Equal("ADDED b", Check.NameOf(events[0]));
    }

    [SkippableTheory, Targets]
    public async Task Watch_VersionTooOld_IsExpired(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var version = "1";
        if (target == TargetsAttribute.Embedded)
        {
            version = (await s.MapAsync("a")).Version;
            for (var i = 0; i < Clusters.HistoryEvents + 10; i++)
            {
                await s.MergeAsync($"{s.Maps}/a", $$$"""{"data":{"k":"{{{i}}}"}}""");
            }
        }

        KubeException? error = null;
        try
        {
            await TakeAsync(s, new() { ResourceVersion = version }, 1);
        }
        catch (KubeException e)
        {
            error = e;
        }

        Skip.If(target == TargetsAttribute.Cluster && error is null, "The cluster is so young that it still has its whole history.");
        Assert.NotNull(error);
        Assert.Equal((410, "Expired"), (error.Code, error.Status.Reason));
        Assert.StartsWith($"too old resource version: {version} (", error.Message, StringComparison.Ordinal);
    }

    [SkippableTheory, Targets]
    public async Task Watch_VersionIsNoNumber_IsRefused(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.GetAsync($"{s.Maps}?watch=true&resourceVersion=abc");
        // A 1.20 calls this its own error.
        Assert.Contains(reply.Code, s.Minor < 24 ? [500] : new[] { 400, 422 });
        Assert.Contains("Invalid value: \"abc\"", reply.Message, StringComparison.Ordinal);
    }

    [SkippableTheory, Targets]
    public async Task Watch_Timeout_EndsCleanlyWithABookmarkBefore(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var before = await s.MapAsync("a");
        await s.MapAsync("b");
        List<WatchEvent<ConfigMap>> events = [];
        await foreach (var e in s.Client.WatchAsync<ConfigMap>(
            s.Ns, new() { ResourceVersion = before.Version, Timeout = TimeSpan.FromSeconds(5), FieldSelector = "metadata.name=none" },
            s.Limit))
        {
            events.Add(e);
        }

        Assert.All(events, e => Assert.False(Assert.IsType<WatchEvent<ConfigMap>.Bookmark>(e).InitialEventsEnd));
        Skip.If(target == TargetsAttribute.Cluster
            && events.Count == 0, "Before 1.21 a bookmark comes only after a minute; the watch ended cleanly.");
        var last = ((WatchEvent<ConfigMap>.Bookmark)events[^1]).ResourceVersion;
        Assert.True(ResourceVersionComparer.Instance.Compare(last, before.Version) > 0);
    }

    [SkippableTheory, Targets]
    public async Task Watch_SendInitialEvents_EndsThemWithABookmarkAndGoesOn(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        s.Needs(27, "sendInitialEvents");
        await s.MapAsync("a", metadata: Own);
        await s.MapAsync("b", metadata: Own);
        List<string> seen = [];
        await foreach (var e in s.Client.WatchAsync<ConfigMap>(s.Ns, new() { SendInitialEvents = true, LabelSelector = "own" }, s.Limit))
        {
            if (e is WatchEvent<ConfigMap>.Bookmark bookmark)
            {
                if (bookmark.InitialEventsEnd)
                {
                    seen.Add("END");
                    await s.MapAsync("c", metadata: Own);
                }

                continue;
            }

            seen.Add(Check.NameOf(e)!);
            if (seen.Count == 4)
            {
                break;
            }
        }

        Assert.Equal(["ADDED a", "ADDED b", "END", "ADDED c"], [.. seen[..2].Order(), .. seen[2..]]);
    }

    [SkippableTheory, Targets]
    public async Task Watch_SendInitialEventsWithoutVersionMatch_IsInvalid(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        s.Needs(27, "sendInitialEvents");
        (await s.GetAsync($"{s.Maps}?watch=true&sendInitialEvents=true")).Refused(422, "Invalid");
    }

    private static async Task<List<WatchEvent<ConfigMap>>> TakeAsync(Scope s, WatchOptions options, int count)
    {
        List<WatchEvent<ConfigMap>> events = [];
        await foreach (var e in s.Client.WatchAsync<ConfigMap>(s.Ns, options with { Timeout = TimeSpan.FromSeconds(30) }, s.Limit))
        {
            if (e is not WatchEvent<ConfigMap>.Bookmark)
            {
                events.Add(e);
            }

            if (events.Count == count)
            {
                break;
            }
        }

        return events;
    }

    private static ConfigMap ObjectOf(WatchEvent<ConfigMap> e) => e switch
    {
        WatchEvent<ConfigMap>.Added a => a.Object,
        WatchEvent<ConfigMap>.Modified m => m.Object,
        WatchEvent<ConfigMap>.Deleted d => d.Object,
        _ => throw new InvalidOperationException("a bookmark has no object"),
    };
}
