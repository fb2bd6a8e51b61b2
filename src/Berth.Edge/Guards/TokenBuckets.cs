using System.Threading.RateLimiting;

namespace Berth.Edge;

/// <summary>Token buckets for partitioned limiters.</summary>
internal static class TokenBuckets
{
    /// <summary>A bucket that is full at first and refills evenly.</summary>
    public static TokenBucketRateLimiterOptions Options(int requests, TimeSpan window)
    {
        var (tokens, period) = Refill(requests, window);
        return new TokenBucketRateLimiterOptions
        {
            TokenLimit = requests,
            TokensPerPeriod = tokens,
            ReplenishmentPeriod = period,
            QueueLimit = 0,
            AutoReplenishment = false,
        };
    }

    // A partitioned limiter looks each 100 ms; more often than that tokens come several at a time.
    private static (int Tokens, TimeSpan Period) Refill(int requests, TimeSpan window)
    {
        var each = window / requests;
        var least = TimeSpan.FromMilliseconds(100);
        return each >= least ? (1, each) : ((int)Math.Ceiling(least / each), least);
    }
}
