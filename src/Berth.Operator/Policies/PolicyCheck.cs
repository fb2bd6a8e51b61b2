using System.Collections.Immutable;
using System.Globalization;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>A field of a policy that cannot be used.</summary>
/// <param name="Field">Its path, such as spec.perPerson.cpu.</param>
/// <param name="Message">What is wrong with it, and what can be written instead.</param>
internal sealed record PolicyProblem(string Field, string Message);

/// <summary>
/// Reads a policy field by field. One that cannot be used keeps the value it had, so that a typing error neither lifts a ceiling nor stops
/// anybody; the others take effect.
/// </summary>
internal sealed class PolicyCheck
{
    // The schema says the same; but not every server that stored a policy knew this schema, and a configuration file has none.
    private const int MaxNamespaces = 256;
    private const long Week = 604800;
    private const long Month = 2592000;

    private readonly ImmutableArray<PolicyProblem>.Builder _problems = ImmutableArray.CreateBuilder<PolicyProblem>();

    private PolicyCheck()
    {
    }

    /// <summary>What of a policy can be used, and what cannot.</summary>
    /// <param name="wish">The policy as it was written.</param>
    /// <param name="known">The last one that could be used; its fields stand in for those that cannot.</param>
    internal static (BerthPolicySpec Good, ImmutableArray<PolicyProblem> Problems) Check(BerthPolicySpec wish, BerthPolicySpec known)
    {
        var check = new PolicyCheck();
        var good = new BerthPolicySpec
        {
            Lifetime = wish.Lifetime is { } life ? check.Lifetime(life, known.Lifetime) : null,
            PerPerson = wish.PerPerson is { } person ? check.Ceilings("spec.perPerson", person, known.PerPerson) : null,
            PerNamespace = wish.PerNamespace is { } ns ? check.Ceilings("spec.perNamespace", ns, known.PerNamespace) : null,
            Namespaces = check.Namespaces(wish.Namespaces, known.Namespaces),
            Storage = wish.Storage is { } storage ? check.Storage(storage, known.Storage) : null,
            Prices = wish.Prices is { } prices ? check.Prices(prices, known.Prices) : null,
            Budgets = wish.Budgets is { } budgets ? check.Budgets(budgets, known.Budgets) : null,
        };
        return (good, check._problems.ToImmutable());
    }

    private PolicyLifetime Lifetime(PolicyLifetime wish, PolicyLifetime? known) => new()
    {
        IdleTimeoutSeconds = Number("spec.lifetime.idleTimeoutSeconds", wish.IdleTimeoutSeconds, known?.IdleTimeoutSeconds, 0, Week),
        MaxIdleTimeoutSeconds = Number(
            "spec.lifetime.maxIdleTimeoutSeconds", wish.MaxIdleTimeoutSeconds, known?.MaxIdleTimeoutSeconds, 60, Week),
        MaxRunSeconds = Number("spec.lifetime.maxRunSeconds", wish.MaxRunSeconds, known?.MaxRunSeconds, 0, Month),
        WarnBeforeSeconds = Number("spec.lifetime.warnBeforeSeconds", wish.WarnBeforeSeconds, known?.WarnBeforeSeconds, 10, 14400),
        MaxHoldSeconds = Number("spec.lifetime.maxHoldSeconds", wish.MaxHoldSeconds, known?.MaxHoldSeconds, 60, Month),
    };

    private PolicyCeilings Ceilings(string path, PolicyCeilings wish, PolicyCeilings? known) => new()
    {
        Workspaces = (int?)Number($"{path}.workspaces", wish.Workspaces, known?.Workspaces, 0, 1_000_000),
        Running = (int?)Number($"{path}.running", wish.Running, known?.Running, 0, 1_000_000),
        Cpu = Amount($"{path}.cpu", wish.Cpu, known?.Cpu),
        Memory = Amount($"{path}.memory", wish.Memory, known?.Memory),
        Storage = Amount($"{path}.storage", wish.Storage, known?.Storage),
        Gpu = (int?)Number($"{path}.gpu", wish.Gpu, known?.Gpu, 0, 100_000),
    };

