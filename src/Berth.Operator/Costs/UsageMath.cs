using System.Globalization;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>Counts what a workspace used in a month. Pure.</summary>
/// <remarks>
/// The status keeps the sums up to a time and what the workspace has had since; nothing is written while that stays the same. So a
/// restart of the operator in between loses nothing, and a quiet workspace costs no writes. Prices are those of the moment of counting.
/// </remarks>
internal static class UsageMath
{
    /// <summary>The usage to write once the workspace has these rates; the same object when there is nothing to write.</summary>
    internal static WorkspaceUsage Next(WorkspaceUsage? former, UsageRates rates, PriceTable prices, DateTimeOffset now)
    {
        var month = MonthOf(now);
        if (former?.CountedUntil is not { } until)
        {
            return With(new WorkspaceUsage { Period = Name(month), CountedUntil = now }, rates, prices);
        }

        // A clock that went back counts nothing twice: what was counted stays counted.
        var upTo = now < until ? until : now;
        var had = RatesOf(former);
        if (former.Period == Name(MonthOf(upTo)) && had == rates && former.CostMicrosPerHour == PerHour(rates, prices))
        {
            return former;
        }

        var counted = Until(former, prices, upTo);
        return With(counted with { CountedUntil = upTo }, rates, prices);
    }

    /// <summary>The usage as it is at a time: the sums, and what it has had since they were written.</summary>
    internal static WorkspaceUsage Until(WorkspaceUsage former, PriceTable prices, DateTimeOffset now)
    {
        if (former.CountedUntil is not { } until || now <= until)
        {
            return former;
        }

        var had = RatesOf(former);
        var month = MonthOf(now);
        if (former.Period == Name(month))
        {
            return Add(former, had, now - until, prices) with { CountedUntil = now };
        }

        // The month before keeps its whole sum; of months in which nobody looked only the last is kept.
        var last = MonthOf(month.AddTicks(-1));
        var since = until > last ? until : last;
        var before = former.Period == Name(last) ? former.CostMicros ?? 0 : 0;
        var start = new WorkspaceUsage
        {
            Period = Name(month),
            PreviousPeriod = Name(last),
            PreviousCostMicros = Clamp(before + prices.Micros(had, month - since)),
        };
        return With(Add(start, had, now - month, prices), had, prices) with { CountedUntil = now };
    }

    internal static UsageRates RatesOf(WorkspaceUsage usage) =>
        new(usage.CpuMillis ?? 0, usage.MemoryMiB ?? 0, usage.Gpus ?? 0, usage.StorageMiB ?? 0);

    internal static DateTimeOffset MonthOf(DateTimeOffset time) =>
        new(time.UtcDateTime.Year, time.UtcDateTime.Month, 1, 0, 0, 0, TimeSpan.Zero);

    internal static string Name(DateTimeOffset month) => month.UtcDateTime.ToString("yyyy-MM", CultureInfo.InvariantCulture);

    private static WorkspaceUsage With(WorkspaceUsage usage, UsageRates rates, PriceTable prices) => usage with
    {
        CpuMillis = NotZero(rates.CpuMillis),
        MemoryMiB = NotZero(rates.MemoryMiB),
        Gpus = NotZero(rates.Gpus),
        StorageMiB = NotZero(rates.StorageMiB),
        CostMicrosPerHour = PerHour(rates, prices),
    };

    private static WorkspaceUsage Add(WorkspaceUsage usage, UsageRates rates, TimeSpan time, PriceTable prices) => usage with
    {
        CpuSeconds = Sum(usage.CpuSeconds, rates.CpuMillis, 1000, time),
        MemoryGiBSeconds = Sum(usage.MemoryGiBSeconds, rates.MemoryMiB, 1024, time),
        GpuSeconds = Sum(usage.GpuSeconds, rates.Gpus, 1, time),
        StorageGiBSeconds = Sum(usage.StorageGiBSeconds, rates.StorageMiB, 1024, time),
        CostMicros = NotZero(Clamp((usage.CostMicros ?? 0) + prices.Micros(rates, time))),
    };

    private static long? Sum(long? former, long rate, long unit, TimeSpan time) =>
        NotZero(Clamp((former ?? 0) + ((decimal)rate / unit * time.Ticks / TimeSpan.TicksPerSecond)));

    private static long? PerHour(UsageRates rates, PriceTable prices) => NotZero(Clamp(prices.MicrosPerHour(rates)));

    private static long? NotZero(long number) => number == 0 ? null : number;

    private static long Clamp(decimal number) => number >= long.MaxValue ? long.MaxValue
        : (long)decimal.Round(number, MidpointRounding.AwayFromZero);
}
