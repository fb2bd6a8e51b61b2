using System.Globalization;
using System.Text.Json.Nodes;
using Kube.Server.Schema;

namespace Kube.Server.Cel;

/// <summary>A run-time error of an expression (no such key, division by zero, ...).</summary>
internal sealed class CelError(string message) : Exception(message);

internal sealed record CelOptional(bool HasValue, object? Value)
{
    public static readonly CelOptional None = new(false, null);
}

internal sealed record CelQuantity(decimal Value);

internal sealed record CelUrl(Uri Value);

/// <summary>
/// Values: null, bool, long, ulong, double, string, byte[], TimeSpan (duration), DateTimeOffset (timestamp), <see cref="CelObject"/>,
/// Dictionary&lt;object, object?&gt;, IReadOnlyList&lt;object?&gt;, and the types above.
/// </summary>
internal sealed class CelObject(JsonObject node, SchemaNode? schema)
{
    private Dictionary<string, object?>? _lists;

    public JsonObject Node { get; } = node;

    public SchemaNode? Schema { get; } = schema;

    public int Count => Node.Count;

    /// <summary>True for objects with named fields: these are reached by escaped names; maps by plain keys.</summary>
    public bool IsMap => Schema is null || Schema.Properties.Count == 0;

    public bool TryGet(string name, out object? value)
    {
        if (!Node.TryGetPropertyValue(name, out var node))
        {
            var plain = CelNames.Unescape(name);
            if (plain == name || !Node.TryGetPropertyValue(plain, out node))
            {
                value = null;
                return false;
            }
            name = plain;
        }
        // A list is converted once: a rule that names it in a loop would convert it each time, which no budget counts.
        if (node is JsonArray)
        {
            _lists ??= new Dictionary<string, object?>(StringComparer.Ordinal);
            if (!_lists.TryGetValue(name, out value))
            {
                _lists[name] = value = CelValue.From(node, Schema?.Child(name));
            }
            return true;
        }
        value = CelValue.From(node, Schema?.Child(name));
        return true;
    }
}

internal static class CelValue
{
    public static object? From(JsonNode? node, SchemaNode? schema)
    {
        switch (node)
        {
            case null:
                return null;
            case JsonObject obj:
                return new CelObject(obj, schema);
            case JsonArray array:
                var list = new List<object?>(array.Count);
                foreach (var item in array)
                {
                    list.Add(From(item, schema?.Items));
                }
                return list;
        }
        if (Json.AsString(node) is { } text)
        {
            return schema?.Format switch
            {
                "date-time" when DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal,
                    out var time) => time,
                "date" when DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var day) => day,
                "duration" when CelTime.TryDuration(text, out var duration) => duration,
                "byte" when Convert.TryFromBase64String(text, new byte[text.Length], out _) => Convert.FromBase64String(text),
                _ => text,
            };
        }
        if (Json.IsBool(node))
        {
            return Json.AsBool(node);
        }
        if (schema?.Type != "number" && Json.TryLong(node, out var number))
        {
            return number;
        }
        return Json.TryDouble(node, out var real) ? real : null;
    }

    public static string TypeName(object? value) => value switch
    {
        null => "null_type",
        bool => "bool",
        long => "int",
        ulong => "uint",
        double => "double",
        string => "string",
        byte[] => "bytes",
        TimeSpan => "google.protobuf.Duration",
        DateTimeOffset => "google.protobuf.Timestamp",
        CelObject or Dictionary<object, object?> => "map",
        IReadOnlyList<object?> => "list",
        _ => "dyn",
    };

    public static new bool Equals(object? a, object? b)
    {
        switch (a, b)
        {
            case (null, _) or (_, null):
                return a is null && b is null;
            case (string x, string y):
                return x == y;
            case (bool x, bool y):
                return x == y;
            case (long or ulong or double, long or ulong or double):
                return Compare(a, b) == 0;
            case (byte[] x, byte[] y):
                return x.AsSpan().SequenceEqual(y);
            case (IReadOnlyList<object?> x, IReadOnlyList<object?> y):
                return x.Count == y.Count && x.Zip(y).All(pair => Equals(pair.First, pair.Second));
            case (CelObject or Dictionary<object, object?>, CelObject or Dictionary<object, object?>):
                var left = Entries(a).ToDictionary(e => e.Key, e => e.Value);
                var right = Entries(b).ToDictionary(e => e.Key, e => e.Value);
                return left.Count == right.Count && left.All(e => right.TryGetValue(e.Key, out var other) && Equals(e.Value, other));
            case (CelOptional x, CelOptional y):
                return x.HasValue == y.HasValue && Equals(x.Value, y.Value);
            default:
                return a.Equals(b);
        }
    }

    public static int Compare(object? a, object? b)
    {
        return (a, b) switch
        {
            (long x, long y) => x.CompareTo(y),
            (ulong x, ulong y) => x.CompareTo(y),
            (long x, ulong y) => x < 0 ? -1 : ((ulong)x).CompareTo(y),
            (ulong x, long y) => y < 0 ? 1 : x.CompareTo((ulong)y),
            (double x, double y) => x.CompareTo(y),
            (double x, long y) => x.CompareTo(y),
            (long x, double y) => ((double)x).CompareTo(y),
            (double x, ulong y) => x.CompareTo(y),
            (ulong x, double y) => ((double)x).CompareTo(y),
            (string x, string y) => string.CompareOrdinal(x, y),
            (bool x, bool y) => x.CompareTo(y),
            (TimeSpan x, TimeSpan y) => x.CompareTo(y),
            (DateTimeOffset x, DateTimeOffset y) => x.CompareTo(y),
            (byte[] x, byte[] y) => x.AsSpan().SequenceCompareTo(y),
            (CelQuantity x, CelQuantity y) => x.Value.CompareTo(y.Value),
            _ => throw new CelError($"no such overload: cannot compare {TypeName(a)} and {TypeName(b)}"),
        };
    }

    public static IEnumerable<KeyValuePair<object, object?>> Entries(object map) => map switch
    {
        CelObject obj =>
            obj.Node.Select(pair => KeyValuePair.Create<object, object?>(pair.Key, From(pair.Value, obj.Schema?.Child(pair.Key)))),
        Dictionary<object, object?> dictionary => dictionary,
        _ => [],
    };

    public static bool TryIndex(object map, object? key, out object? value)
    {
        value = null;
        switch (map)
        {
            case CelObject obj:
                return key is string text && obj.TryGet(text, out value);
            case Dictionary<object, object?> dictionary:
                foreach (var (candidate, found) in dictionary)
                {
                    if (Equals(candidate, key))
                    {
                        value = found;
                        return true;
                    }
                }
                return false;
            default:
                return false;
        }
    }
}

