using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>Builds the conditions of a status. The time of a condition moves only when its status does.</summary>
internal sealed class ConditionSet(IReadOnlyList<Condition>? former, long? generation, DateTimeOffset now)
{
    private readonly Dictionary<string, Condition> _conditions = new(StringComparer.Ordinal);

    internal bool IsTrue(string type) => _conditions.TryGetValue(type, out var condition) && condition.Status == "True";

    internal void True(string type, string reason, string message) => Set(type, "True", reason, message);

    internal void False(string type, string reason, string message) => Set(type, "False", reason, message);

    internal void Unknown(string type, string reason, string message) => Set(type, "Unknown", reason, message);

    /// <summary>What was said of it stays, as of this generation.</summary>
    internal void Keep(string type)
    {
        if (former?.FirstOrDefault(c => c.Type == type) is { } old)
        {
            _conditions[type] = old with { ObservedGeneration = generation };
        }
    }

    /// <summary>The first condition that is not true, in order.</summary>
    internal Condition? FirstNotTrue() =>
        ConditionTypes.InOrder.Select(t => _conditions.GetValueOrDefault(t)).FirstOrDefault(c => c is not null && c.Status != "True");

    /// <summary>All in order, with those of others (types we do not know) kept at the end.</summary>
    internal IReadOnlyList<Condition> ToList() =>
    [
        .. ConditionTypes.InOrder.Where(_conditions.ContainsKey).Select(t => _conditions[t]),
        .. ConditionTypes.Beside.Where(_conditions.ContainsKey).Select(t => _conditions[t]),
        .. (former ?? []).Where(c => !ConditionTypes.InOrder.Contains(c.Type) && !ConditionTypes.Beside.Contains(c.Type)),
    ];

    private void Set(string type, string status, string reason, string message)
    {
        var old = former?.FirstOrDefault(c => c.Type == type);
        _conditions[type] = new Condition
        {
            Type = type,
            Status = status,
            Reason = reason,
            Message = message,
            ObservedGeneration = generation,
            LastTransitionTime = old?.Status == status && old.LastTransitionTime is { } since ? since : now,
        };
    }
}
