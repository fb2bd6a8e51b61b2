using System.Text.Json.Nodes;

namespace Kube.Server.Tests.Http;

public sealed class ApiTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    [Fact]
    public async Task AnyPath_WithoutToken_Is401Status()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/namespaces");
        request.Headers.Add("Authorization", "Bearer wrong");
        using var response = await api.Client.SendAsync(request);
        Assert.Equal(401, (int)response.StatusCode);
        Assert.Equal("Unauthorized", JsonNode.Parse(await response.Content.ReadAsStringAsync())!["reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task Update_WithOldVersion_Is409AndNoOpKeepsTheVersion()
    {
        var ns = await api.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        var (_, created) = await api.SendAsync("POST", path, """{"metadata":{"name":"a"},"data":{"x":"1"}}""");
        var (_, same) = await api.SendAsync("PUT", path + "/a", created.ToJsonString());
        Assert.Equal(created["metadata"]!["resourceVersion"]!.ToString(), same["metadata"]!["resourceVersion"]!.ToString());
        created["data"]!["x"] = "2";
        Assert.Equal(200, (await api.SendAsync("PUT", path + "/a", created.ToJsonString())).Code);
        created["data"]!["x"] = "3";
        var (code, refused) = await api.SendAsync("PUT", path + "/a", created.ToJsonString());
        Assert.Equal(409, code);
        Assert.Equal("Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the "
            + "latest version and try again", refused["message"]!.ToString());
    }

    [Fact]
    public async Task List_InPages_IsConsistentWithTheFirstPage()
    {
        var ns = await api.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        for (var i = 0; i < 5; i++)
        {
            await api.SendAsync("POST", path, $$$"""{"metadata":{"name":"c{{{i}}}"}}""");
        }
        var (_, first) = await api.SendAsync("GET", path + "?limit=2");
        Assert.Equal(3, first["metadata"]!["remainingItemCount"]!.GetValue<int>());
        await api.SendAsync("DELETE", path + "/c3");
        var (_, rest) = await api.SendAsync("GET", path + "?limit=10&continue=" + first["metadata"]!["continue"]);
        Assert.Equal(["c2", "c3", "c4"], rest["items"]!.AsArray().Select(i => i!["metadata"]!["name"]!.ToString()));
        Assert.Equal(first["metadata"]!["resourceVersion"]!.ToString(), rest["metadata"]!["resourceVersion"]!.ToString());
    }

    [Fact]
    public async Task Watch_InitialEventsThenChangesAndSelectorTransitions()
    {
        var ns = await api.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps";
        await api.SendAsync("POST", path, """{"metadata":{"name":"a","labels":{"l":"1"}}}""");
        using var request = new HttpRequestMessage(HttpMethod.Get,
            path + "?watch=true&labelSelector=l%3D1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
        using var response = await api.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        async Task<JsonNode> Next() => JsonNode.Parse((await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)))!)!;
        Assert.Equal("ADDED", (await Next())["type"]!.ToString());
        Assert.Equal("true", (await Next())["object"]!["metadata"]!["annotations"]!["k8s.io/initial-events-end"]!.ToString());
        var (_, changed) = await api.SendAsync("PATCH", path + "/a", """
            {"metadata":{"labels":{"l":"2"}}}
            """, "application/merge-patch+json");
        var left = await Next();
        Assert.Equal("DELETED", left["type"]!.ToString());
        Assert.Equal("1", left["object"]!["metadata"]!["labels"]!["l"]!.ToString());
        Assert.Equal(changed["metadata"]!["resourceVersion"]!.ToString(), left["object"]!["metadata"]!["resourceVersion"]!.ToString());
    }

    [Fact]
    public async Task Watch_SendInitialEventsWithoutMatch_Is422() =>
        Assert.Equal(422, (await api.SendAsync("GET", "/api/v1/configmaps?watch=true&sendInitialEvents=true")).Code);

    [Fact]
    public async Task CustomResource_IsDefaultedPrunedValidatedAndRuled()
    {
        var ns = await api.NamespaceAsync();
        await api.SendAsync("POST", Crds.Path, Crds.Wheel());
        var path = $"/apis/example.com/v1/namespaces/{ns}/wheels";
        var (code, created) = await api.SendAsync("POST", path, """
            {"apiVersion":"example.com/v1","kind":"Wheel","metadata":{"name":"a"},"spec":{"size":3,"bogus":1},"status":{"x":"y"}}
            """);
        Assert.Equal(201, code);
        Assert.Equal("blue", created["spec"]!["colour"]!.ToString());
        Assert.Null(created["spec"]!["bogus"]);
        Assert.Null(created["status"]);
        var (strict, why) = await api.SendAsync("POST", path + "?fieldValidation=Strict", """
            {"apiVersion":"example.com/v1","kind":"Wheel","metadata":{"name":"b"},"spec":{"size":3,"bogus":1}}
            """);
        Assert.Equal(400, strict);
        Assert.Contains("strict decoding error: unknown field \"spec.bogus\"", why["message"]!.ToString(), StringComparison.Ordinal);
        var (bad, invalid) = await api.SendAsync("POST", path, """
            {"apiVersion":"example.com/v1","kind":"Wheel","metadata":{"name":"b"},"spec":{"size":"x","colour":"pink"}}
            """);
        Assert.Equal(422, bad);
        var messages = invalid["details"]!["causes"]!.AsArray().Select(c => c!["message"]!.ToString()).ToList();
        Assert.Contains("Invalid value: \"string\": spec.size in body must be of type integer: \"string\"", messages);
        Assert.Contains("Unsupported value: \"pink\": supported values: \"red\", \"blue\"", messages);
        var (ruled, rule) = await api.SendAsync("PATCH", path + "/a", """{"spec":{"size":1}}""", "application/merge-patch+json");
        Assert.Equal(422, ruled);
        Assert.Equal("Wheel.example.com \"a\" is invalid: spec: Invalid value: \"object\": must not shrink", rule["message"]!.ToString());
        var (_, grown) = await api.SendAsync("PATCH", path + "/a", """{"spec":{"size":4}}""", "application/merge-patch+json");
        Assert.Equal(2, grown["metadata"]!["generation"]!.GetValue<int>());
        var (_, status) = await api.SendAsync("PATCH", path + "/a/status", """
            {"status":{"x":"y"},"spec":{"size":9}}
            """, "application/merge-patch+json");
        Assert.Equal(("y", 4, 2),
            (status["status"]!["x"]!.ToString(), status["spec"]!["size"]!.GetValue<int>(),
            status["metadata"]!["generation"]!.GetValue<int>()));
    }

    [Fact]
    public async Task Apply_Conflict_Is409WithCauses_ForceWins_DroppedFieldsGo()
    {
        var ns = await api.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps/a";
        const string Type = "application/apply-patch+yaml";
        Assert.Equal(201,
            (await api.SendAsync("PATCH", path + "?fieldManager=one", "apiVersion: v1\nkind: ConfigMap\ndata: {x: \"1\", y: \"1\"}\n",
            Type)).Code);
        var (code, conflict) = await api.SendAsync("PATCH", path + "?fieldManager=two",
            "apiVersion: v1\nkind: ConfigMap\ndata: {x: \"2\"}\n", Type);
        Assert.Equal(409, code);
        Assert.Equal(".data.x", conflict["details"]!["causes"]![0]!["field"]!.ToString());
        Assert.Equal("conflict with \"one\"", conflict["details"]!["causes"]![0]!["message"]!.ToString());
        Assert.Equal(200,
            (await api.SendAsync("PATCH", path + "?fieldManager=two&force=true", "apiVersion: v1\nkind: ConfigMap\ndata: {x: \"2\"}\n",
            Type)).Code);
        var (_, dropped) = await api.SendAsync("PATCH", path + "?fieldManager=one", "apiVersion: v1\nkind: ConfigMap\ndata: {}\n", Type);
        Assert.Null(dropped["data"]!["y"]);
        Assert.Equal("2", dropped["data"]!["x"]!.ToString());
        var (_, again) = await api.SendAsync("PATCH", path + "?fieldManager=one", "apiVersion: v1\nkind: ConfigMap\ndata: {}\n", Type);
        Assert.Equal(dropped["metadata"]!["resourceVersion"]!.ToString(), again["metadata"]!["resourceVersion"]!.ToString());
    }

    [Fact]
    public async Task Delete_WithFinalizer_MarksAndTheLastUpdateRemoves()
    {
        var ns = await api.NamespaceAsync();
        var path = $"/api/v1/namespaces/{ns}/configmaps/a";
        await api.SendAsync("POST", $"/api/v1/namespaces/{ns}/configmaps", """{"metadata":{"name":"a","finalizers":["example.com/f"]}}""");
        var (_, marked) = await api.SendAsync("DELETE", path);
        Assert.NotNull(marked["metadata"]!["deletionTimestamp"]);
        Assert.Equal(422, (await api.SendAsync("PATCH", path, """
            {"metadata":{"finalizers":["example.com/f","example.com/g"]}}
            """, "application/merge-patch+json")).Code);
        Assert.Equal(200, (await api.SendAsync("PATCH", path, """
            {"metadata":{"finalizers":null}}
            """, "application/merge-patch+json")).Code);
        Assert.Equal(404, (await api.SendAsync("GET", path)).Code);
    }

    [Fact]
    public async Task DryRun_StoresNothing()
    {
        var ns = await api.NamespaceAsync();
        Assert.Equal(201, (await api.SendAsync("POST", $"/api/v1/namespaces/{ns}/configmaps?dryRun=All", """
            {"metadata":{"name":"a"}}
            """)).Code);
        Assert.Equal(404, (await api.SendAsync("GET", $"/api/v1/namespaces/{ns}/configmaps/a")).Code);
    }

    [Fact]
    public async Task StrategicPatch_MergesContainersByName()
    {
        var ns = await api.NamespaceAsync();
        await api.SendAsync("POST", $"/api/v1/namespaces/{ns}/pods", """
            {"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"a:1"},{"name":"b","image":"b:1"}]}}
            """);
        var (code, pod) = await api.SendAsync("PATCH", $"/api/v1/namespaces/{ns}/pods/p", """
            {"spec":{"containers":[{"name":"b","image":"b:2"}]}}
            """, "application/strategic-merge-patch+json");
        Assert.Equal(200, code);
        Assert.Equal(["a:1", "b:2"], pod["spec"]!["containers"]!.AsArray().Select(c => c!["image"]!.ToString()));
    }

    [Fact]
    public async Task Body_OverThreeMegabytes_Is413() =>
        Assert.Equal(413,
            (await api.SendAsync("POST", "/api/v1/namespaces/default/configmaps", new string(' ', (3 * 1024 * 1024) + 10))).Code);
}
