using System.Diagnostics.Metrics;

namespace Berth.Operator.Tests;

/// <summary>
/// What operators say of their pools. Pods and workspaces come to an operator by watches of their own, so that it may hear of a workspace
/// before it hears that the pod for it, which the API has long called ready, is: a test that is about such a pod has to wait for its word.
/// </summary>
internal static class PoolFigures
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(30);

    /// <summary>Waits until an operator has counted as many ready pods in the pools of a namespace.</summary>
    internal static async Task UntilReadyAsync(string ns, int pods, TimeSpan patience)
    {
        using var deadline = new CancellationTokenSource(patience);
        while (Ready(ns) is var ready && ready != pods)
        {
            if (deadline.IsCancellationRequested)
            {
                throw new TimeoutException($"The operator counts {ready} ready pods in {ns} instead of {pods}.");
            }

            await Task.Delay(Interval, TimeProvider.System);
        }
    }

    private static long Ready(string ns)
    {
        var most = 0L;
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument is { Meter.Name: OperatorMetrics.MeterName, Name: "berth_operator_pool_pods" })
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, pods, tags, _) =>
        {
            var isMeant = tags.Contains(new("namespace", ns)) && tags.Contains(new("state", "ready"));
            most = isMeant ? Math.Max(most, pods) : most;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return most;
    }
}
