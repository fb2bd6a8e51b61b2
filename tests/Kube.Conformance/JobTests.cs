using System.Text.Json.Nodes;
using Kube.Conformance.Support;

namespace Kube.Conformance;

/// <summary>Jobs, with the test in the kubelet's place: their pods fit no node.</summary>
[Collection(ClusterTests.Name)]
public sealed class JobTests(Clusters clusters)
{
    private static string Job(string name, string spec = "", string pod = """ "restartPolicy":"Never", """) => $$$$$"""
        {"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"{{{{{name}}}}}","labels":{"a":"b"}},
         "spec":{ {{{{{spec}}}}} "template":{"metadata":{"labels":{"of":"{{{{{name}}}}}"}},
         "spec":{ {{{{{pod}}}}} "nodeSelector":{"no":"where"},"containers":[{"name":"c","image":"i"}]}}}}
        """;

    [SkippableTheory, Targets]
    public async Task Create_Job_GetsTheDefaults(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        var job = (await s.PostAsync(Jobs(s), Job("j"))).Ok(201);
        var uid = (string?)job["metadata"]!["uid"];
        Assert.Equal((1, 1, 6), ((int?)job["spec"]!["completions"], (int?)job["spec"]!["parallelism"], (int?)job["spec"]!["backoffLimit"]));
        var labels = job["spec"]!["template"]!["metadata"]!["labels"]!;
        Assert.Equal((uid, "j", "j"), ((string?)labels["controller-uid"], (string?)labels["job-name"], (string?)labels["of"]));
        Assert.Contains(uid, job["spec"]!["selector"]!["matchLabels"]!.AsObject().Select(l => (string?)l.Value));
        Assert.Equal("ClusterFirst", (string?)job["spec"]!["template"]!["spec"]!["dnsPolicy"]);
        Assert.Null(job["spec"]!["template"]!["spec"]!["enableServiceLinks"]);
    }

    [SkippableTheory, Targets]
    public async Task Create_RestartPolicyAlways_IsRefused(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var reply = await s.PostAsync(Jobs(s), Job("j", pod: ""));
        reply.Refused(422, "Invalid");
        Assert.Contains("spec.template.spec.restartPolicy", reply.Text, StringComparison.Ordinal);
    }

    [SkippableTheory, Targets]
    public async Task Update_Template_IsRefused_ParallelismIsNot(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        (await s.PostAsync(Jobs(s), Job("j"))).Ok(201);
        (await s.MergeAsync($"{Jobs(s)}/j", """{"spec":{"template":{"spec":{"dnsPolicy":"Default"}}}}""")).Refused(422, "Invalid");
        (await s.MergeAsync($"{Jobs(s)}/j", """{"spec":{"completions":2}}""")).Refused(422, "Invalid");
        (await s.MergeAsync($"{Jobs(s)}/j", """{"spec":{"parallelism":0}}""")).Ok();
    }

    [SkippableTheory, Targets]
    public async Task Pod_Succeeds_JobIsComplete(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        (await s.PostAsync(Jobs(s), Job("j"))).Ok(201);
        var pod = await PodAsync(s, "j");
        var owner = pod["metadata"]!["ownerReferences"]![0]!;
        Assert.Equal(("Job", "j", true), ((string?)owner["kind"], (string?)owner["name"], (bool?)owner["controller"]));
        Assert.StartsWith("j-", (string?)pod["metadata"]!["name"], StringComparison.Ordinal);
        await s.EventuallyAsync("the job counts its pod", async () => (int?)(await JobAsync(s))["status"]?["active"] == 1);
        await EndAsync(s, pod, "Succeeded", 0);
        await s.EventuallyAsync("the job is complete", async () => Condition(await JobAsync(s), "Complete") is not null);
        var status = (await JobAsync(s))["status"]!;
        Assert.Equal(1, (int?)status["succeeded"]);
        Assert.Equal(0, (int?)status["active"] ?? 0);
        Assert.NotNull(status["startTime"]);
        Assert.NotNull(status["completionTime"]);
    }

    [SkippableTheory, Targets]
    public async Task Pods_Fail_MoreThanTheBackoffLimit_JobFails(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        (await s.PostAsync(Jobs(s), Job("j", """ "backoffLimit":0, """))).Ok(201);
        await EndAsync(s, await PodAsync(s, "j"), "Failed", 3);
        await s.EventuallyAsync("the job failed", async () => Condition(await JobAsync(s), "Failed") is not null);
        var job = await JobAsync(s);
        Assert.Equal("BackoffLimitExceeded", (string?)Condition(job, "Failed")!["reason"]);
        Assert.Equal(1, (int?)job["status"]!["failed"]);
        Assert.Null(job["status"]!["completionTime"]);
    }

