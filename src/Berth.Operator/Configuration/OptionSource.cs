using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Berth.Operator;

/// <summary>
/// Reads values of a section by name, notes what cannot be read, and remembers which names were asked for. An empty number, flag or choice
/// counts as absent.
/// </summary>
internal sealed class OptionSource(IConfiguration section)
{
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>What could not be read, in words.</summary>
    internal List<string> Problems { get; } = [];

    internal string? Raw(string key)
    {
        _known.Add(key);
        return section[key]?.Trim();
    }

    internal string Text(string key, string otherwise) => Raw(key) ?? otherwise;

    internal IEnumerable<string> Children(string key) => section.GetSection(key).GetChildren().Select(c => c.Key);

    internal int Number(string key, int otherwise) => Number(key) ?? otherwise;

    internal int? Number(string key)
    {
        if (Raw(key) is not { Length: > 0 } text)
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        Problems.Add($"{key} is '{text}'; use a whole number.");
        return null;
    }

    internal bool? Flag(string key)
    {
        if (Raw(key) is not { Length: > 0 } text)
        {
            return null;
        }

        if (bool.TryParse(text, out var flag))
        {
            return flag;
        }

        Problems.Add($"{key} is '{text}'; use true or false.");
        return null;
    }

    /// <summary>One of the names of an enumeration, in any case of letters.</summary>
    internal T Choice<T>(string key, T otherwise)
        where T : struct, Enum
    {
        if (Raw(key) is not { Length: > 0 } text)
        {
            return otherwise;
        }

        // By name only: Enum.TryParse would take numbers, too.
        var values = Enum.GetValues<T>();
        foreach (var value in values)
        {
            if (string.Equals(text, value.ToString(), StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        Problems.Add($"{key} is '{text}'; use {string.Join(", ", values[..^1])} or {values[^1]}.");
        return otherwise;
    }

    /// <summary>Notes the names in the section that nobody has asked for.</summary>
    internal void FindUnknown()
    {
        foreach (var (path, value) in section.AsEnumerable(makePathsRelative: true))
        {
            if (value is not null && path.Length > 0 && !_known.Contains(path))
            {
                Problems.Add($"{path} is not an option. Known are {string.Join(", ", _known.Order(StringComparer.Ordinal))}.");
            }
        }
    }
}
