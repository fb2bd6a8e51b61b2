using Berth.Resources;

namespace Berth.Operator.Tests;

public sealed class PolicyCheckTests
{
    private static readonly BerthPolicySpec Known = new()
    {
        Lifetime = new PolicyLifetime { IdleTimeoutSeconds = 900 },
        PerPerson = new PolicyCeilings { Cpu = "8", Running = 2 },
        Namespaces = [new PolicyNamespace { Name = "team", Memory = "64Gi" }],
        Storage = new PolicyStorage { BackupSchedule = "0 3 * * *" },
        Prices = new PolicyPrices { CpuHour = "0.04" },
    };

    public static TheoryData<string, Func<BerthPolicySpec, BerthPolicySpec>> Bad => new()
    {
        { "spec.lifetime.idleTimeoutSeconds", s => s with { Lifetime = s.Lifetime! with { IdleTimeoutSeconds = -1 } } },
        { "spec.lifetime.warnBeforeSeconds", s => s with { Lifetime = s.Lifetime! with { WarnBeforeSeconds = 1 } } },
        { "spec.perPerson.cpu", s => s with { PerPerson = s.PerPerson! with { Cpu = "many" } } },
        { "spec.perPerson.cpu", s => s with { PerPerson = s.PerPerson! with { Cpu = "0" } } },
        { "spec.perPerson.cpu", s => s with { PerPerson = s.PerPerson! with { Cpu = "1e99" } } },
        { "spec.perPerson.running", s => s with { PerPerson = s.PerPerson! with { Running = -4 } } },
        { "spec.namespaces[team].memory", s => s with { Namespaces = [new PolicyNamespace { Name = "team", Memory = "64 GB" }] } },
        { "spec.storage.backupSchedule", s => s with { Storage = s.Storage! with { BackupSchedule = "61 3 * * *" } } },
        { "spec.storage.backupSchedule", s => s with { Storage = s.Storage! with { BackupSchedule = "daily" } } },
        { "spec.prices.cpuHour", s => s with { Prices = s.Prices! with { CpuHour = "-1" } } },
        { "spec.prices.cpuHour", s => s with { Prices = s.Prices! with { CpuHour = "0,04" } } },
        { "spec.prices.cpuHour", s => s with { Prices = s.Prices! with { CpuHour = "1e3" } } },
        { "spec.prices.cpuHour", s => s with { Prices = s.Prices! with { CpuHour = "0.0000001" } } },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void BadField_KeepsItsLastGoodValue_AndIsNamed(string field, Func<BerthPolicySpec, BerthPolicySpec> spoil)
    {
        var (good, problems) = PolicyCheck.Check(spoil(Known), Known);
        var problem = Assert.Single(problems);
        Assert.Equal(field, problem.Field);
        Assert.True(EffectivePolicy.Same(EffectivePolicy.From(Known), EffectivePolicy.From(good)));
    }

    [Fact]
    public void BadField_OthersTakeEffect()
    {
        var (good, problems) = PolicyCheck.Check(
            Known with { PerPerson = new PolicyCeilings { Cpu = "x", Running = 5, Memory = "4Gi" } }, Known);
        Assert.Single(problems);
        Assert.Equal(("8", 5, "4Gi"), (good.PerPerson!.Cpu, good.PerPerson.Running, good.PerPerson.Memory));
    }

    [Fact]
    public void BadField_NothingKnown_IsLeftOut()
    {
        var (good, problems) = PolicyCheck.Check(new BerthPolicySpec { PerPerson = new PolicyCeilings { Cpu = "x" } }, new());
        Assert.Null(good.PerPerson!.Cpu);
        Assert.Contains("left out", Assert.Single(problems).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Namespaces_TwiceTheSame_FirstCounts()
    {
        var (good, problems) = PolicyCheck.Check(
            new BerthPolicySpec { Namespaces = [new() { Name = "a", Running = 1 }, new() { Name = "a", Running = 2 }] }, new());
        Assert.Equal(1, Assert.Single(good.Namespaces!).Running);
        Assert.Equal("spec.namespaces[a]", Assert.Single(problems).Field);
    }

    [Fact]
    public void Empty_IsEmpty()
    {
        var (good, problems) = PolicyCheck.Check(new(), Known);
        Assert.Empty(problems);
        Assert.True(EffectivePolicy.Same(EffectivePolicy.Default, EffectivePolicy.From(good)));
    }

    [Theory]
    [InlineData("0 3 * * *", true)]
    [InlineData("*/15 0-6 1,15 * 1-5", true)]
    [InlineData("0 0 * * 7", true)]
    [InlineData("0 24 * * *", false)]
    [InlineData("0 3 * *", false)]
    [InlineData("0 3 * * * *", false)]
    [InlineData("5-1 3 * * *", false)]
    [InlineData("", false)]
    public void Schedule_IsCronOfFiveFields(string text, bool good) => Assert.Equal(good, PolicyAmounts.IsSchedule(text));
}
