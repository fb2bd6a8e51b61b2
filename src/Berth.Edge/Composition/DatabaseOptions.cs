namespace Berth.Edge;

/// <summary>
/// The account store: section <c>Berth:Edge:Database</c>. In-process composition registers its own, and only the times count then.
/// </summary>
public sealed record DatabaseOptions
{
    /// <summary>PostgreSQL, as Npgsql reads it. The default is none: accounts and revocations are in memory, for one replica.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>Bring the schema up to date at start. The default is true; false where a deployment step with more rights does.</summary>
    public bool Migrate { get; init; } = true;

    /// <summary>How long sessions are kept after they have ended. The default is 30 days.</summary>
    public TimeSpan KeepSessions { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long audit events are kept; the database's own minimum holds besides. The default is none: for ever.</summary>
    public TimeSpan? KeepAudit { get; init; }

    /// <summary>How long history and usage of workspaces are kept. The default is 731 days: this year and the last.</summary>
    public TimeSpan KeepHistory { get; init; } = TimeSpan.FromDays(731);

    /// <summary>Adds a sentence for each value that cannot be used.</summary>
    internal void Check(ICollection<string> problems)
    {
        foreach (var (name, value) in new[] { ("KeepSessions", KeepSessions), ("KeepAudit", KeepAudit ?? TimeSpan.MaxValue),
            ("KeepHistory", KeepHistory) })
        {
            if (value < TimeSpan.FromDays(1))
            {
                problems.Add($"Berth:Edge:Database:{name} is {value}; give at least a day (1.00:00:00).");
            }
        }
    }
}
