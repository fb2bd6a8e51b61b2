using Kube.Client.Models;

namespace Kube.Runtime;

/// <summary>What a candidate may do with a lease: pure.</summary>
internal static class LeasePolicy
{
    /// <summary>What to write, or no spec to wait.</summary>
    /// <param name="current">The record as it is; null when there is none.</param>
    /// <param name="expired">Whether its holder has shown no sign of life for the lease's duration, by the local clock.</param>
    /// <param name="options">Who asks.</param>
    /// <param name="now">Only written down, never compared.</param>
    public static LeaseDecision Decide(LeaseSpec? current, bool expired, LeaderElectionOptions options, DateTimeOffset now)
    {
        var holder = current?.HolderIdentity ?? "";
        var renews = holder == options.Identity;
        if (holder.Length > 0 && !renews && !expired)
        {
            return default;
        }

        return new LeaseDecision(renews, new LeaseSpec
        {
            HolderIdentity = options.Identity,
            LeaseDurationSeconds = (int)Math.Ceiling(options.LeaseDuration.TotalSeconds),
            AcquireTime = renews ? current!.AcquireTime ?? now : now,
            RenewTime = now,
            LeaseTransitions = current is null ? 0 : (current.LeaseTransitions ?? 0) + (renews ? 0 : 1),
        });
    }

    /// <summary>The record after its holder gave it back: nobody holds it, and the number of terms is kept.</summary>
    public static LeaseSpec Released(LeaseSpec current, DateTimeOffset now) => current with
    {
        HolderIdentity = "",
        LeaseDurationSeconds = 1,
        AcquireTime = now,
        RenewTime = now,
    };

    /// <summary>The duration its holder promised; our own where the record has none that makes sense.</summary>
    public static TimeSpan DurationOf(LeaseSpec? spec, LeaderElectionOptions options) =>
        spec?.LeaseDurationSeconds is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : options.LeaseDuration;
}

/// <summary>What to write to a lease.</summary>
/// <param name="Renews">It is held by the candidate already.</param>
/// <param name="Spec">The record to write; null to wait.</param>
internal readonly record struct LeaseDecision(bool Renews, LeaseSpec? Spec);
