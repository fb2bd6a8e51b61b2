namespace Kube.Server.Runner.Pods;

/// <summary>An event about a container that a decision asks for.</summary>
internal readonly record struct MachineEvent(string Type, string Reason, string Message, string Container);

/// <summary>What is to be done now.</summary>
internal sealed record Decision
{
    /// <summary>The state, with waiting reasons brought up to date and starts noted.</summary>
    public required PodState State { get; init; }

    /// <summary>Containers to start.</summary>
    public IReadOnlyList<string> Start { get; init; } = [];

    /// <summary>Containers to end, with the pod's grace.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Nothing runs and nothing will: a deleted pod may be removed, another is Succeeded or Failed.</summary>
    public bool Over { get; init; }

    /// <summary>Decide again at this time at the latest.</summary>
    public DateTimeOffset? WakeAt { get; init; }

    public IReadOnlyList<MachineEvent> Events { get; init; } = [];
}

/// <summary>
/// What a kubelet does with a pod, as a pure function of its declaration, its state and the time.
/// </summary>
/// <remarks>
/// 1. deleted or refused: end what runs, start nothing.
/// 2. all containers ended for good: end the sidecars; the pod is over.
/// 3. init containers one after the other; a sidecar is passed as soon as it has started.
/// 4. the containers, each by itself, with restart policy and backoff.
/// </remarks>
internal static class PodMachine
{
    public static Decision Decide(PodShape shape, PodState state, DateTimeOffset now, BackoffPolicy policy)
    {
        var plan = new Plan(shape, state, now, policy);
        if (shape.Deleting || state.RefusedReason is not null || Ended(shape, state))
        {
            return plan.StopAll();
        }

        if (state.VolumesReady && plan.Initialize())
        {
            foreach (var container in shape.Containers)
            {
                plan.Keep(container);
            }
        }

        return plan.Done();
    }

    /// <summary>True when the pod has come to its end by itself: Succeeded or Failed.</summary>
    public static bool Ended(PodShape shape, PodState state) => InitFailed(shape, state)
        || (shape.Containers.All(c => state[c.Name] is { Phase: ContainerPhase.Terminated } s && !Restarts(shape, c, s))
            && shape.Containers.Length > 0);

    /// <summary>An init container failed and the policy is Never.</summary>
    public static bool InitFailed(PodShape shape, PodState state) => shape.InitContainers.Any(c =>
        !c.Sidecar && state[c.Name] is { Phase: ContainerPhase.Terminated, Ended.ExitCode: not 0 } && shape.RestartPolicy == "Never");

    /// <summary>All init containers have done their part.</summary>
    public static bool Initialized(PodShape shape, PodState state) => shape.InitContainers.All(c => Passed(c, state[c.Name]));

    private static bool Passed(ContainerShape container, ContainerState state) => container.Sidecar
        ? state.Started
        : state is { Phase: ContainerPhase.Terminated, Ended.ExitCode: 0 };

    private static bool Restarts(PodShape shape, ContainerShape container, ContainerState state) => container.Sidecar
        || shape.RestartPolicy switch
        {
            "Never" => false,
            "OnFailure" => state.Ended?.ExitCode != 0,
            _ => !container.Init || state.Ended?.ExitCode != 0,
        };

    private sealed class Plan(PodShape shape, PodState state, DateTimeOffset now, BackoffPolicy policy)
    {
        private readonly List<string> _start = [];
        private readonly List<MachineEvent> _events = [];
        private PodState _state = state;
        private DateTimeOffset? _wake;

        public Decision StopAll()
        {
            var running = shape.Containers.Concat(shape.InitContainers.Reverse())
                .Where(c => _state[c.Name].Phase is ContainerPhase.Running or ContainerPhase.Starting).Select(c => c.Name).ToList();
            return new Decision { State = _state, Stop = running, Over = running.Count == 0 };
        }

