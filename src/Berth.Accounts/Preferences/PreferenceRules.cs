using System.Text;
using System.Text.RegularExpressions;

namespace Berth.Accounts;

/// <summary>Bounds of preferences: what a template could take at most, and an environment that any program can read.</summary>
public static partial class PreferenceRules
{
    /// <summary>Most parameters, and most variables. The same number that a template may declare.</summary>
    public const int MaximumEntries = 64;

    /// <summary>Longest parameter, in characters: the same as in a workspace.</summary>
    public const int MaximumParameter = 256;

    /// <summary>Longest variable, in characters.</summary>
    public const int MaximumVariable = 4096;

    /// <summary>All variables together, in bytes of UTF-8: far below what a process can be started with (128 KiB for one string).</summary>
    public const int MaximumEnvironment = 32 * 1024;

    /// <summary>What is wrong, field to sentence; empty when nothing is.</summary>
    public static IReadOnlyDictionary<string, string> Check(PreferenceWish wish)
    {
        ArgumentNullException.ThrowIfNull(wish);
        var problems = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (wish.Template is { } template && !TemplateName().IsMatch(template))
        {
            problems["template"] = "is no name of a template: 1 to 63 lower-case letters, digits and dashes.";
        }

        if (wish.Parameters.Count > MaximumEntries)
        {
            problems["parameters"] = $"has {wish.Parameters.Count} entries; at most {MaximumEntries} are allowed.";
        }

        if (wish.Environment.Count > MaximumEntries)
        {
            problems["environment"] = $"has {wish.Environment.Count} entries; at most {MaximumEntries} are allowed.";
        }

        foreach (var (name, value) in wish.Parameters.Take(MaximumEntries))
        {
            if (!ParameterName().IsMatch(name))
            {
                problems[$"parameters.{Shown(name)}"] = "is no name of a parameter: 1 to 63 letters, digits, dashes and underscores.";
            }
            else if (value is null || value.Length > MaximumParameter || !IsText(value))
            {
                problems[$"parameters.{name}"] = $"must be a text of at most {MaximumParameter} characters without NUL.";
            }
        }

        foreach (var (name, value) in wish.Environment.Take(MaximumEntries))
        {
            if (!VariableName().IsMatch(name))
            {
                problems[$"environment.{Shown(name)}"] = "is no name of a variable: letters, digits and underscores, no digit first, "
                    + "at most 128.";
            }
            else if (value is null || value.Length > MaximumVariable || !IsText(value))
            {
                problems[$"environment.{name}"] = $"must be a text of at most {MaximumVariable} characters without NUL.";
            }
        }

        var bytes = wish.Environment.Sum(v => v.Key.Length + 2 + Encoding.UTF8.GetByteCount(v.Value ?? ""));
        if (bytes > MaximumEnvironment)
        {
            problems["environment"] = $"takes {bytes} bytes; at most {MaximumEnvironment} are allowed.";
        }

        return problems;
    }

    /// <summary>Whether PostgreSQL can keep it as text and give it back the same: no NUL, no half of a surrogate pair.</summary>
    internal static bool IsText(string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '\0' || (char.IsSurrogate(value[i]) && !(i + 1 < value.Length && char.IsSurrogatePair(value[i], value[++i]))))
            {
                return false;
            }
        }

        return true;
    }

    internal static void ThrowIfBroken(PreferenceWish wish)
    {
        if (Check(wish) is { Count: > 0 } problems)
        {
            throw new ArgumentException(string.Join(' ', problems.Select(p => $"{p.Key} {p.Value}")), nameof(wish));
        }
    }

    private static string Shown(string name) =>
        new([.. name.Take(40).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c)]);

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?\z")]
    private static partial Regex TemplateName();

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,63}\z")]
    private static partial Regex ParameterName();

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]{0,127}\z")]
    private static partial Regex VariableName();
}
