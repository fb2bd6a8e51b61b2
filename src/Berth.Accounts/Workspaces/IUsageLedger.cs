namespace Berth.Accounts;

/// <summary>How long whose workspaces ran, by day.</summary>
public interface IUsageLedger
{
    /// <summary>
    /// Queues what was seen of a run on one day; never waits, never throws. Of several sightings of one run and day the longest counts,
    /// once, whoever saw it.
    /// </summary>
    void Record(UsageSlice slice);

    /// <summary>A person's usage, by day and workspace.</summary>
    /// <param name="person">Whose.</param>
    /// <param name="from">First day (UTC).</param>
    /// <param name="to">Last day (UTC), included.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    Task<IReadOnlyList<UsageDay>> ListAsync(PersonKey person, DateOnly from, DateOnly to, CancellationToken cancellationToken);
}

/// <summary>Part of a run on one day.</summary>
/// <param name="WorkspaceUid">The workspace object.</param>
/// <param name="Run">Name of the run, made from its start so that every replica makes the same.</param>
/// <param name="Day">The day (UTC).</param>
/// <param name="Owner">Owner.</param>
/// <param name="Workspace">Name of the workspace.</param>
/// <param name="Seconds">Seconds of the run on that day, as far as seen, 0 to 86,400.</param>
public sealed record UsageSlice(string WorkspaceUid, string Run, DateOnly Day, PersonKey Owner, string Workspace, int Seconds)
{
    /// <summary>Cuts a run at midnight (UTC).</summary>
    /// <param name="workspaceUid">The workspace object.</param>
    /// <param name="owner">Owner.</param>
    /// <param name="workspace">Name of the workspace.</param>
    /// <param name="from">When it began to run.</param>
    /// <param name="to">Until when it was seen running; nothing is counted when that is before <paramref name="from"/>.</param>
    public static IEnumerable<UsageSlice> Of(
        string workspaceUid, PersonKey owner, string workspace, DateTimeOffset from, DateTimeOffset to)
    {
        var run = from.UtcDateTime.ToString("yyyyMMdd'T'HHmmss", System.Globalization.CultureInfo.InvariantCulture);
        var end = to.UtcDateTime;
        for (var at = from.UtcDateTime; at < end; at = at.Date.AddDays(1))
        {
            var until = at.Date.AddDays(1) < end ? at.Date.AddDays(1) : end;
            yield return new UsageSlice(
                workspaceUid, run, DateOnly.FromDateTime(at), owner, workspace, (int)Math.Round((until - at).TotalSeconds));
        }
    }
}

/// <summary>Usage of one workspace on one day.</summary>
/// <param name="Day">The day (UTC).</param>
/// <param name="Workspace">Name of the workspace.</param>
/// <param name="Seconds">Seconds that it ran.</param>
/// <param name="Runs">Number of runs that had a part in it.</param>
public sealed record UsageDay(DateOnly Day, string Workspace, long Seconds, int Runs);
