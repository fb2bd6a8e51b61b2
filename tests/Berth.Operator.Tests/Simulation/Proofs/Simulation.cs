using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>One small world: an API, nodes, people, replicas of the edge and one or two operators, driven act by act.</summary>
internal sealed partial class Simulation : IDisposable
{
    internal const int IdleSeconds = 600;
    internal const int WarnSeconds = 60;
    internal const int UndeleteSeconds = 900;

    private static readonly TimeSpan[] Waits =
    [
        TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(15),
        TimeSpan.FromSeconds(45), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(6), TimeSpan.FromMinutes(12),
    ];

    private readonly FakeTimeProvider _time = new(TestData.Now);
    private readonly SimulatedCluster _cluster;
    private readonly SimulatedPeople _people;
    private readonly SimulatedEdges _edges;
    private readonly DefectLog _log = new();

    // The oldest first; the last leads, the others may believe that they do.
    private readonly List<SimulatedOperator> _operators = [];

    // Processes that ended with requests under way: those may still arrive.
    private readonly List<SimulatedOperator> _ghosts = [];
    private Wire? _acting;
    private int _names;

    internal Simulation(bool withoutRules)
    {
        Api = new SimulatedApi(_time) { WithoutRules = withoutRules };
        _cluster = new SimulatedCluster(Api, _time);
        _people = new SimulatedPeople(Api, _time);
        _edges = new SimulatedEdges(Api, _time);
        _ = new Invariants(Api, _cluster, _edges, _time, () => _operators.Concat(_ghosts).FirstOrDefault(o => o.Wire == _acting), () => IsBlurred);
        Api.Changed += c => Trace.Add(
            $"  {c.Version}: {Actor()} {(c.Former is null ? "made" : c.Now is null ? "removed" : c.Now.IsEnding ? "is ending" : "changed")} "
                + $"{c.Last.Kind.Kind} {c.Last.Key.Name}");
        _people.Install();
        _cluster.Install();
        Api.Add(new BerthPolicy
        {
            Metadata = new ObjectMeta { Name = BerthPolicy.DefaultName },
            Spec = new BerthPolicySpec
            {
                Lifetime = new PolicyLifetime { IdleTimeoutSeconds = IdleSeconds, WarnBeforeSeconds = WarnSeconds },
                Storage = new PolicyStorage { UndeleteSeconds = UndeleteSeconds },
            },
        });
        _edges.Start();
        Launch();
    }

    /// <summary>What was done and what changed, for whoever has to understand a failure.</summary>
    internal List<string> Trace { get; } = [];

    internal SimulatedApi Api { get; }

    /// <summary>Two operators led at a time, or one began with an old picture: ceilings may then be exceeded, by what the two let in.</summary>
    internal bool IsBlurred { get; private set; }

    public void Dispose()
    {
        _operators.ForEach(o => o.Dispose());
        _ghosts.ForEach(o => o.Dispose());
        _log.Dispose();
    }

    internal void Do(Act act)
    {
        Trace.Add(act.Kind.ToString());
        var (kind, a, b, c) = act;
        var name = SimulatedPeople.Names[a % SimulatedPeople.Names.Count];
        switch (kind)
        {
            case ActKind.Work when Pick(a) is { } o:
                Work(o, a / 4, b % 3 == 0 ? b % 8 : int.MaxValue, FateOf(c));
                break;
            case ActKind.Release when _operators.Concat(_ghosts).Where(o => o.Wire.Held.Count > 0).ToList() is { Count: > 0 } waiting:
                waiting[a % waiting.Count].Release(b, c % 3 == 0 ? FateOf(c) : Fate.Answered);
                break;
            case ActKind.Deliver:
                Pick(a)?.Deliver(b, 1 + (c % 4));
                break;
            case ActKind.DeliverAll:
                Pick(a)?.DeliverAll();
                break;
            case ActKind.BreakWatch when Pick(a)?.Wire.Feeds is { Count: > 0 } feeds:
                Break(feeds[b % feeds.Count], c);
                break;
            case ActKind.Poke:
                Pick(a)?.Poke(b, SimulatedPeople.Key(b % 2 == 0 ? name : "pooled"));
                break;
            case ActKind.Wait:
                _time.Advance(Waits[a % Waits.Length]);
                _operators.ForEach(o => o.TellPlaces());
                break;
            case ActKind.Kill:
                End(Pick(a), o => o.Wire.Kill());
                break;
            case ActKind.Launch when _operators.Count < 2:
                Api.ListLag = c % 3 == 0 ? b % 40 : 0;
                IsBlurred |= Api.ListLag > 0 || _operators.Count > 0;
                Launch();
                Api.ListLag = 0;
                break;
            case ActKind.LoseLease when _operators.Count > 1:
                End(_operators[0], o => o.StopLeading());
                break;
            case ActKind.EdgeStart:
                _edges.Start();
                break;
            case ActKind.EdgeEnd:
                _edges.End(a, b % 2 == 0);
                break;
            case ActKind.Use:
                _edges.Use(b, name);
                break;
            case ActKind.Beat:
                _edges.Beat(a, b % 5 != 0, b % 7 != 0);
                break;
            default:
                if (!DoInCluster(kind, a, b, c))
                {
                    DoAsPerson(kind, name, b, c);
                }

                break;
        }

        for (var i = _operators.Count - 1; i >= 0; i--)
        {
            if (_operators[i].Wire.IsDead)
            {
                End(_operators[i], static _ => { });
            }
        }

        if (_log.Defect is { } defect)
        {
            throw defect as ViolationException ?? new ViolationException($"A reconcile ended with {defect}.");
        }
    }

