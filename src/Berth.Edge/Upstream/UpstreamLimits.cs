using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Rate limits for each person and connection, on this replica. Partitions that nobody uses go by themselves.</summary>
internal sealed class UpstreamLimits : IDisposable
{
    private readonly ConcurrentDictionary<string, PartitionedRateLimiter<PersonKey>> _limiters = new(StringComparer.Ordinal);

    /// <summary>Takes a place; dispose it when the call has ended. Never waits.</summary>
    public RateLimitLease Enter(UpstreamSettings settings, PersonKey person) =>
        _limiters.GetOrAdd(settings.Connection, static (_, s) => Make(s.Rate), settings).AttemptAcquire(person);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var limiter in _limiters.Values)
        {
            limiter.Dispose();
        }
    }

    // Concurrency first: a call that finds no place takes nothing from the bucket.
    private static PartitionedRateLimiter<PersonKey> Make(UpstreamRateOptions rate) => PartitionedRateLimiter.CreateChained(
        PartitionedRateLimiter.Create<PersonKey, PersonKey>(p => RateLimitPartition.GetConcurrencyLimiter(
            p, _ => new ConcurrencyLimiterOptions { PermitLimit = rate.Concurrent, QueueLimit = 0 })),
        PartitionedRateLimiter.Create<PersonKey, PersonKey>(p => RateLimitPartition.GetTokenBucketLimiter(
            p, _ => TokenBuckets.Options(rate.Requests, rate.Window))));
}
