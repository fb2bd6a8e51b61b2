using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>
/// Replicas of the edge by the contract with the operator: a Lease renewed every ten seconds that says until when all use is written, and
/// use written to the workspaces. It also knows what no API says: when people truly used what.
/// </summary>
internal sealed class SimulatedEdges(SimulatedApi api, FakeTimeProvider time)
{
    private readonly List<Edge> _edges = [];

    /// <summary>Every use there was, that a replica which lives still knows of.</summary>
    internal IEnumerable<(string Workspace, DateTimeOffset At, DateTimeOffset Renewed)> Uses =>
        _edges.Where(e => e.Lives).SelectMany(e => e.Uses.Select(u => (u.Key, u.Value, e.Renewed)));

    internal int Count => _edges.Count;

    internal void Start()
    {
        if (_edges.Count(e => e.Lives) < 3)
        {
            _edges.Add(new Edge($"edge-{_edges.Count}"));
            Renew(_edges.Count - 1);
        }
    }

    /// <summary>A replica ends: in good order it writes what it knows and deletes its Lease; killed, both are lost, and its connections too.</summary>
    internal void End(int index, bool killed)
    {
        if (Pick(index) is not { } edge)
        {
            return;
        }

        if (!killed)
        {
            Write(edge);
            if (api.Find(Lease.Descriptor, KeyOf(edge)) is not null)
            {
                api.Delete(Lease.Descriptor, KeyOf(edge), null);
            }
        }

        edge.Lives = false;
    }

    internal void Use(int index, string workspace)
    {
        if (Pick(index) is { } edge && api.Get<UserWorkspace>(SimulatedPeople.Key(workspace)) is { Status.Phase: WorkspacePhases.Running })
        {
            edge.Uses[workspace] = time.GetUtcNow();
            edge.Unwritten.Add(workspace);
        }
    }

    /// <summary>Ten seconds are over: use is written where the API takes it, and then the Lease.</summary>
    internal void Beat(int index, bool writes, bool renews)
    {
        if (Pick(index) is not { } edge)
        {
            return;
        }

        if (writes)
        {
            Write(edge);
        }

        if (renews)
        {
            Renew(_edges.IndexOf(edge));
        }
    }

    internal void BeatAll()
    {
        for (var i = 0; i < _edges.Count; i++)
        {
            if (_edges[i].Lives)
            {
                Write(_edges[i]);
                Renew(i);
            }
        }
    }

    private void Write(Edge edge)
    {
        foreach (var name in edge.Unwritten)
        {
            api.Update<UserWorkspace>(
                SimulatedPeople.Key(name),
                w => w with
                {
                    Status = (w.Status ?? new UserWorkspaceStatus()) with
                    {
                        Activity = (w.Status?.Activity ?? new WorkspaceActivity()) with
                        {
                            Last = Later(w.Status?.Activity?.Last, edge.Uses[name]),
                            Source = "Input",
                            ObservedAt = Times.Seconds(time.GetUtcNow()),
                        },
                    },
                },
                "status");
        }

        edge.Unwritten.Clear();
    }

    private void Renew(int index)
    {
        var edge = _edges[index];
        var now = time.GetUtcNow();
        var until = edge.Unwritten.Count == 0 ? now : edge.Unwritten.Min(w => edge.Uses[w]) - TimeSpan.FromSeconds(1);
        edge.Renewed = now;
        var lease = new Lease
        {
            Metadata = new ObjectMeta
            {
                Name = KeyOf(edge).Name,
                Namespace = KeyOf(edge).Namespace,
                Labels = new Dictionary<string, string> { [EdgeLeases.Component] = EdgeLeases.ComponentValue },
                Annotations = new Dictionary<string, string> { [EdgeLeases.ActivityWrittenUntil] = Times.Text(until) },
            },
            Spec = new LeaseSpec { HolderIdentity = edge.Name, LeaseDurationSeconds = 30, RenewTime = now },
        };
        if (api.Get<Lease>(KeyOf(edge)) is null)
        {
            api.Add(lease);
        }
        else
        {
            api.Update<Lease>(KeyOf(edge), l => l with { Metadata = l.Metadata with { Annotations = lease.Metadata.Annotations }, Spec = lease.Spec });
        }
    }

    private Edge? Pick(int index)
    {
        var living = _edges.Where(e => e.Lives).ToList();
        return living.Count == 0 ? null : living[index % living.Count];
    }

    private static DateTimeOffset Later(DateTimeOffset? a, DateTimeOffset b) => Times.Seconds(a > b ? a.Value : b);

    private static ResourceKey KeyOf(Edge edge) => new(TestData.Settings.Edge.Namespace, "berth-edge-activity-" + edge.Name);

    private sealed class Edge(string name)
    {
        internal string Name => name;

        internal bool Lives { get; set; } = true;

        internal DateTimeOffset Renewed { get; set; }

        internal Dictionary<string, DateTimeOffset> Uses { get; } = new(StringComparer.Ordinal);

        internal SortedSet<string> Unwritten { get; } = new(StringComparer.Ordinal);
    }
}
