using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// When a workspace stops by itself. Pure: the same for the same observation, and everything it remembers is in the status.
/// </summary>
/// <remarks>
/// <code>
///            nobody used it for idle - warn                          stopsAt is over, and every living
///            (or it nears its longest run)                           replica has written all use until then
///   running ──────────────────────────────► announced(stopsAt) ───────────────────────────────────────► spec.desiredState = Stopped
///      ▲                                        │
///      └────────────────────────────────────────┘  used, held, or nothing fresh is known of its use
/// </code>
/// Guarantees: warned for at least the policy's time; never stopped for lack of use while any replica of the edge that may know better
/// is silent; the stop is one write with the version that was looked at, so whatever was written since wins.
/// </remarks>
internal sealed record LifetimePlan
{
    /// <summary>How often a workspace is looked at whose stop waits for a replica's word: they speak every ten seconds.</summary>
    internal static readonly TimeSpan WordLook = TimeSpan.FromSeconds(2);

    /// <summary>How often, when the word has been missing for long.</summary>
    internal static readonly TimeSpan SilenceLook = TimeSpan.FromSeconds(30);

    /// <summary>Time after the announced stop at which a missing word is told.</summary>
    internal static readonly TimeSpan WordPatience = TimeSpan.FromMinutes(1);

    /// <summary>The activity as it should be in the status.</summary>
    public WorkspaceActivity? Activity { get; init; }

    /// <summary>The stop, when it is time.</summary>
    public Step.StopWorkspace? Stop { get; init; }

    /// <summary>What to tell.</summary>
    public ImmutableArray<Note> Notes { get; init; } = [];

    /// <summary>When to look again although nothing changes.</summary>
    public DateTimeOffset? LookAgainAt { get; init; }

    /// <summary>Why use is not known, where it matters now.</summary>
    public string? Unknown { get; init; }

    /// <summary>Whether use is known will be known in seconds: until then what was said of it stays.</summary>
    public bool Awaits { get; init; }

    /// <summary>Whether there is something to say about what is known of use: only once it mattered.</summary>
    public bool TellsFreshness { get; init; }

    internal static LifetimePlan Make(Observation seen, PodPlan pod, WorkspaceStart? start)
    {
        var former = seen.Workspace.Status?.Activity;
        if (seen.Workspace.Spec.DesiredState != DesiredStates.Running
            || (start?.ReadyAt ?? start?.RequestedAt) is not { } startedAt
            || pod.State is PodState.Absent or PodState.Blocked or PodState.Foreign or PodState.Ending)
        {
            return new LifetimePlan { Activity = With(former, null, null) };
        }

        return new Look(seen, pod, startedAt, start?.ReadyAt).Decide();
    }

    private static WorkspaceActivity? With(WorkspaceActivity? former, Announcement? announced, string? keptBy)
    {
        var activity = (former ?? new WorkspaceActivity()) with
        {
            StopsAt = announced?.StopsAt,
            AnnouncedAt = announced?.At,
            StopReason = announced?.Reason,
            KeptBy = keptBy,
        };
        return activity == new WorkspaceActivity() ? null : activity;
    }

    private sealed record Announcement(string Reason, DateTimeOffset StopsAt, DateTimeOffset At);

    /// <summary>One look at a workspace that runs, or tries to.</summary>
    private sealed class Look
    {
        private readonly Observation _seen;
        private readonly DateTimeOffset _now;
        private readonly WorkspaceActivity? _former;
        private readonly EdgeEvidence _evidence;
        private readonly Keeping _keeping;
        private readonly TimeSpan _warn;
        private readonly TimeSpan? _idle;
        private readonly TimeSpan? _maxRun;
        private readonly DateTimeOffset _lastUse;
        private readonly DateTimeOffset? _idleAt;
        private readonly DateTimeOffset? _latest;

        /// <summary>From when a stop for lack of use may be announced.</summary>
        private readonly DateTimeOffset? _idleZone;

        internal Look(Observation seen, PodPlan pod, DateTimeOffset startedAt, DateTimeOffset? readyAt)
        {
            _seen = seen;
            _now = seen.Now;
            _former = seen.Workspace.Status?.Activity;
            _evidence = new EdgeEvidence(seen.Edges, _now);
            _warn = seen.Policy.WarnBefore;
            _idle = seen.Policy.IdleTimeout(seen.Workspace, seen.Template);
            _maxRun = seen.Policy.MaxRun(seen.Workspace, seen.Template);
            _keeping = Keeping.Of(seen.Workspace, startedAt, seen.Policy.MaxHold, _now);
            _latest = startedAt + _maxRun;
            _lastUse = LastUse(startedAt);

            // What never was ready was never used: its start fails, or goes on, by rules of its own.
            if (_idle is { } idle && readyAt is not null && pod.State is PodState.Ready or PodState.Starting)
            {
                var unused = _lastUse + idle;
                _idleAt = _keeping.Until > unused ? _keeping.Until : unused;

                // A time-out that is shorter than the warning must not announce stops of what is in use.
                _idleZone = Later(_idleAt.Value - _warn, _lastUse + (idle / 2));
            }
        }

