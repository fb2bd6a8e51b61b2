namespace Kube.Runtime;

/// <summary>How long to wait after failures in a row.</summary>
public sealed record BackoffOptions
{
    /// <summary>After the first failure. Default 800 ms (client-go's reflector: about 0.22 requests/s per watcher against a server that is
    /// down).</summary>
    public TimeSpan First { get; init; } = TimeSpan.FromMilliseconds(800);

    /// <summary>Longest wait before jitter. Default 30 s.</summary>
    public TimeSpan Cap { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Growth from one wait to the next. Default 2.</summary>
    public double Factor { get; init; } = 2;

    /// <summary>A wait is multiplied by a random number in [1, 1 + Jitter). Default 1: many clients of one server that restarts must not
    /// come back together.</summary>
    public double Jitter { get; init; } = 1;

    /// <summary>Time without a failure after which the next one counts as the first. Default 120 s.</summary>
    public TimeSpan ResetAfter { get; init; } = TimeSpan.FromSeconds(120);
}

/// <summary>Counts failures in time. Not thread-safe: it belongs to one loop.</summary>
internal sealed class Backoff(BackoffOptions options, TimeProvider time, Func<double>? random = null)
{
    private readonly Func<double> _random = random ?? Random.Shared.NextDouble;
    private long _lastFailure;
    private TimeSpan _lastDelay;
    private int _failures;

    public TimeSpan Next()
    {
        // What was spent waiting does not count as time without failure.
        if (_failures > 0 && time.GetElapsedTime(_lastFailure) - _lastDelay >= options.ResetAfter)
        {
            _failures = 0;
        }

        var ticks = Math.Min(options.First.Ticks * Math.Pow(options.Factor, _failures), options.Cap.Ticks);
        _failures++;
        _lastFailure = time.GetTimestamp();
        _lastDelay = TimeSpan.FromTicks((long)(ticks * (1 + (_random() * options.Jitter))));
        return _lastDelay;
    }
}