    private bool DoInCluster(ActKind kind, int a, int b, int c)
    {
        var pods = _cluster.Pods;
        var pod = pods.Count == 0 ? null : pods[b % pods.Count];
        var node = SimulatedCluster.Nodes[a % SimulatedCluster.Nodes.Count];
        switch (kind)
        {
            case ActKind.Advance:
                _ = (c % 4 == 0 && _cluster.Reap()) || (a % 4 == 0 && _cluster.Bind()) || (pod is not null && _cluster.Advance(pod)) || _cluster.Bind();
                return true;
            case ActKind.Settle:
                _cluster.Settle();
                return true;
            case ActKind.Collect:
                _cluster.Collect();
                return true;
            case ActKind.Trouble:
                if (pod is not null)
                {
                    _cluster.Trouble(pod, c);
                }

                return true;
            case ActKind.LoseNode:
                _cluster.Lose(node, b % 2 == 0);
                return true;
            case ActKind.GiveUpNode:
                _cluster.GiveUp(node);
                return true;
            case ActKind.RemoveNode:
                _cluster.Remove(node, b % 2 == 0);
                return true;
            case ActKind.ReturnNode:
                _cluster.Return(node);
                return true;
            case ActKind.ForcePod:
                if (pod is not null)
                {
                    _cluster.Force(pod);
                }

                return true;
            default:
                return false;
        }
    }

    private void DoAsPerson(ActKind kind, string name, int b, int c)
    {
        switch (kind)
        {
            case ActKind.Create:
                _people.Create(name, b % 5 == 0 ? 1 : 0, c, delete: b % 3 == 0);
                break;
            case ActKind.Stop:
                _people.Wish(name, DesiredStates.Stopped);
                break;
            case ActKind.Start:
                _people.Wish(name, DesiredStates.Running);
                break;
            case ActKind.Restart:
                _people.Restart(name);
                break;
            case ActKind.Delete:
                _people.Delete(name);
                break;
            case ActKind.KeepVolume:
                _people.KeepVolume(name, b % 2 == 0);
                break;
            case ActKind.TakeTemplate:
                _people.TakeTemplate(name, b);
                break;
            case ActKind.TakeResources:
                _people.TakeResources(name, b);
                break;
            case ActKind.TakeEnvironment:
                _people.TakeEnvironment(name, b);
                break;
            case ActKind.ChangeOwner:
                _people.ChangeOwner(name, b);
                break;
            case ActKind.ChangeTemplate:
                _people.ChangeTemplate(b, c);
                break;
            case ActKind.Decide:
                _people.Decide(name, b);
                break;
            case ActKind.ChangeCeilings:
                _people.ChangeCeilings(b, c);
                break;
            case ActKind.Meddle:
                _people.Meddle(name, b);
                break;
        }
    }

    private string Actor() => _acting is null ? "others"
        : $"operator {_operators.Concat(_ghosts).OrderBy(o => o.Number).ToList().FindIndex(o => o.Wire == _acting) + 1}";

    private SimulatedOperator? Pick(int a) => _operators.Count == 0 ? null : _operators[a % _operators.Count];

    private SimulatedOperator Launch()
    {
        var started = new SimulatedOperator(Api, _time, wire => _acting = wire, template => $"pool-{template}-{++_names:d3}", _log) { Number = _operators.Count + _ghosts.Count };
        _operators.Add(started);
        return started;
    }

    private void End(SimulatedOperator? ended, Action<SimulatedOperator> how)
    {
        if (ended is not null)
        {
            how(ended);
            _operators.Remove(ended);
            _ghosts.Add(ended);
        }
    }

    /// <summary>A worker takes a key; the first requests are answered, what becomes of the next one is chosen.</summary>
    private static void Work(SimulatedOperator o, int controller, int answered, Fate then)
    {
        var sent = 0;
        o.Wire.Plan = request => request.Verb == "sync" || sent++ != answered ? Fate.Answered : then;
        for (var i = 0; i < o.Controllers && !o.Work(controller + i); i++)
        {
        }

        o.Wire.Plan = static _ => Fate.Answered;
    }

    private void Break(IFeed feed, int how)
    {
        if (how % 3 == 1)
        {
            Api.Compact();
        }

        feed.Break((how % 3) switch { 0 => null, 1 => ApiErrors.Expired(), _ => ApiErrors.NoAnswer() });
    }

    private static Fate FateOf(int c) => (c % 10) switch
    {
        0 => Fate.Lost,
        1 => Fate.AnswerLost,
        2 => Fate.Conflict,
        3 => Fate.Internal,
        4 => Fate.TooMany,
        5 => Fate.KilledBefore,
        6 => Fate.KilledAfter,
        _ => Fate.Held,
    };
}
