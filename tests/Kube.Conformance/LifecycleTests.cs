using Kube.Conformance.Support;

namespace Kube.Conformance;

[Collection(ClusterTests.Name)]
public sealed class LifecycleTests(Clusters clusters)
{
    [SkippableTheory, Targets]
    public async Task Finalizer_Delete_WaitsUntilItIsRemoved(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var before = await s.MapAsync("a", metadata: """ "finalizers":["e.com/hold"] """);
        var deleted = (await s.DeleteAsync($"{s.Maps}/a")).Ok();
        Assert.Equal(("ConfigMap", 0), ((string?)deleted["kind"], (int?)deleted["metadata"]!["deletionGracePeriodSeconds"]));
        Assert.NotNull(deleted["metadata"]!["deletionTimestamp"]);
        Assert.NotEqual(before.Version, deleted.Version);
        Assert.Equal(deleted.Version, (await s.DeleteAsync($"{s.Maps}/a")).Ok().Version);
        var reply = await s.JsonPatchAsync($"{s.Maps}/a", """[{"op":"add","path":"/metadata/finalizers/-","value":"e.com/more"}]""");
        reply.Refused(422, "Invalid");
        Assert.Contains("metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted", reply.Message,
            StringComparison.Ordinal);
        (await s.MergeAsync($"{s.Maps}/a", """{"data":{"x":"1"}}""")).Ok();
        (await s.JsonPatchAsync($"{s.Maps}/a", """
            [{"op":"test","path":"/metadata/finalizers/0","value":"e.com/hold"},{"op":"remove","path":"/metadata/finalizers/0"}]
            """)).Ok();
        Assert.Equal(404, (await s.GetAsync($"{s.Maps}/a")).Code);
    }

    [SkippableTheory, Targets]
    public async Task Finalizer_WithoutDomain_IsInvalid(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        (await s.PostAsync(s.Maps, """{"metadata":{"name":"a","finalizers":["bad finalizer"]}}""")).Refused(422, "Invalid");
    }

    [SkippableTheory, Targets]
    public async Task Gc_Background_DeletesDependentsAfterTheOwner(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var owner = await s.MapAsync("owner");
        await s.MapAsync("child", metadata: Owner(owner));
        (await s.DeleteAsync($"{s.Maps}/owner", """{"propagationPolicy":"Background"}""")).Ok();
        Assert.Equal(404, (await s.GetAsync($"{s.Maps}/owner")).Code);
        await s.GoneAsync($"{s.Maps}/child");
    }

    [SkippableTheory, Targets]
    public async Task Gc_Foreground_KeepsTheOwnerUntilBlockingDependentsAreGone(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var owner = await s.MapAsync("owner");
        await s.MapAsync("child", metadata: Owner(owner, block: true) + ""","finalizers":["e.com/hold"] """);
        var deleted = (await s.DeleteAsync($"{s.Maps}/owner", """{"propagationPolicy":"Foreground"}""")).Ok();
        Check.Same("""["foregroundDeletion"]""", deleted["metadata"]!["finalizers"]);
        await s.EventuallyAsync("the child is being deleted", async () =>
            (await s.GetAsync($"{s.Maps}/child"))["metadata"]?["deletionTimestamp"] is not null);
        Assert.Equal(200, (await s.GetAsync($"{s.Maps}/owner")).Code);
        (await s.MergeAsync($"{s.Maps}/child", """{"metadata":{"finalizers":null}}""")).Ok();
        await s.GoneAsync($"{s.Maps}/child");
        await s.GoneAsync($"{s.Maps}/owner");
    }

    [SkippableTheory, Targets]
    public async Task Gc_Orphan_FreesTheDependents(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var owner = await s.MapAsync("owner");
        await s.MapAsync("child", metadata: Owner(owner));
        (await s.DeleteAsync($"{s.Maps}/owner", """{"propagationPolicy":"Orphan"}""")).Ok();
        await s.GoneAsync($"{s.Maps}/owner");
        await s.EventuallyAsync("the child has no owner", async () =>
            (await s.GetAsync($"{s.Maps}/child")).Ok()["metadata"]!["ownerReferences"] is null);
    }

    [SkippableTheory, Targets]
    public async Task Gc_OwnerThatNeverWas_DeletesTheDependent(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("child", metadata:
            """ "ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"ghost","uid":"11111111-1111-1111-1111-111111111111"}] """);
        await s.GoneAsync($"{s.Maps}/child");
    }

    [SkippableTheory, Targets]
    public async Task OwnerReferences_TwoControllers_IsInvalid(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.PostAsync(s.Maps, """
            {"metadata":{"name":"a","ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"1","controller":true},
             {"apiVersion":"v1","kind":"ConfigMap","name":"y","uid":"2","controller":true}]}}
            """);
        reply.Refused(422, "Invalid");
        Assert.Contains("Only one reference can have Controller set to true", reply.Message, StringComparison.Ordinal);
        (await s.PostAsync(s.Maps, """
            {"metadata":{"name":"a","ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"x"}]}}
            """)).Refused(422, "Invalid");
    }

    [SkippableTheory, Targets]
    public async Task Namespace_Delete_EndsItsContentsThenItself(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a");
        await s.MapAsync("held", metadata: """ "finalizers":["e.com/hold"] """);
        var ns = (await s.GetAsync($"/api/v1/namespaces/{s.Ns}")).Ok();
        Assert.Equal("Active", (string?)ns["status"]!["phase"]);
        Check.Same("""["kubernetes"]""", ns["spec"]!["finalizers"]);
        (await s.DeleteAsync($"/api/v1/namespaces/{s.Ns}")).Ok();
        await s.EventuallyAsync("the namespace is terminating", async () =>
            (string?)(await s.GetAsync($"/api/v1/namespaces/{s.Ns}"))["status"]?["phase"] == "Terminating");
        await s.GoneAsync($"{s.Maps}/a");
        var refused = await s.PostAsync(s.Maps, """{"metadata":{"name":"late"}}""");
        refused.Refused(403, "Forbidden");
        Assert.Contains($"unable to create new content in namespace {s.Ns} because it is being terminated", refused.Message,
            StringComparison.Ordinal);
        Assert.Equal("NamespaceTerminating", Assert.Single(refused.Causes).Reason);
        await s.EventuallyAsync("the held object is being deleted", async () =>
            (await s.GetAsync($"{s.Maps}/held"))["metadata"]?["deletionTimestamp"] is not null);
        (await s.MergeAsync($"{s.Maps}/held", """{"metadata":{"finalizers":null}}""")).Ok();
        await s.GoneAsync($"/api/v1/namespaces/{s.Ns}");
    }

    private static string Owner(Reply owner, bool block = false) =>
        $$"""
         "ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":"{{(string?)owner["metadata"]!["uid"]}}",
          "blockOwnerDeletion":{{(block ? "true" : "false")}}}]
         """;
}
