using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Kube.Server.Runner.Pods;

/// <summary>Writes a pod's status from its state, as a kubelet would.</summary>
internal static class PodStatus
{
    public const string IdPrefix = "process://";

    public static string Phase(PodShape shape, PodState state)
    {
        if (state.RefusedReason is not null)
        {
            return "Failed";
        }

        if (PodMachine.Ended(shape, state))
        {
            var clean = shape.Containers.All(c => state[c.Name].Ended?.ExitCode == 0) && !PodMachine.InitFailed(shape, state);
            return clean ? "Succeeded" : "Failed";
        }

        return shape.Containers.All(c => state[c.Name].HasRun) ? "Running" : "Pending";
    }

    /// <summary>Changes the status in place. Conditions that belong to others stay.</summary>
    public static void Write(PodShape shape, PodState state, JsonObject status, DateTimeOffset now)
    {
        var phase = Phase(shape, state);
        status["phase"] = phase;
        status["hostIP"] = "127.0.0.1";
        status["hostIPs"] = new JsonArray(new JsonObject { ["ip"] = "127.0.0.1" });
        status["podIP"] = "127.0.0.1";
        status["podIPs"] = new JsonArray(new JsonObject { ["ip"] = "127.0.0.1" });
        status["startTime"] = JsonReading.Stamp(state.StartTime);
        status["qosClass"] ??= QosClass(shape);
        Set(status, "reason", state.RefusedReason);
        Set(status, "message", state.RefusedMessage);
        if (shape.InitContainers.Length > 0)
        {
            status["initContainerStatuses"] = Containers(shape, shape.InitContainers, state);
        }

        status["containerStatuses"] = Containers(shape, shape.Containers, state);
        Conditions(shape, state, phase, status, now);
    }

    private static void Conditions(PodShape shape, PodState state, string phase, JsonObject status, DateTimeOffset now)
    {
        var over = phase is "Succeeded" or "Failed";
        var uninitialized = shape.InitContainers.Where(c => !c.Sidecar
            && state[c.Name] is not { Ended.ExitCode: 0 }).Select(c => c.Name).ToList();
        var initialized = PodMachine.Initialized(shape, state) || shape.Containers.Any(c => state[c.Name].HasRun) || phase == "Succeeded";
        var unready = shape.Containers.Where(c => !state[c.Name].Ready).Select(c => c.Name)
            .Concat(shape.InitContainers.Where(c => c.Sidecar && !state[c.Name].Ready).Select(c => c.Name)).ToList();
        var notReady = over
            ? (phase == "Succeeded" ? "PodCompleted" : "PodFailed", (string?)null)
            : ("ContainersNotReady", $"containers with unready status: [{string.Join(' ', unready)}]");
        var conditions = status["conditions"] as JsonArray;
        if (conditions is null)
        {
            status["conditions"] = conditions = [];
        }

        var ready = unready.Count == 0 && !over;
        Condition(conditions, "PodReadyToStartContainers", state.VolumesReady && !over, (null, null), now);
        Condition(conditions, "Initialized", initialized,
            ("ContainersNotInitialized", $"containers with incomplete status: [{string.Join(' ', uninitialized)}]"), now);
        Condition(conditions, "ContainersReady", ready, notReady, now);
        var gates = shape.Source.Object("spec").Objects("readinessGates").Select(g => g.Text("conditionType"))
            .Where(g => g is not null && !conditions.OfType<JsonObject>().Any(c => c.Text("type") == g
                && c.Text("status") == "True")).ToList();
        Condition(conditions, "Ready", ready && gates.Count == 0, ready
            ? ("ReadinessGatesNotReady", $"the conditions of readiness gates are not True: [{string.Join(' ', gates)}]") : notReady, now);
        Condition(conditions, "PodScheduled", true, (null, null), now);
    }

    private static void Condition(JsonArray conditions, string type, bool holds, (string? Reason, string? Message) otherwise,
        DateTimeOffset now)
    {
        var value = holds ? "True" : "False";
        var present = conditions.OfType<JsonObject>().FirstOrDefault(c => c.Text("type") == type);
        if (present is null)
        {
            present = new JsonObject { ["type"] = type, ["status"] = "", ["lastProbeTime"] = null };
            conditions.Add((JsonNode)present);
        }

        if (present.Text("status") != value)
        {
            present["status"] = value;
            present["lastTransitionTime"] = JsonReading.Stamp(now);
        }

        Set(present, "reason", holds ? null : otherwise.Reason);
        Set(present, "message", holds ? null : otherwise.Message);
    }

