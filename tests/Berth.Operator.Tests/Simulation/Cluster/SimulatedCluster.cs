using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>
/// What the other parts of a cluster do, one step at a time: scheduler, volume binder, kubelets, node controller, garbage collector. It
/// also knows what no API says: which containers truly run.
/// </summary>
internal sealed class SimulatedCluster(SimulatedApi api, FakeTimeProvider time)
{
    private readonly HashSet<string> _down = [];
    private readonly HashSet<string> _off = [];

    /// <summary>Containers that run, by the uid of their pod: node and claim.</summary>
    internal Dictionary<string, (string Node, string? Claim)> Running { get; } = new(StringComparer.Ordinal);

    /// <summary>Told before a container starts.</summary>
    internal event Action<Pod>? Starting;

    internal static IReadOnlyList<string> Nodes { get; } = ["node1", "node2"];

    internal IReadOnlyList<Pod> Pods => api.All<Pod>();

    internal bool IsDown(string node) => _down.Contains(node);

    internal void Install()
    {
        foreach (var node in Nodes)
        {
            Report(node, "True");
        }
    }

    /// <summary>Does one step that is due for a pod; false when there is none.</summary>
    internal bool Advance(Pod pod)
    {
        var node = pod.Spec!.NodeName;
        if (string.IsNullOrEmpty(node))
        {
            if (Nodes.FirstOrDefault(n => !_down.Contains(n)) is not { } free)
            {
                return false;
            }

            api.Update<Pod>(pod.Key(), p => p with { Spec = p.Spec! with { NodeName = free } });
            Status(pod, s => s with { Conditions = [Condition("PodScheduled", "True")] });
            return true;
        }

        if (_down.Contains(node))
        {
            return false;
        }

        if (pod.Metadata.DeletionTimestamp is not null)
        {
            Running.Remove(pod.Metadata.Uid!);
            api.Delete(Pod.Descriptor, pod.Key(), new DeleteOptions { GracePeriodSeconds = 0, Uid = pod.Metadata.Uid });
            return true;
        }

        switch (pod.Status?.Phase)
        {
            case "Pending" when ClaimIsBound(pod):
                Starting?.Invoke(pod);
                Running[pod.Metadata.Uid!] = (node, PodForm.ClaimOf(pod));
                Status(pod, s => s with
                {
                    Phase = "Running",
                    PodIP = "192.0.2.1",
                    Conditions = [Condition("PodScheduled", "True"), Condition("Ready", "False")],
                    ContainerStatuses = [Container(new ContainerState { Running = new ContainerStateRunning { StartedAt = time.GetUtcNow() } })],
                });
                return true;
            case "Running" when !IsReady(pod):
                Ready(pod, true);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Something goes wrong with a pod.</summary>
    internal void Trouble(Pod pod, int kind)
    {
        var node = pod.Spec!.NodeName;
        if (pod.Metadata.DeletionTimestamp is not null || pod.Status?.Phase is "Failed" or "Succeeded")
        {
            return;
        }

        if (string.IsNullOrEmpty(node))
        {
            Status(pod, s => s with { Conditions = [Condition("PodScheduled", "False") with { Reason = "Unschedulable", Message = "no room" }] });
            return;
        }

        if (_down.Contains(node))
        {
            return;
        }

        switch (kind % 7)
        {
            case 0:
                Ended(pod, 1, "Error");
                break;
            case 1:
                Ended(pod, 137, "OOMKilled");
                break;
            case 2:
                Ended(pod, 0, "Completed");
                break;
            case 3:
                Running.Remove(pod.Metadata.Uid!);
                Status(pod, s => s with { Phase = "Failed", Reason = "Evicted", Message = "The node was low on memory" });
                break;
            case 4 when pod.Status?.Phase == "Pending":
                Status(pod, s => s with
                {
                    ContainerStatuses = [Container(new ContainerState { Waiting = new ContainerStateWaiting { Reason = "ImagePullBackOff" } })],
                });
                break;
            case 5 when IsReady(pod):
                Ready(pod, false);
                break;
            case 6:
                Running.Remove(pod.Metadata.Uid!);
                Status(pod, s => s with { Phase = "Failed", Reason = "NodeShutdown" });
                break;
        }
    }

    /// <summary>A kubelet ends a container whose pod is gone from the API; false when there is none.</summary>
    internal bool Reap()
    {
        var uids = Pods.Select(p => p.Metadata.Uid!).ToHashSet(StringComparer.Ordinal);
        return Running.FirstOrDefault(r => !_down.Contains(r.Value.Node) && !uids.Contains(r.Key)).Key is { } left && Running.Remove(left);
    }

    /// <summary>An administrator deletes a node, or says that it is out of service, having made sure that it is off.</summary>
    internal void Remove(string node, bool delete)
    {
        if (!_off.Contains(node) || api.Get<Node>(new("", node)) is null)
        {
            return;
        }

        if (delete)
        {
            api.Delete(Node.Descriptor, new("", node), null);
        }
        else
        {
            api.Update<Node>(new("", node), n => n with
            {
                Spec = new NodeSpec { Taints = [new Taint { Key = NodeSight.OutOfServiceTaint, Value = "nodeshutdown", Effect = "NoExecute" }] },
            });
        }
    }

    /// <summary>A node is cut off; with the power off its containers end, else they go on and nobody can tell.</summary>
    internal void Lose(string node, bool powerOff)
    {
        _down.Add(node);
        Report(node, "Unknown");
        if (powerOff)
        {
            _off.Add(node);
        }

        foreach (var pod in Pods.Where(p => p.Spec!.NodeName == node))
        {
            if (powerOff)
            {
                Running.Remove(pod.Metadata.Uid!);
            }

            if (pod.Status?.Phase == "Running")
            {
                Ready(pod, false);
            }
        }
    }

    /// <summary>The node controller gives the pods of a lost node up: they are deleted, and nobody confirms it.</summary>
    internal void GiveUp(string node)
    {
        foreach (var pod in Pods.Where(p => _down.Contains(node) && p.Spec!.NodeName == node && p.Metadata.DeletionTimestamp is null))
        {
            api.Delete(Pod.Descriptor, pod.Key(), new DeleteOptions { Uid = pod.Metadata.Uid });
        }
    }

    /// <summary>A node is back: its kubelet ends what should not run, and says what did not survive.</summary>
    internal void Return(string node)
    {
        if (!_down.Remove(node))
        {
            return;
        }

        _off.Remove(node);
        Report(node, "True");

        var pods = Pods.ToDictionary(p => p.Metadata.Uid!, StringComparer.Ordinal);
        foreach (var uid in Running.Where(r => r.Value.Node == node && !pods.ContainsKey(r.Key)).Select(r => r.Key).ToList())
        {
            Running.Remove(uid);
        }

        foreach (var pod in pods.Values.Where(p => p.Spec!.NodeName == node && p.Metadata.DeletionTimestamp is null))
        {
            if (Running.ContainsKey(pod.Metadata.Uid!))
            {
                Ready(pod, true);
            }
            else if (pod.Status?.Phase == "Running")
            {
                Status(pod, s => s with
                {
                    Phase = "Failed",
                    ContainerStatuses = [Container(new ContainerState { Terminated = new ContainerStateTerminated { ExitCode = 255, Reason = "Unknown" } })],
                });
            }
        }
    }

    internal void ReturnAll()
    {
        foreach (var node in Nodes)
        {
            Return(node);
        }
    }

    /// <summary>An administrator removes a pod by force, having made sure that its node is off.</summary>
    internal void Force(Pod pod)
    {
        if (!Running.ContainsKey(pod.Metadata.Uid!))
        {
            api.Delete(Pod.Descriptor, pod.Key(), new DeleteOptions { GracePeriodSeconds = 0, Uid = pod.Metadata.Uid });
        }
    }

    /// <summary>Binds one claim that waits; false when there is none.</summary>
    internal bool Bind()
    {
        if (api.All<PersistentVolumeClaim>().FirstOrDefault(c => c.Status?.Phase == "Pending" && c.Metadata.DeletionTimestamp is null) is not { } claim)
        {
            return false;
        }

        api.Update<PersistentVolumeClaim>(
            claim.Key(),
            c => c with { Status = new PersistentVolumeClaimStatus { Phase = "Bound", Capacity = c.Spec!.Resources!.Requests } },
            "status");
        return true;
    }

    /// <summary>One deletion by the garbage collector, or one claim that nobody uses any more; false when there is nothing.</summary>
    internal bool Collect()
    {
        var all = api.Everything().ToList();
        var uids = all.Select(r => r.Uid).ToHashSet(StringComparer.Ordinal);
        var orphan = all.Find(r => !r.IsEnding && r.Json["metadata"]!["ownerReferences"] is System.Text.Json.Nodes.JsonArray { Count: > 0 } owners
            && !owners.Any(o => uids.Contains(o!["uid"]!.GetValue<string>())));
        if (orphan is not null)
        {
            api.Delete(orphan.Kind, orphan.Key, new DeleteOptions { Uid = orphan.Uid });
            return true;
        }

        var used = Pods.Select(p => (p.Metadata.Namespace, PodForm.ClaimOf(p))).ToHashSet();
        if (api.All<PersistentVolumeClaim>().FirstOrDefault(c =>
            c.Metadata.DeletionTimestamp is not null && c.Metadata.Finalizers?.Count > 0 && !used.Contains((c.Metadata.Namespace, c.Metadata.Name)))
            is not { } released)
        {
            return false;
        }

        api.Update<PersistentVolumeClaim>(released.Key(), c => c with { Metadata = c.Metadata with { Finalizers = [] } });
        return true;
    }

    /// <summary>Does everything that is due.</summary>
    internal bool Settle()
    {
        var any = false;
        while (Reap() || Bind() || Collect() || Pods.Any(Advance))
        {
            any = true;
        }

        return any;
    }

    private void Report(string node, string ready)
    {
        var status = new NodeStatus { Conditions = [Condition("Ready", ready)] };
        if (api.Get<Node>(new("", node)) is null)
        {
            api.Add(new Node { Metadata = new ObjectMeta { Name = node } });
        }

        api.Update<Node>(new("", node), n => n with { Spec = null, Status = status });
    }

    internal static bool IsReady(Pod pod) =>
        pod.Status is { Phase: "Running", Conditions: { } conditions } && conditions.Any(c => c.Type == "Ready" && c.Status == "True");

    private bool ClaimIsBound(Pod pod) => PodForm.ClaimOf(pod) is not { } claim
        || api.Get<PersistentVolumeClaim>(new(pod.Metadata.Namespace!, claim)) is
        { Status.Phase: "Bound", Metadata.DeletionTimestamp: null };

    private void Ready(Pod pod, bool ready) => Status(pod, s => s with
    {
        Conditions = [Condition("PodScheduled", "True"), Condition("Ready", ready ? "True" : "False")],
        ContainerStatuses = [.. (s.ContainerStatuses ?? []).Select(c => c with { Ready = ready })],
    });

    private void Ended(Pod pod, int code, string reason)
    {
        if (!Running.Remove(pod.Metadata.Uid!))
        {
            return;
        }

        Status(pod, s => s with
        {
            Phase = code == 0 ? "Succeeded" : "Failed",
            Conditions = [Condition("PodScheduled", "True"), Condition("Ready", "False")],
            ContainerStatuses = [Container(new ContainerState { Terminated = new ContainerStateTerminated { ExitCode = code, Reason = reason } })],
        });
    }

    private void Status(Pod pod, Func<PodStatus, PodStatus> change) =>
        api.Update<Pod>(pod.Key(), p => p with { Status = change(p.Status ?? new PodStatus()) }, "status");

    private Condition Condition(string type, string status) =>
        new() { Type = type, Status = status, LastTransitionTime = Times.Seconds(time.GetUtcNow()) };

    private static ContainerStatus Container(ContainerState state) =>
        new() { Name = Blueprint.ContainerName, State = state, Image = "image", ImageID = "" };
}
