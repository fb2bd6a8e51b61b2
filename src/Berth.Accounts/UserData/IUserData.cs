using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Berth.Accounts;

/// <summary>
/// Small JSON documents that programs keep for a person, by key. Every call is about one person and sees nobody else's.
/// </summary>
/// <exception cref="AccountsUnavailableException">From every method: the database cannot be reached.</exception>
public interface IUserData
{
    /// <summary>What there is, by key, without the values.</summary>
    Task<IReadOnlyList<UserDatumHead>> ListAsync(PersonKey person, CancellationToken cancellationToken);

    /// <summary>One document; null when there is none.</summary>
    Task<UserDatum?> FindAsync(PersonKey person, string key, CancellationToken cancellationToken);

    /// <summary>Writes a document.</summary>
    /// <param name="person">Whose.</param>
    /// <param name="key">Its key; see <see cref="UserDataRules.IsKey"/>.</param>
    /// <param name="value">Any JSON within <see cref="UserDataRules.ProblemOf"/>. Order of members and white space are not kept.</param>
    /// <param name="expected">Version it is made from; 0 for "there is none yet"; null for any.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">Key or value break a rule.</exception>
    Task<UserDataOutcome> PutAsync(PersonKey person, string key, JsonElement value, long? expected, CancellationToken cancellationToken);

    /// <summary>Removes a document; removing what is not there is no error.</summary>
    Task<WriteOutcome> DeleteAsync(PersonKey person, string key, long? expected, CancellationToken cancellationToken);
}

/// <summary>What is known of a document without reading it.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Version">Changes with each write and never comes back.</param>
/// <param name="UpdatedAt">Last write.</param>
public sealed record UserDatumHead(string Key, long Version, DateTimeOffset UpdatedAt);

/// <summary>A document.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Value">The JSON.</param>
/// <param name="Version">Changes with each write and never comes back.</param>
/// <param name="UpdatedAt">Last write.</param>
public sealed record UserDatum(string Key, JsonElement Value, long Version, DateTimeOffset UpdatedAt);

/// <summary>Answer to a write of a document.</summary>
/// <param name="Result">What came of it.</param>
/// <param name="Version">The version there is now; 0 when there is none.</param>
public readonly record struct UserDataOutcome(UserDataResult Result, long Version);

/// <summary>What came of a write.</summary>
public enum UserDataResult
{
    /// <summary>It is kept.</summary>
    Written,

    /// <summary>The version expected is not the one there is.</summary>
    Conflict,

    /// <summary>The person has as many documents as they may.</summary>
    TooMany,
}

/// <summary>Bounds of people's data.</summary>
public static partial class UserDataRules
{
    /// <summary>Most documents of a person.</summary>
    public const int MaximumKeys = 100;

    /// <summary>
    /// Largest document, in bytes of UTF-8 without white space. Settings and recent lists, not files: those have a volume.
    /// </summary>
    public const int MaximumBytes = 64 * 1024;

    /// <summary>Deepest nesting.</summary>
    public const int MaximumDepth = 32;

    /// <summary>Whether a key is one: 1 to 64 lower-case letters, digits, dots, dashes and underscores, a letter or digit first.</summary>
    public static bool IsKey(string? key) => key is not null && Key().IsMatch(key);

    /// <summary>What is wrong with a value, as the end of a sentence; null when nothing is.</summary>
    public static string? ProblemOf(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Undefined)
        {
            return "is missing.";
        }

        if (TextProblem(value, 1) is { } problem)
        {
            return problem;
        }

        var bytes = Encoding.UTF8.GetByteCount(UserDataJson.Compact(value));
        return bytes > MaximumBytes ? $"has {bytes} bytes; at most {MaximumBytes} are allowed." : null;
    }

    internal static void ThrowIfBroken(string key, JsonElement value)
    {
        ThrowIfNoKey(key);
        if (ProblemOf(value) is { } problem)
        {
            throw new ArgumentException($"The value {problem}", nameof(value));
        }
    }

    internal static void ThrowIfNoKey(string key)
    {
        if (!IsKey(key))
        {
            throw new ArgumentException("The key has 1 to 64 lower-case letters, digits, dots, dashes and underscores.", nameof(key));
        }
    }

    private static string? TextProblem(JsonElement value, int depth)
    {
        // jsonb keeps neither NUL nor half a surrogate pair, and a number only within PostgreSQL's numeric.
        const string Bad = "has a text with NUL or with half of a surrogate pair.";
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return IsText(value) ? null : Bad;
            case JsonValueKind.Number:
                return value.TryGetDouble(out var number) && double.IsFinite(number) ? null : "has a number that is too large.";
            case JsonValueKind.Array or JsonValueKind.Object when depth > MaximumDepth:
                return $"is nested deeper than {MaximumDepth} levels.";
            case JsonValueKind.Array:
                return value.EnumerateArray().Select(v => TextProblem(v, depth + 1)).FirstOrDefault(p => p is not null);
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    if ((IsName(member) ? TextProblem(member.Value, depth + 1) : Bad) is { } problem)
                    {
                        return problem;
                    }
                }

                return null;
            default:
                return null;
        }
    }

    // System.Text.Json throws for a lone surrogate that was escaped.
    private static bool IsText(JsonElement value)
    {
        try
        {
            return PreferenceRules.IsText(value.GetString()!);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static bool IsName(JsonProperty member)
    {
        try
        {
            return PreferenceRules.IsText(member.Name);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,63}\z")]
    private static partial Regex Key();
}
