using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client;

namespace Berth.Operator.Tests;

public sealed class AdmissionQueueTests
{
    private static readonly DateTimeOffset T0 = TestData.Now;

    [Fact]
    public void PersonsCeiling_ThirdWaits_AndStopLetsItIn()
    {
        var queue = Queue(new BerthPolicySpec { PerPerson = new PolicyCeilings { Running = 2 } });
        Assert.Empty(queue.Put(Wish("a1", "a"), T0));
        Assert.Empty(queue.Put(Wish("a2", "a"), T0));
        Assert.Empty(queue.Put(Wish("a3", "a"), T0));
        Assert.Empty(queue.Put(Wish("b1", "b"), T0));
        Assert.Equal(["a1", "a2", "b1"], Running(queue));
        Assert.Equal((1, 1), Place(queue, "a3"));
        Assert.Equal([Key("a3")], queue.Put(Stop("a1", "a"), T0));
        Assert.Equal(["a2", "a3", "b1"], Running(queue));
    }

    [Fact]
    public void EndingPod_StillHoldsItsPlace()
    {
        var queue = Queue(new BerthPolicySpec { PerPerson = new PolicyCeilings { Running = 1 } });
        queue.Put(Wish("a1", "a"), T0);
        queue.Put(Wish("a2", "a"), T0);
        Assert.Empty(queue.Put(Stop("a1", "a") with { Occupied = One }, T0));
        Assert.Equal([Key("a2")], queue.Put(Stop("a1", "a"), T0));
    }

