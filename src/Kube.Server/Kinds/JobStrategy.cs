using System.Text.Json.Nodes;
using Kube.Server.Schema;

namespace Kube.Server.Kinds;

/// <summary>Defaults and rules of jobs.</summary>
internal static class JobStrategy
{
    private const long DefaultBackoffLimit = 6;
    private static readonly string[] UidLabels = ["controller-uid", "batch.kubernetes.io/controller-uid"];
    private static readonly string[] NameLabels = ["job-name", "batch.kubernetes.io/job-name"];

    public static void Default(JsonObject job, JsonObject? old)
    {
        var spec = Json.Ensure(job, "spec");
        if (spec["completions"] is null && spec["parallelism"] is null)
        {
            spec["completions"] = 1;
        }

        spec["parallelism"] ??= 1;
        spec["backoffLimit"] ??= DefaultBackoffLimit;
        spec["completionMode"] ??= "NonIndexed";
        spec["suspend"] ??= false;
        if (spec["template"] is JsonObject template)
        {
            var linked = Json.At(template, "spec", "enableServiceLinks") is not null;
            PodStrategy.Default(template);
            if (!linked)
            {
                // The default of a pod, not of a template.
                (template["spec"] as JsonObject)?.Remove("enableServiceLinks");
            }
        }

        if (old is null)
        {
            job.Remove("status");
            job["status"] = new JsonObject();
            Select(job, spec);
        }
    }

    // Each job selects its own pods by its uid, unless its author takes that into their own hands.
    private static void Select(JsonObject job, JsonObject spec)
    {
        if (Json.AsBool(spec["manualSelector"]) || Json.Text(job, "metadata", "uid") is not { Length: > 0 } uid
            || spec["template"] is not JsonObject template)
        {
            return;
        }

        var labels = Json.Ensure(template, "metadata", "labels");
        foreach (var label in UidLabels)
        {
            labels[label] = uid;
        }

        foreach (var label in NameLabels)
        {
            labels[label] = Json.Text(job, "metadata", "name");
        }

        spec["selector"] ??= new JsonObject { ["matchLabels"] = new JsonObject { ["batch.kubernetes.io/controller-uid"] = uid } };
    }

    public static void Validate(JsonObject job, JsonObject? old, List<FieldError> errors)
    {
        var spec = job["spec"] as JsonObject ?? [];
        foreach (var field in (string[])["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"])
        {
            if (Json.AsLong(spec[field]) is < 0)
            {
                errors.Add(FieldError.Invalid($"spec.{field}", spec[field]?.DeepClone(), "must be greater than or equal to 0"));
            }
        }

        if (spec["template"] is not JsonObject template)
        {
            return;
        }

        if (Json.Text(template, "spec", "restartPolicy") is not ("OnFailure" or "Never"))
        {
            errors.Add(FieldError.Required("spec.template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\""));
        }

        var pod = new List<FieldError>();
        PodStrategy.Validate(template, pod);
        errors.AddRange(pod.Select(e => e with { Field = "spec.template." + e.Field }));
        if (old is null)
        {
            return;
        }

        foreach (var field in (string[])["selector", "completions", "completionMode", "template"])
        {
            if (!Json.DeepEquals(spec[field], Json.At(old, "spec", field)))
            {
                errors.Add(FieldError.Invalid($"spec.{field}", spec[field]?.DeepClone(), "field is immutable"));
            }
        }
    }
}
