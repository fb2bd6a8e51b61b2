using System.Collections.Immutable;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>The ceilings of a policy, read once.</summary>
internal sealed record CeilingSet(Amounts PerPerson, Amounts PerNamespace, ImmutableDictionary<string, Amounts> ByName)
{
    internal static CeilingSet Of(BerthPolicySpec policy) => new(
        Amounts.Of(policy.PerPerson),
        Amounts.Of(policy.PerNamespace),
        (policy.Namespaces ?? []).ToImmutableDictionary(n => n.Name, n => Amounts.Of(n), StringComparer.Ordinal));

    /// <summary>Whether there is any ceiling.</summary>
    internal bool Bounds => PerPerson != Amounts.Unbounded || PerNamespace != Amounts.Unbounded
        || ByName.Values.Any(a => a != Amounts.Unbounded);

    /// <summary>Ceilings of a namespace: its own entry as a whole, else those of every namespace.</summary>
    internal Amounts Of(string ns) => ByName.GetValueOrDefault(ns, PerNamespace);

    internal bool Same(CeilingSet other) => PerPerson == other.PerPerson && PerNamespace == other.PerNamespace
        && ByName.Count == other.ByName.Count && ByName.All(p => other.ByName.TryGetValue(p.Key, out var o) && o == p.Value);
}
