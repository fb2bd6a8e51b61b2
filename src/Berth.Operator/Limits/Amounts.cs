using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>What ceilings are about. The order is that of messages: the first that is short is told.</summary>
internal enum Ceiling
{
    Workspaces,
    Storage,
    Running,
    Cpu,
    Memory,
    Gpu,
}

/// <summary>
/// Amounts of everything that has a ceiling: CPU in thousandths of a core, memory and storage in MiB. Demands are rounded up and ceilings
/// down, so that rounding never lets anybody over one.
/// </summary>
internal readonly record struct Amounts(long Workspaces, long Storage, long Running, long Cpu, long Memory, long Gpu)
{
    internal const int Count = 6;

    // One workspace's demand at most, so that sums over millions of them hold in a long.
    private const long Most = 1L << 40;

    /// <summary>No ceiling at all.</summary>
    internal static Amounts Unbounded { get; } =
        new(long.MaxValue, long.MaxValue, long.MaxValue, long.MaxValue, long.MaxValue, long.MaxValue);

    internal long this[int index] => index switch
    {
        0 => Workspaces,
        1 => Storage,
        2 => Running,
        3 => Cpu,
        4 => Memory,
        5 => Gpu,
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    /// <summary>One bit for each amount that is above zero.</summary>
    internal byte Mask
    {
        get
        {
            var mask = 0;
            for (var i = 0; i < Count; i++)
            {
                mask |= this[i] > 0 ? 1 << i : 0;
            }

            return (byte)mask;
        }
    }

    public static Amounts operator +(Amounts a, Amounts b) => new(a.Workspaces + b.Workspaces, a.Storage + b.Storage,
        a.Running + b.Running, a.Cpu + b.Cpu, a.Memory + b.Memory, a.Gpu + b.Gpu);

    public static Amounts operator -(Amounts a, Amounts b) => new(a.Workspaces - b.Workspaces, a.Storage - b.Storage,
        a.Running - b.Running, a.Cpu - b.Cpu, a.Memory - b.Memory, a.Gpu - b.Gpu);

    /// <summary>
    /// The bits of those that <paramref name="ask"/> would bring above <paramref name="ceiling"/>; what is not asked for is not short.
    /// </summary>
    internal static byte Short(Amounts held, Amounts ask, Amounts ceiling)
    {
        var mask = 0;
        for (var i = 0; i < Count; i++)
        {
            mask |= ask[i] > 0 && ask[i] > ceiling[i] - held[i] ? 1 << i : 0;
        }

        return (byte)mask;
    }

    /// <summary>The ceilings that a policy sets; what it does not set is not bounded.</summary>
    internal static Amounts Of(PolicyCeilings? ceilings) => ceilings is null ? Unbounded : new(
        ceilings.Workspaces ?? long.MaxValue,
        Floor(ceilings.Storage, MiB),
        ceilings.Running ?? long.MaxValue,
        ceilings.Cpu is null ? long.MaxValue : Millis(ceilings.Cpu, long.MaxValue),
        Floor(ceilings.Memory, MiB),
        ceilings.Gpu ?? long.MaxValue);

    /// <summary>
    /// What a pod may use: limits where there are such, else requests; of all its containers, or of the largest that runs before them.
    /// </summary>
    internal static Amounts Of(PodSpec pod)
    {
        var all = new Amounts(0, 0, 1, 0, 0, 0);
        foreach (var container in pod.Containers ?? [])
        {
            all += Of(container.Resources);
        }

        foreach (var container in pod.InitContainers ?? [])
        {
            var one = Of(container.Resources);
            all = all with
            {
                Cpu = Math.Max(all.Cpu, one.Cpu),
                Memory = Math.Max(all.Memory, one.Memory),
                Gpu = Math.Max(all.Gpu, one.Gpu),
            };
        }

        return all;
    }

    /// <summary>Size of a volume in MiB.</summary>
    internal static long StorageOf(PersistentVolumeClaim? volume) =>
        volume?.Spec?.Resources?.Requests?.GetValueOrDefault("storage") is { } size ? Ceil(size, MiB) : 0;

    private const long MiB = 1 << 20;

    private static Amounts Of(ResourceRequirements? resources)
    {
        var names = (resources?.Limits?.Keys ?? []).Union(resources?.Requests?.Keys ?? []);
        var (cpu, memory, gpu) = (0L, 0L, 0L);
        foreach (var name in names)
        {
            var text = resources!.Limits?.GetValueOrDefault(name) ?? resources.Requests?.GetValueOrDefault(name) ?? "0";
            switch (name)
            {
                case "cpu":
                    cpu = Millis(text, Most);
                    break;
                case "memory":
                    memory = Ceil(text, MiB);
                    break;

                // Devices have a domain in their name: nvidia.com/gpu, amd.com/gpu, example.com/mig-1g.
                case var device when device.Contains('/', StringComparison.Ordinal):
                    gpu += Ceil(text, 1);
                    break;
            }
        }

        return new(0, 0, 0, cpu, memory, gpu);
    }

    private static long Millis(string text, long most) => Quantity.TryParse(text, out var quantity)
        ? quantity.Sign <= 0 ? 0 : quantity >= Quantity.FromUnits(Most / 1000) ? most : quantity.MilliValue
        : 0;

    private static long Ceil(string text, long unit)
    {
        if (!Quantity.TryParse(text, out var quantity) || quantity.Sign <= 0)
        {
            return 0;
        }

        return quantity >= Quantity.FromUnits(long.MaxValue - unit) ? Most : Math.Min(Most, (quantity.Value + unit - 1) / unit);
    }

    private static long Floor(string? text, long unit) => !Quantity.TryParse(text, out var quantity)
        || quantity >= Quantity.FromUnits(long.MaxValue) ? long.MaxValue : Math.Max(0, quantity.Value) / unit;
}
