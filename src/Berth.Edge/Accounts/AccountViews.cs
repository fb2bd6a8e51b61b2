using Berth.Accounts;

namespace Berth.Edge;

/// <summary>What somebody writes as their preferences. What is absent is empty.</summary>
internal sealed record PreferencesBody
{
    /// <summary>Template for new workspaces; absent: the installation's default.</summary>
    public string? Template { get; init; }

    /// <summary>Values for parameters; a template takes those it has.</summary>
    public IReadOnlyDictionary<string, string>? Parameters { get; init; }

    /// <summary>Environment variables.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    public PreferenceWish ToWish() => new()
    {
        Template = Template,
        Parameters = Parameters ?? new Dictionary<string, string>(),
        Environment = Environment ?? new Dictionary<string, string>(),
    };
}

/// <summary>Preferences.</summary>
internal sealed record PreferencesView(
    string? Template, IReadOnlyDictionary<string, string> Parameters, IReadOnlyDictionary<string, string> Environment,
    DateTimeOffset? UpdatedAt)
{
    public static PreferencesView From(Preferences? preferences) => new(
        preferences?.Wish.Template,
        preferences?.Wish.Parameters ?? new Dictionary<string, string>(),
        preferences?.Wish.Environment ?? new Dictionary<string, string>(),
        preferences?.UpdatedAt);
}

/// <summary>A document without its value.</summary>
internal sealed record DatumHeadView(string Key, string Version, DateTimeOffset UpdatedAt);

/// <summary>Documents.</summary>
internal sealed record DatumListView(IReadOnlyList<DatumHeadView> Items);

/// <summary>Something that happened to a workspace.</summary>
internal sealed record HistoryItemView(
    string Workspace, string Kind, string? Reason, string? Template, DateTimeOffset At);

/// <summary>History, newest first.</summary>
internal sealed record HistoryView(IReadOnlyList<HistoryItemView> Items);

/// <summary>Usage of one workspace on one day.</summary>
internal sealed record UsageItemView(DateOnly Day, string Workspace, long Seconds, int Runs);

/// <summary>Usage.</summary>
internal sealed record UsageView(DateOnly From, DateOnly To, long Seconds, IReadOnlyList<UsageItemView> Items);

/// <summary>A session.</summary>
internal sealed record SessionView
{
    public required string Id { get; init; }

    public required string Device { get; init; }

    /// <summary>Whether it is the one that asks.</summary>
    public required bool Current { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset LastSeenAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? IdleExpiresAt { get; init; }

    public string? Workspace { get; init; }
}

/// <summary>Sessions, last used first.</summary>
internal sealed record SessionListView(IReadOnlyList<SessionView> Items);

/// <summary>Whether the audit log is whole.</summary>
internal sealed record AuditVerificationView(bool Whole, long Events, long HeadSequence, string HeadHash, long? BrokenAt, string? Reason);
