using System.Collections.Immutable;
using System.Text.Json;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>
/// Observes, lets <see cref="Decider"/> decide, and does it: caches -> decision -> writes -> status -> events. Any of the writes may be the
/// last one before the process ends; the next look finishes the work.
/// </summary>
internal sealed partial class WorkspaceReconciler(
    IKubeClient client,
    WorkspaceCaches caches,
    ConsistencyGate gate,
    BlueprintSettings settings,
    IEventRecorder events,
    OperatorMetrics metrics,
    AdmissionLedger admissions,
    AuditLog audit,
    WarmStart warm,
    StorageLook storage,
    ReleasedVolumes released,
    TimeProvider time,
    ILogger<WorkspaceReconciler> logger,
    bool traefikServed) : IReconciler
{
    /// <summary>Name under which the operator's fields are kept by the API.</summary>
    internal const string FieldManager = "berth-operator";

    // The stores follow within milliseconds; their change wakes the workspace anyway, this is for when it does not.
    private static readonly TimeSpan StaleDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RefusedDelay = TimeSpan.FromSeconds(30);

    private readonly ChildWriter _children = new(client, new Applier(client, FieldManager));

    public async Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        using var span = OperatorTraces.Reconcile(key);
        try
        {
            return await LookAsync(key, cancellationToken);
        }
        catch (Exception e)
        {
            span.Failed(e);
            throw;
        }
    }

    private async Task<ReconcileResult> LookAsync(ResourceKey key, CancellationToken cancellationToken)
    {
        if (!gate.IsReady(key))
        {
            return ReconcileResult.After(StaleDelay);
        }

        if (caches.Observe(key, traefikServed, time.GetUtcNow()) is not { } seen)
        {
            gate.Clear(key);
            admissions.Forget(key, caches.PodLookup.Any(key));
            return await released.TendAsync(key, cancellationToken);
        }

        if (await warm.ResumeAsync(key, seen, cancellationToken) is not { } resumed)
        {
            return ReconcileResult.After(StaleDelay);
        }

        seen = await CloserLook.TakeAsync(client, await FindLostPodAsync(resumed, cancellationToken), cancellationToken);
        seen = seen with { Admission = admissions.Ask(seen, settings) };
        seen = await storage.LookAsync(seen, cancellationToken);
        var decision = Decider.Decide(seen, settings);
        (seen, decision) = await LookBehindCachesAsync(seen, decision, cancellationToken);

        // A claimed pod that only the look behind the caches has found has a volume that they do not know either: another one must
        // not be made.
        if (await warm.ResumeAsync(key, seen, cancellationToken) is not { } whole)
        {
            return ReconcileResult.After(StaleDelay);
        }

        (seen, decision) = whole == seen ? (seen, decision) : (whole, Decider.Decide(whole, settings));
        (seen, decision) = await LookAtGrowthAsync(seen, decision, cancellationToken);
        (seen, decision) = await warm.TryAsync(key, seen, decision, cancellationToken);

        var workspace = seen.Workspace;
        var refusals = ImmutableDictionary.CreateBuilder<ChildPart, string>();
        foreach (var step in decision.Steps)
        {
            if (step is Step.CreatePod && (refusals.ContainsKey(ChildPart.Volume) || refusals.ContainsKey(ChildPart.NetworkPolicy)))
            {
                // No pod without its volume and its network policy.
                continue;
            }

            try
            {
                workspace = await ExecuteAsync(key, workspace, step, cancellationToken);
            }
            catch (KubeException e) when (step is Step.ApplyVolume grown && IsRefusal(e) && Grows(seen.Volume, grown.Object))
            {
                // The workspace can be used as it is: its volume stays, and the same wish is not tried at once again.
                seen = RefuseGrowth(key, seen, grown.Object, e);
                decision = Decider.Decide(seen, settings);
            }
            catch (KubeException e) when (step.Part is { } part && IsRefusal(e))
            {
                OperatorLog.Refused(logger, key, part.ToString(), e.Message);
                metrics.Refused(part);
                refusals[part] = e.Message;
            }
        }

        if (refusals.Count > 0)
        {
            admissions.Withdraw(key);
            decision = Decider.Decide(seen with { Refusals = refusals.ToImmutable() }, settings);
        }

        if (IsOvertaken(seen.Workspace, workspace))
        {
            return ReconcileResult.After(StaleDelay);
        }

        await WriteStatusAsync(key, workspace, decision, cancellationToken);
        foreach (var note in decision.Notes)
        {
            if (note.Warning)
            {
                events.Warning(workspace, note.Reason, note.Message);
            }
            else
            {
                events.Normal(workspace, note.Reason, note.Message);
            }
        }

        return refusals.Count > 0
            ? ReconcileResult.After(RefusedDelay)
            : decision.Again is { } again ? ReconcileResult.After(again) : ReconcileResult.Done;
    }

    /// <summary>
    /// Before something is made that the caches do not know: is there really nothing of that name? The caches hold only what bears our
    /// labels, and what belongs to somebody else must not be taken over. Before a volume is deleted: is that still the wish?
    /// </summary>
    private async Task<(Observation Seen, Decision Decision)> LookBehindCachesAsync(Observation seen, Decision decision,
        CancellationToken cancellationToken)
    {
        var closer = seen;
        if (decision.Steps.Any(s => s is Step.DeleteVolume || IsGone(seen, s)))
        {
            // What is deleted cannot be brought back: it must still be the wish, and that of the same workspace. And what is missing
            // although it was made may have gone with the workspace: nothing must be made for one that is no longer there.
            var (key, uid) = (seen.Workspace.Key(), seen.Workspace.Metadata.Uid);
            if (await client.TryGetAsync<UserWorkspace>(key.Namespace, key.Name, cancellationToken) is not { } now
                || now.Metadata.Uid != uid)
            {
                return (seen, new Decision());
            }

            closer = closer with { Workspace = now };
        }

        foreach (var step in decision.Steps)
        {
            closer = step switch
            {
                Step.ApplyVolume s when closer.Volume is null => closer with { Volume = await FindAsync(s.Object, cancellationToken) },
                Step.ApplyService s when closer.Service is null => closer with { Service = await FindAsync(s.Object, cancellationToken) },
                Step.ApplyNetworkPolicy s when closer.NetworkPolicy is null =>
                    closer with { NetworkPolicy = await FindAsync(s.Object, cancellationToken) },
                Step.ApplyRoute s when closer.Route is null => closer with { Route = await FindAsync(s.Object, cancellationToken) },
                Step.ApplyMiddleware s when closer.Middlewares.All(m => m.Metadata.Name != s.Object.Metadata.Name)
                    && await FindAsync(s.Object, cancellationToken) is { } found =>
                        closer with { Middlewares = closer.Middlewares.Add(found) },
                Step.CreatePod s => await PodLookup.LookBehindAsync(
                    client, closer, s.Object, caches.Pools.HasPools(closer.Workspace.Metadata.Namespace!), cancellationToken),
                _ => closer,
            };
        }

        return closer == seen ? (seen, decision) : (closer, Decider.Decide(closer, settings));
    }

    // It was there, as somebody has looked at the workspace before.
    private static bool IsGone(Observation seen, Step step) => seen.Workspace.Status?.ObservedGeneration is not null && step switch
    {
        Step.CreatePod => true,
        Step.ApplyService => seen.Service is null,
        Step.ApplyNetworkPolicy => seen.NetworkPolicy is null,
        Step.ApplyRoute => seen.Route is null,
        Step.ApplyMiddleware s => seen.Middlewares.All(m => m.Metadata.Name != s.Object.Metadata.Name),
        _ => false,
    };

    private Task<T?> FindAsync<T>(T wanted, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => client.TryGetAsync<T>(wanted.Metadata.Namespace, wanted.Metadata.Name!, cancellationToken);

    private async Task<UserWorkspace> ExecuteAsync(ResourceKey key, UserWorkspace workspace, Step step, CancellationToken cancellationToken)
    {
        using var span = OperatorTraces.Write(key, step.GetType().Name);
        try
        {
            return await WriteAsync(key, workspace, step, cancellationToken);
        }
        catch (Exception e)
        {
            span.Failed(e);
            throw;
        }
    }

    private async Task<UserWorkspace> WriteAsync(ResourceKey key, UserWorkspace workspace, Step step, CancellationToken cancellationToken)
    {
        OperatorLog.Executing(logger, key, step.GetType().Name);
        metrics.Wrote(step);
        switch (step)
        {
            case Step.AddFinalizer:
                var added = await Finalizers.AddAsync(client, workspace, WorkspaceFinalizers.Storage, cancellationToken);
                gate.WroteAt(key, added);
                return added;
            case Step.RemoveFinalizer:
                await Finalizers.RemoveAsync(client, workspace, WorkspaceFinalizers.Storage, cancellationToken);
                return await client.TryGetAsync<UserWorkspace>(key.Namespace, key.Name, cancellationToken) ?? workspace;
            case Step.CreateVolume or Step.MarkVolume or Step.DeleteReleased or Step.ApplyStorageNetwork or Step.CreateJob or Step.DeleteJob
                or Step.CreateSnapshot or Step.DeleteSnapshot:
                await ExecuteStorageAsync(key, step, cancellationToken);
                break;
            case Step.ApplyVolume s:
                gate.WroteAt(key, await _children.ApplyAsync(s.Object, cancellationToken));
                break;
            case Step.ApplyService s:
                gate.WroteAt(key, await _children.ApplyAsync(s.Object, cancellationToken));
                break;
            case Step.ApplyNetworkPolicy s:
                gate.WroteAt(key, await _children.ApplyAsync(s.Object, cancellationToken));
                break;
            case Step.ApplyMiddleware s:
                gate.WroteAt(key, await _children.ApplyAsync(s.Object, cancellationToken));
                break;
            case Step.ApplyRoute s:
                gate.WroteAt(key, await _children.ApplyAsync(s.Object, cancellationToken));
                break;
            case Step.RepairWorkspace s:
                return await RepairAsync(key, workspace, s, cancellationToken);
            case Step.RepairPod s:
                await RepairAsync(key, s, cancellationToken);
                break;
            case Step.StopWorkspace s:
                return await StopAsync(key, workspace, s, cancellationToken);
            case Step.CreatePod s:
                // Created, not applied: the API refuses a second pod of the name, whoever made the first.
                gate.WroteAt(key, await client.CreateAsync(s.Object, new WriteOptions { FieldManager = FieldManager }, cancellationToken));
                break;
            case Step.DeletePod s:
                await DeleteAsync(s.Object, cancellationToken, asSeen: s.AsSeen);
                break;
            case Step.ForceDeletePod s:
                OperatorLog.ForcedOut(logger, key, s.Object.Metadata.Name!, s.Object.Spec?.NodeName);
                await DeleteAsync(s.Object, cancellationToken, graceSeconds: 0);
                break;
            case Step.KillPod s:
                await DeleteAsync(s.Object, cancellationToken, graceSeconds: 0);
                break;
            case Step.HoldWorkspace or Step.ReleaseWorkspace or Step.HoldVolume or Step.ReleaseVolume:
                return await HoldAsync(key, workspace, step, cancellationToken);
            case Step.DeleteVolume s:
                await DeleteAsync(s.Object, cancellationToken);
                break;
            case Step.DeleteRoute s:
                await DeleteAsync(s.Object, cancellationToken);
                break;
            case Step.DeleteMiddleware s:
                await DeleteAsync(s.Object, cancellationToken);
                break;
        }

        return workspace;
    }

    private async Task WriteStatusAsync(ResourceKey key, UserWorkspace workspace, Decision decision, CancellationToken cancellationToken)
    {
        if (decision.Status is not { } status || Same(workspace.Status, status))
        {
            return;
        }

        var former = workspace.Status;
        using var span = OperatorTraces.Write(key, "Status");
        var written = await client.ReplaceStatusAsync(workspace with { Status = status },
            new WriteOptions { FieldManager = FieldManager }, cancellationToken);
        gate.WroteAt(key, written);
        metrics.StatusWritten(former, status);
        if (status.Phase == WorkspacePhases.Stopped && former?.Phase is not (null or WorkspacePhases.Stopped))
        {
            metrics.Stopped(workspace.Spec.LastRequest);
        }

        foreach (var record in AdministrationPlan.Audit(workspace, former, status))
        {
            audit.Write(record);
        }

        if (former?.Phase != status.Phase)
        {
            OperatorLog.Phase(logger, key, former?.Phase ?? WorkspacePhases.Pending, status.Phase!, status.Message);
        }
    }

    /// <summary>
    /// Whether somebody wrote between the look and a write that brought a newer state back: with that one's version the status would go
    /// through, and overwrite what was never looked at, such as use that the edge wrote, or another workspace of the name.
    /// </summary>
    private static bool IsOvertaken(UserWorkspace looked, UserWorkspace now) =>
        !ReferenceEquals(looked, now)
        && (looked.Metadata.Uid != now.Metadata.Uid
            || looked.Metadata.Generation != now.Metadata.Generation
            || (now.Status is null ? looked.Status is not null : !Same(looked.Status, now.Status)));

    internal static bool Same(UserWorkspaceStatus? a, UserWorkspaceStatus b) => a is not null
        && JsonSerializer.SerializeToUtf8Bytes(a, BerthJson.Default.UserWorkspaceStatus).AsSpan()
            .SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(b, BerthJson.Default.UserWorkspaceStatus));

    // The API understood and said no: it will say so again until somebody changes something. Anything else is tried again at once.
    private static bool IsRefusal(KubeException e) => e.Code is 400 or 403 or 405 or 413 or 422;
}

