using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// A pool in memory to which things happen by chance; after each decision the promises of <see cref="PoolPlan"/> are checked.
/// </summary>
internal sealed class PoolWorld(int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<DateTimeOffset> _made = [];
    private readonly List<Pod> _pods = [];
    private readonly List<PersistentVolumeClaim> _claims = [];
    private DateTimeOffset _now = TestData.Now;
    private PoolMemory _memory = new() { Since = TestData.Now };
    private PoolWish _wish = new() { Size = 5, Revision = "r0", RefillPerMinute = 6, MaxAge = TimeSpan.FromMinutes(30) };
    private bool _broken;
    private int _names;
    private int _revisions;

    internal void Turn()
    {
        _now += TimeSpan.FromSeconds(_random.Next(1, 20));
        switch (_random.Next(12))
        {
            case 0 or 1 or 2 or 3:
                var next = _broken ? (_random.Next(2) == 0 ? 'f' : 'i') : 'r';
                Change(p => Is(p, "Pending"), p => p with { Status = PoolPlanTests.StatusOf(next) });
                break;
            case 4 or 5:
                Change(p => PoolPods.IsWaiting(p) && PoolPods.IsReady(p), ClaimPod);
                break;
            case 6:
                Change(_ => true, p => p with { Status = PoolPlanTests.StatusOf(_random.Next(3) == 0 ? 'n' : 'f') });
                break;
            case 7:
                _broken = _random.Next(3) == 0;
                break;
            case 8 when _random.Next(10) == 0:
                _wish = _wish with { Revision = $"r{++_revisions}" };
                break;
            case 9 when _random.Next(10) == 0:
                _wish = _wish with { Size = _random.Next(0, 8) };
                break;
            case 10 when _random.Next(20) == 0:
                // The operator starts anew.
                _memory = new PoolMemory { Since = _now };
                break;
            case 11:
                _pods.RemoveAll(p => p.Metadata.DeletionTimestamp is not null);
                break;
        }

        Decide();
    }

    internal void Rest()
    {
        _broken = false;
        _wish = _wish with { Size = 4, MaxAge = TimeSpan.FromDays(1) };
        for (var i = 0; i < 200; i++)
        {
            _now += TimeSpan.FromSeconds(20);
            _pods.RemoveAll(p => p.Metadata.DeletionTimestamp is not null);
            for (var pod = 0; pod < _pods.Count; pod++)
            {
                if (Is(_pods[pod], "Pending"))
                {
                    _pods[pod] = _pods[pod] with { Status = PoolPlanTests.StatusOf('r') };
                }
            }

            Decide();
        }

        var waiting = _pods.Where(PoolPods.IsWaiting).ToList();
        Assert.Equal(4, waiting.Count);
        Assert.All(waiting, p => Assert.True(PoolPods.IsReady(p) && PoolPods.RevisionOf(p) == _wish.Revision));
        Assert.All(
            _claims.Where(c => !PoolPods.IsClaimed(c.Metadata)),
            c => Assert.Contains(c.Metadata.Name, _pods.Select(p => p.Metadata.Name)));
    }

    private void Decide()
    {
        var plan = PoolPlan.Make(_wish, _pods, _claims, _memory, _now);
        Assert.DoesNotContain(plan.Delete, p => PoolPods.IsClaimed(p.Metadata));
        Assert.DoesNotContain(
            plan.DeleteClaims, c => PoolPods.IsClaimed(c.Metadata) || _pods.Exists(p => p.Metadata.Name == c.Metadata.Name));
        Assert.Distinct(plan.Delete.Select(p => p.Metadata.Name));
        _made.AddRange(Enumerable.Repeat(_now, plan.Create));
        Assert.InRange(_made.Count(t => t > _now - TimeSpan.FromMinutes(1)), 0, _wish.RefillPerMinute);

        foreach (var pod in plan.Delete)
        {
            var index = _pods.FindIndex(p => p.Metadata.Name == pod.Metadata.Name);
            _pods[index] = pod with { Metadata = pod.Metadata with { DeletionTimestamp = _now } };
        }

        _claims.RemoveAll(c => plan.DeleteClaims.Contains(c));
        for (var i = 0; i < plan.Create; i++)
        {
            var name = $"pool-{_names++}";
            var metadata = new ObjectMeta
            {
                Name = name,
                CreationTimestamp = _now,
                Labels = new Dictionary<string, string> { [Labels.Pool] = "studio" },
                Annotations = new Dictionary<string, string> { [Annotations.PoolRevision] = _wish.Revision },
            };
            _claims.Add(new PersistentVolumeClaim { Metadata = metadata });
            _pods.Add(new Pod { Metadata = metadata, Spec = new PodSpec { NodeName = "node1" }, Status = PoolPlanTests.StatusOf('s') });
        }

        _memory = plan.Memory;
        if (plan.Create > 0)
        {
            Assert.InRange(_pods.Count(PoolPods.IsWaiting), 0, _wish.Size + 1);
        }
    }

    private void Change(Func<Pod, bool> which, Func<Pod, Pod> how)
    {
        var indices = Enumerable.Range(0, _pods.Count).Where(i => _pods[i].Metadata.DeletionTimestamp is null && which(_pods[i])).ToList();
        if (indices.Count > 0)
        {
            var index = indices[_random.Next(indices.Count)];
            _pods[index] = how(_pods[index]);
        }
    }

    private Pod ClaimPod(Pod pod)
    {
        Assert.Contains(_claims, c => c.Metadata.Name == pod.Metadata.Name);
        if (_random.Next(4) > 0)
        {
            var index = _claims.FindIndex(c => c.Metadata.Name == pod.Metadata.Name);
            _claims[index] = _claims[index] with { Metadata = Taken(_claims[index].Metadata) };
        }

        return pod with { Metadata = Taken(pod.Metadata) };
    }

    private static ObjectMeta Taken(ObjectMeta metadata) => metadata with
    {
        Labels = new Dictionary<string, string>(metadata.Labels!) { [Labels.Workspace] = "ws-ada" },
    };

    private static bool Is(Pod pod, string phase) => pod.Status?.Phase == phase && PoolPods.IsWaiting(pod);
}
