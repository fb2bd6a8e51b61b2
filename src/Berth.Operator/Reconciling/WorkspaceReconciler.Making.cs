using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>How what is missing gets made, without ever touching what is somebody else's.</summary>
/// <remarks>
/// <code>
///  first look ──► make all ──► nothing in the way: one write for each, no read
///                    │ 409: something of that name is there
///                    ▼
///  later looks ──► read what the caches do not know ──► decide again ──► make the rest
/// </code>
/// What makes something says so in its request (a POST for the pod, <see cref="Kube.Runtime.Applier.CreateAsync"/> for the others), so the
/// API itself refuses where there is something. At a first look there hardly ever is; later, what is missing has a story.
/// </remarks>
internal sealed partial class WorkspaceReconciler
{
    /// <summary>What became of the steps of a decision.</summary>
    private sealed record Pass(Observation Seen, Decision Decision, UserWorkspace Workspace)
    {
        public ImmutableDictionary<ChildPart, string> Refusals { get; init; } = ImmutableDictionary<ChildPart, string>.Empty;

        /// <summary>What there is now, as the API answered; null where it was not told what a write made of something.</summary>
        public Observation? Made { get; init; } = Seen;

        /// <summary>Something was there already of what was to be made: it matters what.</summary>
        public bool IsTaken { get; init; }
    }

    /// <summary>
    /// Whether nobody has looked at a workspace before, and no pod waits for it: one that is claimed is not made, so nothing would be
    /// refused.
    /// </summary>
    private bool IsFirstLook(Observation seen) =>
        seen.Workspace.Status?.ObservedGeneration is null
        && (seen.Template is not { } template || !caches.Pools.PodsOf(template.Key()).Any(PoolPods.IsWaiting));

    /// <summary>Decides, after a look at what the caches do not hold.</summary>
    /// <param name="key">The workspace.</param>
    /// <param name="seen">What the caches hold.</param>
    /// <param name="direct">Do not look for what the API refuses to make twice.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null: something was given up, and the workspace is to be looked at again.</returns>
    private async Task<(Observation Seen, Decision Decision)?> LookCloserAsync(
        ResourceKey key, Observation seen, bool direct, CancellationToken cancellationToken)
    {
        var cached = seen.Workspace;
        var decision = Decider.Decide(seen, settings);
        (seen, decision) = await LookBehindCachesAsync(seen, decision, direct, cancellationToken);

        // A claimed pod that only the look behind the caches has found has a volume that they do not know either: another one must
        // not be made.
        if (await warm.ResumeAsync(key, seen, cancellationToken) is not { } whole)
        {
            return null;
        }

        (seen, decision) = whole == seen ? (seen, decision) : (whole, Decider.Decide(whole, settings));
        (seen, decision) = await LookAtGrowthAsync(seen, decision, cancellationToken);

        // What was found behind the caches, such as the pod of a newer start, is not to be ended for an older wish.
        if (decision.Steps.Any(Ends) && ReferenceEquals(seen.Workspace, cached))
        {
            if (await ReadAgainAsync(seen, cancellationToken) is not { } afresh)
            {
                return (seen, new Decision());
            }

            (seen, decision) = (afresh, Decider.Decide(afresh, settings));
        }

        if (!direct && decision.Steps.Any(static s => s is Step.CreatePod))
        {
            // A waiting pod may be taken.
            admissions.Use(key);
        }

        return await warm.TryAsync(key, seen, decision, mayClaim: !direct, cancellationToken);
    }

