using System.Text.Json.Nodes;
using Kube.Server.Apply;
using Kube.Server.Kinds;
using Kube.Server.Schema;

namespace Kube.Server.Tests.Apply;

/// <summary>Who manages what, without a server.</summary>
public sealed class ManagedFieldsTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly KindInfo Maps = BuiltinSchemas.Kinds.Single(k => k is { Group: "", Kind: "ConfigMap" });
    private static readonly KindInfo Pods = BuiltinSchemas.Kinds.Single(k => k is { Group: "", Kind: "Pod" });

    [Fact]
    public void Update_ElevenWriters_JoinsTheOldest()
    {
        var map = Map("""{"k":"0"}""");
        ManagedFields.Update(null, map, Maps, "w0", "", Now);
        for (var i = 1; i <= 11; i++)
        {
            var next = Json.Clone(map);
            next["data"]!["k" + i] = "x";
            ManagedFields.Update(map, next, Maps, $"w{i}", "", Now.AddSeconds(i));
            map = next;
        }
        var names = Managers(map);
        Assert.Equal(10, names.Count);
        Assert.Contains("ancient-changes", names);
        Assert.DoesNotContain("w0", names);
        Assert.DoesNotContain("w1", names);
    }

    [Fact]
    public void Update_FieldOfAnother_IsTakenFromThem()
    {
        var before = ManagedFields.Apply(null, Map("""{"a":"1","b":"1"}"""), Maps, "one", "", false, Now);
        var after = Json.Clone(before);
        after["data"]!["a"] = "2";
        ManagedFields.Update(before, after, Maps, "two", "", Now);
        Assert.Equal("""{"f:data":{"f:b":{}}}""", Fields(after, "one"));
        Assert.Equal("""{"f:data":{"f:a":{}}}""", Fields(after, "two"));
    }

    [Fact]
    public void Update_FieldRemoved_IsNobodysAnyMore()
    {
        var before = ManagedFields.Apply(null, Map("""{"a":"1"}"""), Maps, "one", "", false, Now);
        var after = Json.Clone(before);
        after["data"]!.AsObject().Remove("a");
        ManagedFields.Update(before, after, Maps, "two", "", Now);
        Assert.Empty(Managers(after));
    }

    [Fact]
    public void Update_EmptyListGiven_ForgetsEverybody()
    {
        var before = ManagedFields.Apply(null, Map("""{"a":"1"}"""), Maps, "one", "", false, Now);
        var after = Json.Clone(before);
        after["metadata"]!["managedFields"] = new JsonArray();
        ManagedFields.Update(before, after, Maps, "two", "", Now);
        Assert.Null(after["metadata"]!["managedFields"]);
    }

    [Fact]
    public void Update_ServersOwnFields_AreNobodys()
    {
        var pod = (JsonObject)JsonNode.Parse("""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","uid":"u","labels":{"l":"1"}},
             "spec":{"containers":[{"name":"c","image":"i"}]},"status":{"phase":"Pending"}}
            """)!;
        ManagedFields.Update(null, pod, Pods, "one", "", Now, ServerFields.Of(Pods, pod));
        const string Labels = """{"f:labels":{".":{},"f:l":{}}}""";
        const string Spec = """{"f:containers":{".":{},"k:{\"name\":\"c\"}":{".":{},"f:image":{},"f:name":{}}}}""";
        Assert.Equal($$"""{"f:metadata":{{Labels}},"f:spec":{{Spec}}}""", Fields(pod, "one"));
    }

    [Fact]
    public void Apply_LeftOutButStatedByAnother_Stays()
    {
        var one = ManagedFields.Apply(null, Map("""{"a":"1","b":"1"}"""), Maps, "one", "", false, Now);
        var two = ManagedFields.Apply(one, Map("""{"a":"1"}"""), Maps, "two", "", false, Now);
        var nothing = (JsonObject)JsonNode.Parse("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}""")!;
        var less = ManagedFields.Apply(two, nothing, Maps, "one", "", false, Now);
        Assert.Equal("""{"a":"1"}""", less["data"]!.ToJsonString());
        Assert.Equal(["two"], Managers(less));
    }

    [Fact]
    public void Apply_SameAgainLater_ChangesNotEvenTheTime()
    {
        var one = ManagedFields.Apply(null, Map("""{"a":"1"}"""), Maps, "one", "", false, Now);
        var again = ManagedFields.Apply(one, Map("""{"a":"1"}"""), Maps, "one", "", false, Now.AddHours(1));
        Assert.True(JsonNode.DeepEquals(one, again));
    }

    [Fact]
    public void Apply_StatusOfAnotherSubresource_ConflictNamesIt()
    {
        var pod = (JsonObject)JsonNode.Parse("""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"status":{"phase":"Running"}}""")!;
        var one = ManagedFields.Apply(null, Json.Clone(pod), Pods, "one", "status", false, Now);
        pod["status"]!["phase"] = "Failed";
        var error = Assert.Throws<ApiException>(() => ManagedFields.Apply(one, pod, Pods, "two", "status", false, Now));
        Assert.Equal("Apply failed with 1 conflict: conflict with \"one\" with subresource \"status\": .status.phase", error.Message);
    }

    private static JsonObject Map(string data) =>
        (JsonObject)JsonNode.Parse($$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{{data}} }""")!;

    private static List<string> Managers(JsonObject obj) =>
        Json.Objects(Json.At(obj, "metadata", "managedFields")).Select(m => Json.Text(m, "manager")!).ToList();

    private static string Fields(JsonObject obj, string manager) =>
        Json.ToText(Json.Objects(Json.At(obj, "metadata", "managedFields")).Single(m => Json.Text(m, "manager") == manager)["fieldsV1"]);
}
