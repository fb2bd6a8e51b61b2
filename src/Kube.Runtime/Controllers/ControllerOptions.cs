namespace Kube.Runtime;

/// <summary>How a controller works.</summary>
public sealed record ControllerOptions
{
    /// <summary>
    /// Objects worked on at a time. Default 4: a reconcile mostly waits for the API server, so one at a time would let a slow one hold up
    /// all others, and more would only move the queue into the server. controller-runtime's default of 1 is what its users raise first.
    /// </summary>
    public int MaxConcurrentReconciles { get; init; } = 4;

    /// <summary>How long to wait for the first picture of all watched kinds before giving up. Default 2 min (controller-runtime).</summary>
    public TimeSpan CacheSyncTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long running reconciles, whose token is cancelled, may take to return. Default 30 s: the usual termination grace period
    /// of a pod.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Delay after the first failure of an object, doubling with each. Default 5 ms.</summary>
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Longest delay between failures of an object. Default 1000 s.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(1000);

    /// <exception cref="ArgumentException">All that is wrong, in one message.</exception>
    internal void Validate()
    {
        List<string> problems = [];
        if (MaxConcurrentReconciles < 1)
        {
            problems.Add("MaxConcurrentReconciles must be at least 1");
        }

        if (CacheSyncTimeout <= TimeSpan.Zero)
        {
            problems.Add("CacheSyncTimeout must be positive");
        }

        if (ShutdownTimeout < TimeSpan.Zero)
        {
            problems.Add("ShutdownTimeout must not be negative");
        }

        if (FirstRetryDelay <= TimeSpan.Zero || MaxRetryDelay < FirstRetryDelay)
        {
            problems.Add("FirstRetryDelay must be positive and not above MaxRetryDelay");
        }

        if (problems.Count > 0)
        {
            throw new ArgumentException("Invalid controller options: " + string.Join("; ", problems) + ".");
        }
    }
}
