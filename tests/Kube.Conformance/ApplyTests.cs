using Kube.Conformance.Support;

namespace Kube.Conformance;

[Collection(ClusterTests.Name)]
public sealed class ApplyTests(Clusters clusters)
{
    [SkippableTheory, Targets]
    public async Task Apply_Missing_CreatesAndOwnsItsFields(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = (await s.ApplyAsync($"{s.Maps}/a", "one", Map("""{"x":"1"}"""))).Ok(201);
        var entry = Assert.Single(reply["metadata"]!["managedFields"]!.AsArray())!;
        Assert.Equal(("one", "Apply"), ((string?)entry["manager"], (string?)entry["operation"]));
        Check.Same("""{"f:data":{"f:x":{}}}""", entry["fieldsV1"]);
    }

    [SkippableTheory, Targets]
    public async Task Apply_WithAVersionThatNoObjectHas_CreatesOnlyWhereThereIsNone(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync("""{"type":"object","properties":{"spec":{"type":"object","properties":{"x":{"type":"integer"}}}}}""");
        const string Versioned = "\"metadata\":{\"resourceVersion\":\"1\",";
        foreach (var (path, body) in ((string, string)[])[
            ($"{s.Maps}/a", Map("""{"x":"1"}""")), ($"{widgets}/a", s.Widget("a", """{"x":1}""")),
            ($"/api/v1/namespaces/{s.Ns}/persistentvolumeclaims/c", Claim("1Gi")), .. OfServices()])
        {
            var once = body.Replace("\"metadata\":{", Versioned, StringComparison.Ordinal);
            Assert.NotEqual(body, once);
            var made = (await s.ApplyAsync(path, "one", once)).Ok(201);
            var entry = made["metadata"]!["managedFields"]!.AsArray().First(e => (string?)e!["manager"] == "one")!;
            Assert.Equal("Apply", (string?)entry["operation"]);
            Assert.DoesNotContain("resourceVersion", entry["fieldsV1"]!.ToJsonString(), StringComparison.Ordinal);
            (await s.ApplyAsync(path, "one", once, force: true)).Refused(409, "Conflict");
            (await s.ApplyAsync(path, "two", once, force: true)).Refused(409, "Conflict");
            Assert.DoesNotContain(
                (await s.ApplyAsync(path, "one", body)).Ok()["metadata"]!["managedFields"]!.AsArray(), e => (string?)e!["manager"] == "two");
        }

        // Before 1.23 Services were kept by a registry of their own, which says 500.
        IEnumerable<(string, string)> OfServices() => s.Minor < 23
            ? [] : [($"/api/v1/namespaces/{s.Ns}/services/a", Service("""{"name":"x","port":1,"protocol":"TCP"}"""))];
    }

    [SkippableTheory, Targets]
    public async Task Apply_SameAgain_KeepsTheVersion(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var first = await s.ApplyAsync($"{s.Maps}/a", "one", Map("""{"x":"1"}"""));
        Assert.Equal(first.Version, (await s.ApplyAsync($"{s.Maps}/a", "one", Map("""{"x":"1"}"""))).Ok().Version);
    }

    [SkippableTheory, Targets]
    public async Task Apply_FieldLeftOut_IsRemovedUnlessSharedOrForeign(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ApplyAsync($"{s.Maps}/a", "one", Map("""{"x":"1","shared":"s"}"""));
        await s.ApplyAsync($"{s.Maps}/a", "two", Map("""{"shared":"s","y":"2"}"""));
        await s.MergeAsync($"{s.Maps}/a?fieldManager=three", """{"data":{"z":"3"}}""");
        Check.Same("""{"shared":"s","y":"2","z":"3"}""", (await s.ApplyAsync($"{s.Maps}/a", "one", Map("{}"))).Ok()["data"]);
        Check.Same("""{"y":"2","z":"3"}""", (await s.ApplyAsync($"{s.Maps}/a", "two", Map("""{"y":"2"}"""))).Ok()["data"]);
    }

