using Kube.Conformance.Support;

namespace Kube.Conformance;

[Collection(ClusterTests.Name)]
public sealed class PatchTests(Clusters clusters)
{
    [SkippableTheory, Targets]
    public async Task Merge_NullRemovesAndObjectsMerge(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a", """{"x":"1","y":"2"}""");
        Check.Same("""{"y":"2","z":"3"}""", (await s.MergeAsync($"{s.Maps}/a", """{"data":{"x":null,"z":"3"}}""")).Ok()["data"]);
        Assert.Null((await s.MergeAsync($"{s.Maps}/a", """{"data":null}""")).Ok()["data"]);
    }

    [SkippableTheory, Targets]
    public async Task Merge_StaleVersion_IsAConflict(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var before = await s.MapAsync("a");
        await s.MergeAsync($"{s.Maps}/a", """{"data":{"x":"1"}}""");
        (await s.MergeAsync($"{s.Maps}/a", $$$"""
            {"metadata":{"resourceVersion":"{{{before.Version}}}"},"data":{"x":"2"}}
            """)).Refused(409, "Conflict");
    }

    [SkippableTheory, Targets]
    public async Task Merge_NotAnObject_IsRefused(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a");
        // A 1.20 calls this its own error.
        Assert.Equal(s.Minor < 24 ? 500 : 400, (await s.MergeAsync($"{s.Maps}/a", "{")).Code);
        (await s.MergeAsync($"{s.Maps}/missing", "{}")).Refused(404, "NotFound");
        (await s.SendAsync("PATCH", $"{s.Maps}/a", "{}", "application/json")).Refused(415, "UnsupportedMediaType");
    }

    [SkippableTheory, Targets]
    public async Task Merge_ImmutableMetadata_CannotChange(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a");
        (await s.MergeAsync($"{s.Maps}/a", """{"metadata":{"name":"b"}}""")).Refused(400, "BadRequest");
        var reply = await s.MergeAsync($"{s.Maps}/a", """{"metadata":{"uid":"b"}}""");
        reply.Refused(422, "Invalid");
        Assert.Equal(("FieldValueInvalid", "metadata.uid"), reply.Causes[0]);
    }

    [SkippableTheory, Targets]
    public async Task JsonPatch_Operations_AreDoneInOrder(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a", """{"x":"1"}""", """ "annotations":{"e.com/b":"2"} """);
        var reply = (await s.JsonPatchAsync($"{s.Maps}/a", """
            [{"op":"test","path":"/data/x","value":"1"},{"op":"replace","path":"/data/x","value":"9"},{"op":"add","path":"/data/n",
             "value":"3"},
             {"op":"move","from":"/metadata/annotations/e.com~1b","path":"/data/m"},{"op":"copy","from":"/data/m","path":"/data/c"},
              {"op":"remove","path":"/data/n"}]
            """)).Ok();
        Check.Same("""{"x":"9","m":"2","c":"2"}""", reply["data"]);
    }

    [SkippableTheory, Targets]
    public async Task JsonPatch_TestFails_ChangesNothing(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a", """{"x":"1"}""");
        (await s.JsonPatchAsync($"{s.Maps}/a", """
            [{"op":"replace","path":"/data/x","value":"2"},{"op":"test","path":"/data/x","value":"7"}]
            """)).Refused(422, "Invalid");
        Check.Same("""{"x":"1"}""", (await s.GetAsync($"{s.Maps}/a"))["data"]);
        (await s.JsonPatchAsync($"{s.Maps}/a", """[{"op":"remove","path":"/data/nope"}]""")).Refused(422, "Invalid");
        (await s.JsonPatchAsync($"{s.Maps}/a", """{"op":"remove"}""")).Refused(400, "BadRequest");
    }

    [SkippableTheory, Targets]
    public async Task Strategic_MetadataAndDirectives_Work(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a", """{"x":"1","y":"2"}""", """ "finalizers":["e.com/a"],"labels":{"l":"1"} """);
        var reply = (await s.StrategicAsync($"{s.Maps}/a", """{"metadata":{"finalizers":["e.com/b"]},"data":{"x":null,"z":"3"}}""")).Ok();
        Check.Same("""{"y":"2","z":"3"}""", reply["data"]);
        Assert.Equal(["e.com/a", "e.com/b"], reply["metadata"]!["finalizers"]!.AsArray().Select(f => (string?)f).Order());
        reply = (await s.StrategicAsync($"{s.Maps}/a", """
            {"metadata":{"$deleteFromPrimitiveList/finalizers":["e.com/a","e.com/b"]},"data":{"$patch":"replace","only":"1"}}
            """)).Ok();
        Assert.Null(reply["metadata"]!["finalizers"]);
        Check.Same("""{"only":"1"}""", reply["data"]);
    }

    [SkippableTheory, Targets]
    public async Task Strategic_ServicePorts_MergeByPortAndDelete(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var path = $"/api/v1/namespaces/{s.Ns}/services";
        (await s.PostAsync(path, """{"metadata":{"name":"a"},"spec":{"ports":[{"name":"x","port":1},{"name":"y","port":2}]}}""")).Ok(201);
        var reply = (await s.StrategicAsync($"{path}/a", """
            {"spec":{"ports":[{"port":2,"targetPort":"web"},{"port":1,"$patch":"delete"}]}}
            """)).Ok();
        var port = Assert.Single(reply["spec"]!["ports"]!.AsArray())!;
        Assert.Equal(("y", "web"), ((string?)port["name"], (string?)port["targetPort"]));
    }

    [SkippableTheory, Targets]
    public async Task Strategic_CustomResource_IsNotSupported(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync("""{"type":"object","x-kubernetes-preserve-unknown-fields":true}""");
        (await s.PostAsync(widgets, s.Widget("a", "{}"))).Ok(201);
        (await s.StrategicAsync($"{widgets}/a", "{}")).Refused(415, "UnsupportedMediaType");
    }
}