/// <summary>Field names that are not CEL identifiers are written escaped (Kubernetes, "Validation rules").</summary>
internal static class CelNames
{
    private static readonly HashSet<string> Reserved =
    [
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop",
        "package", "namespace", "return",
    ];

    public static string Unescape(string name)
    {
        if (!name.Contains("__", StringComparison.Ordinal))
        {
            return name;
        }
        if (name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal) && name.Length > 4
            && Reserved.Contains(name[2..^2]))
        {
            return name[2..^2];
        }
        return name.Replace("__underscores__", "\u0001", StringComparison.Ordinal).Replace("__dot__", ".", StringComparison.Ordinal)
            .Replace("__dash__", "-", StringComparison.Ordinal).Replace("__slash__", "/", StringComparison.Ordinal)
                .Replace("\u0001", "__", StringComparison.Ordinal);
    }
}

internal static class CelTime
{
    /// <summary>Go's duration text: 1h30m, 1.5s, 100ms, -2m.</summary>
    public static bool TryDuration(string text, out TimeSpan duration)
    {
        duration = default;
        var rest = text.AsSpan();
        var negative = rest.Length > 0 && rest[0] == '-';
        if (rest.Length > 0 && rest[0] is '-' or '+')
        {
            rest = rest[1..];
        }
        if (rest is "0")
        {
            return true;
        }
        if (rest.Length == 0)
        {
            return false;
        }
        double ticks = 0;
        while (rest.Length > 0)
        {
            var digits = 0;
            while (digits < rest.Length && (char.IsAsciiDigit(rest[digits]) || rest[digits] == '.'))
            {
                digits++;
            }
            if (digits == 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
                out var number))
            {
                return false;
            }
            rest = rest[digits..];
            var letters = 0;
            while (letters < rest.Length && !char.IsAsciiDigit(rest[letters]) && rest[letters] != '.')
            {
                letters++;
            }
            double unit = rest[..letters] switch
            {
                "ns" => 0.01,
                "us" or "µs" => 10,
                "ms" => TimeSpan.TicksPerMillisecond,
                "s" => TimeSpan.TicksPerSecond,
                "m" => TimeSpan.TicksPerMinute,
                "h" => TimeSpan.TicksPerHour,
                _ => -1,
            };
            if (unit < 0)
            {
                return false;
            }
            ticks += number * unit;
            rest = rest[letters..];
        }
        if (ticks > 9e18)
        {
            return false;
        }
        duration = TimeSpan.FromTicks((long)(negative ? -ticks : ticks));
        return true;
    }

    public static string Text(TimeSpan duration) =>
        (duration.Ticks / (decimal)TimeSpan.TicksPerSecond).ToString("0.#########", CultureInfo.InvariantCulture) + "s";

    public static string Text(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
}