    [SkippableTheory, Targets]
    public async Task Apply_FieldOfAnother_IsAConflictThatNamesIt(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ApplyAsync($"{s.Maps}/a", "one", Map("""{"x":"1","y":"1"}"""));
        var reply = await s.ApplyAsync($"{s.Maps}/a", "two", Map("""{"x":"2"}"""));
        reply.Refused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"one\": .data.x");
        Assert.Equal([("FieldManagerConflict", ".data.x")], reply.Causes);
        Assert.Equal("conflict with \"one\"", (string?)reply["details"]!["causes"]![0]!["message"]);
        var two = await s.ApplyAsync($"{s.Maps}/a", "two", Map("""{"x":"2","y":"2"}"""));
        Assert.StartsWith("Apply failed with 2 conflicts: conflicts with \"one\":\n- .data.x\n- .data.y", two.Message,
            StringComparison.Ordinal);
    }

    [SkippableTheory, Targets]
    public async Task Apply_FieldOfAnUpdate_IsAConflictThatSaysHow(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a", """{"x":"1"}""");
        var reply = await s.ApplyAsync($"{s.Maps}/a", "two", Map("""{"x":"2"}"""));
        reply.Refused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"conformance\" using v1: .data.x");
    }

    [SkippableTheory, Targets]
    public async Task Apply_FieldsOfSeveral_ListsTheConflictsByManager(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ApplyAsync($"{s.Maps}/a", "zoe", Map("""{"x":"1","y":"1"}"""));
        await s.ApplyAsync($"{s.Maps}/a", "bob", Map("""{"x":"1","z":"1"}"""));
        await s.MergeAsync($"{s.Maps}/a?fieldManager=moe", """{"data":{"w":"1"}}""");
        var reply = await s.ApplyAsync($"{s.Maps}/a", "two", Map("""{"w":"2","x":"2","y":"2","z":"2"}"""));
        reply.Refused(409, "Conflict", """
            Apply failed with 5 conflicts: conflicts with "bob":
            - .data.x
            - .data.z
            conflicts with "moe" using v1:
            - .data.w
            conflicts with "zoe":
            - .data.x
            - .data.y
            """);
        Assert.Equal([".data.w", ".data.x", ".data.x", ".data.y", ".data.z"], reply.Causes.Select(c => c.Field).Order());
    }

    [SkippableTheory, Targets]
    public async Task Apply_ConflictInAList_NamesTheItemByItsKey(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        (await s.ApplyAsync($"{s.Pods}/p", "one", Pod("a:1", "1000m"))).Ok(201);
        var reply = await s.ApplyAsync($"{s.Pods}/p", "two", Pod("a:2", "1"));
        reply.Refused(409, "Conflict", """Apply failed with 1 conflict: conflict with "one": .spec.containers[name="c"].image""");
    }

    [SkippableTheory, Targets]
    public async Task Apply_SameAgainInOtherSpelling_KeepsTheVersion(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var claims = $"/api/v1/namespaces/{s.Ns}/persistentvolumeclaims/c";
        (await s.ApplyAsync(claims, "one", Claim("1024Mi"))).Ok(201);
        // The second time: a controller of a cluster touches a new claim once.
        var claim = (await s.ApplyAsync(claims, "one", Claim("1Gi"))).Ok();
        Assert.Equal(claim.Version, (await s.ApplyAsync(claims, "one", Claim("1024Mi"))).Ok().Version);
        var path = $"/api/v1/namespaces/{s.Ns}/services/a";
        var service = (await s.ApplyAsync(path, "one", Service("""{"name":"x","port":1,"protocol":"TCP"}"""))).Ok(201);
        Assert.Equal(service.Version, (await s.ApplyAsync(path, "one", Service("""
            {"name":"x","port":1,"protocol":"TCP"}
            """))).Ok().Version);
    }

    [SkippableTheory, Targets]
    public async Task Apply_SameAgainToACustomResource_KeepsTheVersion(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync("""
            {"type":"object","properties":{"spec":{"type":"object","properties":{"x":{"type":"integer"},"d":{"type":"string",
             "default":"d"}}}}}
            """);
        var first = (await s.ApplyAsync($"{widgets}/a", "one", s.Widget("a", """{"x":1}"""))).Ok(201);
        Assert.Equal(first.Version, (await s.ApplyAsync($"{widgets}/a", "one", s.Widget("a", """{"x":1}"""))).Ok().Version);
        var entry = Assert.Single(first["metadata"]!["managedFields"]!.AsArray())!;
        Check.Same("""{"f:spec":{"f:x":{}}}""", entry["fieldsV1"]);
    }

    [SkippableTheory, Targets]
    public async Task Create_ManagedFields_ClaimWhatWasSentAndItsDefaults(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        var pod = (await s.PostAsync($"{s.Pods}?fieldManager=me", Pod("a:1", "1"))).Ok(201);
        var fields = pod["metadata"]!["managedFields"]!.AsArray().Single(m => (string?)m!["manager"] == "me")!["fieldsV1"]!;
        Assert.Null(fields["f:status"]);
        Assert.NotNull(fields["f:spec"]!["f:restartPolicy"]);
        Assert.Null(fields["f:spec"]!["."]);
        var service = (await s.PostAsync($"/api/v1/namespaces/{s.Ns}/services?fieldManager=me", Service("""{"port":1}"""))).Ok(201);
        fields = service["metadata"]!["managedFields"]!.AsArray().Single(m => (string?)m!["manager"] == "me")!["fieldsV1"]!;
        Assert.Null(fields["f:spec"]!["f:clusterIP"]);
        Assert.Null(fields["f:status"]);
        Assert.NotNull(fields["f:spec"]!["f:type"]);
    }

    [SkippableTheory, Targets]
    public async Task Apply_SameValueAsAnother_IsShared(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ApplyAsync($"{s.Maps}/a", "one", Map("""{"x":"1"}"""));
        var reply = (await s.ApplyAsync($"{s.Maps}/a", "two", Map("""{"x":"1"}"""))).Ok();
        Assert.Equal(["one", "two"], Managers(reply));
    }

    [SkippableTheory, Targets]
    public async Task Apply_Force_TakesTheFieldOver(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ApplyAsync($"{s.Maps}/a", "one", Map("""{"x":"1"}"""));
        var reply = (await s.ApplyAsync($"{s.Maps}/a", "two", Map("""{"x":"2"}"""), force: true)).Ok();
        Check.Same("""{"x":"2"}""", reply["data"]);
        Assert.Equal(["two"], Managers(reply));
    }

    [SkippableTheory, Targets]
    public async Task Apply_UpdateByAnother_TakesTheFieldOver(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ApplyAsync($"{s.Maps}/a", "one", Map("""{"x":"1","y":"1"}"""));
        await s.MergeAsync($"{s.Maps}/a?fieldManager=two", """{"data":{"x":"2"}}""");
        var reply = await s.ApplyAsync($"{s.Maps}/a", "one", Map("""{"x":"1","y":"1"}"""));
        reply.Refused(409, "Conflict");
        Assert.Equal([("FieldManagerConflict", ".data.x")], reply.Causes);
    }

    [SkippableTheory, Targets]
    public async Task Apply_Yaml_IsAccepted(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.ApplyAsync($"{s.Maps}/a", "one", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: \"1\"\n");
        Check.Same("""{"x":"1"}""", reply.Ok(201)["data"]);
    }

    [SkippableTheory, Targets]
    public async Task Apply_Wrong_IsRefused(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.SendAsync("PATCH", $"{s.Maps}/a", Map("{}"), "application/apply-patch+yaml");
        reply.Refused(422, "Invalid");
        Assert.Equal([("FieldValueRequired", "fieldManager")], reply.Causes);
        (await s.ApplyAsync($"{s.Maps}/a", "one", """
            {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","managedFields":[{"manager":"x","operation":"Apply",
             "apiVersion":"v1"}]}}
            """)).Refused(400, "BadRequest");
        (await s.ApplyAsync($"{s.Maps}/a", "one", """{"metadata":{"name":"a"}}""")).Refused(400, "BadRequest");
        (await s.ApplyAsync($"{s.Maps}/a", "one", """
            {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}}
            """)).Refused(400, "BadRequest");
    }

    [SkippableTheory, Targets]
    public async Task Apply_ListMap_MergesByKey(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var path = $"/api/v1/namespaces/{s.Ns}/services/a";
        (await s.ApplyAsync(path, "one", Service("""{"name":"x","port":1,"protocol":"TCP"}"""))).Ok(201);
        var reply = (await s.ApplyAsync(path, "two", Service("""{"name":"y","port":2,"protocol":"TCP"}"""))).Ok();
        Assert.Equal(["x", "y"], reply["spec"]!["ports"]!.AsArray().Select(p => (string?)p!["name"]).Order());
        reply = (await s.ApplyAsync(path, "one", Service("""{"name":"z","port":3,"protocol":"TCP"}"""))).Ok();
        Assert.Equal(["y", "z"], reply["spec"]!["ports"]!.AsArray().Select(p => (string?)p!["name"]).Order());
    }

    [SkippableTheory, Targets]
    public async Task Apply_CustomResourceWithLists_FollowsTheListTypes(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync("""
            {"type":"object","properties":{"spec":{"type":"object","properties":{
              "map":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],"items":{"type":"object",
               "required":["name"],"properties":{"name":{"type":"string"},"v":{"type":"string"}}}},
              "set":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}},
              "atomic":{"type":"array","items":{"type":"string"}}}}}}
            """);
        (await s.ApplyAsync($"{widgets}/a", "one", s.Widget("a", """{"map":[{"name":"a","v":"1"}],"set":["a"],"atomic":["a"]}"""))).Ok(201);
        var reply = (await s.ApplyAsync($"{widgets}/a", "two", s.Widget("a", """{"map":[{"name":"b","v":"2"}],"set":["b"]}"""))).Ok();
        Check.Same("""{"map":[{"name":"a","v":"1"},{"name":"b","v":"2"}],"set":["a","b"],"atomic":["a"]}""", reply["spec"]);
        (await s.ApplyAsync($"{widgets}/a", "two", s.Widget("a", """{"atomic":["b"]}"""))).Refused(409, "Conflict");
        reply = (await s.ApplyAsync($"{widgets}/a", "one", s.Widget("a", """{"set":["c"]}"""))).Ok();
        Check.Same("""{"map":[{"name":"b","v":"2"}],"set":["b","c"]}""", Sorted(reply));
    }

    [SkippableTheory, Targets]
    public async Task Apply_Status_IsASeparateOwner(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync("""
            {"type":"object","properties":{"spec":{"type":"object","x-kubernetes-preserve-unknown-fields":true},"status":{"type":"object",
             "x-kubernetes-preserve-unknown-fields":true}}}
            """);
        (await s.ApplyAsync($"{widgets}/a", "one", s.Widget("a", """{"x":1}"""))).Ok(201);
        var status = s.Widget("a", """{"x":2}""", more: ""","status":{"phase":"Up"}""");
        var reply = (await s.ApplyAsync($"{widgets}/a/status", "one", status)).Ok();
        Check.Same("""{"phase":"Up"}""", reply["status"]);
        Check.Same("""{"x":1}""", reply["spec"]);
        s.Needs(22, "the subresource in managedFields");
        Assert.Contains(reply["metadata"]!["managedFields"]!.AsArray(), m => (string?)m!["subresource"] == "status");
        Check.Same("""{"phase":"Up"}""", (await s.ApplyAsync($"{widgets}/a", "one", s.Widget("a", """{"x":3}"""))).Ok()["status"]);
    }

    private static System.Text.Json.Nodes.JsonNode? Sorted(Reply reply)
    {
        var spec = reply["spec"]!.DeepClone();
        spec["set"] = new System.Text.Json.Nodes.JsonArray(
            [.. spec["set"]!.AsArray().Select(v => (string)v!).Order().Select(v => (System.Text.Json.Nodes.JsonNode)v)]);
        return spec;
    }

    private static IEnumerable<string?> Managers(Reply reply) =>
        reply["metadata"]!["managedFields"]!.AsArray().Select(m => (string?)m!["manager"]).Order();

    private static string Map(string data) => $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{{{data}}}}""";

    private static string Pod(string image, string cpu) => $$"""
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},
         "spec":{"nodeSelector":{"no":"where"},"containers":[{"name":"c","image":"{{image}}",
          "resources":{"requests":{"cpu":"{{cpu}}"} } }]} }
        """;

    private static string Claim(string size) => $$"""
        {"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"c"},
         "spec":{"storageClassName":"none","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"{{size}}"} } } }
        """;

    private static string Service(string port) => $$$"""
        {"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{{{port}}}]}}
        """;
}
