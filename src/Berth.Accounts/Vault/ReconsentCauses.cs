namespace Berth.Accounts;

/// <summary>Causes as the database and the API write them: words that outlive the names in the program.</summary>
public static class ReconsentCauses
{
    private static readonly (ReconsentCause Cause, string Text)[] Words =
    [
        (ReconsentCause.None, "none"), (ReconsentCause.Refused, "refused"), (ReconsentCause.RotationLost, "rotation-lost"),
        (ReconsentCause.Interrupted, "interrupted"), (ReconsentCause.ConnectionChanged, "connection-changed"),
        (ReconsentCause.Unreadable, "unreadable"),
    ];

    /// <summary>Lower case with dashes, such as <c>rotation-lost</c>.</summary>
    public static string ToText(this ReconsentCause cause) => Words.First(c => c.Cause == cause).Text;

    /// <summary>The cause of a word; <see cref="ReconsentCause.None"/> for one that a newer version wrote.</summary>
    public static ReconsentCause Parse(string text) => Words.FirstOrDefault(c => c.Text == text).Cause;
}