    /// <summary>
    /// Before something is made that the caches do not know: is there really nothing of that name? The caches hold only what bears our
    /// labels, and what belongs to somebody else must not be taken over. Before a volume or a pod is deleted: is that still the wish?
    /// </summary>
    private async Task<(Observation Seen, Decision Decision)> LookBehindCachesAsync(
        Observation seen, Decision decision, bool direct, CancellationToken cancellationToken)
    {
        var closer = seen;
        if (decision.Steps.Any(s => Ends(s) || IsGone(seen, s)))
        {
            // What is deleted cannot be brought back: it must still be the wish, and that of the same workspace; the caches of one kind can
            // be behind those of another, so a pod may be that of a start which the workspace seen knows nothing of. And what is missing
            // although it was made may have gone with the workspace: nothing must be made for one that is no longer there.
            if (await ReadAgainAsync(seen, cancellationToken) is not { } afresh)
            {
                return (seen, new Decision());
            }

            closer = afresh;
        }

        foreach (var step in decision.Steps.Where(s => direct ? NeedsLook(seen, s) : Makes(seen, s)))
        {
            closer = step switch
            {
                Step.ApplyVolume s => closer with { Volume = await FindAsync(s.Object, cancellationToken) },
                Step.ApplyService s => closer with { Service = await FindAsync(s.Object, cancellationToken) },
                Step.ApplyNetworkPolicy s => closer with { NetworkPolicy = await FindAsync(s.Object, cancellationToken) },
                Step.ApplyRoute s => closer with { Route = await FindAsync(s.Object, cancellationToken) },
                Step.ApplyMiddleware s when await FindAsync(s.Object, cancellationToken) is { } found =>
                    closer with { Middlewares = closer.Middlewares.Add(found) },
                Step.CreatePod s => await PodLookup.LookBehindAsync(
                    client, closer, s.Object, caches.Pools.HasPools(closer.Workspace.Metadata.Namespace!), cancellationToken),
                _ => closer,
            };
        }

        return closer == seen ? (seen, decision) : (closer, Decider.Decide(closer, settings));
    }

    // The workspace as it is now; null where that is no longer the one that was seen.
    private async Task<Observation?> ReadAgainAsync(Observation seen, CancellationToken cancellationToken)
    {
        var key = seen.Workspace.Key();
        if (await client.TryGetAsync<UserWorkspace>(key.Namespace, key.Name, cancellationToken) is not { } now
            || now.Metadata.Uid != seen.Workspace.Metadata.Uid)
        {
            return null;
        }

        // Another wish needs another answer: by the old one, which nobody asked for a place, a start would be told that it has one.
        seen = seen with { Workspace = now };
        return seen with { Admission = admissions.Ask(seen, settings) };
    }

    // What cannot be brought back.
    private static bool Ends(Step step) => step is Step.DeleteVolume or Step.DeletePod;

    // It was there, as somebody has looked at the workspace before.
    private static bool IsGone(Observation seen, Step step) =>
        seen.Workspace.Status?.ObservedGeneration is not null && step is not Step.ApplyVolume && Makes(seen, step);

    /// <summary>Whether a step makes something that is not there as far as is known.</summary>
    private static bool Makes(Observation seen, Step step) => step switch
    {
        Step.CreatePod => true,
        Step.ApplyVolume => seen.Volume is null,
        Step.ApplyService => seen.Service is null,
        Step.ApplyNetworkPolicy => seen.NetworkPolicy is null,
        Step.ApplyRoute => seen.Route is null,
        Step.ApplyMiddleware s => seen.Middlewares.All(m => m.Metadata.Name != s.Object.Metadata.Name),
        _ => false,
    };

    // A pod is refused where there is one of its name. One on a volume from a pool may have another.
    private bool NeedsLook(Observation seen, Step step) =>
        step is Step.CreatePod { Object: var pod }
        && (PodForm.ClaimOf(pod) != pod.Metadata.Name || caches.Pools.HasPools(seen.Workspace.Metadata.Namespace!));