    private static JsonArray Containers(PodShape shape, ImmutableArray<ContainerShape> containers, PodState state)
    {
        var list = new JsonArray();
        foreach (var container in containers)
        {
            list.Add((JsonNode)Container(shape, container, state));
        }

        return list;
    }

    private static JsonObject Container(PodShape shape, ContainerShape container, PodState pod)
    {
        var state = pod[container.Name];
        var overlaid = state.WaitingReason is not null;
        var terminated = state.Phase == ContainerPhase.Terminated && !overlaid;
        var last = terminated ? state.EndedBefore : state.Ended;
        var id = state.ContainerId ?? state.Ended?.ContainerId;
        var entry = new JsonObject
        {
            ["name"] = container.Name,
            ["image"] = container.Image,
            ["imageID"] = state.HasRun ? $"catalog://{container.Image}" : "",
            ["ready"] = container is { Init: true, Sidecar: false } ? state is { Phase: ContainerPhase.Terminated, Ended.ExitCode: 0 }
                : state.Ready,
            ["started"] = container is { Init: true, Sidecar: false } ? state.Phase == ContainerPhase.Running : state.Started,
            ["restartCount"] = state.RestartCount,
            ["state"] = terminated ? new JsonObject { ["terminated"] = Terminated(state.Ended!) }
                : state.Phase == ContainerPhase.Running
                ? new JsonObject { ["running"] = new JsonObject { ["startedAt"] = JsonReading.Stamp(state.StartedAt!.Value) } }
                : new JsonObject { ["waiting"] = Waiting(shape, container, pod, state) },
            ["lastState"] = last is null ? new JsonObject() : new JsonObject { ["terminated"] = Terminated(last) },
        };
        if (id is not null)
        {
            entry["containerID"] = IdPrefix + id;
        }

        return entry;
    }

    private static JsonObject Waiting(PodShape shape, ContainerShape container, PodState pod, ContainerState state)
    {
        var initializing = !container.Init && shape.InitContainers.Length > 0 && !PodMachine.Initialized(shape, pod) && !state.HasRun;
        var waiting = new JsonObject { ["reason"] = state.WaitingReason ?? (initializing ? "PodInitializing" : "ContainerCreating") };
        Set(waiting, "message", state.WaitingMessage);
        return waiting;
    }

    private static JsonObject Terminated(Termination ended)
    {
        var entry = new JsonObject
        {
            ["exitCode"] = ended.ExitCode,
            ["reason"] = ended.Reason,
            ["startedAt"] = JsonReading.Stamp(ended.StartedAt ?? ended.FinishedAt),
            ["finishedAt"] = JsonReading.Stamp(ended.FinishedAt),
        };
        Set(entry, "message", ended.Message);
        if (ended.Signal != 0)
        {
            entry["signal"] = ended.Signal;
        }

        if (ended.ContainerId is not null)
        {
            entry["containerID"] = IdPrefix + ended.ContainerId;
        }

        return entry;
    }

    private static string QosClass(PodShape shape)
    {
        var resources = shape.Source.Object("spec").Objects("containers").Concat(shape.Source.Object("spec").Objects("initContainers"))
            .Select(c => c.Object("resources")).ToList();
        if (resources.All(r => r.Object("limits") is null or { Count: 0 } && r.Object("requests") is null or { Count: 0 }))
        {
            return "BestEffort";
        }

        return resources.All(r => Same(r, "cpu") && Same(r, "memory")) ? "Guaranteed" : "Burstable";
    }

    private static bool Same(JsonObject? resources, string name)
    {
        var limit = resources.Object("limits").Text(name);
        return limit is not null && (resources.Object("requests").Text(name) ?? limit) == limit;
    }

    private static void Set(JsonObject target, string name, string? value)
    {
        if (value is null)
        {
            target.Remove(name);
        }
        else
        {
            target[name] = value;
        }
    }
}