        public bool Initialize()
        {
            // Once the containers have begun, ended init containers are history; only sidecars are looked after.
            var begun = shape.Containers.Any(c => _state[c.Name] is { HasRun: true } or { Phase: ContainerPhase.Starting });
            foreach (var container in shape.InitContainers)
            {
                var one = _state[container.Name];
                if (Passed(container, one) || (begun && !container.Sidecar))
                {
                    continue;
                }

                Keep(container);
                if (!begun)
                {
                    return false;
                }
            }

            return true;
        }

        public void Keep(ContainerShape container)
        {
            var one = _state[container.Name];
            if (one.Phase is ContainerPhase.Running or ContainerPhase.Starting
                || (one.Phase == ContainerPhase.Terminated && !Restarts(shape, container, one)))
            {
                return;
            }

            if (one.RetryAt > now)
            {
                Wake(one.RetryAt.Value);
                PullBackoff(container, one);
                return;
            }

            if (one.Phase == ContainerPhase.Terminated && one.RetryAt is null)
            {
                one = Restart(container, one);
                if (one.WaitingReason == "CrashLoopBackOff")
                {
                    return;
                }
            }

            _state = _state.With(one.BeginStart());
            _start.Add(container.Name);
        }

        public Decision Done() => new() { State = _state, Start = [.. _start], Events = [.. _events], WakeAt = _wake };

        // As a kubelet counts: the first restart is immediate, the second waits the base after the end, each further one twice as long.
        private ContainerState Restart(ContainerShape container, ContainerState one)
        {
            var ended = one.Ended!.FinishedAt;
            var backoff = one.RestartBackoff;
            if (backoff.Delay > TimeSpan.Zero && ended - backoff.UpdatedAt > policy.ResetAfter)
            {
                backoff = default;
            }

            var until = ended + backoff.Delay;
            if (backoff.Delay == TimeSpan.Zero || now >= until)
            {
                return one with { RestartBackoff = backoff.Next(now, policy), WaitingReason = null, WaitingMessage = null };
            }

            Wake(until);
            if (one.WaitingReason != "CrashLoopBackOff")
            {
                var pod = $"{shape.Name}_{shape.Namespace}({shape.Uid})";
                one = one with
                {
                    WaitingReason = "CrashLoopBackOff",
                    WaitingMessage = $"back-off {Text(backoff.Delay)} restarting failed container={container.Name} pod={pod}",
                };
                _state = _state.With(one);
                _events.Add(new MachineEvent("Warning", "BackOff",
                    $"Back-off restarting failed container {container.Name} in pod {pod}", container.Name));
            }

            return one;
        }

        // ErrImagePull is what the attempt said; a moment later it is ImagePullBackOff, which is how people know it from kubectl.
        private void PullBackoff(ContainerShape container, ContainerState one)
        {
            if (one.WaitingReason != "ErrImagePull")
            {
                return;
            }

            var shownUntil = one.ImageBackoff.UpdatedAt + TimeSpan.FromSeconds(1);
            if (now < shownUntil && shownUntil < one.RetryAt)
            {
                Wake(shownUntil);
                return;
            }

            _state = _state.With(one with
            {
                WaitingReason = "ImagePullBackOff",
                WaitingMessage = $"Back-off pulling image \"{container.Image}\": {one.WaitingMessage}",
            });
            _events.Add(new MachineEvent("Normal", "BackOff", $"Back-off pulling image \"{container.Image}\"", container.Name));
            _events.Add(new MachineEvent("Warning", "Failed", "Error: ImagePullBackOff", container.Name));
        }

        private void Wake(DateTimeOffset at) => _wake = _wake is null || at < _wake ? at : _wake;

        private static string Text(TimeSpan delay) => delay.TotalSeconds < 60 || delay.TotalSeconds % 60 != 0
            ? (delay.TotalSeconds < 60 ? $"{delay.TotalSeconds:0.###}s" : $"{(int)delay.TotalMinutes}m{delay.Seconds}s")
            : $"{(int)delay.TotalMinutes}m0s";
    }
}
