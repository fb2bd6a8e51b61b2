using System.Diagnostics.CodeAnalysis;
using Kube.Client.Models;

namespace Kube.Runtime;

/// <summary>Conditions as the API conventions want them: a list keyed by type, whose transition time changes only with the status. Pure
/// functions.</summary>
public static class Conditions
{
    /// <summary>The status <c>True</c>.</summary>
    [SuppressMessage("Naming", "CA1720", Justification = "The API's word.")]
    public const string True = "True";

    /// <summary>The status <c>False</c>.</summary>
    public const string False = "False";

    /// <summary>The status <c>Unknown</c>.</summary>
    public const string Unknown = "Unknown";

    /// <summary>The condition of a type, or null.</summary>
    public static Condition? Find(IReadOnlyList<Condition>? conditions, string type) => conditions?.FirstOrDefault(c => c.Type == type);

    /// <summary>Whether the condition of a type is there and <c>True</c>.</summary>
    public static bool IsTrue(IReadOnlyList<Condition>? conditions, string type) => Find(conditions, type)?.Status == True;

    /// <summary>The list with one condition set in its place, or added at the end. Returns the same list when nothing would
    /// change.</summary>
    /// <param name="conditions">The list so far.</param>
    /// <param name="type">An adjective or participle, such as <c>Ready</c>.</param>
    /// <param name="status"><c>True</c>, <c>False</c> or <c>Unknown</c>.</param>
    /// <param name="reason">CamelCase, not empty: the API requires it.</param>
    /// <param name="message">For people.</param>
    /// <param name="generation">The generation this was found for.</param>
    /// <param name="now">Transition time if the status changes; cut to whole seconds, as the API stores it.</param>
    public static IReadOnlyList<Condition> Set(
        IReadOnlyList<Condition>? conditions, string type, string status, string reason, string message, long? generation,
            DateTimeOffset now)
    {
        ArgumentException.ThrowIfNullOrEmpty(type);
        ArgumentException.ThrowIfNullOrEmpty(reason);
        ArgumentNullException.ThrowIfNull(message);
        if (status is not (True or False or Unknown))
        {
            throw new ArgumentException($"The status of condition {type} must be True, False or Unknown, not '{status}'.", nameof(status));
        }

        var old = Find(conditions, type);
        var updated = new Condition
        {
            Type = type,
            Status = status,
            Reason = reason,
            Message = message,
            ObservedGeneration = generation,
            LastTransitionTime = old?.Status == status && old.LastTransitionTime is { } since ? since
                : new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero),
        };
        return old is null ? [.. conditions ?? [], updated]
            : old == updated ? conditions!
            : [.. conditions!.Select(c => c.Type == type ? updated : c)];
    }

    /// <summary>The list without the condition of a type.</summary>
    public static IReadOnlyList<Condition> Remove(IReadOnlyList<Condition>? conditions, string type) =>
        [.. (conditions ?? []).Where(c => c.Type != type)];
}
