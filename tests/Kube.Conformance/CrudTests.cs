using Kube.Client;
using Kube.Client.Models;
using Kube.Conformance.Support;

namespace Kube.Conformance;

[Collection(ClusterTests.Name)]
public sealed class CrudTests(Clusters clusters)
{
    [SkippableTheory, Targets]
    public async Task Typed_WholeLife_Works(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var created = await s.Client.CreateAsync(new ConfigMap { Metadata = new() { Name = "a", Namespace = s.Ns }, Data = Data("1") },
            null, s.Limit);
        Assert.NotNull(created.Metadata.Uid);
        Assert.NotNull(created.Metadata.CreationTimestamp);
        var replaced = await s.Client.ReplaceAsync(created with { Data = Data("2") }, null, s.Limit);
        Assert.Equal(1, ResourceVersionComparer.Instance.Compare(replaced.Metadata.ResourceVersion, created.Metadata.ResourceVersion));
        var stale = await Assert.ThrowsAsync<KubeException>(() => s.Client.ReplaceAsync(created, null, s.Limit));
        Assert.True(stale.IsConflict);
        Assert.Equal(
            "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest "
            + "version and try again",
            stale.Message);
        Assert.True((await Assert.ThrowsAsync<KubeException>(() =>
            s.Client.CreateAsync(created with { Metadata = new() { Name = "a", Namespace = s.Ns } }, null, s.Limit))).IsAlreadyExists);
        var patched = await s.Client.PatchAsync<ConfigMap>(s.Ns, "a", KubePatch.Merge("""
            {"data":{"k":null,"n":"3"}}
            """u8.ToArray()), null, s.Limit);
        Assert.Equal(["n"], patched.Data!.Keys);
        await s.Client.DeleteAsync<ConfigMap>(s.Ns, "a", new() { Uid = patched.Metadata.Uid }, s.Limit);
        Assert.Null(await s.Client.TryGetAsync<ConfigMap>(s.Ns, "a", s.Limit));
        Assert.True((await Assert.ThrowsAsync<KubeException>(() => s.Client.DeleteAsync<ConfigMap>(s.Ns, "a", null, s.Limit))).IsNotFound);
    }

    [SkippableTheory, Targets]
    public async Task Get_Missing_NamesTheObject(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.GetAsync($"{s.Maps}/nope");
        reply.Refused(404, "NotFound", "configmaps \"nope\" not found");
        Check.Same("""{"name":"nope","kind":"configmaps"}""", reply["details"]);
    }

    [SkippableTheory, Targets]
    public async Task Get_MissingOfAGroup_NamesTheGroup(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.GetAsync($"/apis/coordination.k8s.io/v1/namespaces/{s.Ns}/leases/nope");
        reply.Refused(404, "NotFound", "leases.coordination.k8s.io \"nope\" not found");
        Check.Same("""{"name":"nope","group":"coordination.k8s.io","kind":"leases"}""", reply["details"]);
    }

    [SkippableTheory, Targets]
    public async Task Create_Existing_IsAlreadyExists(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a");
        var reply = await s.PostAsync(s.Maps, """{"metadata":{"name":"a"}}""");
        reply.Refused(409, "AlreadyExists", "configmaps \"a\" already exists");
        Check.Same("""{"name":"a","kind":"configmaps"}""", reply["details"]);
    }

    [SkippableTheory, Targets]
    public async Task Create_Object_FillsTheMetadata(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var meta = (await s.MapAsync("a", """{"k":"v"}""")).Json!["metadata"]!;
        Assert.Equal(s.Ns, (string?)meta["namespace"]);
        Assert.Matches("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", (string?)meta["uid"]);
        Assert.Matches("^[1-9][0-9]*$", (string?)meta["resourceVersion"]);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", (string?)meta["creationTimestamp"]);
        Assert.Null(meta["generation"]);
        var field = Assert.Single(meta["managedFields"]!.AsArray())!;
        Assert.Equal(("conformance", "Update", "v1", "FieldsV1"),
            ((string?)field["manager"], (string?)field["operation"], (string?)field["apiVersion"], (string?)field["fieldsType"]));
        Check.Same("""{"f:data":{".":{},"f:k":{}}}""", field["fieldsV1"]);
    }

    [SkippableTheory, Targets]
    public async Task Create_ForeignMetadata_IsReplaced(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = (await s.PostAsync(s.Maps, """
            {"metadata":{"name":"a","uid":"mine","creationTimestamp":"2001-01-01T00:00:00Z","selfLink":"/x"}}
            """)).Ok(201);
        Assert.NotEqual("mine", (string?)reply["metadata"]!["uid"]);
        Assert.NotEqual("2001-01-01T00:00:00Z", (string?)reply["metadata"]!["creationTimestamp"]);
    }

