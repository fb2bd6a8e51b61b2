using Berth.Resources;

namespace Berth.Operator;

/// <summary>Reads <c>Berth:Operator:Policy</c>: the fields of a BerthPolicy's spec under the same names.</summary>
internal static class PolicyOptionsReader
{
    internal static BerthPolicySpec Read(
        Func<string, string?> raw, Func<string, int?> number, Func<string, bool?> flag, Func<string, IEnumerable<string>> children)
    {
        return new BerthPolicySpec
        {
            Lifetime = new PolicyLifetime
            {
                IdleTimeoutSeconds = number("Policy:Lifetime:IdleTimeoutSeconds"),
                MaxIdleTimeoutSeconds = number("Policy:Lifetime:MaxIdleTimeoutSeconds"),
                MaxRunSeconds = number("Policy:Lifetime:MaxRunSeconds"),
                WarnBeforeSeconds = number("Policy:Lifetime:WarnBeforeSeconds"),
                MaxHoldSeconds = number("Policy:Lifetime:MaxHoldSeconds"),
            },
            PerPerson = Ceilings("Policy:PerPerson", new PolicyNamespace()),
            PerNamespace = Ceilings("Policy:PerNamespace", new PolicyNamespace()),
            Namespaces =
            [
                .. children("Policy:Namespaces").Select(i => Ceilings($"Policy:Namespaces:{i}", new PolicyNamespace
                {
                    Name = Text($"Policy:Namespaces:{i}:Name") ?? "",
                    MonthlyBudget = Text($"Policy:Namespaces:{i}:MonthlyBudget"),
                })),
            ],
            Storage = new PolicyStorage
            {
                UndeleteSeconds = number("Policy:Storage:UndeleteSeconds"),
                BackupSchedule = Text("Policy:Storage:BackupSchedule"),
                BackupKeep = number("Policy:Storage:BackupKeep"),
                BackupBeforeDelete = flag("Policy:Storage:BackupBeforeDelete"),
            },
            Prices = new PolicyPrices
            {
                Currency = Text("Policy:Prices:Currency"),
                CpuHour = Text("Policy:Prices:CpuHour"),
                MemoryGiBHour = Text("Policy:Prices:MemoryGiBHour"),
                GpuHour = Text("Policy:Prices:GpuHour"),
                StorageGiBMonth = Text("Policy:Prices:StorageGiBMonth"),
            },
            Budgets = new PolicyBudgets
            {
                PerPerson = Text("Policy:Budgets:PerPerson"),
                PerNamespace = Text("Policy:Budgets:PerNamespace"),
            },
        };

        PolicyNamespace Ceilings(string path, PolicyNamespace start) => start with
        {
            Workspaces = number($"{path}:Workspaces"),
            Running = number($"{path}:Running"),
            Cpu = Text($"{path}:Cpu"),
            Memory = Text($"{path}:Memory"),
            Storage = Text($"{path}:Storage"),
            Gpu = number($"{path}:Gpu"),
        };

        string? Text(string key) => raw(key) is { Length: > 0 } text ? text : null;
    }
}
