using Berth.Resources;
using Kube.Client;
using Testing;

namespace Berth.Operator.Tests;

public sealed class AdmissionLedgerTests
{
    private readonly List<string> _woken = [];

    [Fact]
    public void ReasonChanges_AndThePlaceDoesNot_IsToldAnew()
    {
        using var ledger = Ledger(new PolicyCeilings { Running = 1 }, new PolicyCeilings { Running = 2 });
        ledger.Ask(Wish("a1", "a"));
        ledger.Ask(Wish("b1", "b"));
        ledger.Ask(Wish("c1", "c"));
        var told = ledger.Ask(Wish("a2", "a"));
        Assert.Equal(1, told.Position);
        Assert.Contains("a person may have", told.Message, StringComparison.Ordinal);
        ledger.WakeMoved();
        _woken.Clear();

        // c's comes first, and a's second no longer waits for its owner but for the namespace: the first place in either queue.
        ledger.Ask(Wish("a1", "a") with { WantsRun = false, GrantedAt = TestData.Now });
        ledger.Ask(Wish("c1", "c"));
        ledger.WakeMoved();
        Assert.Contains("a2", _woken);
        told = ledger.Ask(Wish("a2", "a"));
        Assert.Equal(1, told.Position);
        Assert.Contains("namespace people may have", told.Message, StringComparison.Ordinal);
        _woken.Clear();
        ledger.WakeMoved();
        Assert.Empty(_woken);
    }

    [Fact]
    public void AnotherComesToWait_TheLengthIsToldAnew()
    {
        using var ledger = Ledger(null, new PolicyCeilings { Running = 1 });
        ledger.Ask(Wish("a1", "a"));
        Assert.Equal(1, ledger.Ask(Wish("b1", "b")).Length);
        ledger.WakeMoved();
        _woken.Clear();
        ledger.Ask(Wish("c1", "c"));
        ledger.WakeMoved();
        Assert.Equal(["b1"], _woken);
        Assert.Equal(2, ledger.Ask(Wish("b1", "b")).Length);
    }

    [Fact]
    public void OthersUseMoreOrLess_AndItStillDoesNotSuffice_NobodyIsToldAnew()
    {
        using var ledger = Ledger(null, new PolicyCeilings { Cpu = "4" });
        ledger.Ask(Wish("a1", "a", cpu: 2000));
        ledger.Ask(Wish("a2", "a", cpu: 1000));
        var told = ledger.Ask(Wish("b1", "b", cpu: 4000));
        ledger.WakeMoved();
        _woken.Clear();
        ledger.Ask(Wish("a2", "a", cpu: 1000) with { WantsRun = false });
        ledger.WakeMoved();
        Assert.Empty(_woken);
        Assert.Equal(told.Message, ledger.Ask(Wish("b1", "b", cpu: 4000)).Message);
    }

    private AdmissionLedger Ledger(PolicyCeilings? person, PolicyCeilings? space) => new(
        () => EffectivePolicy.From(new BerthPolicySpec { PerPerson = person, PerNamespace = space }),
        () => [],
        key => _woken.Add(key.Name),
        new FakeTimeProvider(TestData.Now));

    private static Claim Wish(string name, string person, long cpu = 100) => new()
    {
        Key = new ResourceKey("people", name),
        Person = person,
        WantsRun = true,
        WantsVolume = true,
        Established = true,
        Demand = new Amounts(0, 0, 1, cpu, 0, 0),
    };
}
