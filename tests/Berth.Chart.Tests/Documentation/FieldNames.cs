using System.Collections;
using System.Reflection;

namespace Berth.Chart.Tests.Documentation;

/// <summary>Fields of a resource by the names they have in JSON.</summary>
internal static class FieldNames
{
    /// <summary>Whether a type has a field of this path; below lists and maps anything is taken.</summary>
    public static bool Exists(Type type, IReadOnlyList<string> path) => path.Count == 0 || Below(type, path);

    private static bool Below(Type type, IReadOnlyList<string> path)
    {
        if (type != typeof(string) && typeof(IEnumerable).IsAssignableFrom(type))
        {
            return true;
        }

        var property = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .FirstOrDefault(p => p.Name.Equals(path[0], StringComparison.OrdinalIgnoreCase));
        return property is not null
            && Exists(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType, [.. path.Skip(1)]);
    }
}
