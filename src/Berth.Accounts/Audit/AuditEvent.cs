namespace Berth.Accounts;

/// <summary>Something that somebody did, or was refused. Written once, never changed.</summary>
public sealed record AuditEvent
{
    /// <summary>Time-ordered id; makes a repeated write harmless.</summary>
    public Guid Id { get; init; } = Guid.CreateVersion7();

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Who; null for a stranger.</summary>
    public PersonKey? Actor { get; init; }

    /// <summary>What, as <c>noun.verb</c>, such as <c>workspace.stop</c>.</summary>
    public required string Action { get; init; }

    /// <summary>To what, such as <c>workspaces/ws-abc</c>; never a secret.</summary>
    public string? Target { get; init; }

    /// <summary><c>allowed</c>, <c>refused</c> or <c>failed</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary>Id of the request, as pages and problem documents show it.</summary>
    public string? RequestId { get; init; }
}

/// <summary>Which audit events to read.</summary>
public sealed record AuditQuery
{
    /// <summary>Only of this actor; null for everybody.</summary>
    public PersonKey? Actor { get; init; }

    /// <summary>Only of this object; null for every object.</summary>
    public string? Target { get; init; }

    /// <summary>At most this many. The default is 100, the largest 1,000.</summary>
    public int Limit { get; init; } = 100;
}
