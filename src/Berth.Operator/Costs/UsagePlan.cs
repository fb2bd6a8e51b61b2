using Berth.Resources;

namespace Berth.Operator;

/// <summary><c>status.usage</c>.</summary>
internal static class UsagePlan
{
    /// <summary>
    /// The status with its usage. A new month or another price alone is no reason to write it: a look that changes nothing else stays
    /// without a write.
    /// </summary>
    internal static UserWorkspaceStatus Write(Observation seen, UserWorkspaceStatus status)
    {
        var former = seen.Workspace.Status;
        var rates = Rates(seen);
        var next = UsageMath.Next(former?.Usage, rates, PriceTable.Of(seen.Policy.Spec.Prices), Times.Seconds(seen.Now));
        return former?.Usage is { } usage
            && (ReferenceEquals(usage, next) || (UsageMath.RatesOf(usage) == rates && WorkspaceReconciler.Same(former, status)))
                ? status
                : status with { Usage = next };
    }

    /// <summary>What it has now. A pod counts while it has a node: nobody pays for waiting for one.</summary>
    internal static UsageRates Rates(Observation seen)
    {
        var pod = seen.Pod is { Spec: { NodeName: { Length: > 0 } } spec } running && Children.Owns(seen.Workspace, running.Metadata)
            ? Amounts.Of(spec) : default;
        var storage = seen.Volume is { } volume && Children.OwnsVolume(seen.Workspace, volume.Metadata) ? Amounts.StorageOf(volume) : 0;
        return new UsageRates(pod.Cpu, pod.Memory, pod.Gpu, storage);
    }
}
