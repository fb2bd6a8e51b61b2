namespace Kube.Runtime;

/// <summary>Who leads, by a Lease that the candidates compete for.</summary>
public sealed record LeaderElectionOptions
{
    /// <summary>Namespace of the Lease.</summary>
    public required string Namespace { get; init; }

    /// <summary>Name of the Lease: one per group of candidates.</summary>
    public required string Name { get; init; }

    /// <summary>What this candidate calls itself; must be unique among them, and new at each start. Default host name and a random
    /// number.</summary>
    public string Identity { get; init; } = $"{Environment.MachineName}_{Guid.NewGuid():N}";

    /// <summary>How long others wait after the last sign of life of a leader. Default 15 s (client-go).</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a leader tries to renew before it gives up. Default 10 s: 5 s before anybody else may take over.</summary>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time between tries. Default 2 s.</summary>
    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Tries of candidates are spread: a period is multiplied by a random number in [1, 1 + 1.2), as client-go does.</summary>
    public const double JitterFactor = 1.2;

    /// <summary>Give the Lease back when stopping, so that the next leader need not wait for it to run out. Default true.</summary>
    public bool ReleaseOnCancel { get; init; } = true;

    /// <exception cref="ArgumentException">All that is wrong, in one message.</exception>
    internal void Validate()
    {
        List<string> problems = [];
        foreach (var (name, value) in new[] { (nameof(Namespace), Namespace), (nameof(Name), Name), (nameof(Identity), Identity) })
        {
            if (string.IsNullOrEmpty(value))
            {
                problems.Add($"{name} must not be empty");
            }
        }

        if (LeaseDuration < TimeSpan.FromSeconds(1) || RenewDeadline < TimeSpan.FromSeconds(1) || RetryPeriod < TimeSpan.FromSeconds(1))
        {
            problems.Add("LeaseDuration, RenewDeadline and RetryPeriod must be at least 1 s");
        }

        if (LeaseDuration <= RenewDeadline)
        {
            problems.Add($"LeaseDuration ({LeaseDuration}) must be greater than RenewDeadline ({RenewDeadline})");
        }

        if (RenewDeadline <= RetryPeriod * JitterFactor)
        {
            problems.Add(
                $"RenewDeadline ({RenewDeadline}) must be greater than RetryPeriod x {JitterFactor} ({RetryPeriod * JitterFactor})"
            );
        }

        if (problems.Count > 0)
        {
            throw new ArgumentException("Invalid leader election options: " + string.Join("; ", problems) + ".");
        }
    }
}
