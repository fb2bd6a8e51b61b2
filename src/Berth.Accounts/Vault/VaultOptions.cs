namespace Berth.Accounts;

/// <summary>
/// The token vault: section <c>Berth:Edge:Vault</c>. It works where there are keys and a database; without keys it is off.
/// </summary>
public sealed record VaultOptions
{
    /// <summary>Keys that seal what is stored, one of them active.</summary>
    public IList<VaultKeyOptions> Keys { get; init; } = [];

    /// <summary>
    /// Keys that fingerprints are made with, one of them active. Others than <see cref="Keys"/>: they never open anything.
    /// </summary>
    public IList<VaultKeyOptions> FingerprintKeys { get; init; } = [];

    /// <summary>
    /// How long one token request may take. The default is 20 seconds: providers answer in one; after it the answer counts as lost.
    /// </summary>
    public TimeSpan ProviderTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long a replica may hold a token's lease. The default is 30 seconds: longer than <see cref="ProviderTimeout"/> and a commit, so
    /// that it runs out under a replica that crashed, and under no other.
    /// </summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a caller waits at most, whoever does the work. The default is 35 seconds: one lease that runs out, and a bit.
    /// </summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(35);

    /// <summary>
    /// How often a row is read again while another replica works on it and no notice comes. The default is 250 milliseconds.
    /// </summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// A refresh that is asked for by force is not made when the last one is younger. The default is 5 seconds: nobody drives the provider
    /// with our client, and a token as young as that gets no better.
    /// </summary>
    public TimeSpan ForcedRefreshInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// First wait after a provider did not answer; it doubles up to <see cref="LongestBackOff"/>. The default is 1 second.
    /// </summary>
    public TimeSpan FirstBackOff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait. The default is 1 minute: a provider that is back is noticed soon enough.</summary>
    public TimeSpan LongestBackOff { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Access tokens kept in memory, encrypted. The default is 10,000, about 40 MB of large tokens.</summary>
    public int CachedTokens { get; init; } = 10_000;

    /// <summary>
    /// How often the jobs look for work: idle tokens, records under old keys, revocations to deliver. The default is 30 seconds.
    /// </summary>
    public TimeSpan JobInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a revoked token's tombstone is kept. The default is 30 days.</summary>
    public TimeSpan KeepTombstones { get; init; } = TimeSpan.FromDays(30);

    /// <summary>
    /// How long a revocation is tried at the provider. The default is 7 days; after it what is left is destroyed all the same.
    /// </summary>
    public TimeSpan RevokeFor { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Checks the values; keys are checked when they are read.</summary>
    /// <param name="problem">Told the option and what is wrong with it.</param>
    public void Check(Action<string, string> problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        (string Name, TimeSpan Value)[] times =
        [
            (nameof(ProviderTimeout), ProviderTimeout), (nameof(Lease), Lease), (nameof(Deadline), Deadline), (nameof(Poll), Poll),
            (nameof(FirstBackOff), FirstBackOff), (nameof(LongestBackOff), LongestBackOff), (nameof(JobInterval), JobInterval),
        ];
        foreach (var (name, value) in times.Where(t => t.Value <= TimeSpan.Zero || t.Value > TimeSpan.FromHours(1)))
        {
            problem(name, $"is {value}; give a time between 0 and 1 hour, such as 00:00:30");
        }

        if (Lease <= ProviderTimeout)
        {
            problem(nameof(Lease), $"is {Lease}, not longer than ProviderTimeout ({ProviderTimeout}): two replicas would ask at once");
        }

        if (CachedTokens is < 1 or > 1_000_000)
        {
            problem(nameof(CachedTokens), $"is {CachedTokens}; give a number from 1 to 1000000");
        }
    }
}
