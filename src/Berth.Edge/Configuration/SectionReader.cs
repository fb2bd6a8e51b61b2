using System.Collections;
using System.ComponentModel;
using System.Reflection;

namespace Berth.Edge;

/// <summary>
/// Looks at a configuration section before it is bound: names every key that no option has and every value of the wrong form, so that they
/// stand in one message with everything else. The binder alone stops at the first wrong value and takes no notice of a misspelt key.
/// </summary>
internal sealed class SectionReader(ICollection<string> problems)
{
    private readonly Dictionary<string, string?> _good = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Adds a part of the section.</summary>
    /// <param name="section">The section.</param>
    /// <param name="type">What it is bound to.</param>
    /// <param name="others">Names below it that belong to other parts.</param>
    public void Add(IConfigurationSection section, Type type, params string[] others)
    {
        foreach (var child in section.GetChildren().Where(c => !others.Contains(c.Key, StringComparer.OrdinalIgnoreCase)))
        {
            var property = type.GetProperty(child.Key, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase);
            if (property is null)
            {
                problems.Add($"{child.Path} is not an option; check its spelling (docs/edge.md lists them).");
                continue;
            }

            AddValue(child, property.PropertyType);
        }
    }

    /// <summary>Everything that can be bound.</summary>
    public IConfiguration ToConfiguration() => new ConfigurationBuilder().AddInMemoryCollection(_good).Build();

    private void AddValue(IConfigurationSection section, Type type)
    {
        if (type != typeof(string) && typeof(IEnumerable).IsAssignableFrom(type))
        {
            if (!string.IsNullOrEmpty(section.Value))
            {
                // The binder would leave it out without a word, and with it whatever it was to enforce.
                problems.Add($"{section.Path} is a list; give its entries as {section.Path}:0 and so on.");
            }

            foreach (var element in section.GetChildren())
            {
                AddValue(element, type.GetGenericArguments()[0]);
            }
        }
        else if (IsLeaf(type))
        {
            AddLeaf(section, type);
        }
        else
        {
            Add(section, type);
        }
    }

    private void AddLeaf(IConfigurationSection section, Type type)
    {
        if (section.GetChildren().Any())
        {
            problems.Add($"{section.Path} is one value, not a section; give it as {section.Path}=value.");
            return;
        }

        var converter = TypeDescriptor.GetConverter(Nullable.GetUnderlyingType(type) ?? type);
        if (section.Value is null || IsConvertible(converter, section.Value))
        {
            _good[section.Path] = section.Value;
            return;
        }

        problems.Add($"{section.Path} is '{section.Value}'; give {Form(type)}.");
    }

    private static bool IsConvertible(TypeConverter converter, string value)
    {
        try
        {
            converter.ConvertFromInvariantString(value);
            return true;
        }
        catch (Exception error) when (error is ArgumentException or FormatException or NotSupportedException or OverflowException)
        {
            return false;
        }
    }

    private static bool IsLeaf(Type type) => type == typeof(string) || type.IsValueType;

    private static string Form(Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        { IsEnum: true } kind => $"one of {string.Join(", ", Enum.GetNames(kind))}",
        var kind when kind == typeof(bool) => "true or false",
        var kind when kind == typeof(int) || kind == typeof(long) => "a whole number",
        var kind when kind == typeof(TimeSpan) => "a time such as 00:01:00",
        _ => "another value",
    };
}
