namespace Berth.Accounts;

/// <summary>History of workspaces: when they started and stopped, and why.</summary>
public interface IWorkspaceRecords
{
    /// <summary>
    /// Queues a record; never waits, never throws. The same record from several replicas, or twice from one, is kept once.
    /// </summary>
    void Record(WorkspaceRecord record);

    /// <summary>A person's records, newest first.</summary>
    /// <param name="person">Whose.</param>
    /// <param name="query">Which of them.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    Task<IReadOnlyList<WorkspaceRecord>> ListAsync(PersonKey person, WorkspaceRecordQuery query, CancellationToken cancellationToken);
}

/// <summary>Something that happened to a workspace.</summary>
public sealed record WorkspaceRecord
{
    /// <summary>The workspace object: a name can be used again, this cannot.</summary>
    public required string WorkspaceUid { get; init; }

    /// <summary>Name of the event, made from the workspace's own times so that every replica makes the same.</summary>
    public required string Event { get; init; }

    /// <summary>Owner.</summary>
    public required PersonKey Owner { get; init; }

    /// <summary>Name of the workspace.</summary>
    public required string Workspace { get; init; }

    /// <summary>Its template.</summary>
    public string? Template { get; init; }

    /// <summary><c>start</c>, <c>ready</c>, <c>stop</c>, <c>fail</c> or <c>delete</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Why, such as <c>Idle</c> or <c>Manual</c>; null when it is not known.</summary>
    public string? Reason { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>Which records to read.</summary>
public sealed record WorkspaceRecordQuery
{
    /// <summary>Only of this workspace; null for all.</summary>
    public string? Workspace { get; init; }

    /// <summary>Only before this time; null for all. The last one's time continues a list.</summary>
    public DateTimeOffset? Before { get; init; }

    /// <summary>At most this many. The default is 100, the largest 1,000.</summary>
    public int Limit { get; init; } = 100;
}
