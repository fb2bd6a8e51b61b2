using Kube.Client;
using Kube.Client.Models;
using Kube.Conformance.Support;

namespace Kube.Conformance;

[Collection(ClusterTests.Name)]
public sealed class ReplaceAndDeleteTests(Clusters clusters)
{
    [SkippableTheory, Targets]
    public async Task Replace_NamesDoNotMatch_IsRefused(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a");
        var reply = await s.PutAsync($"{s.Maps}/a", """{"metadata":{"name":"b"}}""");
        reply.Refused(400, "BadRequest", "the name of the object (b) does not match the name on the URL (a)");
    }

    [SkippableTheory, Targets]
    public async Task Replace_WithoutVersion_OverwritesABuiltInKind(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var before = await s.MapAsync("a", """{"k":"1"}""", """ "labels":{"x":"y"} """);
        var after = (await s.PutAsync($"{s.Maps}/a", """{"metadata":{"name":"a"},"data":{"k":"2"}}""")).Ok();
        Assert.Null(after["metadata"]!["labels"]);
        Assert.Equal((string?)before["metadata"]!["uid"], (string?)after["metadata"]!["uid"]);
        Assert.Equal((string?)before["metadata"]!["creationTimestamp"], (string?)after["metadata"]!["creationTimestamp"]);
    }

    [SkippableTheory, Targets]
    public async Task Replace_Missing_IsNotFound(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        (await s.PutAsync($"{s.Maps}/a", """{"metadata":{"name":"a"}}""")).Refused(404, "NotFound", "configmaps \"a\" not found");
    }

    [SkippableTheory, Targets]
    public async Task Replace_OtherUid_IsAConflict(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a");
        var reply = await s.PutAsync($"{s.Maps}/a", """{"metadata":{"name":"a","uid":"00000000-0000-0000-0000-000000000000"}}""");
        reply.Refused(409, "Conflict");
        Assert.Contains("Precondition failed: UID in precondition: 00000000-0000-0000-0000-000000000000", reply.Message,
            StringComparison.Ordinal);
    }

    [SkippableTheory, Targets]
    public async Task Replace_NothingChanged_KeepsTheVersion(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var before = await s.MapAsync("a", """{"k":"1"}""");
        Assert.Equal(before.Version, (await s.PutAsync($"{s.Maps}/a", before.Text)).Ok().Version);
        Assert.Equal(before.Version, (await s.MergeAsync($"{s.Maps}/a", """{"data":{"k":"1"}}""")).Ok().Version);
    }

    [SkippableTheory, Targets]
    public async Task Delete_Object_AnswersSuccessWithItsUid(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var map = await s.MapAsync("a");
        var reply = (await s.DeleteAsync($"{s.Maps}/a")).Ok();
        Assert.Equal(("Status", "Success"), ((string?)reply["kind"], (string?)reply["status"]));
        Check.Same($$"""{"name":"a","kind":"configmaps","uid":"{{(string?)map["metadata"]!["uid"]}}"}""", reply["details"]);
    }

    [SkippableTheory, Targets]
    public async Task Delete_OtherUidOrVersion_IsAConflict(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var map = await s.MapAsync("a");
        (await s.DeleteAsync($"{s.Maps}/a", """{"preconditions":{"uid":"other"}}""")).Refused(409, "Conflict");
        (await s.DeleteAsync($"{s.Maps}/a", """{"preconditions":{"resourceVersion":"1"}}""")).Refused(409, "Conflict");
        (await s.DeleteAsync($"{s.Maps}/a", $$$"""{"preconditions":{"resourceVersion":"{{{map.Version}}}"}}""")).Ok();
    }

    [SkippableTheory, Targets]
    public async Task DeleteCollection_Selector_DeletesOnlyWhatMatches(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a", metadata: """ "labels":{"x":"1"} """);
        await s.MapAsync("b", metadata: """ "labels":{"x":"2"} """);
        (await s.DeleteAsync($"{s.Maps}?labelSelector=x%3D1")).Ok();
        Assert.Equal(404, (await s.GetAsync($"{s.Maps}/a")).Code);
        Assert.Equal(200, (await s.GetAsync($"{s.Maps}/b")).Code);
    }
}
