using System.Collections.Immutable;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>How far a step is.</summary>
internal enum StepState
{
    Waiting,
    Active,
    Done,
    Failed,
}

/// <summary>One step of a start, in words.</summary>
internal sealed record ProgressStep(string Title, StepState State, string? Detail = null);

/// <summary>What can be done about the state a workspace is in.</summary>
internal enum ProgressAction
{
    None,
    Start,
    Retry,
}

/// <summary>What the progress page shows of a workspace; made by a pure function from what the API knows.</summary>
internal sealed record ProgressView
{
    private static readonly ImmutableArray<(string Condition, string Title)> Steps =
    [
        (ConditionTypes.TemplateResolved, "Finding out what to run"),
        (ConditionTypes.StorageReady, "Getting your storage ready"),
        (ConditionTypes.PodScheduled, "Finding a place to run"),
        (ConditionTypes.PodReady, "Starting the program"),
    ];

    /// <summary>Headline.</summary>
    public required string Title { get; init; }

    /// <summary>Steps in order; empty when nothing is starting.</summary>
    public ImmutableArray<ProgressStep> StepList { get; init; } = [];

    /// <summary>What went wrong, or why nothing happens; null while all is well.</summary>
    public string? Problem { get; init; }

    /// <summary>What to do about it.</summary>
    public string? Remedy { get; init; }

    /// <summary>Whether the problem is a failure, rather than a state somebody wished for.</summary>
    public bool IsFailure { get; init; }

    /// <summary>The button to show.</summary>
    public ProgressAction Action { get; init; }

    /// <summary>The workspace takes requests: the page can go there.</summary>
    public bool IsReady { get; init; }

    /// <summary>There is no such workspace any more.</summary>
    public bool IsGone { get; init; }

    /// <summary>The view of a workspace as it is now.</summary>
    /// <param name="workspace">What the API knows; null when it is gone.</param>
    /// <param name="isReady">Whether the edge forwards to it.</param>
    public static ProgressView From(UserWorkspace? workspace, bool isReady)
    {
        if (workspace is null)
        {
            return new ProgressView { Title = "This workspace is gone", Problem = "It has been deleted.", IsGone = true };
        }

        var name = WorkspaceView.DisplayNameOf(workspace);
        if (isReady)
        {
            return new ProgressView
            {
                Title = $"{name} is ready",
                IsReady = true,
                StepList = [.. Steps.Select(s => new ProgressStep(s.Title, StepState.Done)), Connect(StepState.Done)]
            };
        }

        var phase = WorkspaceEntries.PhaseOf(workspace);
        if (phase == WorkspacePhases.Terminating)
        {
            return new ProgressView { Title = $"{name} is being deleted", Problem = "It ends now and cannot be opened any more." };
        }

        if (workspace.Spec.DesiredState != DesiredStates.Running)
        {
            return phase == WorkspacePhases.Stopped
                ? new ProgressView
                {
                    Title = $"{name} is stopped",
                    Problem = StoppedBecause(workspace),
                    Remedy = "Your files are kept. Start it to go on.",
                    Action = ProgressAction.Start
                }
                : new ProgressView
                {
                    Title = $"{name} is stopping",
                    Problem = "It can be started again in a moment.",
                    Action = ProgressAction.Start
                };
        }

        return Starting(workspace, name, phase);
    }

    private static ProgressView Starting(UserWorkspace workspace, string name, string phase)
    {
        var status = workspace.Status;
        var conditions = (status?.Conditions ?? []).GroupBy(c => c.Type, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Last(), StringComparer.Ordinal);

        // What the operator wrote before it saw the present wish tells of the former pod.
        var stale = status?.ObservedGeneration is { } seen && workspace.Metadata.Generation is { } generation && seen < generation;
        var failed = phase == WorkspacePhases.Failed;
        var steps = ImmutableArray.CreateBuilder<ProgressStep>();
        var reached = true;
        foreach (var (type, title) in Steps)
        {
            var condition = conditions.GetValueOrDefault(type);
            var isTrue = condition?.Status == "True" && !(stale && type is ConditionTypes.PodScheduled or ConditionTypes.PodReady);
            var state = !reached ? StepState.Waiting : isTrue ? StepState.Done : failed ? StepState.Failed : StepState.Active;
            steps.Add(new ProgressStep(title, state, state is StepState.Active or StepState.Failed && !stale ? condition?.Message : null));
            reached &= isTrue;
        }

        steps.Add(Connect(reached ? StepState.Active : StepState.Waiting));
        if (!failed)
        {
            if (LifeHtml.QueueText(status?.Queue) is { } place && !stale)
            {
                return new ProgressView
                {
                    Title = $"{name} waits for its turn",
                    StepList = steps.ToImmutable(),
                    Problem = place,
                    Remedy = status!.Queue!.Message,
                };
            }

            return new ProgressView
            {
                Title = $"{name} is starting",
                StepList = steps.ToImmutable(),
                Problem = status?.Failure is { Attempts: > 0 } earlier && !stale
                    ? $"An earlier attempt failed: {earlier.Message ?? earlier.Reason}" : null,
            };
        }

        // The reason stands above the steps; beside the one that failed it would only stand there twice.
        var problem = status?.Failure?.Message ?? status?.Message ?? "The reason is not known.";
        return new ProgressView
        {
            Title = $"{name} did not start",
            StepList = [.. steps.Select(s => s.Detail == problem ? s with { Detail = null } : s)],
            Problem = problem,
            Remedy = "Your files are kept. " + Remedies(status?.Failure),
            IsFailure = true,
            Action = ProgressAction.Retry,
        };
    }

    private static ProgressStep Connect(StepState state) => new("Connecting you to it", state);

    private static string StoppedBecause(UserWorkspace workspace) => workspace.Spec.LastRequest switch
    {
        { Reason: RequestReasons.Idle } => "It was stopped because nobody used it.",
        { Reason: RequestReasons.Policy or RequestReasons.Quota } => "It was stopped by a rule of this installation.",
        { By: RequestedBy.Admin } => "An administrator stopped it.",
        _ => "It was stopped.",
    };

    private static string Remedies(WorkspaceFailure? failure)
    {
        var who = failure?.Class switch
        {
            FailureClasses.User => "Look at its log and its parameters, mend what is wrong, then try again.",
            FailureClasses.Template =>
                "Its template has a mistake. Tell an administrator; trying again helps when the template has been mended.",
            FailureClasses.Platform =>
                "The systems it runs on have a problem. It is tried again by itself; if it stays, tell an administrator.",
            _ => "Try again; if it stays, tell an administrator.",
        };
        return failure?.NextRetryAt is { } next ? $"{who} Next attempt at {next.UtcDateTime:HH:mm:ss} UTC." : who;
    }
}
