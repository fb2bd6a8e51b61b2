using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace Kube.Server.Tests.Http;

/// <summary>Representations, caching, compression, pages that outlive the history.</summary>
public sealed class ReadTests
{
    private const string Aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

    [Fact]
    public async Task Get_Yaml_IsYamlThatReadsBackTheSame()
    {
        await using var api = await ApiServer.StartAsync();
        var ns = await api.NamespaceAsync();
        await api.MapAsync(ns, "a", """{"yes":"yes","n":"1","lines":"a\nb: c\n","empty":"","tick":"it's # not","u":"ü ☃"}""");
        var path = $"/api/v1/namespaces/{ns}/configmaps/a";
        using var response = await api.RawAsync("GET", path, null, "", ("Accept", "application/yaml"));
        Assert.Equal("application/yaml", response.Content.Headers.ContentType!.MediaType);
        var yaml = await response.Content.ReadAsStringAsync();
        Assert.Contains("kind: ConfigMap", yaml, StringComparison.Ordinal);
        var (_, json) = await api.SendAsync("GET", path);
        Assert.True(JsonNode.DeepEquals(json, JsonNode.Parse(Yaml.Parse(yaml, null)!.ToJsonString())), yaml);
        var (code, same) = await api.SendAsync("PUT", path, yaml, "application/yaml");
        Assert.Equal((200, json["metadata"]!["resourceVersion"]!.ToString()), (code, same["metadata"]!["resourceVersion"]!.ToString()));
    }

