using Berth.Resources;

namespace Berth.Operator.Tests;

public sealed class UsageMathTests
{
    private static readonly DateTimeOffset T0 = new(2030, 3, 10, 12, 0, 0, TimeSpan.Zero);
    private static readonly PriceTable Prices = PriceTable.Of(new PolicyPrices
    {
        CpuHour = "0.04",
        MemoryGiBHour = "0.005",
        GpuHour = "1.2",
        StorageGiBMonth = "0.72",
    });

    private static readonly UsageRates Stopped = new(0, 0, 0, 10240);
    private static readonly UsageRates Running = new(2000, 4096, 0, 10240);

    [Fact]
    public void PricePerHour_IsExact() =>
        Assert.Equal((2 * 40_000) + (4 * 5_000) + (10 * 1_000), Prices.MicrosPerHour(Running));

    [Fact]
    public void SameRates_NothingToWrite()
    {
        var usage = UsageMath.Next(null, Running, Prices, T0);
        Assert.Same(usage, UsageMath.Next(usage, Running, Prices, T0.AddHours(30)));
    }

    [Fact]
    public void RunsTwoHours_ThenStops_IsCounted()
    {
        var usage = UsageMath.Next(UsageMath.Next(null, Running, Prices, T0), Stopped, Prices, T0.AddHours(2));
        Assert.Equal(
            (14400, 28800, (long?)null, 72000),
            (usage.CpuSeconds, usage.MemoryGiBSeconds, usage.GpuSeconds, usage.StorageGiBSeconds));
        Assert.Equal(220_000, usage.CostMicros);
        Assert.Equal(10_000, usage.CostMicrosPerHour);
        Assert.Equal(T0.AddHours(2), usage.CountedUntil);
    }

    [Fact]
    public void Resized_EachPartAtItsOwnRate()
    {
        var usage = UsageMath.Next(null, Running, Prices, T0);
        usage = UsageMath.Next(usage, Running with { CpuMillis = 4000, StorageMiB = 20480 }, Prices, T0.AddHours(1));
        usage = UsageMath.Next(usage, default, Prices, T0.AddHours(3));
        Assert.Equal((2 * 3600) + (4 * 7200), usage.CpuSeconds);
        Assert.Equal((10 * 3600) + (20 * 7200), usage.StorageGiBSeconds);
    }

    [Fact]
    public void OverTheMonthsEnd_TheOldSumIsKept_AndTheNewOneBeginsAtMidnight()
    {
        var start = new DateTimeOffset(2030, 3, 31, 22, 0, 0, TimeSpan.Zero);
        var usage = UsageMath.Next(UsageMath.Next(null, Running, Prices, start), Stopped, Prices, start.AddHours(5));
        Assert.Equal("2030-04", usage.Period);
        Assert.Equal(2 * 3 * 3600, usage.CpuSeconds);
        Assert.Equal(3 * 110_000, usage.CostMicros);
        Assert.Equal(("2030-03", 2 * 110_000), (usage.PreviousPeriod, usage.PreviousCostMicros));
    }

    [Fact]
    public void OverTwoMonths_TheLastOneCountsWhole()
    {
        var usage = UsageMath.Next(UsageMath.Next(null, Stopped, Prices, T0), Running, Prices, new(2030, 5, 1, 1, 0, 0, TimeSpan.Zero));
        Assert.Equal(("2030-04", 30 * 24 * 10_000L), (usage.PreviousPeriod, usage.PreviousCostMicros));
        Assert.Equal(10_000, usage.CostMicros);
    }

    [Theory]
    [InlineData(-3600)]
    [InlineData(-1)]
    [InlineData(0)]
    public void ClockGoesBack_NothingIsCountedTwiceOrTakenAway(int seconds)
    {
        var counted = UsageMath.Next(UsageMath.Next(null, Running, Prices, T0), Stopped, Prices, T0.AddHours(1));
        var back = UsageMath.Next(counted, Running, Prices, T0.AddHours(1).AddSeconds(seconds));
        Assert.Equal((counted.CpuSeconds, counted.CostMicros), (back.CpuSeconds, back.CostMicros));
        Assert.Equal(T0.AddHours(1), back.CountedUntil);
    }

    [Fact]
    public void ReadAgainFromTheApi_CountsOn()
    {
        var written = UsageMath.Next(null, Running, Prices, T0);
        var read = System.Text.Json.JsonSerializer.Deserialize(
            System.Text.Json.JsonSerializer.Serialize(written, BerthJson.Default.WorkspaceUsage), BerthJson.Default.WorkspaceUsage)!;
        Assert.Equal(UsageMath.Next(written, Stopped, Prices, T0.AddHours(9)), UsageMath.Next(read, Stopped, Prices, T0.AddHours(9)));
    }

    [Fact]
    public void HugeAmounts_DoNotOverflow()
    {
        var dear = PriceTable.Of(new PolicyPrices { CpuHour = "999999999999", StorageGiBMonth = "999999999999" });
        var usage = UsageMath.Next(null, new(1L << 40, 1L << 40, 64, 1L << 40), dear, T0);
        Assert.Equal(long.MaxValue, UsageMath.Until(usage, dear, T0.AddDays(20)).CostMicros);
    }

    [Fact]
    public void Line_SaysWhenAnAmountIsReached()
    {
        var line = new CostLine(1_000_000, 500_000);
        Assert.Equal(TimeSpan.FromHours(2), line.Until(2_000_000, T0));
        Assert.Equal(TimeSpan.Zero, line.Until(900_000, T0));

        // Not in this month: 21.5 days are left.
        Assert.Null(line.Until(1_000_000_000, T0));
        Assert.Null(new CostLine(0, 0).Until(1, T0));
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData("node1", 2000)]
    public void Rates_CountAPodOnceItHasANode(string? node, long cpu)
    {
        var world = new World();
        world.Seen = world.Seen with
        {
            Template = TestData.Template(t => t with
            {
                Resources = new TemplateResources { Limits = new ComputeResources { Cpu = "2", Memory = "1Gi" } },
            }),
        };
        world.Settle();
        world.PodStatus(new() { Phase = "Pending" }, node);
        Assert.Equal(new UsageRates(cpu, cpu > 0 ? 1024 : 0, 0, 1024), UsagePlan.Rates(world.Seen));
    }
}
