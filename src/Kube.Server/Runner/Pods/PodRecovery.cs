using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Kube.Server.Runner.Pods;

/// <summary>The state of a pod that an earlier life of the host ran, from what its status says: as after the reboot of a node.</summary>
internal static class PodRecovery
{
    public static PodState Read(PodShape shape, DateTimeOffset now)
    {
        var status = shape.Source.Object("status");
        var state = PodState.New(shape, status.Time("startTime") ?? now);
        var entries = status.Objects("initContainerStatuses").Concat(status.Objects("containerStatuses")).ToList();
        if (entries.Count == 0)
        {
            return state;
        }

        var recovered = state.Containers.Values.Select(c => entries.FirstOrDefault(e => e.Text("name") == c.Name) is { } entry
            ? Recover(c, entry, now) : c);
        state = state with { Containers = recovered.ToImmutableDictionary(c => c.Name) };
        if (PodMachine.Ended(shape, state))
        {
            return state;
        }

        if (status.Text("phase") is "Failed" or "Succeeded")
        {
            // Somebody ended it in another way (an eviction): what is over stays over.
            return state with { RefusedReason = status.Text("reason") ?? "Ended", RefusedMessage = status.Text("message") };
        }

        // What init containers prepared outside volumes may be gone after a reboot, so a kubelet runs them again, in order, before the
        // rest.
        foreach (var init in shape.InitContainers.Where(c => !c.Sidecar && state[c.Name].Ended is not null))
        {
            state = state.With(new ContainerState { Name = init.Name, RestartCount = state[init.Name].RestartCount + 1 });
        }

        return state;
    }

    private static ContainerState Recover(ContainerState container, JsonObject entry, DateTimeOffset now)
    {
        var current = entry.Object("state");
        var last = Ended(entry.Object("lastState").Object("terminated"));
        container = container with { RestartCount = (int)(entry.Number("restartCount") ?? 0) };
        if (current.Object("running") is { } running)
        {
            return container with
            {
                Phase = ContainerPhase.Terminated,
                EndedBefore = last,
                Ended = new Termination
                {
                    ExitCode = 255,
                    Reason = "Unknown",
                    Message = "the container ended with the process runner and not by itself",
                    StartedAt = running.Time("startedAt"),
                    FinishedAt = now,
                    ContainerId = Id(entry.Text("containerID")),
                },
            };
        }

        if (Ended(current.Object("terminated")) is { } ended)
        {
            return container with { Phase = ContainerPhase.Terminated, Ended = ended, EndedBefore = last };
        }

        return last is null ? container : container with { Phase = ContainerPhase.Terminated, Ended = last };
    }

    private static Termination? Ended(JsonObject? terminated) => terminated is null ? null : new Termination
    {
        ExitCode = (int)(terminated.Number("exitCode") ?? 255),
        Signal = (int)(terminated.Number("signal") ?? 0),
        Reason = terminated.Text("reason") ?? "Unknown",
        Message = terminated.Text("message"),
        StartedAt = terminated.Time("startedAt"),
        FinishedAt = terminated.Time("finishedAt") ?? default,
        ContainerId = Id(terminated.Text("containerID")),
    };

    private static string? Id(string? text) => text?.StartsWith(PodStatus.IdPrefix, StringComparison.Ordinal) == true
        ? text[PodStatus.IdPrefix.Length..] : null;
}
