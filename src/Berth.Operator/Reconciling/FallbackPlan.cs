using Berth.Resources;

namespace Berth.Operator;

/// <summary>
/// Whether a workspace is made from the fallback of its template. Pure; what it remembers is <c>status.templateRevision.fallback</c>.
/// </summary>
/// <remarks>
/// It begins when pods of one revision failed three times in a row by the template's fault, and ends with the next wish (a start, a
/// restart, a stop) or another revision. A fallback has no fallback: what it names itself is not followed.
/// </remarks>
internal static class FallbackPlan
{
    /// <summary>Failures in a row that are enough: with the pauses between them, half a minute and three pulls of the image.</summary>
    internal const int Attempts = 3;

    /// <summary>The blueprint that counts: the wished one, or the one of the fallback.</summary>
    internal static Blueprint InEffect(Observation seen, Blueprint wished, BlueprintSettings settings, BlueprintFacts facts)
    {
        if (seen.Fallback is not { } chain || (Going(seen, wished) ?? Begun(seen, wished, chain)) is not { } state)
        {
            return wished;
        }

        var fallback = Blueprint.For(seen.Workspace, chain.Template, settings, facts with { Chain = chain });
        return fallback.Pod is null
            ? wished
            : fallback with { Fallback = state with { Template = chain.Template!.Metadata.Name }, WishedRevision = wished.Revision };
    }

    /// <summary>Whether the next failure by the template's fault leads to a fallback: then a pod that is stuck is not waited for.</summary>
    internal static bool IsThere(Observation seen, Blueprint inEffect) => seen.Fallback is not null && inEffect.Fallback is null;

    private static TemplateFallback? Going(Observation seen, Blueprint wished)
    {
        var former = seen.Workspace.Status?.TemplateRevision?.Fallback;
        return former?.Instead is { } failed && failed == wished.Revision
            && seen.Workspace.Spec.DesiredState == DesiredStates.Running
            && !PodPlan.AskedSince(seen.Workspace, former.Since ?? DateTimeOffset.MinValue)
            ? former
            : null;
    }

    private static TemplateFallback? Begun(Observation seen, Blueprint wished, TemplateChain chain) =>
        seen.Workspace.Status?.Failure is { Class: FailureClasses.Template, Attempts: >= Attempts } failure
        && wished.Revision is { } revision
        && seen.Workspace.Status.TemplateRevision is { Current: { } current } && current == revision
        && seen.Workspace.Spec.DesiredState == DesiredStates.Running
        && seen.Workspace.Spec.Debug != true
        && !(failure.NextRetryAt is not null && PodPlan.AskedSince(seen.Workspace, failure))
            ? new TemplateFallback
            {
                Template = chain.Template?.Metadata.Name,
                Instead = revision,
                Since = Times.Seconds(seen.Now),
                Message = failure.Message,
            }
            : null;
}
