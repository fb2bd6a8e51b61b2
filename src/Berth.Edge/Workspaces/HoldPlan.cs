using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>A wish that a workspace is kept running for a while: one of <see cref="Until"/> and <see cref="Seconds"/>.</summary>
internal sealed record HoldWish
{
    /// <summary>When it ends: RFC 3339 with Z or an offset.</summary>
    public string? Until { get; init; }

    /// <summary>How many seconds from now.</summary>
    public long? Seconds { get; init; }

    /// <summary>What for, in words; at most 256 characters. Holds only.</summary>
    public string? Reason { get; init; }
}

/// <summary>A change of what keeps a workspace running, and what to tell whoever asked for it.</summary>
/// <param name="Patch">Merge patch of the workspace.</param>
/// <param name="Notice">What came out otherwise than wished, in words; null when nothing did.</param>
internal sealed record HoldChange(JsonObject Patch, string? Notice);

/// <summary>Makes the patches of holds and of "keep"; pure functions.</summary>
/// <remarks>
/// No hold ends later than the policy's <c>maxHoldSeconds</c> after the workspace was started: a longer wish is cut, and the answer says
/// so. The operator holds to the same bound, so that what is written past this code changes nothing.
/// </remarks>
internal static partial class HoldPlan
{
    /// <summary>Most that holds may keep a workspace where no policy says another number: a day, as the operator has it.</summary>
    public const long DefaultMaximumSeconds = 86400;

    /// <summary>How long "keep" keeps when nothing is said: two hours, a meeting with a lunch.</summary>
    public const long DefaultKeepSeconds = 7200;

    private const int MaximumHolds = 16;
    private const int MaximumReason = 256;
    private const long MaximumSeconds = 366L * 86400;

    /// <summary>Adds or replaces a hold.</summary>
    /// <exception cref="ProblemException">Why it cannot be.</exception>
    public static HoldChange Put(UserWorkspace workspace, string name, HoldWish wish, PolicyLifetime? policy, DateTimeOffset now)
    {
        if (name.Length > 63 || !HoldName().IsMatch(name))
        {
            throw ProblemException.Invalid(
                "hold", "use 1 to 63 letters, digits, dashes, dots and underscores, with a letter or digit at both ends.");
        }

        if (wish.Reason is { } reason && (reason.Length > MaximumReason || reason.Any(char.IsControl)))
        {
            throw ProblemException.Invalid("reason", $"use at most {MaximumReason} characters and no control characters.");
        }

        var (until, notice) = Cut(workspace, End(wish, null, now), policy, now);
        var others = Living(workspace, name, now);
        if (others.Count >= MaximumHolds)
        {
            throw new ProblemException(409, "too-many-holds", "There are as many holds as there can be",
                $"'{workspace.Metadata.Name}' has {others.Count} holds: {string.Join(", ", others.Select(h => h.Name))}. "
                    + "Delete one first.");
        }

        return new HoldChange(Holds([.. others, new WorkspaceHold { Name = name, Until = until, Reason = wish.Reason }]), notice);
    }

    /// <summary>Takes a hold away.</summary>
    /// <exception cref="ProblemException">There is none of that name.</exception>
    public static HoldChange Delete(UserWorkspace workspace, string name, DateTimeOffset now)
    {
        if (workspace.Spec.Lifetime?.Holds?.Any(h => h.Name == name) != true)
        {
            throw new ProblemException(404, "hold-not-found", "No such hold",
                $"'{workspace.Metadata.Name}' has no hold of that name. The workspace itself lists those it has.");
        }

        return new HoldChange(Holds(Living(workspace, name, now)), null);
    }

    /// <summary>Keeps it running until a time.</summary>
    /// <exception cref="ProblemException">Why it cannot be.</exception>
    public static HoldChange Keep(UserWorkspace workspace, HoldWish wish, PolicyLifetime? policy, DateTimeOffset now)
    {
        if (wish.Reason is not null)
        {
            throw ProblemException.Invalid("reason", "only holds have one; use PUT …/holds/{hold}.");
        }

        var (until, notice) = Cut(workspace, End(wish, DefaultKeepSeconds, now), policy, now);
        return new HoldChange(Lifetime("keepUntil", ActivityPlan.Text(until)), notice);
    }

