using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>
/// Looks for orphans at the start of a term and by interval, in the caches: no lists, and no writes while there are none.
/// </summary>
internal sealed class Sweeper(
    IKubeClient client,
    WorkspaceCaches caches,
    SweeperOptions options,
    IEventRecorder events,
    OperatorMetrics metrics,
    TimeProvider time,
    ILogger logger)
{
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        if (options.IntervalSeconds == 0)
        {
            return;
        }

        try
        {
            await Task.WhenAll(((IInformer[])[caches.Workspaces, caches.Templates, caches.Pods, caches.Volumes, caches.Services,
                caches.NetworkPolicies]).Select(i => i.WaitForSyncAsync(cancellationToken)));
            while (true)
            {
                await SweepAsync(cancellationToken);
                await Task.Delay(TimeSpan.FromSeconds(options.IntervalSeconds), time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The way to end.
        }
    }

    /// <summary>One sweep.</summary>
    internal async Task<ImmutableArray<Orphan>> SweepAsync(CancellationToken cancellationToken)
    {
        var live = caches.Workspaces.Store.List().Select(w => w.Metadata.Uid)
            .Concat(caches.Templates.Store.List().Select(t => t.Metadata.Uid)).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var orphans = SweepPlan.Make(Objects(), live.Contains, k => caches.Workspaces.Store.Get(k) is not null,
            TimeSpan.FromSeconds(options.MinAgeSeconds), options.DryRun, time.GetUtcNow());
        foreach (var orphan in orphans)
        {
            await TreatAsync(orphan, cancellationToken);
        }

        metrics.Orphans(orphans);
        return orphans;
    }

    private async Task TreatAsync(Orphan orphan, CancellationToken cancellationToken)
    {
        var obj = orphan.Object;
        try
        {
            // Not on the word of a cache that may be behind.
            if (obj.Metadata.Labels?.GetValueOrDefault(Labels.Workspace) is { } name
                && await client.TryGetAsync<UserWorkspace>(obj.Metadata.Namespace, name, cancellationToken) is not null)
            {
                return;
            }

            if (orphan.Action == SweepAction.Report)
            {
                SweepLog.WouldDelete(logger, obj.Kind, obj.Key, orphan.Why);
                events.Warning(obj.Source!, Reasons.Orphan, $"Nobody looks after it: {orphan.Why}. It is left alone, as it holds data; "
                    + "delete it, or set Berth:Operator:Sweeper:DryRun to false.");
                return;
            }

            await obj.Delete!(cancellationToken);
            SweepLog.Deleted(logger, obj.Kind, obj.Key, orphan.Why);
            events.Normal(obj.Source!, Reasons.Orphan, $"Deleted: {orphan.Why}.");
        }
        catch (KubeException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone, or another object has the name.
        }
        catch (KubeException e)
        {
            SweepLog.Refused(logger, obj.Kind, obj.Key, e.Message);
        }
    }

    private IEnumerable<SweepObject> Objects() =>
        Of(caches.Pods)
            .Concat(Of(caches.Services))
            .Concat(Of(caches.NetworkPolicies))
            .Concat(Of(caches.Volumes).Select(o => o with { HoldsData = true }))
            .Concat(caches.Routes is { } routes ? Of(routes) : [])
            .Concat(caches.Middlewares is { } middlewares ? Of(middlewares) : [])
            .Concat(caches.EdgeLeaseCaches.SelectMany(c => Of(c)).Select(o => o with { RenewedAt = ((Lease)o.Source!).Spec?.RenewTime }));

    private IEnumerable<SweepObject> Of<T>(SharedInformer<T> informer)
        where T : class, IKubeResource<T> => informer.Store.List().Select(o => new SweepObject(T.Descriptor.Kind, o.Metadata)
        {
            Source = o,
            Delete = token =>
                client.DeleteAsync<T>(o.Metadata.Namespace, o.Metadata.Name!, new DeleteOptions { Uid = o.Metadata.Uid }, token),
        });
}

/// <summary>Logs of the sweeper. Ids 2140 to 2149.</summary>
internal static partial class SweepLog
{
    [LoggerMessage(2140, LogLevel.Warning, "Orphan {Kind} {Key}: {Why}. It is left alone, as it holds data")]
    internal static partial void WouldDelete(ILogger logger, string kind, ResourceKey key, string why);

    [LoggerMessage(2141, LogLevel.Information, "Orphan {Kind} {Key} deleted: {Why}")]
    internal static partial void Deleted(ILogger logger, string kind, ResourceKey key, string why);

    [LoggerMessage(2142, LogLevel.Warning, "Orphan {Kind} {Key} could not be deleted; it is tried again at the next sweep: {Message}")]
    internal static partial void Refused(ILogger logger, string kind, ResourceKey key, string message);
}
