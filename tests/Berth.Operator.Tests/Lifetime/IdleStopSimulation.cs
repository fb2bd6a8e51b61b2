using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// A workspace, replicas of the edge and the operator, in simulated seconds: each has a clock of its own (up to a minute off) and sees what
/// the others wrote a little late; replicas are cut off from the API for minutes, die, or end in order; the operator is cut off and
/// restarted. People use the workspace in bursts, through whichever replica.
/// </summary>
internal sealed class IdleStopSimulation
{
    private const int MaxSkew = 60;
    private const int WriteDelay = 3;
    private const int SlowWrite = 90;
    private const int WatchDelay = 2;
    private static readonly DateTimeOffset Start = TestData.Now;

    private readonly Random _random;
    private readonly int _idle;
    private readonly List<Replica> _replicas = [];
    private readonly List<(int At, Replica By)> _uses = [];
    private readonly List<(int At, Action Do)> _pending = [];
    private readonly UserWorkspace _first;
    private readonly EffectivePolicy _policy;
    private readonly Testing.FakeTimeProvider _time = new(Start);
    private EdgeWatch _watch;
    private WorkspaceActivity _activity = new();
    private int _version;
    private (WorkspaceActivity Activity, int Version) _operatorSees;
    private (int From, int To) _operatorCutOff;
    private int _operatorRestartedAt = -1;
    private DateTimeOffset? _lookAgainAt;
    private bool _look = true;
    private int _now;

    internal IdleStopSimulation(int seed)
    {
#pragma warning disable CA5394 // Reproducible, not secret.
        _random = new Random(seed);
        _idle = Pick(360, 600, 1800, 3600);
        _policy = EffectivePolicy.From(new BerthPolicySpec
        {
            Lifetime = new PolicyLifetime { IdleTimeoutSeconds = _idle, WarnBeforeSeconds = Pick(10, 60, 300) },
        });
        _first = TestData.Workspace(s => s with { LastRequest = null });
        _watch = new EdgeWatch(_time, "berth");
        for (var i = 0; i <= _random.Next(3); i++)
        {
            Join();
        }
    }

    /// <summary>When it was stopped, in seconds; null: it was not within the time.</summary>
    internal int? StoppedAt { get; private set; }

    /// <summary>A use that the stop disregarded, in words; null when there is none.</summary>
    internal string? Violation { get; private set; }

    /// <summary>Runs until it is stopped, or for six idle times.</summary>
    internal void Run()
    {
        var quietUntil = 0;
        var busyUntil = _random.Next(_idle);
        for (_now = 0; _now < 6 * _idle && StoppedAt is null; _now++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Troubles();
            foreach (var due in _pending.Where(p => p.At <= _now).ToArray())
            {
                _pending.Remove(due);
                due.Do();
            }

            if (_now >= busyUntil && _now >= quietUntil)
            {
                // Many come back about when a stop is due: that is where it can go wrong.
                quietUntil = _now + (_random.Next(3) == 0 ? _random.Next(_idle) : (_idle * 2 / 3) + _random.Next(_idle / 2));
                busyUntil = quietUntil + _random.Next(1, _idle / 2);
            }
            else if (_now >= quietUntil && _random.Next(20) == 0 && Usable() is { } replica)
            {
                _uses.Add((_now, replica));
                replica.LastUse = replica.Clock(_now);
            }

            foreach (var replica in _replicas.Where(r => r.DiedAt is null && !r.IsCutOff(_now)))
            {
                replica.Work(this);
            }

            Operate();
        }
    }

    private Replica? Usable() => _replicas.Where(r => r.DiedAt is null).ToArray() is { Length: > 0 } living
        ? living[_random.Next(living.Length)]
        : null;

