using System.Text.Json.Nodes;
using Kube.Server.Runner;

namespace Kube.Server.Controllers;

/// <summary>How a job ends.</summary>
internal sealed record JobEnd(string Type, string? Reason, string Message);

/// <summary>What to do about a job now, from the job and its pods.</summary>
internal sealed record JobPlan
{
    /// <summary>Pods to end.</summary>
    public IReadOnlyList<JsonObject> Delete { get; init; } = [];

    /// <summary>Pods to make.</summary>
    public int Create { get; init; }

    public int Active { get; init; }

    public int Ready { get; init; }

    public long Succeeded { get; init; }

    public long Failed { get; init; }

    /// <summary>How it ends, if it does now.</summary>
    public JobEnd? Condition { get; init; }

    public bool Suspended { get; init; }

    /// <summary>When to look again although nothing changes.</summary>
    public TimeSpan? Again { get; init; }

    internal static JobPlan Make(JsonObject job, IReadOnlyList<JsonObject> pods, DateTimeOffset now)
    {
        var spec = job.Object("spec");
        var status = job.Object("status");
        var active = pods.Where(p => PhaseOf(p) is not ("Succeeded" or "Failed")
            && p.Object("metadata").Text("deletionTimestamp") is null).ToList();

        // A pod that was counted and then deleted by somebody stays counted.
        var succeeded = Math.Max(pods.Count(p => PhaseOf(p) == "Succeeded"), status.Number("succeeded") ?? 0);
        var failed = Math.Max(pods.Count(p => PhaseOf(p) == "Failed"), status.Number("failed") ?? 0);
        var plan = new JobPlan
        {
            Active = active.Count,
            Ready = active.Count(IsReady),
            Succeeded = succeeded,
            Failed = failed,
        };
        var limit = spec.Number("backoffLimit") ?? 6;
        var wanted = spec.Number("completions");
        var deadline = spec.Number("activeDeadlineSeconds") is { } seconds && !spec.Flag("suspend")
            ? (status.Time("startTime") ?? now) + TimeSpan.FromSeconds(seconds) : (DateTimeOffset?)null;
        if (wanted is null ? succeeded > 0 && active.Count == 0 : succeeded >= wanted)
        {
            return plan.End(active, new JobEnd("Complete", null, "Job completed"));
        }

        if (failed + active.Sum(Restarts) > limit)
        {
            return plan.End(active, new JobEnd("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"));
        }

        if (deadline <= now)
        {
            return plan.End(active, new JobEnd("Failed", "DeadlineExceeded", "Job was active longer than specified deadline"));
        }

        if (spec.Flag("suspend"))
        {
            return plan with { Delete = active, Active = 0, Ready = 0, Suspended = true };
        }

        var parallel = spec.Number("parallelism") ?? 1;
        var room = wanted is null ? (succeeded > 0 ? active.Count : parallel) : Math.Min(parallel, wanted.Value - succeeded);
        var missing = (int)Math.Max(0, Math.Min(room - active.Count, 500));
        var untilDeadline = deadline - now;
        if (missing > 0 && LastFailure(pods) is { } last && last + JobController.Pause((int)Math.Min(failed, 20)) - now is var pause
            && pause > TimeSpan.Zero)
        {
            return plan with { Again = untilDeadline < pause ? untilDeadline : pause };
        }

        var surplus = active.Skip((int)Math.Max(0, room)).ToList();
        return plan with { Create = missing, Active = active.Count + missing - surplus.Count, Delete = surplus, Again = untilDeadline };
    }

    /// <summary>The status once the plan is carried out.</summary>
    internal JsonObject Status(JsonObject? former, string now)
    {
        var status = former?.DeepClone() as JsonObject ?? [];
        Count(status, "active", Active);
        Count(status, "succeeded", Succeeded);
        Count(status, "failed", Failed);
        status["ready"] = Ready;
        if (!Suspended)
        {
            status["startTime"] ??= now;
        }

        if (Suspended || status.Objects("conditions").Any(c => c.Text("type") == "Suspended"))
        {
            Set(status, "Suspended", Suspended ? "True" : "False", Suspended ? "JobSuspended" : "JobResumed",
                Suspended ? "Job suspended" : "Job resumed", now);
        }

        if (Condition is { } end)
        {
            Set(status, end.Type, "True", end.Reason, end.Type == "Complete" ? null : end.Message, now);
            if (end.Type == "Complete")
            {
                status["completionTime"] = now;
            }
        }

        return status;
    }

    private JobPlan End(List<JsonObject> active, JobEnd end) => this with { Delete = active, Active = 0, Ready = 0, Condition = end };

    private static void Set(JsonObject status, string type, string value, string? reason, string? message, string now)
    {
        if (status["conditions"] is not JsonArray conditions)
        {
            status["conditions"] = conditions = [];
        }

        var present = conditions.OfType<JsonObject>().FirstOrDefault(c => c.Text("type") == type);
        if (present.Text("status") == value)
        {
            return;
        }

        if (present is not null)
        {
            conditions.Remove(present);
        }

        var condition = new JsonObject { ["type"] = type, ["status"] = value, ["lastProbeTime"] = now, ["lastTransitionTime"] = now };
        if (reason is not null)
        {
            condition["reason"] = reason;
        }

        if (message is not null)
        {
            condition["message"] = message;
        }

        conditions.Add((JsonNode)condition);
    }

    private static void Count(JsonObject status, string name, long count)
    {
        if (count > 0)
        {
            status[name] = count;
        }
        else
        {
            status.Remove(name);
        }
    }

    private static string? PhaseOf(JsonObject pod) => pod.Object("status").Text("phase");

    private static bool IsReady(JsonObject pod) =>
        pod.Object("status").Objects("conditions").Any(c => c.Text("type") == "Ready" && c.Text("status") == "True");

    private static long Restarts(JsonObject pod) =>
        pod.Object("status").Objects("containerStatuses").Sum(c => c.Number("restartCount") ?? 0);

    private static DateTimeOffset? LastFailure(IEnumerable<JsonObject> pods) => pods.Where(p => PhaseOf(p) == "Failed")
        .SelectMany(p => p.Object("status").Objects("containerStatuses"))
        .Select(c => c.Object("state").Object("terminated").Time("finishedAt")).Max();
}