    /// <summary>Takes "keep" back.</summary>
    public static HoldChange Unkeep() => new(Lifetime("keepUntil", null), null);

    private static DateTimeOffset End(HoldWish wish, long? otherwise, DateTimeOffset now)
    {
        switch (wish)
        {
            case { Until: not null, Seconds: not null }:
                throw ProblemException.Invalid("until", "give until or seconds, not both.");
            case { Until: { } text }:
                if (text.Length > 40 || !WithOffset().IsMatch(text)
                    || !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var until))
                {
                    throw ProblemException.Invalid("until", "must be a time such as 2030-01-31T18:00:00Z, with Z or an offset.");
                }

                return until > now ? until : throw ProblemException.Invalid("until", "is over already.");
            case { Seconds: { } seconds }:
                return seconds is > 0 and <= MaximumSeconds
                    ? now.AddSeconds(seconds)
                    : throw ProblemException.Invalid("seconds", $"must be a number from 1 to {MaximumSeconds}.");
            default:
                return otherwise is { } usual ? now.AddSeconds(usual)
                    : throw ProblemException.Invalid("until", "is required; or give seconds, the time from now.");
        }
    }

    private static (DateTimeOffset Until, string? Notice) Cut(UserWorkspace workspace, DateTimeOffset until, PolicyLifetime? policy,
        DateTimeOffset now)
    {
        // What does not run will be started later than now, and counts from then.
        var start = workspace.Spec.DesiredState == DesiredStates.Running ? workspace.Status?.Start : null;
        var most = TimeSpan.FromSeconds(policy?.MaxHoldSeconds ?? DefaultMaximumSeconds);
        var ceiling = ActivityPlan.WholeSeconds((start?.ReadyAt ?? start?.RequestedAt ?? now) + most);
        var bound = $"This installation lets a workspace be kept running for {Words(most)} from its start";
        if (ceiling <= now)
        {
            throw new ProblemException(409, "hold-ceiling", "It cannot be kept running any longer",
                $"{bound}, and '{workspace.Metadata.Name}' has run that long. It is stopped when nobody uses it; using it keeps it "
                    + "running, and so does a restart for another such time.");
        }

        return until <= ceiling
            ? (until, null)
            : (ceiling, $"{bound}: until {ActivityPlan.Text(ceiling)}, not until {ActivityPlan.Text(until)} as was asked for.");
    }

    private static string Words(TimeSpan time) => time switch
    {
        { TotalHours: >= 1 } when time.Ticks % TimeSpan.TicksPerHour == 0 => time.TotalHours == 1 ? "an hour" : $"{time.TotalHours} hours",
        { TotalMinutes: >= 1 } when time.Ticks % TimeSpan.TicksPerMinute == 0 => $"{time.TotalMinutes} minutes",
        _ => $"{time.TotalSeconds} seconds",
    };

    // What has ended goes with the next change: the list has 16 places.
    private static IReadOnlyList<WorkspaceHold> Living(UserWorkspace workspace, string except, DateTimeOffset now) =>
        [.. (workspace.Spec.Lifetime?.Holds ?? []).Where(h => h.Name != except && h.Until > now)];

    private static JsonObject Holds(IReadOnlyList<WorkspaceHold> holds) => Lifetime("holds", holds.Count == 0 ? null : new JsonArray(
        [
            .. holds.Select(h =>
            {
                var hold = new JsonObject { ["name"] = h.Name, ["until"] = ActivityPlan.Text(h.Until) };
                if (h.Reason is { } reason)
                {
                    hold["reason"] = reason;
                }

                return hold;
            }),
        ]));

    private static JsonObject Lifetime(string name, JsonNode? value) =>
        new() { ["spec"] = new JsonObject { ["lifetime"] = new JsonObject { [name] = value } } };

    [GeneratedRegex(@"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex HoldName();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)\z", RegexOptions.CultureInvariant)]
    private static partial Regex WithOffset();
}