    private void Troubles()
    {
        if (_random.Next(200) == 0)
        {
            // Not for longer than a silence that counts as death: people could not come through a replica that is cut off for longer.
            var replica = _replicas[_random.Next(_replicas.Count)];
            replica.CutOff = (_now, _now + _random.Next(5, 200));
        }

        if (_random.Next(3000) == 0 && Usable() is { } dying)
        {
            dying.DiedAt = _now;
            if (_random.Next(2) == 0 && !dying.IsCutOff(_now))
            {
                // In order: what it knows is written before its Lease goes.
                dying.Flush(this);
                _pending.Add((_now + 1, () => _watch.Gone(dying.Lease(_now))));
            }

            Join();
        }

        if (_random.Next(3000) == 0 && _now >= _operatorCutOff.To)
        {
            _operatorCutOff = (_now, _now + _random.Next(5, 600));
        }

        if (_random.Next(3000) == 0)
        {
            _watch = new EdgeWatch(_time, "berth");
            _operatorRestartedAt = _now;
            foreach (var replica in _replicas.Where(r => r.Written is not null))
            {
                _watch.Arrived(replica.Written!);
            }

            _look = true;
        }
    }

    private void Join() => _replicas.Add(new Replica($"edge-{_replicas.Count}", _random.Next(-MaxSkew, MaxSkew + 1)) { JoinedAt = _now });

    private bool OperatorIsCutOff => _now >= _operatorCutOff.From && _now < _operatorCutOff.To;

    /// <summary>A write of the status arrives at the API, and a little later at those who watch.</summary>
    private void Write(Func<WorkspaceActivity, WorkspaceActivity> change)
    {
        _activity = change(_activity);
        var (activity, version) = (_activity, ++_version);
        foreach (var replica in _replicas)
        {
            _pending.Add((_now + _random.Next(WatchDelay + 1), () => replica.Sees(activity, version)));
        }

        _pending.Add((_now + _random.Next(WatchDelay + 1), () => OperatorSees(activity, version)));
    }

    private void OperatorSees(WorkspaceActivity activity, int version)
    {
        if (OperatorIsCutOff)
        {
            _pending.Add((_operatorCutOff.To, () => OperatorSees(activity, version)));
        }
        else if (version > _operatorSees.Version)
        {
            _operatorSees = (activity, version);
            _look = true;
        }
    }

    private void Renewed(Lease lease)
    {
        if (OperatorIsCutOff)
        {
            _pending.Add((_operatorCutOff.To, () => _watch.Arrived(lease)));
        }
        else
        {
            _watch.Arrived(lease);
        }
    }

    /// <summary>As the reconciler: looks when something changed or it is time, and writes with the version it looked at.</summary>
    private void Operate()
    {
        var now = _time.GetUtcNow();
        if (OperatorIsCutOff || !(_look || now >= _lookAgainAt))
        {
            return;
        }

        _look = false;
        var plan = LifetimePlan.Make(
            new Observation
            {
                Workspace = _first with { Status = new UserWorkspaceStatus { Activity = _operatorSees.Activity } },
                Edges = _watch.For(TestData.Ns),
                Policy = _policy,
                Now = now,
            },
            new PodPlan { State = PodState.Ready },
            new WorkspaceStart { RequestedAt = Start, ReadyAt = Start });
        _lookAgainAt = plan.LookAgainAt;
        var version = _operatorSees.Version;
        var delay = _random.Next(WriteDelay);
        if (plan.Stop is not null)
        {
            _pending.Add((_now + delay, () => Stop(version)));
        }
        else if (plan.Activity != _operatorSees.Activity)
        {
            _pending.Add((_now + delay, () => WriteStatus(version, plan.Activity ?? new WorkspaceActivity())));
        }
    }

    private void WriteStatus(int version, WorkspaceActivity activity)
    {
        if (version == _version)
        {
            Write(_ => activity);
        }
        else
        {
            _look = true;
        }
    }

