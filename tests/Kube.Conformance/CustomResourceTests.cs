using Kube.Conformance.Support;

namespace Kube.Conformance;

[Collection(ClusterTests.Name)]
public sealed class CustomResourceTests(Clusters clusters)
{
    private const string Schema = """
        {"type":"object","required":["spec"],"properties":{
          "spec":{"type":"object","required":["size"],"properties":{
            "size":{"type":"integer","minimum":1,"maximum":10},
            "color":{"type":"string","enum":["red","blue"],"default":"red"},
            "code":{"type":"string","pattern":"^[a-z]+$","maxLength":5},
            "list":{"type":"array","maxItems":2,"items":{"type":"string","minLength":1}},
            "nested":{"type":"object","default":{},"properties":{"n":{"type":"integer","default":7}}},
            "either":{"x-kubernetes-int-or-string":true},
            "nothing":{"type":"string","nullable":true},
            "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}},
          "status":{"type":"object","properties":{"phase":{"type":"string"}}}}}
        """;

    [SkippableTheory, Targets]
    public async Task Create_Defaults_AreFilledIn(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Schema);
        var reply = (await s.PostAsync(widgets, s.Widget("a", """{"size":1}"""))).Ok(201);
        Check.Same("""{"size":1,"color":"red","nested":{"n":7}}""", reply["spec"]);
        Assert.Equal(1, (int?)reply["metadata"]!["generation"]);
    }

    [SkippableTheory, Targets]
    public async Task Create_UnknownFields_ArePruned(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Schema);
        var widget = s.Widget("a", """{"size":1,"nope":1,"free":{"any":{"thing":[1]}},"either":"x"}""", more: ""","extra":1""");
        var reply = (await s.PostAsync(widgets, widget)).Ok(201);
        Check.Same("""{"size":1,"color":"red","nested":{"n":7},"free":{"any":{"thing":[1]}},"either":"x"}""", reply["spec"]);
        Assert.Null(reply["extra"]);
    }

    public static TheoryData<string, string, string, string> Invalid()
    {
        var data = new TheoryData<string, string, string, string>();
        foreach (var target in new[] { TargetsAttribute.Embedded, TargetsAttribute.Cluster })
        {
            data.Add(target, "{}", "FieldValueRequired spec.size", "spec.size: Required value");
            data.Add(target, """
                {"size":11}
                """, "FieldValueInvalid spec.size", "spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10");
            data.Add(target, """
                {"size":0}
                """, "FieldValueInvalid spec.size", "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1");
            data.Add(target, """
                {"size":"1"}
                """, "* spec.size", "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"");
            data.Add(target, """
                {"size":1,"color":"green"}
                """, "FieldValueNotSupported spec.color", "spec.color: Unsupported value: \"green\": supported values: \"red\", \"blue\"");
            data.Add(target, """
                {"size":1,"code":"A"}
                """, "FieldValueInvalid spec.code", "spec.code: Invalid value: \"A\": spec.code in body should match '^[a-z]+$'");
            data.Add(target, """{"size":1,"code":"abcdefg"}""", "* spec.code", "*");
            data.Add(target, """{"size":1,"list":["a","b","c"]}""", "* spec.list", "*");
            data.Add(target, """{"size":1,"list":[""]}""", "* spec.list[0]", "*");
            data.Add(target, """{"size":1,"either":true}""", "* spec.either", "*");
        }

        return data;
    }

    [SkippableTheory, MemberData(nameof(Invalid))]
    public async Task Create_Invalid_NamesFieldAndReason(string target, string spec, string cause, string message)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Schema);
        var reply = await s.PostAsync(widgets, s.Widget("a", spec));
        reply.Refused(422, "Invalid");
        if (s.Minor < 24 && cause.EndsWith(']'))
        {
            // Old servers name the list, once for each of the two validators that see it.
            Assert.All(reply.Causes, c => Assert.Equal(("FieldValueInvalid", "spec.list"), c));
            return;
        }

        var got = Assert.Single(reply.Causes);
        Assert.Equal(cause.Split(' ')[1], got.Field);
        if (cause[0] != '*')
        {
            Assert.Equal(cause.Split(' ')[0], got.Reason);
        }

        if (message != "*")
        {
            Assert.Equal($"Widget.g{s.Suffix}.example.com \"a\" is invalid: {message}", reply.Message);
        }
    }

    [SkippableTheory, Targets]
    public async Task Create_ManyMistakes_AllAreNamed(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Schema);
        var reply = await s.PostAsync(widgets, s.Widget("a", """{"size":11,"color":"green","code":"A"}"""));
        Assert.Equal(["spec.code", "spec.color", "spec.size"], reply.Causes.Select(c => c.Field).Order());
        Assert.StartsWith($"Widget.g{s.Suffix}.example.com \"a\" is invalid: [", reply.Message, StringComparison.Ordinal);
        Assert.EndsWith("]", reply.Message, StringComparison.Ordinal);
    }

    [SkippableTheory, Targets]
    public async Task Generation_MovesWithTheSpecOnly(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Schema);
        await s.PostAsync(widgets, s.Widget("a", """{"size":1}"""));
        Assert.Equal(1, Generation(await s.MergeAsync($"{widgets}/a", """{"metadata":{"labels":{"x":"y"}}}""")));
        Assert.Equal(1, Generation(await s.MergeAsync($"{widgets}/a/status", """{"status":{"phase":"Up"}}""")));
        Assert.Equal(2, Generation(await s.MergeAsync($"{widgets}/a", """{"spec":{"size":2}}""")));
    }

    [SkippableTheory, Targets]
    public async Task Status_IsApartFromTheRest(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Schema);
        var created = (await s.PostAsync(widgets, s.Widget("a", """{"size":1}""", more: ""","status":{"phase":"No"}"""))).Ok(201);
        Assert.Null(created["status"]);
        var status = (await s.MergeAsync($"{widgets}/a/status", """
            {"status":{"phase":"Up"},"spec":{"size":9},"metadata":{"labels":{"x":"y"}}}
            """)).Ok();
        Assert.Equal(("Up", 1), ((string?)status["status"]!["phase"], (int?)status["spec"]!["size"]));
        var main = (await s.MergeAsync($"{widgets}/a", """{"status":{"phase":"Down"},"spec":{"size":3}}""")).Ok();
        Assert.Equal(("Up", 3), ((string?)main["status"]!["phase"], (int?)main["spec"]!["size"]));
        Assert.Equal("Up", (string?)(await s.GetAsync($"{widgets}/a/status")).Ok()["status"]!["phase"]);
    }

    [SkippableTheory, Targets]
    public async Task Replace_WithoutVersion_IsInvalid(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Schema);
        await s.PostAsync(widgets, s.Widget("a", """{"size":1}"""));
        var reply = await s.PutAsync($"{widgets}/a", s.Widget("a", """{"size":2}"""));
        reply.Refused(422, "Invalid");
        Assert.EndsWith("metadata.resourceVersion: Invalid value: 0x0: must be specified for an update", reply.Message,
            StringComparison.Ordinal);
    }

    [SkippableTheory, Targets]
    public async Task FieldValidation_Strict_NamesUnknownFields(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        s.Needs(25, "fieldValidation");
        var widgets = await s.WidgetsAsync(Schema);
        var reply = await s.PostAsync($"{widgets}?fieldValidation=Strict", s.Widget("a", """{"size":1,"nope":1}"""));
        reply.Refused(400, "BadRequest");
        Assert.Contains("unknown field \"spec.nope\"", reply.Message, StringComparison.Ordinal);
    }

    [SkippableTheory, Targets]
    public async Task Cel_Rules_AreChecked(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        s.Needs(25, "CEL");
        var widgets = await s.WidgetsAsync("""
            {"type":"object","properties":{"spec":{"type":"object","x-kubernetes-validations":[{"rule":"self.min <= self.max",
             "message":"min must not exceed max"}],
              "properties":{"min":{"type":"integer"},"max":{"type":"integer"},
               "owner":{"type":"string","x-kubernetes-validations":[{"rule":"self == oldSelf","message":"the owner cannot change"}]}}}}}
            """);
        var reply = await s.PostAsync(widgets, s.Widget("a", """{"min":3,"max":1}"""));
        reply.Refused(422, "Invalid");
        Assert.Contains("spec: Invalid value: ", reply.Message, StringComparison.Ordinal);
        Assert.EndsWith("min must not exceed max", reply.Message, StringComparison.Ordinal);
        (await s.PostAsync(widgets, s.Widget("a", """{"min":1,"max":1,"owner":"me"}"""))).Ok(201);
        var change = await s.MergeAsync($"{widgets}/a", """{"spec":{"owner":"you"}}""");
        change.Refused(422, "Invalid");
        Assert.Equal("spec.owner", Assert.Single(change.Causes).Field);
        Assert.Contains("the owner cannot change", change.Message, StringComparison.Ordinal);
    }

    [SkippableTheory, Targets]
    public async Task Table_OfACustomKind_HasItsColumns(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Schema, """
            ,"additionalPrinterColumns":[{"name":"Size","type":"integer","jsonPath":".spec.size"},{"name":"Phase","type":"string",
             "jsonPath":".status.phase","priority":1},{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}]
            """);
        await s.PostAsync(widgets, s.Widget("a", """{"size":4}"""));
        var table = (await s.GetAsync(widgets, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")).Ok();
        Assert.Equal(("Table", "meta.k8s.io/v1"), ((string?)table["kind"], (string?)table["apiVersion"]));
        Assert.Equal(["Name 0", "Size 0", "Phase 1", "Age 0"],
            table["columnDefinitions"]!.AsArray().Select(c => $"{c!["name"]} {c["priority"]}"));
        var row = Assert.Single(table["rows"]!.AsArray())!;
        Assert.Equal(("a", 4), ((string?)row["cells"]![0], (int?)row["cells"]![1]));
        Assert.Equal(("PartialObjectMetadata", "a"), ((string?)row["object"]!["kind"], (string?)row["object"]!["metadata"]!["name"]));
    }

    [SkippableTheory, Targets]
    public async Task Crd_Lifetime_AppearsAndDisappearsInDiscovery(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Schema);
        var group = $"g{s.Suffix}.example.com";
        await s.EventuallyAsync("discovery has the group", async () => (await s.GetAsync($"/apis/{group}/v1")).Code == 200);
        var resources = (await s.GetAsync($"/apis/{group}/v1")).Ok()["resources"]!.AsArray();
        var main = resources.Single(r => (string?)r!["name"] == "widgets")!;
        Assert.Equal(("widget", "Widget", true), ((string?)main["singularName"], (string?)main["kind"], (bool?)main["namespaced"]));
        Check.Same("""["wd"]""", main["shortNames"]);
        Assert.Superset(new HashSet<string> { "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection" },
            main["verbs"]!.AsArray().Select(v => (string)v!).ToHashSet());
        Assert.Contains(resources, r => (string?)r!["name"] == "widgets/status");
        await s.EventuallyAsync("the group is listed", async () =>
            (await s.GetAsync("/apis")).Text.Contains(group, StringComparison.Ordinal));
        await s.PostAsync(widgets, s.Widget("a", """{"size":1}"""));
        (await s.DeleteAsync($"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}")).Ok();
        await s.GoneAsync($"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}");
        await s.GoneAsync(widgets);
    }

    [SkippableTheory, Targets]
    public async Task Crd_Wrong_IsInvalid(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.PostAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", """
            {"metadata":{"name":"wrong"},"spec":{"group":"x.example.com","scope":"Sometimes","names":{"plural":"things","kind":"Thing"},
             "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object",
              "properties":{"spec":{"properties":{"a":{"type":"string"}}}}}}}]}}
            """);
        reply.Refused(422, "Invalid");
        var fields = reply.Causes.Select(c => c.Field).ToHashSet();
        Assert.Contains("metadata.name", fields);
        Assert.Contains("spec.scope", fields);
        Assert.Contains(fields, f => f.EndsWith("properties[spec].type", StringComparison.Ordinal));
    }

    private static int? Generation(Reply reply) => (int?)reply.Ok()["metadata"]!["generation"];
}
