using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator;

/// <summary>Follows the Leases of edge replicas and notes when each renewal arrived, which no field of a Lease says. Thread-safe.</summary>
/// <remarks>
/// A Lease that was there before the operator looked proves nothing until it is renewed before its eyes: a restarted operator takes ten
/// seconds to believe again, and leaves what was announced as it is meanwhile (<see cref="EdgeReport.IsAwaited"/>). A replica is heard only
/// in the namespace of the workspaces, or in the edge's own: who may write Leases elsewhere must not be able to stop, or keep, other
/// people's workspaces.
/// </remarks>
internal sealed class EdgeWatch
{
    // A minute of renewals: the smallest difference among them is that of the clocks, the rest is delay.
    private const int Samples = 6;
    private static readonly TimeSpan SampleInterval = TimeSpan.FromSeconds(EdgeLeases.RenewSeconds / 2);
    private const int MaxDurationSeconds = 60;
    private const int DefaultDurationSeconds = 3 * EdgeLeases.RenewSeconds;

    // Replicas of a day of roll-outs: as long as a workspace may be held by what they wrote.
    private const int MaxGone = 256;
    private static readonly TimeSpan GoneFor = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<ResourceKey, Seen> _seen = [];
    private readonly List<(Lease Lease, EdgeReport Report, DateTimeOffset At)> _gone = [];
    private readonly TimeProvider _time;
    private readonly string _edgeNamespace;

    internal EdgeWatch(TimeProvider time, string edgeNamespace)
    {
        _time = time;
        _edgeNamespace = edgeNamespace;
    }

    internal void Follow(SharedInformer<Lease> leases) => leases.AddHandler(e =>
    {
        if (e.Kind == InformerEventKind.Deleted)
        {
            Gone(e.Resource);
        }
        else
        {
            Arrived(e.Resource);
        }
    });

    internal void Gone(Lease lease)
    {
        lock (_gate)
        {
            if (_seen.Remove(lease.Key(), out var gone))
            {
                var now = _time.GetUtcNow();
                _gone.RemoveAll(g => now - g.At > GoneFor);
                if (_gone.Count == MaxGone)
                {
                    _gone.RemoveAt(0);
                }

                // Others take away the Leases of replicas that died.
                var last = Report(gone);
                _gone.Add((gone.Lease, last with { Gone = true, EndedInOrder = last.IsFresh(now) }, now));
            }
        }
    }

    internal void Arrived(Lease lease)
    {
        if (lease.Spec?.RenewTime is not { } renewed)
        {
            return;
        }

        var now = _time.GetUtcNow();
        lock (_gate)
        {
            var known = _seen.GetValueOrDefault(lease.Key());
            if (known is null || known.Lease.Metadata.Uid != lease.Metadata.Uid)
            {
                _seen[lease.Key()] = new(lease, [], now);
            }
            else if (known.Lease.Spec!.RenewTime != renewed)
            {
                // What a watch that was cut off delivers at once is one sample: else it would push out all that were in time.
                var sample = now - renewed;
                _seen[lease.Key()] = now - known.SampledAt < SampleInterval && !known.Samples.IsEmpty
                    ? known with
                    {
                        Lease = lease,
                        Samples = known.Samples.SetItem(known.Samples.Length - 1, Min(known.Samples[^1],
                        sample))
                    }
                    : new(lease, [.. known.Samples.TakeLast(Samples - 1), sample], now);
            }
            else
            {
                // Something else of it changed.
                _seen[lease.Key()] = known with { Lease = lease };
            }
        }
    }

    /// <summary>The replicas that look after the workspaces of a namespace.</summary>
    internal ImmutableArray<EdgeReport> For(string ns)
    {
        lock (_gate)
        {
            return
            [
                .. _seen.Values.Where(s => Concerns(s.Lease, ns)).Select(Report),
                .. _gone.Where(g => Concerns(g.Lease, ns)).Select(g => g.Report),
            ];
        }
    }

    private bool Concerns(Lease lease, string ns)
    {
        var scope = lease.Metadata.Labels?.GetValueOrDefault(EdgeLeases.WorkspaceNamespace)
            ?? lease.Metadata.Annotations?.GetValueOrDefault(EdgeLeases.WorkspaceNamespace);
        return (string.IsNullOrEmpty(scope) || scope == ns)
            && (lease.Metadata.Namespace == ns || lease.Metadata.Namespace == _edgeNamespace);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static EdgeReport Report(Seen seen)
    {
        var spec = seen.Lease.Spec!;
        var behind = seen.Samples.IsEmpty ? TimeSpan.Zero : seen.Samples.Min();
        return new EdgeReport
        {
            Name = seen.Lease.Metadata.Name!,
            RenewedAt = Clocks.Shift(spec.RenewTime!.Value, behind),
            Duration = TimeSpan.FromSeconds(Math.Clamp(spec.LeaseDurationSeconds ?? DefaultDurationSeconds, 1, MaxDurationSeconds)),
            WrittenUntil = Times.Parse(seen.Lease.Metadata.Annotations?.GetValueOrDefault(EdgeLeases.ActivityWrittenUntil)) is { } until
                ? Clocks.Shift(until, behind)
                : null,
            Behind = behind,
            Confirmed = !seen.Samples.IsEmpty,
            MetAt = seen.Samples.IsEmpty ? seen.SampledAt : null,
        };
    }

    /// <param name="Lease">As it arrived last.</param>
    /// <param name="Samples">Time of arrival less the time of renewal, of the last renewals.</param>
    /// <param name="SampledAt">When the last sample was begun; before the first one, when the Lease was met.</param>
    private sealed record Seen(Lease Lease, ImmutableArray<TimeSpan> Samples, DateTimeOffset SampledAt);
}
