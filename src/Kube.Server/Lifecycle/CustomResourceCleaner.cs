using Kube.Server.Crd;
using Kube.Server.Kinds;
using Kube.Server.Pipeline;
using Microsoft.Extensions.Logging;

namespace Kube.Server.Lifecycle;

/// <summary>
/// Deletes the instances of CustomResourceDefinitions that are being deleted, then lets the definitions go. Woken by every change, and does
/// nothing unless one is terminating.
/// </summary>
internal sealed partial class CustomResourceCleaner(ClusterApi api, ILogger logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _work = Task.CompletedTask;

    public void Start() => _work = Task.Run(() => RunAsync(_stop.Token));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _work.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        long version = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await SweepAsync().ConfigureAwait(false);
                var batch = api.Store.ReadAfter(null, version);
                version = batch.TooOld ? api.Store.State.ResourceVersion : batch.UpTo;
                if (batch.Records.Count == 0 && !batch.TooOld)
                {
                    await batch.Changed.WaitAsync(cancellationToken).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is ApiException or InvalidOperationException)
            {
                LogFailed(logger, e);
                try
                {
                    await Task.Delay(TimeSpan.FromSeconds(1), api.Time, cancellationToken).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }
    }

    private async Task SweepAsync()
    {
        var state = api.Store.State;
        foreach (var crd in state.Table(KindRegistry.Crds).Values.Where(IsTerminating))
        {
            var resource = new GroupResource(Json.Text(crd.Value, "spec", "group") ?? "", Json.Text(crd.Value, "spec", "names", "plural")
                ?? "");
            var instances = state.Table(resource).Values.ToList();
            await DeleteAllAsync(instances).ConfigureAwait(false);
            if (instances.Count == 0)
            {
                await api.ModifyAsync(KindRegistry.Crds, null, crd.Name, obj =>
                {
                    var rest = Json.StringItems(Json.At(obj, "metadata", "finalizers")).Where(f => f != CrdCompiler.Finalizer).ToList();
                    Json.Ensure(obj, "metadata")["finalizers"] = Json.Strings(rest);
                    return true;
                }).ConfigureAwait(false);
            }
        }
    }

    private async Task DeleteAllAsync(List<Storage.StoredObject> objects)
    {
        foreach (var obj in objects.Where(o => !IsTerminating(o)))
        {
            try
            {
                await api.DeleteAsync(obj.Resource, obj.Namespace, obj.Name).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // Gone already.
            }
        }
    }

    private static bool IsTerminating(Storage.StoredObject stored) => Json.At(stored.Value, "metadata", "deletionTimestamp") is not null;

    [LoggerMessage(20, LogLevel.Warning, "Emptying a terminating custom kind failed; trying again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