    private Task<T?> FindAsync<T>(T wanted, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => client.TryGetAsync<T>(wanted.Metadata.Namespace, wanted.Metadata.Name!, cancellationToken);

    /// <summary>Does what was decided, in order; children that need nothing of one another are under way together.</summary>
    private async Task<Pass> ExecuteAsync(
        ResourceKey key, Observation seen, Decision decision, bool direct, CancellationToken cancellationToken)
    {
        var pass = new Pass(seen, decision, seen.Workspace);
        var steps = decision.Steps;
        for (var (first, next) = (0, 0); first < steps.Length && !pass.IsTaken; first = next)
        {
            for (next = first + 1; next < steps.Length && StandsAlone(steps[first]) && StandsAlone(steps[next]); next++)
            {
            }

            if (steps[first] is Step.CreatePod
                && (pass.Refusals.ContainsKey(ChildPart.Volume) || pass.Refusals.ContainsKey(ChildPart.NetworkPolicy)))
            {
                // No pod without its volume and its network policy.
                continue;
            }

            var looked = pass;
            var ends = await Task.WhenAll(steps[first..next].Select(s => EndAsync(s, looked)));
            for (var i = first; i < next; i++)
            {
                var (written, error) = ends[i - first];
                pass = error is null ? After(pass, written) : After(key, pass, steps[i], error, direct);
            }
        }

        return pass;

        async Task<(IKubeObject? Written, KubeException? Error)> EndAsync(Step step, Pass looked)
        {
            try
            {
                return (await ExecuteAsync(key, looked.Seen, looked.Workspace, step, cancellationToken), null);
            }
            catch (KubeException e)
            {
                return (null, e);
            }
        }
    }

    // The network policy is there before the pod that it protects against: all of these are.
    private static bool StandsAlone(Step step) =>
        step is Step.ApplyNetworkPolicy or Step.ApplyVolume or Step.ApplyService or Step.ApplyMiddleware;

    private Pass After(Pass pass, IKubeObject? written) => written is UserWorkspace workspace
        ? pass with { Workspace = workspace }
        : pass with
        {
            Made = pass.Made is not { } made ? null : written switch
            {
                NetworkPolicy policy => made with { NetworkPolicy = policy },
                PersistentVolumeClaim volume => made with { Volume = volume },
                Service service => made with { Service = service },
                IngressRoute route => made with { Route = route },
                Middleware one => made with { Middlewares = [.. made.Middlewares.Where(m => m.Metadata.Name != one.Metadata.Name), one] },
                Pod pod => made with { Pod = pod, PodTemplate = caches.PodTemplate(pod, made.Template) },
                _ => null,
            },
        };

    /// <summary>
    /// What is to be told once all was made. The next look would find that, and write another status of what was just written: it is
    /// decided at once, as if that look had come, so that a start tells "the pod waits for a node" and not "the pod is made" before.
    /// </summary>
    private Decision LookAhead(Pass pass)
    {
        if (pass is not { Made: { } made, Decision: { Status: { } status } decision } || decision.Steps.IsEmpty)
        {
            return pass.Decision;
        }

        made = made with { Workspace = pass.Workspace with { Status = status } };
        made = made with { Admission = admissions.Ask(made, settings) };
        var next = Decider.Decide(made, settings);
        return next is { Steps.IsEmpty: true, Status: not null } ? next with { Notes = [.. decision.Notes, .. next.Notes] } : decision;
    }

    /// <summary>How it goes on after a write that was not done; throws what only another look can mend.</summary>
    private Pass After(ResourceKey key, Pass pass, Step step, KubeException error, bool direct)
    {
        if (direct && error.Code == 409 && Makes(pass.Seen, step))
        {
            return pass with { IsTaken = true };
        }

        if (step is Step.ApplyVolume grown && IsRefusal(error) && Grows(pass.Seen.Volume, grown.Object))
        {
            // The workspace can be used as it is: its volume stays, and the same wish is not tried at once again.
            var seen = RefuseGrowth(key, pass.Seen, grown.Object, error);
            return pass with { Seen = seen, Decision = Decider.Decide(seen, settings) };
        }

        if (step.Part is { } part && IsRefusal(error))
        {
            OperatorLog.Refused(logger, key, part.ToString(), error.Message);
            metrics.Refused(part);
            return pass with { Refusals = pass.Refusals.SetItem(part, error.Message) };
        }

        ExceptionDispatchInfo.Throw(error);
        return pass;
    }

    private async Task<T> BringAsync<T>(ResourceKey key, Observation seen, Step step, T child, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        var brought = await (Makes(seen, step) ? _children.MakeAsync(child, cancellationToken)
            : _children.ApplyAsync(child, cancellationToken));
        gate.WroteAt(key, brought);
        return brought;
    }
}