    private void Stop(int version)
    {
        if (version != _version)
        {
            _look = true;
            return;
        }

        StoppedAt = _now;
        foreach (var (at, by) in _uses)
        {
            // What a replica learnt since its last word cannot be known: two renewals, or the half minute that its Lease is good for where
            // it was cut off; one more where the operator itself was cut off, and cannot tell how old the word was.
            var renewals = (by.WasCutOffSince(at) ? 3 : 2) + (_operatorCutOff.To > at - _idle ? 1 : 0);
            var unknowable = (renewals * EdgeLeases.RenewSeconds) + WriteDelay + WatchDelay;

            // A replica that died, and an operator restarted since, leave nobody who knows how its clock was.
            var slack = by.DiedAt < _operatorRestartedAt ? MaxSkew : 0;
            if (at <= _now - unknowable && _now - at < (_idle * 5 / 6) - slack)
            {
                Violation = $"stopped at {_now}, used at {at} through {by.Name} (skew {by.Skew}), idle time {_idle}";
            }
        }
    }

    private int Pick(params ReadOnlySpan<int> values) => values[_random.Next(values.Length)];

    /// <summary>A replica of the edge, as the contract has it.</summary>
    private sealed class Replica(string name, int skew)
    {
        private (WorkspaceActivity Activity, int Version) _sees = (new WorkspaceActivity(), 0);
        private bool _writing;
        private int _renewAt;
        private DateTimeOffset _writtenUntil = DateTimeOffset.MinValue;

        internal string Name => name;

        internal int Skew => skew;

        internal int JoinedAt { get; init; }

        internal int? DiedAt { get; set; }

        internal (int From, int To) CutOff { get; set; } = (-1, -1);

        internal DateTimeOffset? LastUse { get; set; }

        internal Lease? Written { get; private set; }

        internal DateTimeOffset Clock(int now) => Start.AddSeconds(now + skew);

        internal bool IsCutOff(int now) => now >= CutOff.From && now < CutOff.To;

        internal bool WasCutOffSince(int time) => CutOff.To > time;

        internal void Sees(WorkspaceActivity activity, int version)
        {
            if (version > _sees.Version)
            {
                _sees = (activity, version);
            }
        }

        /// <summary>
        /// Writes use that moved on by a sixth, or any where a stop is announced; then renews, and says until when all is written.
        /// </summary>
        internal void Work(IdleStopSimulation world)
        {
            var now = world._now;
            if (_writing)
            {
                Renew(world);
                return;
            }

            var last = _sees.Activity.Last ?? DateTimeOffset.MinValue;
            var bears = LastUse > last && (_sees.Activity.StopsAt is not null || LastUse - last >= TimeSpan.FromSeconds(world._idle / 6.0));
            if (bears)
            {
                _writing = true;

                // A busy API, or many workspaces before this one.
                var delay = world._random.Next(5) == 0 ? SlowWrite : WriteDelay;
                world._pending.Add((now + world._random.Next(delay), () =>
                {
                    _writing = false;
                    if (DiedAt is null && !IsCutOff(world._now))
                    {
                        Flush(world);
                    }
                }
                ));
                return;
            }

            _writtenUntil = Clock(now);
            Renew(world);
        }

        private void Renew(IdleStopSimulation world)
        {
            if (world._now >= _renewAt)
            {
                _renewAt = world._now + EdgeLeases.RenewSeconds;
                Written = Lease(world._now);
                var lease = Written;
                world._pending.Add((world._now + world._random.Next(WatchDelay + 1), () => world.Renewed(lease)));
            }
        }

        internal void Flush(IdleStopSimulation world)
        {
            if (LastUse is { } use && !(world._activity.Last >= use))
            {
                world.Write(a => a with { Last = use, Source = "Input" });
                Sees(world._activity, world._version);
            }
        }

        internal Lease Lease(int now) => new()
        {
            Metadata = new ObjectMeta
            {
                Name = name,
                Namespace = TestData.Ns,
                Uid = name,
                Annotations = new Dictionary<string, string> { [EdgeLeases.ActivityWrittenUntil] = Times.Text(_writtenUntil) },
            },
            Spec = new LeaseSpec { RenewTime = Clock(now), LeaseDurationSeconds = 3 * EdgeLeases.RenewSeconds },
        };
#pragma warning restore CA5394
    }
}
