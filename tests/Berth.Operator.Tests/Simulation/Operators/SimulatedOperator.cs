using System.Globalization;
using Berth.Resources;
using Kube.Client;
using Kube.Runtime;
using Microsoft.Extensions.Logging;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>
/// One process of the operator: the true informers, stores, queues, controllers and reconcilers over a wire of its own. Only the leader
/// election is left out: who leads, and for how long two do, the simulation decides.
/// </summary>
/// <remarks>Nothing runs by itself: <see cref="Work"/> starts a worker, and it gets as far as its wire lets it.</remarks>
internal sealed class SimulatedOperator : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly InformerFactory _informers;
    private readonly OperatorMetrics _metrics;
    private readonly OperatorControllers _controllers;
    private readonly List<(Controller Controller, ControllerMetrics Metrics)> _workers = [];
    private readonly List<(Task Task, long Since)> _running = [];
    private readonly SimulatedApi _api;
    private readonly SharedInformer<BerthPolicy> _policies;
    private readonly Dictionary<ResourceKey, long> _policyAt = [];
    private readonly long _policyAtFirst;

    internal SimulatedOperator(SimulatedApi api, FakeTimeProvider time, Action<Wire?> acting, Func<string, string> poolNames, ILoggerFactory loggers)
    {
        _api = api;
        Wire = new Wire(acting);
        var client = new SimulatedClient(api, Wire);
        _informers = new InformerFactory(client, time, loggers) { Inline = true };
        var events = new NoEvents();
        var policy = new PolicySource(
            client, _informers, BerthPolicy.DefaultName, new BerthPolicySpec(), events, time, loggers.CreateLogger("policy"));
        Caches = new WorkspaceCaches(_informers, null, TestData.Settings.Edge.Namespace, () => policy.Current);
        _metrics = new OperatorMetrics(Caches.Workspaces.Store.List);
        _ = _informers.RunAsync(_stop.Token);
        _ = policy.RunAsync(_stop.Token);
        _controllers = new OperatorControllers(
            client, Caches, policy, TestData.Settings, events, _metrics, 4, time, loggers, traefik: true, poolNames);
        _policies = _informers.Get(
            new InformerOptions<BerthPolicy> { Watcher = new WatcherOptions { FieldSelector = $"metadata.name={BerthPolicy.DefaultName}" } });
        _policyAtFirst = PolicyVersion;
        foreach (var controller in _controllers.All)
        {
            controller.StartSources();
            _workers.Add((controller, new ControllerMetrics(controller.Name)));
        }
    }

    /// <summary>How many there were before it.</summary>
    internal int Number { get; init; }

    internal Wire Wire { get; }

    internal WorkspaceCaches Caches { get; }

    internal int Controllers => _workers.Count;

    /// <summary>It believes to lead: it begins new work.</summary>
    internal bool Leads { get; private set; } = true;

    internal int Reconciles { get; private set; }

    /// <summary>Whether any key waits for a worker.</summary>
    internal bool HasWork => Leads && !Wire.IsDead && _workers.Any(w => w.Controller.Queue.Count > 0);

    internal bool IsBehind => !Wire.IsDead && Wire.Feeds.Any(f => f.IsBehind);

    internal bool IsBusy => !Wire.IsDead && _running.Count > 0;

    /// <summary>The version that the oldest look was made at which may still lead to a write.</summary>
    internal long Since => _running.Select(r => r.Since).DefaultIfEmpty(_api.Version).Min();

    private long PolicyVersion => long.Parse(_policies.LastResourceVersion ?? "0", CultureInfo.InvariantCulture);

    /// <summary>It tells something of a workspace, by the policy that it knows.</summary>
    internal void Told(ResourceKey key) => _policyAt[key] = PolicyVersion;

    /// <summary>The version of the policy that it told something of a workspace by, or began with: any policy since may have let it in.</summary>
    internal long PolicyAt(ResourceKey key) => _policyAt.GetValueOrDefault(key, _policyAtFirst);

    /// <summary>A worker takes a key, if one waits and a worker is free.</summary>
    internal bool Work(int controller)
    {
        var (worker, metrics) = _workers[controller % _workers.Count];
        if (!Leads || Wire.IsDead || worker.Queue.Count == 0 || _running.Count >= 4)
        {
            return false;
        }

        Reconciles++;
        var since = OldestView();
        var slot = _running.Count;
        _running.Add((Task.CompletedTask, since));
        var task = worker.WorkOnceAsync(metrics, _stop.Token);
        _running[slot] = (task, since);
        Collect();
        return true;
    }

    /// <summary>Lets one of the requests under way arrive, or not.</summary>
    internal void Release(int index, Fate fate)
    {
        Wire.Release(index % Wire.Held.Count, fate);
        Collect();
    }

    /// <summary>Brings the events of one watch, as many as asked for.</summary>
    internal void Deliver(int feed, int count)
    {
        var feeds = Wire.Feeds.Where(f => f.IsBehind).OrderBy(f => f.Kind.Plural, StringComparer.Ordinal).ToList();
        for (var i = 0; feeds.Count > 0 && i < count && feeds[feed % feeds.Count].IsBehind; i++)
        {
            feeds[feed % feeds.Count].Advance();
        }
    }

    internal void DeliverAll()
    {
        while (!Wire.IsDead && Wire.Feeds.Find(f => f.IsBehind) is { } feed)
        {
            feed.Advance();
        }
    }

    /// <summary>Those who wait are told their places anew, as every few seconds.</summary>
    internal void TellPlaces()
    {
        if (!Wire.IsDead)
        {
            _controllers.Admissions.WakeMoved();
        }
    }

    /// <summary>Its queue.</summary>
    internal AdmissionLedger Admissions => _controllers.Admissions;

    /// <summary>Something asks for a look at a key, for no reason.</summary>
    internal void Poke(int controller, ResourceKey key) => _workers[controller % _workers.Count].Controller.Queue.Add(key);

    /// <summary>It learns that another one leads: it begins nothing more, and what is under way is given up.</summary>
    internal void StopLeading()
    {
        Leads = false;
        _stop.Cancel();
        Wire.Kill();
    }

    public void Dispose()
    {
        Wire.Kill();
        _controllers.Dispose();
        _workers.ForEach(w => w.Metrics.Dispose());
        _informers.Dispose();
        _metrics.Dispose();
        _stop.Dispose();
    }

    private void Collect()
    {
        foreach (var (task, _) in _running.Where(r => r.Task.IsFaulted))
        {
            task.GetAwaiter().GetResult();
        }

        _running.RemoveAll(r => r.Task.IsCompleted);
        if (_running.Count > 0 && Wire.Held.Count == 0 && !Wire.IsDead)
        {
            throw new InvalidOperationException("A reconcile waits for something that is no request: the simulation cannot decide when it goes on.");
        }
    }

    private long OldestView()
    {
        IInformer[] informers = [Caches.Workspaces, Caches.Pods, Caches.Volumes, Caches.NetworkPolicies, Caches.Services];
        return informers.Min(i => long.Parse(i.LastResourceVersion ?? "0", CultureInfo.InvariantCulture));
    }

    private sealed class NoEvents : IEventRecorder
    {
        public void Normal(IKubeObject about, string reason, string message)
        {
        }

        public void Warning(IKubeObject about, string reason, string message)
        {
        }
    }
}