    [Fact]
    public void OwnerChanges_ItsPlaceIsGivenToNobodyElse_AndItsFormerOwnersNextMayStart()
    {
        var queue = Queue(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 1 } });
        queue.Put(Wish("a1", "a"), T0);
        queue.Put(Wish("b1", "b"), T0);
        Assert.Empty(queue.Put(Wish("a1", "c") with { Occupied = One }, T0));
        Assert.Equal(["a1"], Running(queue));

        queue = Queue(new BerthPolicySpec { PerPerson = new PolicyCeilings { Running = 1 } });
        queue.Put(Wish("a1", "a"), T0);
        queue.Put(Wish("a2", "a"), T0);
        Assert.Equal([Key("a2")], queue.Put(Wish("a1", "c") with { Occupied = One }, T0));
    }

    [Fact]
    public void DeletedWorkspace_HoldsItsPlaceToRun_UntilItsPodIsGone()
    {
        var queue = Queue(new BerthPolicySpec { PerPerson = new PolicyCeilings { Running = 1, Workspaces = 2 } });
        queue.Put(Wish("a1", "a") with { Occupied = One }, T0);
        queue.Put(Wish("a2", "a"), T0);
        queue.Put(Stop("a3", "a") with { Established = false }, T0);
        Assert.Equal([Key("a3")], queue.Linger(Key("a1"), T0));
        Assert.Equal([Key("a2")], queue.Remove(Key("a1"), T0));
    }

    [Fact]
    public void NamespacesCeiling_GoesRoundThePersons()
    {
        var queue = Queue(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 1 } });
        queue.Put(Wish("x", "x"), T0);
        foreach (var (name, person, second) in ((string, string, int)[])[("a1", "a", 1), ("a2", "a", 2), ("a3", "a", 3), ("b1", "b", 4),
            ("c1", "c", 5), ("b2", "b", 6)])
        {
            queue.Put(Wish(name, person), T0.AddSeconds(second));
        }

        var order = new List<string>();
        var (last, person0) = ("x", "x");
        while (queue.Put(
            Stop(last, person0) with { GrantedAt = T0.AddSeconds(99 + order.Count) }, T0.AddSeconds(100 + order.Count)) is [var next])
        {
            order.Add(last = next.Name);
            person0 = last[..1];
        }

        // Each of a, b and c gets one before anybody gets two; those who had a turn count although they stopped.
        Assert.Equal(["a1", "b1", "c1", "a2", "b2", "a3"], order);
    }

    [Fact]
    public void NamespacesCeiling_WhileTheFormerRun_WhoHasLessGoesFirst()
    {
        var queue = Queue(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 2 } });
        queue.Put(Wish("a1", "a"), T0);
        queue.Put(Wish("x", "x"), T0);
        queue.Put(Wish("a2", "a"), T0.AddSeconds(1));
        queue.Put(Wish("b1", "b"), T0.AddSeconds(2));
        Assert.Equal([Key("b1")], queue.Put(Stop("x", "x"), T0));
    }

    [Fact]
    public void LoweredCeiling_PushesNobodyOut()
    {
        var queue = Queue(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 3 } });
        foreach (var name in (string[])["a", "b", "c"])
        {
            queue.Put(Wish(name, name), T0);
        }

        Assert.Empty(queue.SetCeilings(CeilingSet.Of(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 1 } }), T0));
        Assert.Equal(["a", "b", "c"], Running(queue));
        queue.Put(Wish("d", "d"), T0);
        Assert.Empty(queue.Put(Stop("a", "a"), T0));
        Assert.Empty(queue.Put(Stop("b", "b"), T0));
        Assert.Equal([Key("d")], queue.Put(Stop("c", "c"), T0));
    }

    [Fact]
    public void LoweredCeiling_WhoWasNotToldOfItsPlace_WaitsAgain_AsAfterARestart()
    {
        var queue = Queue(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 3 } });
        var claims = ((string[])["a", "b", "c"])
            .Select((n, i) => Wish(n, n) with { Since = T0.AddSeconds(i), Established = n == "a" }).ToList();
        queue.Load(claims, T0);
        Assert.Equal(["a", "b", "c"], Running(queue));
        queue.Put(claims[1], T0);

        // b may have been begun with; a and c only hold what nobody knows of, and there is no room for them any more.
        var lower = CeilingSet.Of(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 1, Workspaces = 2 } });
        Assert.Empty(queue.SetCeilings(lower, T0));
        Assert.Equal(["b"], Running(queue));
        queue.Put(claims[0], T0);
        queue.Put(claims[2], T0);
        Assert.Equal((1, 1), Place(queue, "a"));
        Assert.Equal(T0, queue.Find(Key("a"))!.Start!.Since);
        Assert.False(queue.Find(Key("c"))!.Established);
        Assert.Equal(new Amounts(2, 0, 1, 0, 0, 0), queue.Spaces.Single().Held);

        Assert.Equal(["a", "c"], queue.Remove(Key("b"), T0).Select(k => k.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LookThatFailed_KeepsItsPlace_OnlyWhenSomethingWasBegunWithIt(bool used)
    {
        var queue = Queue(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 2 } });
        queue.Put(Wish("a", "a") with { Occupied = One }, T0);
        queue.Put(Wish("b", "b"), T0);
        if (used)
        {
            queue.Use(Key("b"));
        }

        var lower = CeilingSet.Of(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 1 } });
        queue.SetCeilings(lower, T0);
        Assert.Equal(["a", "b"], Running(queue));
        Assert.Empty(queue.EndLook(Key("b"), T0));
        Assert.Equal(used ? ["a", "b"] : ["a"], Running(queue));
        Assert.Equal(used ? null : T0, queue.Find(Key("b"))!.Start?.Since);
    }

    [Fact]
    public void LookThatFailed_CeilingsAsBefore_ItHasItsPlaceAgain()
    {
        var queue = Queue(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 1 } });
        queue.Put(Wish("a", "a"), T0);
        queue.Put(Wish("b", "b"), T0.AddSeconds(1));
        Assert.Empty(queue.EndLook(Key("a"), T0));
        Assert.Equal(["a"], Running(queue));
    }

    [Fact]
    public void LoweredCeiling_VolumeThatMayGrowAndWasNotTold_WaitsAgain()
    {
        var queue = Queue(new BerthPolicySpec { PerPerson = new PolicyCeilings { Storage = "9Gi" } });
        var wish = Stop("a", "a") with { Volume = 1024, Demand = new(1, 4096, 1, 0, 0, 0) };
        queue.Load([wish], T0);
        Assert.Equal(4096, queue.Find(Key("a"))!.Base.Storage);
        queue.SetCeilings(CeilingSet.Of(new BerthPolicySpec { PerPerson = new PolicyCeilings { Storage = "2Gi" } }), T0);
        queue.Put(wish, T0);
        Assert.Equal(1024, queue.Find(Key("a"))!.Base.Storage);
        Assert.True(queue.Find(Key("a"))!.Growth!.TooLarge);
    }

    [Fact]
    public void TurnOfOneThatWaitsAgain_CountsNoMore_AsAfterARestart()
    {
        var policy = new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 1 } };
        var queue = Queue(policy);
        queue.Put(Wish("x", "x"), T0);
        queue.Put(Wish("a1", "a"), T0.AddSeconds(1));
        queue.Put(Wish("a2", "a"), T0.AddSeconds(2));
        queue.Put(Wish("b1", "b"), T0.AddSeconds(3));
        Assert.Equal([Key("a1")], queue.Put(Stop("x", "x"), T0.AddSeconds(10)));

        // While it is stopped the turn counts: its status says so.
        var turn = T0.AddSeconds(11);
        Assert.Equal([Key("b1")], queue.Put(Stop("a1", "a") with { GrantedAt = turn }, T0.AddSeconds(20)));
        queue.Put(Wish("c1", "c"), T0.AddSeconds(30));
        Assert.Equal([(1, 2), (2, 2)], [Place(queue, "c1"), Place(queue, "a2")]);

        // Its status will say that it waits, and nothing of the turn.
        queue.Put(Wish("a1", "a") with { GrantedAt = turn }, T0.AddSeconds(40));
        var again = Queue(policy);
        again.Load(
        [
            Wish("b1", "b") with { Admitted = true },
            Wish("a1", "a") with { Since = T0.AddSeconds(40) },
            Wish("a2", "a") with { Since = T0.AddSeconds(2) },
            Wish("c1", "c") with { Since = T0.AddSeconds(30) },
        ], T0.AddSeconds(50));
        Assert.Equal([(1, 3), (2, 3), (3, 3)], [Place(again, "a2"), Place(again, "c1"), Place(again, "a1")]);
        Assert.Equal([(1, 3), (2, 3), (3, 3)], [Place(queue, "a2"), Place(queue, "c1"), Place(queue, "a1")]);
    }

    [Fact]
    public void RaisedCeiling_LetsTheNextIn_AndOnlyThose()
    {
        var queue = Queue(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 1 } });
        foreach (var (name, i) in ((string[])["a", "b", "c", "d"]).Select((n, i) => (n, i)))
        {
            queue.Put(Wish(name, name), T0.AddSeconds(i));
        }

        Assert.Equal(["b", "c"], queue.SetCeilings(CeilingSet.Of(new BerthPolicySpec
        {
            PerNamespace = new PolicyCeilings { Running = 3 },
        }), T0).Select(k => k.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void LargeWish_IsNotPassedInWhatItLacks_ButInWhatItDoesNotAskFor()
    {
        var queue = Queue(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Cpu = "4", Gpu = 1 } });
        queue.Put(Wish("gpu", "g", new(1, 0, 1, 1000, 0, 1)), T0);
        queue.Put(Wish("gpu2", "h", new(1, 0, 1, 1000, 0, 1)), T0.AddSeconds(1));
        queue.Put(Wish("small", "s", new(1, 0, 1, 1000, 0, 0)), T0.AddSeconds(2));
        Assert.Equal(["gpu", "small"], Running(queue));

        queue.Put(Wish("large", "l", new(1, 0, 1, 4000, 0, 0)), T0.AddSeconds(3));
        queue.Put(Wish("small2", "t", new(1, 0, 1, 1000, 0, 0)), T0.AddSeconds(4));
        Assert.Equal(["gpu", "small"], Running(queue));
        queue.Remove(Key("gpu2"), T0);
        queue.Put(Stop("gpu", "g"), T0);
        Assert.Equal([Key("large")], queue.Put(Stop("small", "s"), T0));
    }

    [Fact]
    public void MoreThanTheCeiling_IsToldAndHoldsUpNobody()
    {
        var queue = Queue(new BerthPolicySpec { PerPerson = new PolicyCeilings { Cpu = "2" } });
        queue.Put(Wish("huge", "a", new(1, 0, 1, 4000, 0, 0)), T0);
        queue.Put(Wish("fine", "a", new(1, 0, 1, 1000, 0, 0)), T0.AddSeconds(1));
        Assert.True(queue.Find(Key("huge"))!.Start!.TooLarge);
        Assert.Equal(["fine"], Running(queue));
    }

    [Fact]
    public void WorkspacesCeiling_NewOneWaitsToExist_AndADeletionLetsItIn()
    {
        var queue = Queue(new BerthPolicySpec { PerPerson = new PolicyCeilings { Workspaces = 1 } });
        queue.Put(Stop("a1", "a") with { Established = false }, T0);
        queue.Put(Stop("a2", "a") with { Established = false }, T0.AddSeconds(1));
        Assert.True(queue.Find(Key("a1"))!.Established);
        Assert.False(queue.Find(Key("a2"))!.Established);
        Assert.Equal([Key("a2")], queue.Remove(Key("a1"), T0));
        Assert.True(queue.Find(Key("a2"))!.Established);
    }

    [Fact]
    public void StorageCeiling_BlocksGrowth_UntilThereIsRoom()
    {
        var queue = Queue(new BerthPolicySpec { PerPerson = new PolicyCeilings { Storage = "10Gi" } });
        var a = Stop("a1", "a") with { Demand = new(1, 4096, 1, 0, 0, 0), Volume = 4096 };
        queue.Put(a, T0);
        queue.Put(Stop("a2", "a") with { Demand = new(1, 4096, 1, 0, 0, 0), Volume = 4096 }, T0);
        queue.Put(a with { Demand = a.Demand with { Storage = 8192 } }, T0);
        Assert.Equal(4096, queue.Find(Key("a1"))!.Base.Storage);
        Assert.Equal([Key("a1")], queue.Remove(Key("a2"), T0));
        Assert.Equal(8192, queue.Find(Key("a1"))!.Base.Storage);
    }

    [Fact]
    public void GrownWish_BetweenTwoPods_KeepsItsPlaceOnlyIfItFits()
    {
        var queue = Queue(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Cpu = "4" } });
        queue.Put(Wish("a", "a", new(1, 0, 1, 2000, 0, 0)) with { Occupied = new(0, 0, 1, 2000, 0, 0) }, T0);
        queue.Put(Wish("b", "b", new(1, 0, 1, 2000, 0, 0)) with { Occupied = new(0, 0, 1, 2000, 0, 0) }, T0);
        queue.Put(Wish("a", "a", new(1, 0, 1, 3000, 0, 0)), T0);
        Assert.Equal(["b"], Running(queue));
        Assert.Equal(2000, queue.Find(Key("b"))!.Space.Held.Cpu);
        Assert.Equal([Key("a")], queue.Put(Stop("b", "b"), T0));
    }

    [Fact]
    public void Withdraw_LetsTheNextIn()
    {
        var queue = Queue(new BerthPolicySpec { PerNamespace = new PolicyCeilings { Running = 1 } });
        queue.Put(Wish("a", "a"), T0);
        queue.Put(Wish("b", "b"), T0.AddSeconds(1));
        Assert.Equal([Key("b")], queue.Withdraw(Key("a"), T0));
        Assert.Equal(["b"], Running(queue));
    }

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

    private static Amounts One => new(0, 0, 1, 0, 0, 0);

    private static AdmissionQueue Queue(BerthPolicySpec policy) => new(CeilingSet.Of(policy));

    private static ResourceKey Key(string name) => new("ns", name);

    private static Claim Wish(string name, string person, Amounts? demand = null) => new()
    {
        Key = Key(name),
        Person = person,
        WantsRun = true,
        WantsVolume = true,
        Established = true,
        Demand = demand ?? new(1, 0, 1, 0, 0, 0),
    };

    private static Claim Stop(string name, string person) => Wish(name, person) with { WantsRun = false };

    private static string[] Running(AdmissionQueue queue) =>
        [.. queue.Entries.Where(e => e.Run != default).Select(e => e.Key.Name).Order(StringComparer.Ordinal)];

    private static (int, int) Place(AdmissionQueue queue, string name) => AdmissionQueue.PlaceOf(queue.Find(Key(name))!.Start!);

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