    [SkippableTheory, Targets]
    public async Task Create_WithResourceVersion_IsRefused(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.PostAsync(s.Maps, """{"metadata":{"name":"a","resourceVersion":"5"}}""");
        // An error of its own for a 1.20, the caller's later.
        Assert.Contains(reply.Code, new[] { 400, 500 });
        Assert.Equal("resourceVersion should not be set on objects to be created", reply.Message);
    }

    [SkippableTheory, Targets]
    public async Task Create_InMissingNamespace_NamesTheNamespace(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.PostAsync("/api/v1/namespaces/no-such-namespace/configmaps", """{"metadata":{"name":"a"}}""");
        reply.Refused(404, "NotFound", "namespaces \"no-such-namespace\" not found");
    }

    [SkippableTheory, Targets]
    public async Task Create_GenerateName_AppendsFiveCharacters(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = (await s.PostAsync(s.Maps, """{"metadata":{"generateName":"a-"}}""")).Ok(201);
        Assert.Matches("^a-[bcdfghjklmnpqrstvwxz2456789]{5}$", (string?)reply["metadata"]!["name"]);
        Assert.Equal("a-", (string?)reply["metadata"]!["generateName"]);
    }

    [SkippableTheory, Targets]
    public async Task Create_NoName_IsInvalid(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.PostAsync(s.Maps, """{"metadata":{}}""");
        reply.Refused(422, "Invalid", "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is required");
        Assert.Equal([("FieldValueRequired", "metadata.name")], reply.Causes);
    }

