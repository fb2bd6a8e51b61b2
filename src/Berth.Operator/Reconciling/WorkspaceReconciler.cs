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
        finally
        {
            admissions.EndLook(key);
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
        Pass pass;
        for (var direct = IsFirstLook(seen); ; direct = false)
        {
            if (await LookCloserAsync(key, seen, direct, cancellationToken) is not { } closer)
            {
                return ReconcileResult.After(StaleDelay);
            }

            pass = await ExecuteAsync(key, closer.Seen, closer.Decision, direct, cancellationToken);
            if (!pass.IsTaken)
            {
                break;
            }

            if (IsOvertaken(pass.Seen.Workspace, pass.Workspace))
            {
                return ReconcileResult.After(StaleDelay);
            }

            seen = seen with { Workspace = pass.Workspace };
        }

        var (workspace, decision, refusals) = (pass.Workspace, pass.Decision, pass.Refusals);
        if (refusals.Count > 0)
        {
            admissions.Withdraw(key);
            decision = Decider.Decide(pass.Seen with { Refusals = refusals }, settings);
        }

        else
        {
            decision = LookAhead(pass);
        }

        if (IsOvertaken(pass.Seen.Workspace, workspace))
        {
            return ReconcileResult.After(StaleDelay);
        }

        await WriteStatusAsync(key, workspace, decision, cancellationToken);
        if (AdmissionPlan.TellsOfAPlace(decision.Status))
        {
            // Not without: a place that only the look ahead was given is told by the next look, and until then nobody's for good.
            admissions.Use(key);
        }

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

    private async Task<IKubeObject?> ExecuteAsync(
        ResourceKey key, Observation seen, UserWorkspace workspace, Step step, CancellationToken cancellationToken)
    {
        using var span = OperatorTraces.Write(key, step.GetType().Name);
        try
        {
            return await WriteAsync(key, seen, workspace, step, cancellationToken);
        }
        catch (Exception e)
        {
            span.Failed(e);
            throw;
        }
    }

    /// <returns>The object as it is then; null where that is not known.</returns>
    private async Task<IKubeObject?> WriteAsync(
        ResourceKey key, Observation seen, UserWorkspace workspace, Step step, CancellationToken cancellationToken)
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
                return await BringAsync(key, seen, s, s.Object, cancellationToken);
            case Step.ApplyService s:
                return await BringAsync(key, seen, s, s.Object, cancellationToken);
            case Step.ApplyNetworkPolicy s:
                return await BringAsync(key, seen, s, s.Object, cancellationToken);
            case Step.ApplyMiddleware s:
                return await BringAsync(key, seen, s, s.Object, cancellationToken);
            case Step.ApplyRoute s:
                return await BringAsync(key, seen, s, s.Object, cancellationToken);
            case Step.RepairWorkspace s:
                return await RepairAsync(key, workspace, s, cancellationToken);
            case Step.RepairPod s:
                await RepairAsync(key, s, cancellationToken);
                break;
            case Step.StopWorkspace s:
                return await StopAsync(key, workspace, s, cancellationToken);
            case Step.CreatePod s:
                admissions.Use(key);

                // Created, not applied: the API refuses a second pod of the name, whoever made the first.
                var pod = await client.CreateAsync(s.Object, new WriteOptions { FieldManager = FieldManager }, cancellationToken);
                gate.WroteAt(key, pod);
                return pod;
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

        return null;
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

