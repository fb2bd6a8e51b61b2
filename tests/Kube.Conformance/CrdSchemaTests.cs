using Kube.Conformance.Support;

namespace Kube.Conformance;

/// <summary>What structural schemas do to objects, and which schemas are refused.</summary>
[Collection(ClusterTests.Name)]
public sealed class CrdSchemaTests(Clusters clusters)
{
    [SkippableTheory, Targets]
    public async Task Nulls_NullableOrNot_StayOrGo(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Spec("""
            "plain":{"type":"string"},"nullable":{"type":"string","nullable":true},"defaulted":{"type":"string","default":"d"},
            "both":{"type":"string","nullable":true,"default":"b"}
            """));
        var reply = await s.PostAsync(widgets, s.Widget("a", """{"plain":null,"nullable":null,"defaulted":null,"both":null}"""));
        Check.Same("""{"nullable":null,"defaulted":"d","both":null}""", reply.Ok(201)["spec"]);
    }

    [SkippableTheory, Targets]
    public async Task Defaults_InListsAndMaps_AreFilledIn(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Spec("""
            "list":{"type":"array","items":{"type":"object","properties":{"a":{"type":"string"},"d":{"type":"integer","default":1}}}},
            "map":{"type":"object","additionalProperties":{"type":"object","properties":{"d":{"type":"integer","default":2}}}},
            "deep":{"type":"object","default":{},"properties":{"deeper":{"type":"object","default":{"x":"y"},
             "properties":{"x":{"type":"string"},
             "z":{"type":"string","default":"z"}}}}}
            """));
        var reply = await s.PostAsync(widgets, s.Widget("a", """{"list":[{"a":"x"},{"d":5}],"map":{"k":{}}}"""));
        Check.Same(
            """{"list":[{"a":"x","d":1},{"d":5}],"map":{"k":{"d":2}},"deep":{"deeper":{"x":"y","z":"z"}}}""", reply.Ok(201)["spec"]);
    }

    [SkippableTheory, Targets]
    public async Task Defaults_AddedLater_AppearInWhatIsStored(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Spec("\"x\":{\"type\":\"string\"}"));
        var before = (await s.PostAsync(widgets, s.Widget("a", """{"x":"1"}"""))).Ok(201);
        var crd = $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.g{s.Suffix}.example.com";
        (await s.JsonPatchAsync(crd, """
            [{"op":"add","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/late","value":{"type":"string",
             "default":"l"}}]
            """)).Ok();
        await s.EventuallyAsync("the default is read", async () =>
            (string?)(await s.GetAsync($"{widgets}/a")).Ok()["spec"]!["late"] == "l");
        Assert.Equal(before.Version, (await s.GetAsync($"{widgets}/a")).Version);
        Assert.Equal("l", (string?)(await s.GetAsync(widgets)).Ok()["items"]![0]!["spec"]!["late"]);
    }

    [SkippableTheory, Targets]
    public async Task Pruning_PreservedAndEmbedded_KeepsWhatTheSchemaSays(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Spec("""
            "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"strict":{"type":"object",
             "properties":{"a":{"type":"string"}}}}},
            "pod":{"type":"object","x-kubernetes-embedded-resource":true,"properties":{"spec":{"type":"object",
             "properties":{"a":{"type":"string"}}}}}
            """));
        var reply = await s.PostAsync(widgets, s.Widget("a", """
            {"free":{"any":{"thing":1},"strict":{"a":"1","b":"2"}},"gone":1,
             "pod":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","nonsense":1},"spec":{"a":"1","b":"2"},"more":1}}
            """));
        Check.Same("""
            {"free":{"any":{"thing":1},"strict":{"a":"1"}},"pod":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"a":"1"}}}
            """, reply.Ok(201)["spec"]);
        reply = await s.PostAsync(widgets, s.Widget("b", """{"pod":{"spec":{"a":"1"}}}"""));
        reply.Refused(422, "Invalid");
        Assert.Equal(["spec.pod.apiVersion", "spec.pod.kind"], reply.Causes.Select(c => c.Field).Distinct().Order());
    }

    [SkippableTheory, Targets]
    public async Task Lists_SetAndMap_RefuseDuplicates(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Spec("""
            "set":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}},
            "map":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
             "items":{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}}}
            """));
        var reply = await s.PostAsync(widgets, s.Widget("a", """{"set":["a","b","a"],"map":[{"name":"x"},{"name":"x"}]}"""));
        reply.Refused(422, "Invalid");
        Assert.Equal(
            [("FieldValueDuplicate", "spec.map[1]"), ("FieldValueDuplicate", "spec.set[2]")],
            reply.Causes.OrderBy(c => c.Field, StringComparer.Ordinal));
        Assert.Contains("spec.set[2]: Duplicate value: \"a\"", reply.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string, string, string?> Values()
    {
        var data = new TheoryData<string, string, string, string?>();
        foreach (var target in new[] { TargetsAttribute.Embedded, TargetsAttribute.Cluster })
        {
            data.Add(target, """{"x-kubernetes-int-or-string":true}""", "5", null);
            data.Add(target, """{"x-kubernetes-int-or-string":true}""", "\"5%\"", null);
            data.Add(target, """{"x-kubernetes-int-or-string":true}""", "true", "FieldValueInvalid spec.v");
            data.Add(target, """{"type":"number","multipleOf":0.5}""", "1.5", null);
            data.Add(target, """{"type":"number","multipleOf":0.5}""", "1.6", "FieldValueInvalid spec.v");
            data.Add(target, """{"type":"integer"}""", "1.0", null);
            data.Add(target, """{"type":"integer"}""", "1.5", "FieldValueInvalid spec.v");
            data.Add(target, """{"type":"integer","minimum":1,"exclusiveMinimum":true}""", "1", "FieldValueInvalid spec.v");
            data.Add(target, """{"type":"string","format":"date-time"}""", "\"2026-01-02T03:04:05Z\"", null);
            data.Add(target, """{"type":"string","format":"date-time"}""", "\"yesterday\"", "FieldValueInvalid spec.v");
            data.Add(target, """{"type":"string","format":"ipv4"}""", "\"10.0.0.256\"", "FieldValueInvalid spec.v");
            data.Add(target, """{"type":"string","format":"unheard-of"}""", "\"x\"", null);
            data.Add(target, """{"type":"string","maxLength":2}""", "\"äöü\"", "* spec.v");
            data.Add(target, """{"type":"string","maxLength":2}""", "\"äö\"", null);
            data.Add(target, """{"type":"array","items":{"type":"string"},"minItems":2}""", "[\"a\"]", "FieldValueInvalid spec.v");
            data.Add(target, """{"type":"object","additionalProperties":{"type":"string"},"maxProperties":1}""",
                """{"a":"b","c":"d"}""", "* spec.v");
            data.Add(target, """{"type":"object","additionalProperties":{"type":"integer"}}""", """{"a":"b"}""",
                "FieldValueInvalid spec.v.a");
            data.Add(target, """{"type":"string","not":{"enum":["bad"]}}""", "\"bad\"", "FieldValueInvalid <nil>");
            data.Add(target, """{"type":"string","oneOf":[{"pattern":"^a"},{"pattern":"b$"}]}""", "\"ab\"", "FieldValueInvalid <nil>");
            data.Add(target, """{"type":"string","oneOf":[{"pattern":"^a"},{"pattern":"b$"}]}""", "\"ac\"", null);
            data.Add(target, """{"type":"string","oneOf":[{"pattern":"^a"},{"pattern":"b$"}]}""", "\"xx\"", "FieldValueInvalid spec.v");
            data.Add(target, """{"type":"string","anyOf":[{"pattern":"^a"},{"pattern":"b$"}]}""", "\"xx\"", "FieldValueInvalid spec.v");
            data.Add(target, """{"type":"string","allOf":[{"minLength":2},{"maxLength":3}]}""", "\"a\"", "* spec.v");
            data.Add(target, """{"type":"boolean"}""", "\"true\"", "FieldValueInvalid spec.v");
        }

        return data;
    }

    [SkippableTheory, MemberData(nameof(Values))]
    public async Task Value_AgainstASchema_IsAcceptedOrNamed(string target, string schema, string value, string? cause)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Spec($"\"v\":{schema}"));
        var reply = await s.PostAsync(widgets, s.Widget("a", $$"""{"v":{{value}}}"""));
        if (cause is null)
        {
            Assert.True(reply.Code == 201, reply.ToString());
            return;
        }

        reply.Refused(422, "Invalid");
        var wanted = cause.Split(' ');
        Assert.Contains(reply.Causes, c => (wanted[0] == "*" || Same(wanted[0], c.Reason)) && c.Field == wanted[1]);

        // Newer servers have a reason of its own for a wrong type.
        static bool Same(string wanted, string reason) =>
            reason == wanted || (wanted == "FieldValueInvalid" && reason == "FieldValueTypeInvalid");
    }

    public static TheoryData<string, string, string> BadSchemas()
    {
        var data = new TheoryData<string, string, string>();
        const string V = "spec.validation.openAPIV3Schema.properties[spec]";
        foreach (var target in new[] { TargetsAttribute.Embedded, TargetsAttribute.Cluster })
        {
            data.Add(target, """{"properties":{"a":{"type":"string"}}}""", $"FieldValueRequired {V}.type");
            data.Add(target, """{"type":"object","properties":{"a":{}}}""", $"FieldValueRequired {V}.properties[a].type");
            data.Add(target, """{"type":"array"}""", $"FieldValueRequired {V}.items");
            data.Add(target, """{"type":"thing"}""", $"FieldValueNotSupported {V}.type");
            data.Add(target, """{"type":"string","pattern":"("}""", $"FieldValueInvalid {V}.pattern");
            data.Add(target, """{"type":"string","default":5}""", $"* {V}.default");
            data.Add(target, """{"type":"object","uniqueItems":true}""", $"FieldValueForbidden {V}.uniqueItems");
            data.Add(target, """
                {"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":"string"}}
                """, $"* {V}.additionalProperties");
            data.Add(target, """
                {"type":"array","items":{"type":"object"},"x-kubernetes-list-type":"map"}
                """, $"* {V}.x-kubernetes-list-map-keys");
            data.Add(target, """
                {"type":"array","items":{"type":"string"},"x-kubernetes-list-type":"heap"}
                """, $"* {V}.x-kubernetes-list-type");
            data.Add(target, """{"type":"string","anyOf":[{"type":"string"}]}""", $"FieldValueForbidden {V}.anyOf[0].type");
            data.Add(target, """{"type":"string","anyOf":[{"default":"x"}]}""", $"FieldValueForbidden {V}.anyOf[0].default");
            data.Add(target, """{"type":"string","not":{"description":"d"}}""", $"FieldValueForbidden {V}.not.description");
            data.Add(target, """{"type":"object","anyOf":[{"nullable":true}]}""", $"FieldValueForbidden {V}.anyOf[0].nullable");
            data.Add(target, """
                {"type":"object","allOf":[{"additionalProperties":{"type":"string"}}]}
                """, $"* {V}.allOf[0].additionalProperties");
        }

        return data;
    }

    [SkippableTheory, MemberData(nameof(BadSchemas))]
    public async Task Crd_WrongSchema_NamesThePlace(string target, string schema, string cause)
    {
        await using var s = await clusters.OpenAsync(target);
        var group = $"g{s.Suffix}.example.com";
        var reply = await s.PostAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All", $$$$"""
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"widgets.{{{{group}}}}"},
             "spec":{"group":"{{{{group}}}}","scope":"Namespaced","names":{"plural":"widgets","kind":"Widget"},
              "versions":[{"name":"v1","served":true,"storage":true,
               "schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{{{{schema}}}} } } } }] } }
            """);
        reply.Refused(422, "Invalid");
        var wanted = cause.Split(' ');

        // A server names the schema by its version, and one with a single version by an older field.
        var causes = reply.Causes.Select(c =>
            (c.Reason, Field: c.Field.Replace("spec.versions[0].schema.", "spec.validation.", StringComparison.Ordinal)));
        Assert.True(causes.Any(c => (wanted[0] == "*" || c.Reason == wanted[0]) && c.Field == wanted[1]), reply.ToString());
    }

    [SkippableTheory, Targets]
    public async Task Crd_StoredVersionTakenAway_IsRefused(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.WidgetsAsync(Spec("\"x\":{\"type\":\"string\"}"));
        var crd = $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.g{s.Suffix}.example.com";
        var reply = await s.JsonPatchAsync(crd, """[{"op":"replace","path":"/spec/versions/0/name","value":"v2"}]""");
        reply.Refused(422, "Invalid");
        Assert.Contains(("FieldValueInvalid", "status.storedVersions[0]"), reply.Causes);
    }

    [SkippableTheory, Targets]
    public async Task Crd_SecondVersionStored_IsRemembered(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var widgets = await s.WidgetsAsync(Spec("\"x\":{\"type\":\"string\"}"));
        (await s.PostAsync(widgets, s.Widget("a", """{"x":"1"}"""))).Ok(201);
        var crd = $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.g{s.Suffix}.example.com";
        var changed = await s.JsonPatchAsync(crd, """
            [{"op":"copy","from":"/spec/versions/0","path":"/spec/versions/-"},{"op":"replace","path":"/spec/versions/1/name","value":"v2"},
             {"op":"replace","path":"/spec/versions/0/storage","value":false}]
            """);
        Check.Same("""["v1","v2"]""", changed.Ok()["status"]!["storedVersions"]);
        var second = widgets.Replace("/v1/", "/v2/", StringComparison.Ordinal);
        await s.EventuallyAsync("v2 is served", async () => (await s.GetAsync($"{second}/a")).Code == 200);
        Assert.EndsWith("/v2", (string?)(await s.GetAsync($"{second}/a"))["apiVersion"], StringComparison.Ordinal);
        Assert.EndsWith("/v1", (string?)(await s.GetAsync($"{widgets}/a"))["apiVersion"], StringComparison.Ordinal);
    }

    private static string Spec(string properties) =>
        $$$"""{"type":"object","properties":{"spec":{"type":"object","properties":{ {{{properties}}} } } } }""";
}
