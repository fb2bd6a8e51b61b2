using System.Text.Json.Nodes;
using Kube.Server.Runner;
using Microsoft.Extensions.Logging;

namespace Kube.Server.Controllers;

/// <summary>Assigns pods to a node that takes them: Ready, schedulable, and with the labels that nodeSelector asks for.</summary>
/// <remarks>Resources are not counted: a process takes what it takes. Affinity and taints are not considered.</remarks>
internal sealed class Scheduler : KeyedController
{
    // A claim is bound within milliseconds of its creation: telling people about it before that would only frighten them.
    private static readonly TimeSpan BindingGrace = TimeSpan.FromSeconds(2);

    public override string Name => "scheduler";

    protected override string Component => "default-scheduler";

    protected override IEnumerable<(GroupResource Resource, Func<WatchEvent, IEnumerable<string>> Keys)> Sources =>
    [
        (GroupResource.Pods, step => step.Type != WatchEventType.Deleted && IsWaiting(step.Value) ? [KeyOf(step.Value)] : []),
        (GroupResource.Nodes, _ => Waiting(null)),
        (GroupResource.PersistentVolumeClaims, step => Waiting(step.Value.Object("metadata").Text("namespace"))),
    ];

    protected override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        var (ns, name) = Split(key);
        if (Api.Get(GroupResource.Pods, ns, name) is not { } pod || !IsWaiting(pod))
        {
            return;
        }

        var nodes = Api.List(GroupResource.Nodes).Items;
        var fitting = nodes.Where(n => Takes(n, pod)).Select(n => n.Object("metadata").Text("name")!).FirstOrDefault();
        var claims = MissingClaims(pod, ns, out var binding);
        if (claims is null && binding && !Older(pod, BindingGrace))
        {
            EnqueueAfter(key, BindingGrace);
            return;
        }

        var reason = claims ?? (binding ? "pod has unbound immediate PersistentVolumeClaims" : fitting is null ? WhyNot(nodes, pod) : null);
        if (reason is not null)
        {
            await RefuseAsync(pod, ns, name, $"0/{nodes.Count} nodes are available: {reason}.", cancellationToken);
            return;
        }

        await BindAsync(pod, ns, name, fitting!, cancellationToken);
    }

    private async Task BindAsync(JsonObject pod, string ns, string name, string node, CancellationToken cancellationToken)
    {
        var uid = pod.Object("metadata").Text("uid");
        var bound = await Api.ModifyAsync(GroupResource.Pods, ns, name, current =>
        {
            if (!IsWaiting(current) || current.Object("metadata").Text("uid") != uid)
            {
                return false;
            }

            current["spec"]!["nodeName"] = node;
            return true;
        }, cancellationToken: cancellationToken);
        if (bound.Object("spec").Text("nodeName") != node)
        {
            return;
        }

        Events.Normal(EventSubject.Of(pod, "v1", "Pod"), "Scheduled", $"Successfully assigned {ns}/{name} to {node}");
        await SetConditionAsync(ns, name, uid, "True", null, null, cancellationToken);
    }

    private async Task RefuseAsync(JsonObject pod, string ns, string name, string message, CancellationToken cancellationToken)
    {
        var uid = pod.Object("metadata").Text("uid");
        if (await SetConditionAsync(ns, name, uid, "False", "Unschedulable", message, cancellationToken))
        {
            Events.Warning(EventSubject.Of(pod, "v1", "Pod"), "FailedScheduling", message);
        }
    }

    private async Task<bool> SetConditionAsync(
        string ns, string name, string? uid, string status, string? reason, string? message, CancellationToken cancellationToken)
    {
        var changed = false;
        await Api.ModifyAsync(GroupResource.Pods, ns, name, pod =>
        {
            changed = false;
            if (pod.Object("metadata").Text("uid") != uid)
            {
                return false;
            }

            var target = pod.Object("status");
            if (target is null)
            {
                pod["status"] = target = [];
            }

            if (target["conditions"] is not JsonArray conditions)
            {
                target["conditions"] = conditions = [];
            }

            var present = conditions.OfType<JsonObject>().FirstOrDefault(c => c.Text("type") == "PodScheduled");
            if (present is not null && present.Text("status") == status && present.Text("message") == message)
            {
                return false;
            }

            var condition = new JsonObject
            {
                ["type"] = "PodScheduled",
                ["status"] = status,
                ["lastProbeTime"] = null,
                ["lastTransitionTime"] = present?.Text("status") == status ? present.Text("lastTransitionTime")
                    : JsonReading.Stamp(Time.GetUtcNow()),
            };
            if (reason is not null)
            {
                condition["reason"] = reason;
                condition["message"] = message;
            }

            if (present is not null)
            {
                conditions.Remove(present);
            }

            conditions.Add((JsonNode)condition);
            target["phase"] ??= "Pending";
            changed = true;
            return true;
        }, "status", cancellationToken: cancellationToken);
        return changed;
    }

    private string? MissingClaims(JsonObject pod, string ns, out bool binding)
    {
        binding = false;
        foreach (var volume in pod.Object("spec").Objects("volumes"))
        {
            if (volume.Object("persistentVolumeClaim").Text("claimName") is not { } claim)
            {
                continue;
            }

            var found = Api.Get(GroupResource.PersistentVolumeClaims, ns, claim);
            if (found is null)
            {
                return $"persistentvolumeclaim \"{claim}\" not found";
            }

            if (found.Object("metadata").Text("deletionTimestamp") is not null)
            {
                return $"persistentvolumeclaim \"{claim}\" is being deleted";
            }

            binding |= found.Object("status").Text("phase") != "Bound";
        }

        return null;
    }

    private static string WhyNot(IReadOnlyList<JsonObject> nodes, JsonObject pod)
    {
        var unmatched = nodes.Count(n => !Labels.Match(pod.Object("spec"), "nodeSelector", n.Object("metadata").Object("labels")));
        return nodes.Count == 0 ? "no nodes are registered"
            : unmatched > 0 ? $"{unmatched} node(s) didn't match Pod's node affinity/selector"
                : $"{nodes.Count} node(s) were unschedulable";
    }

    private static bool Takes(JsonObject node, JsonObject pod) => !node.Object("spec").Flag("unschedulable")
        && node.Object("metadata").Text("deletionTimestamp") is null
        && node.Object("status").Objects("conditions").Any(c => c.Text("type") == "Ready" && c.Text("status") == "True")
        && Labels.Match(pod.Object("spec"), "nodeSelector", node.Object("metadata").Object("labels"));

    private IEnumerable<string> Waiting(string? ns) => Api.List(GroupResource.Pods, ns).Items.Where(IsWaiting).Select(KeyOf);

    private static bool IsWaiting(JsonObject pod) => string.IsNullOrEmpty(pod.Object("spec").Text("nodeName"))
        && pod.Object("metadata").Text("deletionTimestamp") is null
        && pod.Object("spec").Text("schedulerName") is null or "default-scheduler"
        && !pod.Object("spec").Objects("schedulingGates").Any()
        && pod.Object("status").Text("phase") is not ("Failed" or "Succeeded");

    private bool Older(JsonObject pod, TimeSpan age) =>
        pod.Object("metadata").Time("creationTimestamp") is { } created && Time.GetUtcNow() - created > age;

    private static string KeyOf(JsonObject obj) => Key(obj.Object("metadata").Text("namespace"), obj.Object("metadata").Text("name"));
}
