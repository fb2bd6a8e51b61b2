using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client;

namespace Berth.Operator.Tests;

/// <summary>The order of the queue, the places people are told, and lives at random.</summary>
public sealed partial class AdmissionQueueTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void RandomLife_NeverOverACeiling_NobodyStarves_RestartDecidesTheSame(int seed)
    {
        var life = new RandomLife(seed);
        for (var i = 0; i < 3000; i++)
        {
            life.Step();
        }

        life.CheckRestart();
        life.LetEveryoneThrough();
    }

    [Fact]
    public void Order_IsThatOfTheRule()
    {
        var random = new Random(7);
        var queue = Queue(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 20 } });
        for (var i = 0; i < 20; i++)
        {
            queue.Put(Wish($"r{i:00}", $"p{random.Next(6)}"), T0);
        }

        for (var i = 0; i < 300; i++)
        {
            queue.Put(Wish($"w{i:000}", $"p{random.Next(9)}"), T0.AddSeconds(random.Next(20000)));
        }

        for (var i = 0; i < 100; i++)
        {
            queue.Remove(Key($"w{random.Next(300):000}"), T0);
        }

        var items = queue.Entries.Select(e => e.Start).OfType<AdmissionItem>().ToList();
        var rule = AdmissionOrder.Of(items.Select(w => (w.Entry.Key, w.Entry.Share.Person.Hash, w.Since)),
            (p, _) => queue.Persons.Single(x => x.Hash == p).Shares["ns"].Entries.Count(e => e.Run != default));
        Assert.Equal(rule, items.OrderBy(w => AdmissionQueue.PlaceOf(w).Position).Select(w => w.Entry.Key));
        Assert.Equal(Enumerable.Range(1, items.Count), items.Select(w => AdmissionQueue.PlaceOf(w).Position).Order());
    }

    [Fact]
    public void Places_WhenSomebodyBeforeLeaves_NobodysBecomesWorse()
    {
        var random = new Random(11);
        var queue = Queue(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 1 } });
        queue.Put(Wish("holder", "holder"), T0);
        for (var i = 0; i < 200; i++)
        {
            queue.Put(Wish($"w{i:000}", $"p{random.Next(12)}"), T0.AddSeconds(random.Next(20000)));
        }

        while (queue.Entries.Any(e => e.Start is not null))
        {
            var waiting = queue.Entries.Where(e => e.Start is not null).ToList();
            var before = waiting.ToDictionary(e => e.Key, e => AdmissionQueue.PlaceOf(e.Start!).Position);
            var leaves = waiting[random.Next(waiting.Count)].Key;
            queue.Remove(leaves, T0);
            foreach (var entry in waiting.Where(e => e.Key != leaves))
            {
                var expected = before[entry.Key] > before[leaves] ? before[entry.Key] : before[entry.Key];
                Assert.True(AdmissionQueue.PlaceOf(entry.Start!).Position <= expected);
            }
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(20, 20)]
    [InlineData(21, 30)]
    [InlineData(100, 100)]
    [InlineData(101, 200)]
    [InlineData(4711, 5000)]
    public void Shown_IsExactAtTheFront(int position, int shown) => Assert.Equal(shown, AdmissionOrder.Shown(position));

    [Fact]
    public void TenThousand_EachStopLetsExactlyOneIn()
    {
        var queue = Queue(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 5000 } });
        queue.Load([.. Enumerable.Range(0, 10_000).Select(i => Wish($"w{i:00000}", $"p{i % 3000}") with { Since = T0.AddSeconds(i) })], T0);
        Assert.Equal(5000, queue.Entries.Count(e => e.Run != default));
        var running = queue.Entries.Where(e => e.Run != default).Select(e => (e.Key, e.Share.Person.Hash)).ToList();
        foreach (var (key, person) in running)
        {
            Assert.Single(queue.Put(Stop(key.Name, person), T0));
        }
    }

    /// <summary>People who create, start, stop, resize and delete at random, under ceilings of both kinds that change.</summary>
    private sealed class RandomLife
    {
        private readonly Random _random;
        private readonly Dictionary<ResourceKey, Claim> _claims = [];
        private readonly AdmissionQueue _queue;
        private BerthPolicySpec _policy;
        private DateTimeOffset _now = T0;
        private int _names;

        internal RandomLife(int seed)
        {
            _random = new Random(seed);
            _policy = Policy();
            _queue = Queue(_policy);
        }

        internal void Step()
        {
            _now += TimeSpan.FromSeconds(_random.Next(1, 300));
            var before = Held();
            switch (_random.Next(10))
            {
                case 0 when _random.Next(20) == 0:
                    _policy = Policy();
                    Wake(_queue.SetCeilings(CeilingSet.Of(_policy), _now));
                    before = Held();
                    break;
                case 1 when _claims.Count > 0:
                    var gone = Any();
                    _claims.Remove(gone.Key);
                    Wake(_queue.Remove(gone.Key, _now));
                    break;
                case 2 or 3 when _claims.Count > 0:
                    Put(Any() with { WantsRun = false, Occupied = null });
                    break;
                case 4 or 5 when _claims.Count > 0:
                    Put(Any() with { WantsRun = true });
                    break;
                case 6 when _claims.Count > 0:
                    Put(Any() with { Demand = Demand() });
                    break;
                case 7 when _claims.Count > 0 && Any() is var one && _queue.Find(one.Key)!.Run is var run && run != default:
                    // The pod was made from what was granted.
                    Put(one with { Occupied = run });
                    break;
                default:
                    Put(new Claim
                    {
                        Key = new ResourceKey($"n{_random.Next(3)}", $"w{_names++:0000}"),
                        Person = $"p{_random.Next(8)}",
                        Created = _now,
                        WantsRun = _random.Next(3) > 0,
                        WantsVolume = true,
                        Demand = Demand(),
                    });
                    break;
            }

            Tell();
            Check(before);
        }

        /// <summary>From the resources alone the same ones run, and the others wait in the same order.</summary>
        internal void CheckRestart()
        {
            var again = Queue(_policy);
            again.Load([.. _claims.Values.OrderBy(_ => _random.Next()).Select(c => c with
            {
                Admitted = _queue.Find(c.Key)!.Run != default,
                Established = _queue.Find(c.Key)!.Established,
                Since = _queue.Find(c.Key)!.Start?.Since,
                Volume = _queue.Find(c.Key)!.Base.Storage,
            })], _now);
            Assert.Equal(_queue.Entries.Where(e => e.Run != default).Select(e => e.Key.ToString()).Order(StringComparer.Ordinal),
                again.Entries.Where(e => e.Run != default).Select(e => e.Key.ToString()).Order(StringComparer.Ordinal));
            foreach (var entry in _queue.Entries)
            {
                var other = again.Find(entry.Key)!;
                Assert.Equal(entry.Run == default, other.Run == default);
                Assert.Equal(entry.Established, other.Established);
                Assert.Equal(entry.Start?.Since, other.Start?.Since);
                Assert.Equal(entry.Start?.Order, other.Start?.Order);
            }
        }

        /// <summary>When those who run stop one after the other, everyone who waits gets a turn.</summary>
        internal void LetEveryoneThrough()
        {
            for (var i = 0; i < 5000; i++)
            {
                var next = _queue.Entries.Where(e => e.Run != default || (e.Established && e.Start is null && e.Growth is null))
                    .Select(e => e.Key).Order(Comparer<ResourceKey>.Create((a, b) => string.CompareOrdinal(a.Name, b.Name))).ToList();
                if (next.Count == 0)
                {
                    break;
                }

                var before = Held();
                _claims.Remove(next[0]);
                Wake(_queue.Remove(next[0], _now));
                Check(before);
            }

            Assert.DoesNotContain(_queue.Entries, e => e.Start is { TooLarge: false });
        }

        private void Put(Claim claim)
        {
            _claims[claim.Key] = claim;
            Wake(_queue.Put(claim with { Established = false }, _now));
        }

        // As the operator does: who got a place is looked at, and may then ask for the next one.
        private void Wake(IReadOnlyList<ResourceKey> keys)
        {
            foreach (var key in keys)
            {
                Wake(_queue.Put(_claims[key] with { Established = false }, _now));
            }
        }

        // What the statuses say of turns: a condition's time is that of its last change, and who waits has none.
        private void Tell()
        {
            foreach (var (key, claim) in _claims.ToList())
            {
                var entry = _queue.Find(key)!;
                _claims[key] = claim with
                {
                    GrantedAt = entry.Start is not null ? null : entry.Run != default ? claim.GrantedAt ?? _now : claim.GrantedAt,
                };
            }
        }

        private Claim Any() => _claims.Values.ElementAt(_random.Next(_claims.Count));

        private Amounts Demand() => new(1, _random.Next(1, 5) * 1024, 1, _random.Next(1, 9) * 500, _random.Next(1, 5) * 1024,
            _random.Next(8) == 0 ? 1 : 0);

        private BerthPolicySpec Policy() => new()
        {
            PerPerson = new PolicyCeilings
            {
                Running = _random.Next(1, 5),
                Cpu = $"{_random.Next(4, 12)}",
                Storage = "30Gi",
                Workspaces = 12,
            },
            PerNamespace = new PolicyCeilings { Running = _random.Next(2, 12), Memory = $"{_random.Next(6, 30)}Gi", Gpu = 1 },
        };

        private Dictionary<string, Amounts> Held() => _queue.Spaces.Select(s => (s.Name, s.Held))
            .Concat(_queue.Persons.Select(p => (p.Hash, p.Held))).ToDictionary(p => p.Item1, p => p.Held);

        private void Check(Dictionary<string, Amounts> before)
        {
            var ceilings = CeilingSet.Of(_policy);
            foreach (var space in _queue.Spaces)
            {
                var entries = _queue.Entries.Where(e => e.Key.Namespace == space.Name).ToList();
                Assert.Equal(entries.Aggregate(default(Amounts), (sum, e) => sum + e.Run + e.Base), space.Held);
                CheckCeiling(space.Held, ceilings.Of(space.Name), before.GetValueOrDefault(space.Name));
                foreach (var share in entries.GroupBy(e => e.Share))
                {
                    Assert.Equal(share.SelectMany(e => (AdmissionItem?[])[e.Start, e.Growth]).OfType<AdmissionItem>()
                        .Where(i => i is { Parked: false, TooLarge: false }).Aggregate(default(Amounts), (sum, i) => sum + i.Ask),
                        share.Key.Asked);
                    Assert.All(share.Key.Waiting.InOrder().Select((item, i) => (item, i)), w => Assert.Equal(
                        AdmissionOrder.Key(w.item.Since, w.i + share.Count(e => e.Run != default
                            || (e.GrantedAt is { } at && at >= w.item.Since))), w.item.Order));
                }
            }

            foreach (var person in _queue.Persons)
            {
                CheckCeiling(person.Held, ceilings.PerPerson, before.GetValueOrDefault(person.Hash));
            }
        }

        // Over a ceiling only who was before: because it was lowered.
        private static void CheckCeiling(Amounts held, Amounts ceiling, Amounts before)
        {
            for (var i = 0; i < Amounts.Count; i++)
            {
                Assert.True(held[i] <= Math.Max(ceiling[i], before[i]), $"{(Ceiling)i}: {held[i]} of {ceiling[i]}, {before[i]} before");
            }
        }
    }
}
