using System.Text.Json.Nodes;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>A world for scripted tests: one operator, no faults but those that a test makes, and time that passes until all is at rest.</summary>
internal sealed class Stage : IDisposable
{
    internal const string Name = "ws-a";

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    private readonly List<SimulatedOperator> _operators = [];
    private readonly DefectLog _log = new();
    private int _names;

    internal Stage()
    {
        Api = new SimulatedApi(Time);
        Cluster = new SimulatedCluster(Api, Time);
        People = new SimulatedPeople(Api, Time);
        People.Install();
        Cluster.Install();
        Launch();
    }

    internal FakeTimeProvider Time { get; } = new(TestData.Now);

    internal SimulatedApi Api { get; }

    internal SimulatedCluster Cluster { get; }

    internal SimulatedPeople People { get; }

    internal SimulatedOperator Operator => _operators[^1];

    /// <summary>What becomes of the requests of the present operator and of those after it.</summary>
    internal Func<Request, Fate> Plan
    {
        get;
        set
        {
            field = value;
            Operator.Wire.Plan = value;
        }
    } = static _ => Fate.Answered;

    internal UserWorkspace Workspace => People.Find(Name)!;

    public void Dispose()
    {
        _operators.ForEach(o => o.Dispose());
        _log.Dispose();
    }

    internal SimulatedOperator Launch()
    {
        _operators.Add(new SimulatedOperator(Api, Time, static _ => { }, template => $"pool-{template}-{++_names:d3}", _log));
        Operator.Wire.Plan = Plan;
        return Operator;
    }

    /// <summary>Runs until nothing changes any more; an operator that was killed is started afresh.</summary>
    internal void Run()
    {
        InOrder(() =>
        {
            var end = Time.GetUtcNow() + Longest;
            var quiet = 0;
            while (quiet < 5 && Time.GetUtcNow() < end)
            {
                var version = Api.Version;
                Drain();
                quiet = version == Api.Version && NothingPends() ? quiet + 1 : 0;
                Time.Advance(Round);
            }
        });
        Assert.Null(_log.Defect);
    }

    /// <summary>The operator does what it has to do by what it knows; the cluster does nothing, and no news is brought unless told to.</summary>
    internal void RunAlone(bool withNews = true) => InOrder(() =>
    {
        do
        {
            if (withNews)
            {
                Operator.DeliverAll();
            }

            for (var i = 0; i < Operator.Controllers; i++)
            {
                Operator.Work(i);
            }
        }
        while (Operator.HasWork || (withNews && Operator.IsBehind));
    });

    /// <summary>The operator takes one key of a controller, by what it knows.</summary>
    internal void Work(int controller) => InOrder(() => Operator.Work(controller));

    /// <summary>The operator hears all that happened, but to one kind, and does nothing yet.</summary>
    internal void Deliver(ResourceDescriptor? but = null) => InOrder(() =>
    {
        while (Operator.Wire.Feeds.Find(f => f.IsBehind && f.Kind != but) is { } feed)
        {
            feed.Advance();
        }
    });

    /// <summary>What a person would find: all objects without versions, uids and times.</summary>
    internal string Picture()
    {
        var names = Api.Everything().ToDictionary(r => r.Uid, r => $"{r.Kind.Kind}/{r.Key.Name}", StringComparer.Ordinal);
        var pooled = Api.All<Pod>().Where(p => p.Metadata.Labels?.ContainsKey(Labels.Pool) == true)
            .OrderBy(p => p.Metadata.Labels!.ContainsKey(Labels.Workspace) ? 0 : 1).ThenBy(p => p.Metadata.Name, StringComparer.Ordinal)
            .Select((p, i) => (p.Metadata.Name!, $"pool-{i}"))
            .ToList();
        var text = string.Join('\n', Api.Everything()
            .Where(r => r.Kind.Kind is not ("Namespace" or "Lease" or "Node"))
            .Select(r => Timeless(r.Json.DeepClone())!.ToJsonString()));
        foreach (var (uid, name) in names)
        {
            text = text.Replace(uid, name, StringComparison.Ordinal);
        }

        foreach (var (name, plain) in pooled)
        {
            text = text.Replace(name, plain, StringComparison.Ordinal);
        }

        return string.Join('\n', text.Split('\n').Order(StringComparer.Ordinal));
    }

    // Continuations run where the simulation brings an answer, not wherever a test framework would put them.
    private static void InOrder(Action action)
    {
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            action();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    private void Drain()
    {
        do
        {
            if (Operator.Wire.IsDead)
            {
                Launch();
            }

            Operator.DeliverAll();
            for (var i = 0; Operator.HasWork && i < Operator.Controllers; i++)
            {
                Operator.Work(i);
            }
        }
        while (Operator.Wire.IsDead || Operator.HasWork || Operator.IsBehind || Cluster.Settle());
    }

    private bool NothingPends() => Api.All<UserWorkspace>().All(w => w.Status?.Failure is null);

    private static JsonNode? Timeless(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject obj:
                foreach (var (name, value) in obj.ToList())
                {
                    if (name is "resourceVersion" or "uid" or "managedFields" or "generation" or "observedGeneration"
                        or "countedUntil" or "cpuSeconds" or "memoryGiBSeconds" or "gpuSeconds" or "storageGiBSeconds" or "costMicros"
                        || name.EndsWith("At", StringComparison.Ordinal) || name.EndsWith("-at", StringComparison.Ordinal) || name.EndsWith("Timestamp", StringComparison.Ordinal)
                        || name.EndsWith("Time", StringComparison.Ordinal))
                    {
                        obj.Remove(name);
                        if (name == "uid" && obj.ContainsKey("controller"))
                        {
                            obj["owner"] = value?.DeepClone();
                        }
                    }
                    else
                    {
                        Timeless(value);
                    }
                }

                break;
            case JsonArray list:
                foreach (var item in list)
                {
                    Timeless(item);
                }

                break;
        }

        return node;
    }
}