    [Fact]
    public async Task List_LargeBodyAndGzipAccepted_IsPacked()
    {
        await using var api = await ApiServer.StartAsync();
        var ns = await api.NamespaceAsync();
        await api.MapAsync(ns, "a", $$"""{"x":"{{new string('x', 200_000)}}"}""");
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        using var packed = await api.RawAsync("GET", path, null, "", ("Accept-Encoding", "gzip"));
        Assert.Equal("gzip", packed.Content.Headers.ContentEncoding.Single());
        Assert.True(packed.Content.Headers.ContentLength < 10_000);
        await using var unpacked = new GZipStream(await packed.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        var list = (await JsonNode.ParseAsync(unpacked))!;
        Assert.Equal(200_000, list["items"]![0]!["data"]!["x"]!.ToString().Length);
        using var plain = await api.RawAsync("GET", path);
        Assert.Empty(plain.Content.Headers.ContentEncoding);
    }

    [Fact]
    public async Task Discovery_KnownETag_Is304UntilAKindAppears()
    {
        await using var api = await ApiServer.StartAsync();
        using var first = await api.RawAsync("GET", "/apis", null, "", ("Accept", Aggregated));
        var etag = first.Headers.ETag!.ToString();
        Assert.Equal("v2", first.Content.Headers.ContentType!.Parameters.Single(p => p.Name == "v").Value);
        Assert.Equal("Accept", first.Headers.Vary.Single());
        using var second = await api.RawAsync("GET", "/apis", null, "", ("Accept", Aggregated), ("If-None-Match", etag));
        Assert.Equal(304, (int)second.StatusCode);
        Assert.Equal(201, (await api.SendAsync("POST", Crds.Path, Crds.Wheel())).Code);
        using var third = await api.RawAsync("GET", "/apis", null, "", ("Accept", Aggregated), ("If-None-Match", etag));
        Assert.Equal(200, (int)third.StatusCode);
        Assert.NotEqual(etag, third.Headers.ETag!.ToString());
        Assert.Contains("wheels", await third.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenApi_KnownHash_IsImmutableAndStaleOneIsMoved()
    {
        await using var api = await ApiServer.StartAsync();
        var (_, index) = await api.SendAsync("GET", "/openapi/v3");
        var url = index["paths"]!["api/v1"]!["serverRelativeURL"]!.ToString();
        using var known = await api.RawAsync("GET", url);
        Assert.Contains("immutable", known.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        using var unchanged = await api.RawAsync("GET", url, null, "", ("If-None-Match", known.Headers.ETag!.ToString()));
        Assert.Equal(304, (int)unchanged.StatusCode);
        using var stale = await api.RawAsync("GET", "/openapi/v3/api/v1?hash=OLD");
        Assert.Equal((301, url), ((int)stale.StatusCode, stale.Headers.Location!.ToString()));
    }

    [Fact]
    public async Task List_ContinueOutsideTheHistory_Is410WithATokenThatGoesOn()
    {
        await using var api = await ApiServer.StartAsync(o => o with { HistoryEvents = 4 });
        var ns = await api.NamespaceAsync();
        for (var i = 0; i < 4; i++)
        {
            await api.MapAsync(ns, "a" + i);
        }
        var path = $"/api/v1/namespaces/{ns}/configmaps?limit=2";
        var (_, first) = await api.SendAsync("GET", path);
        for (var i = 0; i < 8; i++)
        {
            await api.MapAsync(ns, "b" + i);
        }
        var (code, expired) = await api.SendAsync("GET", $"{path}&continue={first["metadata"]!["continue"]}");
        Assert.Equal((410, "Expired"), (code, expired["reason"]!.ToString()));
        var (again, rest) = await api.SendAsync("GET", $"{path}&continue={expired["metadata"]!["continue"]}");
        Assert.Equal(200, again);
        Assert.Equal(["a2", "a3"], rest["items"]!.AsArray().Select(i => i!["metadata"]!["name"]!.ToString()));
        var (more, next) = await api.SendAsync("GET", $"{path}&continue={rest["metadata"]!["continue"]}");
        Assert.Equal((200, "b0"), (more, next["items"]![0]!["metadata"]!["name"]!.ToString()));
    }

    [Fact]
    public async Task DeleteCollection_WithSelector_DeletesWhatMatchesAndGivesTheList()
    {
        await using var api = await ApiServer.StartAsync();
        var ns = await api.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        foreach (var (name, label) in new[] { ("a", "x"), ("b", "x"), ("c", "y") })
        {
            await api.SendAsync("POST", path, $$$"""{"metadata":{"name":"{{{name}}}","labels":{"l":"{{{label}}}"} } }""");
        }
        var (code, list) = await api.SendAsync("DELETE", path + "?labelSelector=l%3Dx");
        Assert.Equal((200, "ConfigMapList"), (code, list["kind"]!.ToString()));
        Assert.Equal(["a", "b"], list["items"]!.AsArray().Select(i => i!["metadata"]!["name"]!.ToString()));
        var (_, left) = await api.SendAsync("GET", path);
        Assert.Equal(["c"], left["items"]!.AsArray().Select(i => i!["metadata"]!["name"]!.ToString()));
        Assert.Equal(405, (await api.SendAsync("DELETE", "/api/v1/configmaps")).Code);
    }

    [Fact]
    public async Task Events_OfBothGroups_AreOneStoreWithTheirOwnFieldNames()
    {
        await using var api = await ApiServer.StartAsync();
        var ns = await api.NamespaceAsync();
        var core = $"/api/v1/namespaces/{ns}/events";
        var group = $"/apis/events.k8s.io/v1/namespaces/{ns}/events";
        var (code, created) = await api.SendAsync("POST", group, $$$"""
            {"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"e"},"eventTime":"2026-01-02T03:04:05.000006Z",
             "action":"Did","reason":"Because",
             "note":"all well","type":"Normal","reportingController":"example.com/c","reportingInstance":"c-1","regarding":{"kind":"Pod",
              "name":"p","namespace":"{{{ns}}}"} }
            """);
        Assert.Equal((201, "events.k8s.io/v1", "all well"), (code, created["apiVersion"]!.ToString(), created["note"]!.ToString()));
        var (_, old) = await api.SendAsync("GET", core + "/e");
        Assert.Equal(("v1", "all well", "p"),
            (old["apiVersion"]!.ToString(), old["message"]!.ToString(), old["involvedObject"]!["name"]!.ToString()));
        Assert.Null(old["note"]);
        var (_, found) = await api.SendAsync("GET", core + "?fieldSelector=involvedObject.name%3Dp,reason%3DBecause");
        Assert.Single(found["items"]!.AsArray());
        var (patched, series) = await api.SendAsync(
            "PATCH", group + "/e", """
                {"series":{"count":2,"lastObservedTime":"2026-01-02T03:05:05.000000Z"}}
                """, "application/merge-patch+json");
        Assert.Equal((200, "2"), (patched, series["series"]!["count"]!.ToString()));
        using var watch = await api.WatchAsync(group + "?watch=true");
        Assert.Equal("p", (await watch.NextAsync())!["object"]!["regarding"]!["name"]!.ToString());
    }

    [Fact]
    public async Task Start_PortTaken_NamesPortAndRemedy()
    {
        await using var api = await ApiServer.StartAsync();
        var port = api.Server.BaseUri.Port;
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => ApiServer.StartAsync(o => o with { Port = port }));
        Assert.Equal($"Port {port} on 127.0.0.1 is in use: stop what listens there, or choose another port.", error.Message);
    }

    [Fact]
    public async Task Start_FolderTaken_NamesTheFolder()
    {
        var folder = "";
        await using var api = await ApiServer.StartAsync(o => o with { DataDirectory = folder = o.DataDirectory });
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => ApiServer.StartAsync(o => o with { DataDirectory = folder }));
        Assert.Contains(folder, error.Message, StringComparison.Ordinal);
    }
}
