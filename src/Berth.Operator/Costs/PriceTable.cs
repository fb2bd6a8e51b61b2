using Berth.Resources;

namespace Berth.Operator;

/// <summary>What a workspace has at a moment, as usage is counted: thousandths of cores, MiB, devices.</summary>
internal readonly record struct UsageRates(long CpuMillis, long MemoryMiB, long Gpus, long StorageMiB);

/// <summary>Prices as exact decimal numbers; what has none costs nothing.</summary>
internal sealed record PriceTable(decimal CpuHour, decimal MemoryGiBHour, decimal GpuHour, decimal StorageGiBMonth)
{
    private const decimal HoursPerMonth = 30 * 24;

    // A million million of the currency: sums of it over a month and a hundred thousand workspaces still fit.
    private const decimal MostPerHour = 1_000_000_000_000_000_000m;

    internal static PriceTable Of(PolicyPrices? prices) => new(
        Amount(prices?.CpuHour), Amount(prices?.MemoryGiBHour), Amount(prices?.GpuHour), Amount(prices?.StorageGiBMonth));

    /// <summary>Cost of an hour with these rates, in millionths of the currency.</summary>
    internal decimal MicrosPerHour(UsageRates rates) => Math.Min(MostPerHour, 1_000_000m * (
        (rates.CpuMillis / 1000m * CpuHour)
        + (rates.MemoryMiB / 1024m * MemoryGiBHour)
        + (rates.Gpus * GpuHour)
        + (rates.StorageMiB / 1024m * StorageGiBMonth / HoursPerMonth)));

    /// <summary>Cost of a time with these rates, in millionths of the currency.</summary>
    internal decimal Micros(UsageRates rates, TimeSpan time) => MicrosPerHour(rates) * ((decimal)time.Ticks / TimeSpan.TicksPerHour);

    private static decimal Amount(string? text) => PolicyAmounts.TryReadMoney(text, out var amount) ? amount : 0;
}