    [SkippableTheory, Targets]
    public async Task Pod_Fails_WithinTheBackoffLimit_AnotherIsMade(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        (await s.PostAsync(Jobs(s), Job("j", """ "backoffLimit":1, """))).Ok(201);
        var first = await PodAsync(s, "j");
        await EndAsync(s, first, "Failed", 3);
        await s.EventuallyAsync("there is a second pod", async () => (await PodsAsync(s, "j")).Count == 2);
        var second = (await PodsAsync(s, "j")).Single(p => (string?)p["metadata"]!["uid"] != (string?)first["metadata"]!["uid"]);
        await EndAsync(s, second, "Succeeded", 0);
        await s.EventuallyAsync("the job is complete", async () => Condition(await JobAsync(s), "Complete") is not null);
    }

    [SkippableTheory, Targets]
    public async Task Deadline_Passes_JobFails_AndItsPodEnds(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        (await s.PostAsync(Jobs(s), Job("j", """ "activeDeadlineSeconds":2, """))).Ok(201);
        await PodAsync(s, "j");
        await s.EventuallyAsync("the job failed", async () => Condition(await JobAsync(s), "Failed") is not null);
        Assert.Equal("DeadlineExceeded", (string?)Condition(await JobAsync(s), "Failed")!["reason"]);
        await s.EventuallyAsync("its pod is gone", async () => (await PodsAsync(s, "j")).Count == 0);
    }

    [SkippableTheory, Targets]
    public async Task Delete_Background_TakesThePodsAlong_AndWithoutAWordTheyStay(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        (await s.PostAsync(Jobs(s), Job("j"))).Ok(201);
        await PodAsync(s, "j");
        (await s.DeleteAsync($"{Jobs(s)}/j", """{"propagationPolicy":"Background"}""")).Ok();
        await s.GoneAsync($"{Jobs(s)}/j");
        await s.EventuallyAsync("its pod is gone", async () => (await PodsAsync(s, "j")).Count == 0);

        (await s.PostAsync(Jobs(s), Job("k"))).Ok(201);
        await PodAsync(s, "k");
        (await s.DeleteAsync($"{Jobs(s)}/k")).Ok();
        await s.GoneAsync($"{Jobs(s)}/k");
        Assert.Null(Assert.Single(await PodsAsync(s, "k"))["metadata"]!["ownerReferences"]);
    }

    [SkippableTheory, Targets]
    public async Task TimeToLive_After_AFinishedJobIsDeleted(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        s.Needs(21, "ttlSecondsAfterFinished");
        await s.ReadyForPodsAsync();
        (await s.PostAsync(Jobs(s), Job("j", """ "ttlSecondsAfterFinished":1, """))).Ok(201);
        await EndAsync(s, await PodAsync(s, "j"), "Succeeded", 0);
        await s.GoneAsync($"{Jobs(s)}/j");
    }

    private static string Jobs(Scope s) => $"/apis/batch/v1/namespaces/{s.Ns}/jobs";

    private static Task<Reply> JobAsync(Scope s) => s.GetAsync($"{Jobs(s)}/j");

    private static JsonNode? Condition(Reply job, string type) => job["status"]?["conditions"]?.AsArray()
        .FirstOrDefault(c => (string?)c!["type"] == type && (string?)c["status"] == "True");

    private static async Task<IReadOnlyList<JsonNode>> PodsAsync(Scope s, string job) =>
        [.. (await s.GetAsync($"{s.Pods}?labelSelector=of%3D{job}"))["items"]!.AsArray().OfType<JsonNode>()];

    private static async Task<JsonNode> PodAsync(Scope s, string job)
    {
        await s.EventuallyAsync("the job made its pod", async () => (await PodsAsync(s, job)).Count > 0);
        return (await PodsAsync(s, job))[0];
    }

    private static async Task EndAsync(Scope s, JsonNode pod, string phase, int code) =>
        (await s.MergeAsync($"{s.Pods}/{(string?)pod["metadata"]!["name"]}/status", $$$$"""
            {"status":{"phase":"{{{{phase}}}}","containerStatuses":[{"name":"c","image":"i","imageID":"","ready":false,"restartCount":0,
             "state":{"terminated":{"exitCode":{{{{code}}}},"finishedAt":"2026-01-01T00:00:00Z"}}}]}}
            """)).Ok();
}
