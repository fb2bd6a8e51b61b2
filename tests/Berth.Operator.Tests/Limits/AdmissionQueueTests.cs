using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client;

namespace Berth.Operator.Tests;

/// <summary>Ceilings: who may start or exist, and what lets the next in.</summary>
public sealed partial class AdmissionQueueTests
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
}