        internal LifetimePlan Decide()
        {
            var inZone = _now >= _idleZone;
            var missing = inZone ? _evidence.Missing() : null;
            var awaits = missing is not null && _evidence.Awaits();
            var former = Announced();
            var stays = former is not null && Holds(former, awaits ? null : missing);
            var announced = stays ? former : null;
            foreach (var fresh in (Announcement?[])[inZone && missing is null ? New(StopReasons.Idle, _idleAt!.Value) : null, Longest()])
            {
                if (fresh is not null && (announced is null || fresh.StopsAt < announced.StopsAt))
                {
                    announced = fresh;
                }
            }

            var waitsFor = announced is not null && announced == former && _now >= announced.StopsAt ? WaitsFor(announced) : null;
            var unknown = missing ?? (_now - announced?.StopsAt >= WordPatience ? waitsFor : null);
            var keptBy = announced is not null && (unknown is null || announced.Reason == StopReasons.MaxRun)
                ? Explain.Announced(announced.Reason, announced.StopsAt, _lastUse, _maxRun)
                : Explain.Running(_keeping, _idleAt is not null && _keeping.Until == _idleAt, unknown, _idle, _latest);
            return new LifetimePlan
            {
                Activity = With(_former, announced, awaits && announced == former ? _former?.KeptBy ?? keptBy : keptBy),
                Stop = announced is not null && announced == former && _now >= announced.StopsAt && waitsFor is null
                    ? new Step.StopWorkspace(announced.Reason == StopReasons.Idle ? RequestReasons.Idle : RequestReasons.Policy,
                        Times.Seconds(_now))
                    : null,
                Notes = Notes(former, announced, missing),
                LookAgainAt = LookAgain(announced, waitsFor, missing, awaits),
                Unknown = unknown,
                Awaits = awaits,
                TellsFreshness = unknown is not null || Told(),
            };
        }

        /// <summary>
        /// Use is what the edge wrote, what a replica that died may not have written, that somebody asked for the workspace, or that it
        /// became ready.
        /// </summary>
        private DateTimeOffset LastUse(DateTimeOffset startedAt)
        {
            var last = startedAt;
            if (_former?.Last is { } written)
            {
                last = Later(last, Clocks.Shift(written, _evidence.Behind));
            }

            if (_evidence.LostUntil is { } lost)
            {
                last = Later(last, lost);
            }

            // The edge's clock may be ahead; what lies further in the future is no request of the past.
            if (_seen.Workspace.Spec.LastRequest is { By: not RequestedBy.Operator, At: { } asked }
                && asked <= _now + EdgeReport.ToleratedSkew)
            {
                last = Later(last, asked);
            }

            // A clock that is ahead makes use last longer, never for ever.
            return last > _now ? _now : last;
        }

        private Announcement? Announced() => _former is { StopsAt: { } at, AnnouncedAt: { } since, StopReason: { } reason }
            ? new(reason, at, since)
            : null;

        /// <summary>Whether an announcement is still right.</summary>
        private bool Holds(Announcement announced, string? missing) => announced.Reason == StopReasons.MaxRun
            ? _latest <= announced.StopsAt
            : missing is null && _now >= _idleZone
                && _idleAt <= announced.StopsAt + (_evidence.Behind > TimeSpan.Zero ? EdgeEvidence.Latency : TimeSpan.Zero);

        private Announcement? Longest() => _latest is { } latest && _now >= latest - _warn ? New(StopReasons.MaxRun, latest) : null;

        private Announcement New(string reason, DateTimeOffset due) =>
            new(reason, Clocks.Ceiling(Later(due, _now + _warn)), Times.Seconds(_now));

        /// <summary>What a stop that is due waits for, in words; null when nothing stands in its way.</summary>
        private string? WaitsFor(Announcement announced) =>
            announced.Reason == StopReasons.MaxRun ? null
            : _evidence.NotWritten(announced.StopsAt)
                ?? (_seen.Template?.Spec.Activity?.Probe is not null && !ProbedSince(announced.At)
                    ? "the application's activity probe has not answered since the stop was announced"
                    : null);

        private bool ProbedSince(DateTimeOffset time) =>
            _former?.ProbedAt is { } probed && Clocks.Shift(probed, -_evidence.Ahead) > time;

        private bool Told() => _seen.Workspace.Status?.Conditions?.Any(c => c.Type == ConditionTypes.ActivityFresh) == true;

        private ImmutableArray<Note> Notes(Announcement? former, Announcement? announced, string? missing)
        {
            if (announced == former)
            {
                return [];
            }

            if (announced is not null)
            {
                return [new(false, Reasons.StopAnnounced,
                    Explain.Announced(announced.Reason, announced.StopsAt, _lastUse, _maxRun))];
            }

            var why = missing
                ?? (_keeping.Until >= _idleAt ? _keeping.Words
                    : _idle is null && _latest is null ? "it has no time-out any more"
                    : _idleAt is null ? "it does not answer"
                    : _lastUse > former!.At ? $"it was used at {Explain.Time(_lastUse)}"
                    : "it may run for longer");
            return [new(false, Reasons.StopWithdrawn, $"It does not stop at {Explain.Time(former!.StopsAt)}: {why}.")];
        }

        private DateTimeOffset? LookAgain(Announcement? announced, string? waitsFor, string? missing, bool awaits)
        {
            List<DateTimeOffset?> times = [_keeping.ChangesAt, _latest - _warn, _idleZone, announced?.StopsAt];
            if (waitsFor is not null)
            {
                times.Add(_now + (_now - announced!.StopsAt < WordPatience ? WordLook : SilenceLook));
            }
            else if (missing is not null)
            {
                times.Add(awaits ? _evidence.AwaitsUntil : _now + SilenceLook);
            }

            return times.Where(t => t > _now).Min();
        }

        private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
    }
}
