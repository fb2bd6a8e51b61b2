using Berth.Resources;

namespace Berth.Operator;

/// <summary><c>status.usage</c>.</summary>
internal static class UsagePlan
{
    internal static WorkspaceUsage Write(Observation seen) => UsageMath.Next(
        seen.Workspace.Status?.Usage, Rates(seen), PriceTable.Of(seen.Policy.Spec.Prices), Times.Seconds(seen.Now));

    /// <summary>What it has now. A pod counts while it has a node: nobody pays for waiting for one.</summary>
    internal static UsageRates Rates(Observation seen)
    {
        var pod = seen.Pod is { Spec: { NodeName: { Length: > 0 } } spec } running && Children.Owns(seen.Workspace, running.Metadata)
            ? Amounts.Of(spec) : default;
        var storage = seen.Volume is { } volume && Children.OwnsVolume(seen.Workspace, volume.Metadata) ? Amounts.StorageOf(volume) : 0;
        return new UsageRates(pod.Cpu, pod.Memory, pod.Gpu, storage);
    }
}
