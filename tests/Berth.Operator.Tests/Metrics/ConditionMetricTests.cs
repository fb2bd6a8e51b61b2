using System.Diagnostics.Metrics;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>Workspaces by condition: what alerts read that no condition of one workspace can tell.</summary>
public sealed class ConditionMetricTests
{
    [Fact]
    public void Conditions_AreCountedByTypeStatusAndReason()
    {
        // A reason of its own: meters belong to the process, and the operators of other tests count theirs.
        var reason = $"Test{Guid.NewGuid():N}";
        UserWorkspace[] workspaces = [With("True", reason), With("False", reason), With("False", reason), new()];
        using var metrics = new OperatorMetrics(() => workspaces);
        var read = new Dictionary<string, long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "berth_operator_conditions")
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            var labels = tags.ToArray().ToDictionary(t => t.Key, t => (string)t.Value!);
            if (labels["reason"] == reason)
            {
                read[$"{labels["type"]} {labels["status"]}"] = value;
            }
        });
        listener.Start();
        listener.RecordObservableInstruments();

        Assert.Equal([("ActivityFresh False", 2L), ("ActivityFresh True", 1L)], read.Select(r => (r.Key, r.Value)).Order());
    }

    private static UserWorkspace With(string status, string reason) => new()
    {
        Status = new UserWorkspaceStatus
        {
            Conditions = [new Condition { Type = ConditionTypes.ActivityFresh, Status = status, Reason = reason }],
        },
    };
}