    [SkippableTheory]
    [InlineData(TargetsAttribute.Embedded, "Upper")]
    [InlineData(TargetsAttribute.Embedded, "under_score")]
    [InlineData(TargetsAttribute.Embedded, "-a")]
    [InlineData(TargetsAttribute.Embedded, "a..b")]
    [InlineData(TargetsAttribute.Cluster, "Upper")]
    [InlineData(TargetsAttribute.Cluster, "under_score")]
    [InlineData(TargetsAttribute.Cluster, "-a")]
    [InlineData(TargetsAttribute.Cluster, "a..b")]
    public async Task Create_BadName_IsInvalid(string target, string name)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.PostAsync(s.Maps, $$$"""{"metadata":{"name":"{{{name}}}"}}""");
        reply.Refused(422, "Invalid");
        Assert.StartsWith($"ConfigMap \"{name}\" is invalid: metadata.name: Invalid value: \"{name}\": a", reply.Message,
            StringComparison.Ordinal);
        Assert.Equal([("FieldValueInvalid", "metadata.name")], reply.Causes);
        Assert.Equal((name, "ConfigMap"), ((string?)reply["details"]!["name"], (string?)reply["details"]!["kind"]));
    }

    [SkippableTheory, Targets]
    public async Task Create_BadLabels_ListsAllCauses(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.PostAsync(s.Maps, """
            {"metadata":{"name":"a","labels":{"a b":"x","ok":"no good"},"annotations":{"c d":"x"}}}
            """);
        reply.Refused(422, "Invalid");
        Assert.Equal(
            [("FieldValueInvalid", "metadata.annotations"), ("FieldValueInvalid", "metadata.labels"),
                ("FieldValueInvalid", "metadata.labels")],
            reply.Causes.OrderBy(c => c.Field));
    }

    [SkippableTheory, Targets]
    public async Task Create_NamespaceOfAnother_IsRefused(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.PostAsync(s.Maps, """{"metadata":{"name":"a","namespace":"other"}}""");
        reply.Refused(400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request");
    }

    [SkippableTheory, Targets]
    public async Task Create_OtherKind_IsRefused(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        (await s.PostAsync(s.Maps, """{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}""")).Refused(400, "BadRequest");
    }

    [SkippableTheory, Targets]
    public async Task Create_NotJson_IsRefused(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        (await s.PostAsync(s.Maps, "{\"metadata\":")).Refused(400, "BadRequest");
        (await s.PostAsync(s.Maps, """{"metadata":{"name":"a"},"data":{"k":5}}""")).Refused(400, "BadRequest");
        (await s.PostAsync(s.Maps, "x", "text/plain")).Refused(415, "UnsupportedMediaType");
    }

    [SkippableTheory, Targets]
    public async Task Create_Yaml_IsAccepted(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.PostAsync(s.Maps, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: \"1\"\n",
            "application/yaml");
        Check.Same("""{"k":"1"}""", reply.Ok(201)["data"]);
    }

    [SkippableTheory, Targets]
    public async Task Request_NoSuchResourceOrMethod_IsRefused(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        Assert.Equal(404, (await s.GetAsync("/apis/nope.example.com/v1/things")).Code);
        Assert.Equal(404, (await s.GetAsync($"/api/v1/namespaces/{s.Ns}/nopes")).Code);
        (await s.SendAsync("PUT", s.Maps, "{}")).Refused(405, "MethodNotAllowed");
        Assert.False(await s.Client.IsServedAsync(new("nope.example.com", "v1", "Thing", "things"), s.Limit));
        Assert.True(await s.Client.IsServedAsync(Lease.Descriptor, s.Limit));
        await Assert.ThrowsAsync<KubeException>(() =>
            s.Client.Raw.SendAsync(HttpMethod.Get, "/apis/nope.example.com/v1", default, null, s.Limit));
    }

    [SkippableTheory, Targets]
    public async Task ConfigMap_Immutable_CannotChange(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        (await s.PostAsync(s.Maps, """{"metadata":{"name":"a"},"immutable":true,"data":{"k":"1"}}""")).Ok(201);
        var reply = await s.MergeAsync($"{s.Maps}/a", """{"data":{"k":"2"}}""");
        reply.Refused(422, "Invalid", "ConfigMap \"a\" is invalid: data: Forbidden: field is immutable when `immutable` is set");
        Assert.Equal([("FieldValueForbidden", "data")], reply.Causes);
    }

    [SkippableTheory, Targets]
    public async Task Secret_StringData_BecomesDataAndTypeOpaque(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var path = $"/api/v1/namespaces/{s.Ns}/secrets";
        var reply = (await s.PostAsync(path, """
            {"metadata":{"name":"a"},"data":{"x":"AQ==","y":"AQ=="},"stringData":{"x":"hi"}}
            """)).Ok(201);
        Check.Same("""{"x":"aGk=","y":"AQ=="}""", reply["data"]);
        Assert.Equal("Opaque", (string?)reply["type"]);
        Assert.Null(reply["stringData"]);
        (await s.MergeAsync($"{path}/a", """{"type":"other"}""")).Refused(422, "Invalid");
        (await s.PostAsync(path, """{"metadata":{"name":"b"},"data":{"x":"***"}}""")).Refused(400, "BadRequest");
    }

    [SkippableTheory, Targets]
    public async Task DryRun_Writes_StoreNothing(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = (await s.PostAsync($"{s.Maps}?dryRun=All", """{"metadata":{"name":"a"}}""")).Ok(201);
        Assert.NotNull(reply["metadata"]!["uid"]);
        Assert.Equal(404, (await s.GetAsync($"{s.Maps}/a")).Code);
        await s.MapAsync("b", """{"k":"1"}""");
        Check.Same("""{"k":"2"}""", (await s.MergeAsync($"{s.Maps}/b?dryRun=All", """{"data":{"k":"2"}}""")).Ok()["data"]);
        (await s.DeleteAsync($"{s.Maps}/b?dryRun=All")).Ok();
        Check.Same("""{"k":"1"}""", (await s.GetAsync($"{s.Maps}/b")).Ok()["data"]);
        (await s.PostAsync($"{s.Maps}?dryRun=Some", """{"metadata":{"name":"a"}}""")).Refused(422, "Invalid");
    }

    [SkippableTheory, Targets]
    public async Task FieldValidation_Strict_NamesUnknownAndDuplicateFields(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        s.Needs(25, "fieldValidation");
        var reply = await s.PostAsync($"{s.Maps}?fieldValidation=Strict", """
            {"metadata":{"name":"a"},"dta":{"k":"1"},"data":{"k":"1","k":"2"}}
            """);
        reply.Refused(400, "BadRequest");
        Assert.Contains("strict decoding error: ", reply.Message, StringComparison.Ordinal);
        Assert.Contains("unknown field \"dta\"", reply.Message, StringComparison.Ordinal);
        Assert.Contains("duplicate field \"data.k\"", reply.Message, StringComparison.Ordinal);
        var warned = (await s.PostAsync($"{s.Maps}?fieldValidation=Warn", """{"metadata":{"name":"a"},"dta":{"k":"1"}}""")).Ok(201);
        Assert.Contains(warned.Warnings, w => w.Contains("unknown field \\\"dta\\\"", StringComparison.Ordinal));
    }

    [SkippableTheory, Targets]
    public async Task Credentials_Wrong_IsUnauthorized(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        Skip.If(target == TargetsAttribute.Cluster, "The cluster is entered with a client certificate.");
        (await s.AnonymousAsync(s.Maps)).Refused(401, "Unauthorized", "Unauthorized");
    }

    private static Dictionary<string, string> Data(string value) => new() { ["k"] = value };
}
