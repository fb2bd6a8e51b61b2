namespace Berth.Edge;

/// <summary>Personal access tokens: section <c>Berth:Edge:PersonalTokens</c>.</summary>
public sealed record PersonalTokenOptions
{
    /// <summary>
    /// Whether there are such tokens. The default is true. With false none is made and none is accepted, those that people have included;
    /// they can still be seen and revoked, and count again when it is true again.
    /// </summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Longest life that may be asked for. The default is 366 days: a yearly renewal, leap years too.</summary>
    public TimeSpan MaximumLifetime { get; init; } = TimeSpan.FromDays(366);

    /// <summary>Life of a token when nobody says one. The default is 90 days.</summary>
    public TimeSpan DefaultLifetime { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Adds a sentence for each value that cannot be used.</summary>
    internal void Check(ICollection<string> problems)
    {
        var day = TimeSpan.FromDays(1);
        if (MaximumLifetime < day || MaximumLifetime > 366 * day || MaximumLifetime.Ticks % day.Ticks != 0)
        {
            problems.Add($"Berth:Edge:PersonalTokens:MaximumLifetime is {MaximumLifetime}; give 1 to 366 whole days (366.00:00:00).");
        }

        if (DefaultLifetime < day || DefaultLifetime > MaximumLifetime || DefaultLifetime.Ticks % day.Ticks != 0)
        {
            problems.Add($"Berth:Edge:PersonalTokens:DefaultLifetime is {DefaultLifetime}; give whole days, no more than MaximumLifetime "
                + $"({MaximumLifetime}).");
        }
    }
}