    private ImmutableArray<PolicyNamespace>? Namespaces(IReadOnlyList<PolicyNamespace>? wish, IReadOnlyList<PolicyNamespace>? known)
    {
        if (wish is null)
        {
            return null;
        }

        var good = ImmutableArray.CreateBuilder<PolicyNamespace>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var ns in wish.Take(MaxNamespaces))
        {
            var path = $"spec.namespaces[{ns.Name}]";
            if (ns.Name is not { Length: > 0 and <= 63 } || !seen.Add(ns.Name))
            {
                Problem(path, "each entry needs the name of a namespace, and each name may stand there once");
                continue;
            }

            var former = known?.FirstOrDefault(k => k.Name == ns.Name);
            var ceilings = Ceilings(path, ns, former);
            good.Add(new PolicyNamespace
            {
                Name = ns.Name,
                Workspaces = ceilings.Workspaces,
                Running = ceilings.Running,
                Cpu = ceilings.Cpu,
                Memory = ceilings.Memory,
                Storage = ceilings.Storage,
                Gpu = ceilings.Gpu,
                MonthlyBudget = Money($"{path}.monthlyBudget", ns.MonthlyBudget, former?.MonthlyBudget),
            });
        }

        if (wish.Count > MaxNamespaces)
        {
            Problem("spec.namespaces", $"at most {MaxNamespaces} entries count; the others are left out");
        }

        return good.ToImmutable();
    }

    private PolicyStorage Storage(PolicyStorage wish, PolicyStorage? known) => new()
    {
        UndeleteSeconds = Number("spec.storage.undeleteSeconds", wish.UndeleteSeconds, known?.UndeleteSeconds, 0, 315360000),
        BackupSchedule = Schedule("spec.storage.backupSchedule", wish.BackupSchedule, known?.BackupSchedule),
        BackupKeep = (int?)Number("spec.storage.backupKeep", wish.BackupKeep, known?.BackupKeep, 1, 100),
        BackupBeforeDelete = wish.BackupBeforeDelete,
    };

    private PolicyPrices Prices(PolicyPrices wish, PolicyPrices? known) => new()
    {
        Currency = wish.Currency is null or { Length: > 0 and <= 16 }
            ? wish.Currency
            : Keep("spec.prices.currency", "use 1 to 16 characters, such as EUR", known?.Currency),
        CpuHour = Money("spec.prices.cpuHour", wish.CpuHour, known?.CpuHour),
        MemoryGiBHour = Money("spec.prices.memoryGiBHour", wish.MemoryGiBHour, known?.MemoryGiBHour),
        GpuHour = Money("spec.prices.gpuHour", wish.GpuHour, known?.GpuHour),
        StorageGiBMonth = Money("spec.prices.storageGiBMonth", wish.StorageGiBMonth, known?.StorageGiBMonth),
    };

    private PolicyBudgets Budgets(PolicyBudgets wish, PolicyBudgets? known) => new()
    {
        PerPerson = Money("spec.budgets.perPerson", wish.PerPerson, known?.PerPerson),
        PerNamespace = Money("spec.budgets.perNamespace", wish.PerNamespace, known?.PerNamespace),
    };

    private long? Number(string path, long? wish, long? known, long least, long most) => wish is null || (wish >= least && wish <= most)
        ? wish
        : Keep(path, string.Create(CultureInfo.InvariantCulture, $"'{wish}' is not between {least} and {most}"), known);

    private string? Amount(string path, string? wish, string? known) => wish is null || PolicyAmounts.TryReadQuantity(wish, out _)
        ? wish
        : Keep(path, $"'{Short(wish)}' is not an amount: use a positive number with an optional suffix, such as 500m, 8 or 64Gi", known);

    private string? Money(string path, string? wish, string? known) => wish is null || PolicyAmounts.TryReadMoney(wish, out _)
        ? wish
        : Keep(path, $"'{Short(wish)}' is not an amount of money: use digits with at most six after a point, such as 0.042", known);

    private string? Schedule(string path, string? wish, string? known) =>
        wish is null || PolicyAmounts.IsSchedule(wish)
            ? wish
            : Keep(path, $"'{Short(wish)}' is not a schedule: use a cron expression with five fields in UTC, such as '0 3 * * *'", known);

    private T Keep<T>(string path, string why, T known)
    {
        Problem(path, $"{why}; {(known is null ? "it is left out" : $"'{known}' stays in effect")}");
        return known;
    }

    private void Problem(string path, string message) => _problems.Add(new(path, message));

    private static string Short(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
