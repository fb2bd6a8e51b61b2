using System.Collections.Immutable;
using Kube.Server.Runner.Processes;

namespace Kube.Server.Runner.Pods;

/// <summary>Where a container is.</summary>
internal enum ContainerPhase
{
    /// <summary>Never ran, or a restart was decided and is under way.</summary>
    Waiting,

    /// <summary>The runner is starting it.</summary>
    Starting,

    /// <summary>Its process lives.</summary>
    Running,

    /// <summary>Its process ended.</summary>
    Terminated,
}

/// <summary>How a run ended.</summary>
internal sealed record Termination
{
    public required int ExitCode { get; init; }

    public int Signal { get; init; }

    public required string Reason { get; init; }

    public string? Message { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }

    public string? ContainerId { get; init; }
}

/// <summary>Exponential backoff as a kubelet keeps it per container.</summary>
/// <param name="Delay">What has to pass after the last end before the next start; zero when there is no entry.</param>
/// <param name="UpdatedAt">When it was last raised: the start it allowed.</param>
internal readonly record struct Backoff(TimeSpan Delay, DateTimeOffset UpdatedAt)
{
    public Backoff Next(DateTimeOffset now, BackoffPolicy policy)
    {
        var delay = Delay == TimeSpan.Zero ? policy.Base : Delay * 2;
        return new Backoff(delay < policy.Max ? delay : policy.Max, now);
    }
}

/// <summary>Numbers of <see cref="Backoff"/>.</summary>
/// <param name="Base">First delay. A kubelet's is 10 s.</param>
/// <param name="Max">Largest. A kubelet's is 5 min.</param>
/// <param name="ResetAfter">A run this long after the last raise starts again at none. A kubelet's is 10 min.</param>
internal sealed record BackoffPolicy(TimeSpan Base, TimeSpan Max, TimeSpan ResetAfter);

/// <summary>A container's state. Immutable; the methods give the next one.</summary>
internal sealed record ContainerState
{
    public required string Name { get; init; }

    public ContainerPhase Phase { get; init; }

    /// <summary>
    /// Shown instead of the plain state: ErrImagePull, CrashLoopBackOff and their kind. Null when there is nothing to say.
    /// </summary>
    public string? WaitingReason { get; init; }

    public string? WaitingMessage { get; init; }

    /// <summary>Of a failed attempt to start (image, configuration): not before this. Null: at once.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>Of missing images.</summary>
    public Backoff ImageBackoff { get; init; }

    /// <summary>Of ended runs.</summary>
    public Backoff RestartBackoff { get; init; }

    public string? ContainerId { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>The end of this run when <see cref="Phase"/> is Terminated, else of the one before.</summary>
    public Termination? Ended { get; init; }

    /// <summary>The end of the run before the one in <see cref="Ended"/> while Terminated.</summary>
    public Termination? EndedBefore { get; init; }

    public int RestartCount { get; init; }

    /// <summary>It runs and its startup probe (if any) has succeeded.</summary>
    public bool Started { get; init; }

    /// <summary>It runs and its readiness probe (if any) says yes.</summary>
    public bool Ready { get; init; }

    public bool HasRun => Ended is not null || Phase is ContainerPhase.Running;

    public ContainerState BeginStart() => this with { Phase = ContainerPhase.Starting, RetryAt = null };

    public ContainerState Run(string containerId, DateTimeOffset at, bool started, bool ready) => this with
    {
        Phase = ContainerPhase.Running,
        RestartCount = Ended is null ? RestartCount : RestartCount + 1,
        WaitingReason = null,
        WaitingMessage = null,
        RetryAt = null,
        ImageBackoff = default,
        ContainerId = containerId,
        StartedAt = at,
        Started = started,
        Ready = ready,
    };

    /// <summary>The image is not known. The first time ErrImagePull, later ImagePullBackOff.</summary>
    public ContainerState ImageMissing(string message, DateTimeOffset now, BackoffPolicy policy)
    {
        var backoff = ImageBackoff.Next(now, policy);
        return this with
        {
            Phase = BackToRest,
            WaitingReason = "ErrImagePull",
            WaitingMessage = message,
            ImageBackoff = backoff,
            RetryAt = now + backoff.Delay,
        };
    }

    /// <summary>Its environment cannot be made (a config map or key is missing).</summary>
    public ContainerState ConfigError(string reason, string message, DateTimeOffset retryAt) => this with
    {
        Phase = BackToRest,
        WaitingReason = reason,
        WaitingMessage = message,
        RetryAt = retryAt,
    };

    /// <summary>The process ended, or could not be started (then <paramref name="reason"/> is StartError).</summary>
    public ContainerState Exit(ExitStatus status, DateTimeOffset at, string? reason = null, string? message = null) => this with
    {
        Phase = ContainerPhase.Terminated,
        WaitingReason = null,
        WaitingMessage = null,
        EndedBefore = Ended,
        Ended = new Termination
        {
            ExitCode = status.Code,
            Signal = status.Signal,
            Reason = reason ?? (status.Code == 0 ? "Completed" : "Error"),
            Message = message,
            StartedAt = StartedAt,
            FinishedAt = at,
            ContainerId = ContainerId,
        },
        Started = false,
        Ready = false,
    };

    private ContainerPhase BackToRest => Ended is null ? ContainerPhase.Waiting : ContainerPhase.Terminated;
}

/// <summary>A pod's state: its containers by name. Immutable.</summary>
internal sealed record PodState
{
    public required ImmutableDictionary<string, ContainerState> Containers { get; init; }

    /// <summary>When the runner first saw the pod.</summary>
    public required DateTimeOffset StartTime { get; init; }

    /// <summary>Its volumes are there, containers may start.</summary>
    public bool VolumesReady { get; init; }

    /// <summary>Set by a refusal to run the pod at all; the phase is then Failed.</summary>
    public string? RefusedReason { get; init; }

    public string? RefusedMessage { get; init; }

    public ContainerState this[string name] => Containers[name];

    public PodState With(ContainerState container) => this with { Containers = Containers.SetItem(container.Name, container) };

    public static PodState New(PodShape shape, DateTimeOffset now) => new()
    {
        StartTime = now,
        Containers = shape.All.ToImmutableDictionary(c => c.Name, c => new ContainerState { Name = c.Name }),
    };
}
