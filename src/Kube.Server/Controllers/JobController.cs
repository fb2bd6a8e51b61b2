using System.Text.Json.Nodes;
using Kube.Server.Runner;

namespace Kube.Server.Controllers;

/// <summary>
/// Runs the pods of jobs until enough have succeeded or too many have failed. Indexed jobs and rules for failures are not among what it
/// does.
/// </summary>
internal sealed class JobController : KeyedController
{
    // As the real one: 10 s, doubled with each failure, 6 minutes at most.
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(6);

    public override string Name => "job";

    protected override string Component => "job-controller";

    protected override IEnumerable<(GroupResource Resource, Func<WatchEvent, IEnumerable<string>> Keys)> Sources =>
    [
        (GroupResource.Jobs, step => [Key(step.Value.Object("metadata").Text("namespace"), step.Value.Object("metadata").Text("name"))]),
        (GroupResource.Pods, step => OwnerOf(step.Value) is { } owner
            ? [Key(step.Value.Object("metadata").Text("namespace"), owner.Text("name"))] : []),
    ];

    protected override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        var (ns, name) = Split(key);
        if (Api.Get(GroupResource.Jobs, ns, name) is not { } job || job.Object("metadata").Text("deletionTimestamp") is not null)
        {
            return;
        }

        if (Finished(job) is { } finishedAt)
        {
            await ExpireAsync(job, key, ns, name, finishedAt, cancellationToken);
            return;
        }

        var uid = job.Object("metadata").Text("uid")!;
        var pods = Api.List(GroupResource.Pods, ns).Items.Where(p => OwnerOf(p).Text("uid") == uid).ToList();
        var plan = JobPlan.Make(job, pods, Time.GetUtcNow());
        foreach (var pod in plan.Delete)
        {
            await DeleteAsync(pod, ns, cancellationToken);
        }

        for (var i = 0; i < plan.Create; i++)
        {
            var created = await Api.CreateAsync(GroupResource.Pods, ns, PodOf(job, name, uid), cancellationToken: cancellationToken);
            Events.Normal(EventSubject.Of(job, "batch/v1", "Job"), "SuccessfulCreate",
                $"Created pod: {created.Object("metadata").Text("name")}");
        }

        if (plan.Condition is { } end)
        {
            Events.Add(EventSubject.Of(job, "batch/v1", "Job"), end.Type == "Complete" ? "Normal" : "Warning",
                end.Type == "Complete" ? "Completed" : end.Reason!, end.Message);
        }

        await Api.ModifyAsync(GroupResource.Jobs, ns, name, current =>
        {
            if (current.Object("metadata").Text("uid") != uid)
            {
                return false;
            }

            var status = plan.Status(current.Object("status"), JsonReading.Stamp(Time.GetUtcNow()));
            if (JsonNode.DeepEquals(status, current.Object("status")))
            {
                return false;
            }

            current["status"] = status;
            return true;
        }, "status", cancellationToken: cancellationToken);
        if (plan.Again is { } again)
        {
            EnqueueAfter(key, again);
        }
    }

    /// <summary>The pause before the next pod after so many failures.</summary>
    internal static TimeSpan Pause(int failures) => failures <= 0
        ? TimeSpan.Zero
        : TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, FirstPause.Ticks << Math.Min(failures - 1, 10)));

    private async Task ExpireAsync(
        JsonObject job, string key, string ns, string name, DateTimeOffset finishedAt, CancellationToken cancellationToken)
    {
        if (job.Object("spec").Number("ttlSecondsAfterFinished") is not { } seconds)
        {
            return;
        }

        var left = finishedAt + TimeSpan.FromSeconds(seconds) - Time.GetUtcNow();
        if (left > TimeSpan.Zero)
        {
            EnqueueAfter(key, left);
            return;
        }

        try
        {
            await Api.DeleteAsync(GroupResource.Jobs, ns, name, new DeleteOptions
            {
                Propagation = DeletionPropagation.Background,
                PreconditionUid = job.Object("metadata").Text("uid"),
            }, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone already, or another job has the name.
        }
    }

    private async Task DeleteAsync(JsonObject pod, string ns, CancellationToken cancellationToken)
    {
        try
        {
            await Api.DeleteAsync(GroupResource.Pods, ns, pod.Object("metadata").Text("name")!,
                new DeleteOptions { PreconditionUid = pod.Object("metadata").Text("uid") }, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone already.
        }
    }

    private static JsonObject PodOf(JsonObject job, string name, string uid)
    {
        var template = job.Object("spec").Object("template");
        var metadata = template.Object("metadata")?.DeepClone() as JsonObject ?? [];
        metadata.Remove("name");
        metadata.Remove("creationTimestamp");
        metadata["generateName"] = name + "-";
        metadata["ownerReferences"] = new JsonArray((JsonNode)new JsonObject
        {
            ["apiVersion"] = "batch/v1",
            ["kind"] = "Job",
            ["name"] = name,
            ["uid"] = uid,
            ["controller"] = true,
            ["blockOwnerDeletion"] = true,
        });
        return new JsonObject { ["metadata"] = metadata, ["spec"] = template.Object("spec")?.DeepClone() };
    }

    private static DateTimeOffset? Finished(JsonObject job) => job.Object("status").Objects("conditions")
        .FirstOrDefault(c => c.Text("type") is "Complete" or "Failed" && c.Text("status") == "True").Time("lastTransitionTime");

    private static JsonObject? OwnerOf(JsonObject pod) => pod.Object("metadata").Objects("ownerReferences")
        .FirstOrDefault(o => o.Text("kind") == "Job" && o.Flag("controller"));
}
