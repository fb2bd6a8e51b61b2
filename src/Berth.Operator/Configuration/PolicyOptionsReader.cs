using Berth.Resources;

namespace Berth.Operator;

/// <summary>Reads <c>Berth:Operator:Policy</c>: the fields of a BerthPolicy's spec under the same names.</summary>
internal static class PolicyOptionsReader
{
    internal static BerthPolicySpec Read(OptionSource source)
    {
        return new BerthPolicySpec
        {
            Lifetime = new PolicyLifetime
            {
                IdleTimeoutSeconds = source.Number("Policy:Lifetime:IdleTimeoutSeconds"),
                MaxIdleTimeoutSeconds = source.Number("Policy:Lifetime:MaxIdleTimeoutSeconds"),
                MaxRunSeconds = source.Number("Policy:Lifetime:MaxRunSeconds"),
                WarnBeforeSeconds = source.Number("Policy:Lifetime:WarnBeforeSeconds"),
                MaxHoldSeconds = source.Number("Policy:Lifetime:MaxHoldSeconds"),
            },
            PerPerson = Ceilings("Policy:PerPerson", new PolicyNamespace()),
            PerNamespace = Ceilings("Policy:PerNamespace", new PolicyNamespace()),
            Namespaces =
            [
                .. source.Children("Policy:Namespaces").Select(i => Ceilings($"Policy:Namespaces:{i}", new PolicyNamespace
                {
                    Name = Text($"Policy:Namespaces:{i}:Name") ?? "",
                    MonthlyBudget = Text($"Policy:Namespaces:{i}:MonthlyBudget"),
                })),
            ],
            Storage = new PolicyStorage
            {
                UndeleteSeconds = source.Number("Policy:Storage:UndeleteSeconds"),
                BackupSchedule = Text("Policy:Storage:BackupSchedule"),
                BackupKeep = source.Number("Policy:Storage:BackupKeep"),
                BackupBeforeDelete = source.Flag("Policy:Storage:BackupBeforeDelete"),
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
            Workspaces = source.Number($"{path}:Workspaces"),
            Running = source.Number($"{path}:Running"),
            Cpu = Text($"{path}:Cpu"),
            Memory = Text($"{path}:Memory"),
            Storage = Text($"{path}:Storage"),
            Gpu = source.Number($"{path}:Gpu"),
        };

        string? Text(string key) => source.Raw(key) is { Length: > 0 } text ? text : null;
    }
}
