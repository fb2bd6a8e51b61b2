namespace Kube.Server.Tests.Http;

/// <summary>Several served versions of a custom kind, and its scale.</summary>
public sealed class VersionsTests
{
    [Fact]
    public async Task Versions_EachServesTheSameObjectInItsOwnShape()
    {
        await using var api = await ApiServer.StartAsync();
        var ns = await api.NamespaceAsync();
        Assert.Equal(201, (await api.SendAsync("POST", Crds.Path, Crds.Gears)).Code);
        var v1 = $"/apis/example.com/v1/namespaces/{ns}/gears";
        var v2 = $"/apis/example.com/v2/namespaces/{ns}/gears";
        using var watch = await api.WatchAsync(v2 + "?watch=true");
        using var created = await api.RawAsync("POST", v1, """
            {"apiVersion":"example.com/v1","kind":"Gear","metadata":{"name":"a"},"spec":{"teeth":3}}
            """);
        Assert.Equal(201, (int)created.StatusCode);
        Assert.Contains("example.com/v1 Gear is deprecated", created.Headers.GetValues("Warning").Single(), StringComparison.Ordinal);
        var seen = (await watch.NextAsync())!["object"]!;
        Assert.Equal(("example.com/v2", "n"), (seen["apiVersion"]!.ToString(), seen["spec"]!["new"]!.ToString()));
        var (_, second) = await api.SendAsync("GET", v2 + "/a");
        Assert.Equal(("example.com/v2", 3), (second["apiVersion"]!.ToString(), second["spec"]!["teeth"]!.GetValue<int>()));
        Assert.Equal(400, (await api.SendAsync("PUT", v2 + "/a", """
            {"apiVersion":"example.com/v1","kind":"Gear","metadata":{"name":"a","resourceVersion":"1"}}
            """)).Code);
        var (_, first) = await api.SendAsync("PATCH", v1 + "/a", """{"spec":{"teeth":4}}""", "application/merge-patch+json");
        Assert.Equal("example.com/v1", first["apiVersion"]!.ToString());
        Assert.Equal(4, (await api.SendAsync("GET", v2 + "/a")).Body["spec"]!["teeth"]!.GetValue<int>());
        Assert.Equal(404, (await api.SendAsync("GET", $"/apis/example.com/v3/namespaces/{ns}/gears")).Code);
        var (_, group) = await api.SendAsync("GET", "/apis/example.com");
        Assert.Equal(["v2", "v1"], group["versions"]!.AsArray().Select(v => v!["version"]!.ToString()));
        Assert.Equal("v2", group["preferredVersion"]!["version"]!.ToString());
    }

    [Fact]
    public async Task Scale_ReadAndWritten_ChangesTheReplicasOnly()
    {
        await using var api = await ApiServer.StartAsync();
        var ns = await api.NamespaceAsync();
        await api.SendAsync("POST", Crds.Path, Crds.Gears);
        var path = $"/apis/example.com/v2/namespaces/{ns}/gears";
        await api.SendAsync("POST", path, """
            {"apiVersion":"example.com/v2","kind":"Gear","metadata":{"name":"a"},"spec":{"teeth":3,"replicas":1}}
            """);
        var (_, scale) = await api.SendAsync("GET", path + "/a/scale");
        Assert.Equal(("autoscaling/v1", "Scale", 1),
            (scale["apiVersion"]!.ToString(), scale["kind"]!.ToString(), scale["spec"]!["replicas"]!.GetValue<int>()));
        var (code, scaled) = await api.SendAsync("PATCH", path + "/a/scale", """{"spec":{"replicas":5}}""", "application/merge-patch+json");
        Assert.Equal((200, 5), (code, scaled["spec"]!["replicas"]!.GetValue<int>()));
        scale["spec"]!["replicas"] = 9;
        Assert.Equal(409, (await api.SendAsync("PUT", path + "/a/scale", scale.ToJsonString())).Code);
        Assert.Equal(422, (await api.SendAsync("PATCH", path + "/a/scale", """
            {"spec":{"replicas":-1}}
            """, "application/merge-patch+json")).Code);
        var spec = (await api.SendAsync("GET", path + "/a")).Body["spec"]!;
        Assert.Equal((3, 5), (spec["teeth"]!.GetValue<int>(), spec["replicas"]!.GetValue<int>()));
        Assert.Equal(404, (await api.SendAsync("GET", $"/apis/example.com/v1/namespaces/{ns}/gears/a/scale")).Code);
    }
}
