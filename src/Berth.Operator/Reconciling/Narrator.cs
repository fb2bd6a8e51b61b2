using System.Collections.Immutable;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>Tells the transitions of a workspace as events: what changed between the status there was and the one there will be.</summary>
internal static class Narrator
{
    internal static ImmutableArray<Note> Tell(Observation seen, Blueprint blueprint, ChildPlan children, PodPlan pod,
        UserWorkspaceStatus status)
    {
        var notes = ImmutableArray.CreateBuilder<Note>();
        var former = seen.Workspace.Status;
        foreach (var volume in children.Steps.OfType<Step.ApplyVolume>())
        {
            if (seen.Volume is null && !seen.Refusals.ContainsKey(ChildPart.Volume))
            {
                notes.Add(new(false, Reasons.Created, $"Created volume {volume.Object.Metadata.Name} of "
                    + $"{volume.Object.Spec?.Resources?.Requests?.GetValueOrDefault("storage")}."));
            }
        }

        if (former?.Conditions is null && seen.Volume is { } found && Children.OwnsVolume(seen.Workspace, found.Metadata))
        {
            notes.Add(new(false, Reasons.VolumeFound,
                $"Found volume {found.Metadata.Name} of an earlier workspace of the same owner and took it over."));
        }

        if (blueprint.GrowthRefusal is { } growth && ReasonOf(former, ConditionTypes.StorageReady) != Reasons.GrowthRefused)
        {
            notes.Add(new(true, Reasons.GrowthRefused, growth));
        }

        if (blueprint.ShrinkRefusal is { } refusal && ReasonOf(former, ConditionTypes.StorageReady) != Reasons.ShrinkRefused)
        {
            notes.Add(new(true, Reasons.ShrinkRefused, refusal));
        }

        if (seen.Chain is { IsRedirected: true } chain && !blueprint.LeftOutParameters.IsEmpty
            && former?.Conditions?.Any(c => c.Type == ConditionTypes.TemplateResolved
                && c.Message == PartConditions.Redirected(seen, chain, blueprint)) != true)
        {
            notes.Add(new(true, Reasons.Redirected, PartConditions.Redirected(seen, chain, blueprint)));
        }

        if (blueprint.Fallback is { } fallback && former?.TemplateRevision?.Fallback is null)
        {
            notes.Add(new(true, Reasons.Fallback, PartConditions.FellBack(seen, fallback)));
        }

        switch (pod.Step)
        {
            case Step.CreatePod when pod.Failure?.Attempts > 0:
                notes.Add(new(false, Reasons.Retrying, $"Starting again, attempt {pod.Failure.Attempts + 1}."));
                break;
            case Step.CreatePod:
                notes.Add(new(false, Reasons.Starting, $"Starting from template "
                    + $"{blueprint.Fallback?.Template ?? seen.Template?.Metadata.Name}{Asked(seen)}."));
                break;
            case Step.DeletePod when pod.Restarting:
                notes.Add(new(false, Reasons.Restarting, "Ending the pod, so that a new one can start."));
                break;
            case Step.DeletePod:
                notes.Add(new(false, Reasons.Stopping, $"Stopping{Asked(seen)}."));
                break;
        }

        if (status.Phase != former?.Phase)
        {
            switch (status.Phase)
            {
                case WorkspacePhases.Running:
                    notes.Add(new(false, Reasons.Started, $"Ready at {status.Url}{Took(status.Start)}."));
                    break;
                case WorkspacePhases.Stopped when former?.Phase is not null:
                    notes.Add(new(false, Reasons.Stopped, "Stopped. The volume is kept."));
                    break;
            }
        }

        // Told when it happens, not each time it is seen: a new reason, or one more pod.
        if (status.Failure is { } failure
            && (failure.Reason != former?.Failure?.Reason || (failure.Attempts ?? 0) > (former?.Failure?.Attempts ?? 0)))
        {
            notes.Add(new(true, status.Phase == WorkspacePhases.Failed ? Reasons.Failed : failure.Reason!, failure.Message!));
        }

        return notes.ToImmutable();
    }

    private static string? ReasonOf(UserWorkspaceStatus? status, string type) =>
        status?.Conditions?.FirstOrDefault(c => c.Type == type)?.Reason;

    private static string Asked(Observation seen) => seen.Workspace.Spec.LastRequest is { By: { } by } request
        ? request.Reason is { } reason ? $", asked by {by} ({reason})" : $", asked by {by}"
        : "";

    private static string Took(WorkspaceStart? start) => start is { RequestedAt: { } asked, ReadyAt: { } ready } && ready >= asked
        ? $" after {(ready - asked).TotalSeconds:0} s"
        : "";
}
