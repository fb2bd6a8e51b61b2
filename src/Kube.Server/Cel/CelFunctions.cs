using System.Globalization;
using System.Text;
using Kube.Server.Schema;

namespace Kube.Server.Cel;

/// <summary>Operators and functions: CEL's own, and of Kubernetes' libraries strings, lists, regex, URLs and quantities.</summary>
internal static class CelFunctions
{
    /// <summary>All names, for the check at compile time.</summary>
    public static readonly HashSet<string> Names =
    [
        "size", "int", "uint", "double", "string", "bool", "bytes", "type", "dyn", "duration", "timestamp", "matches", "startsWith",
        "endsWith", "contains",
        "charAt", "indexOf", "lastIndexOf", "join", "lowerAscii", "upperAscii", "replace", "split", "substring", "trim", "reverse", "find",
        "findAll",
        "isSorted", "sum", "min", "max", "url", "isURL", "getScheme", "getHost", "getHostname", "getPort", "getEscapedPath", "getQuery",
        "quantity", "isQuantity",
        "isGreaterThan", "isLessThan", "compareTo", "asInteger", "asApproximateFloat", "isInteger", "sign", "add", "sub", "hasValue",
        "value", "orValue", "or", "of", "none",
        "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds",
        "getMilliseconds", "flatten",
    ];

    public static object? Global(CelEvaluator machine, string name, object?[] args)
    {
        switch (name, args)
        {
            case ("==", [var a, var b]): return CelValue.Equals(a, b);
            case ("!=", [var a, var b]): return !CelValue.Equals(a, b);
            case ("<", [var a, var b]): return CelValue.Compare(a, b) < 0;
            case ("<=", [var a, var b]): return CelValue.Compare(a, b) <= 0;
            case (">", [var a, var b]): return CelValue.Compare(a, b) > 0;
            case (">=", [var a, var b]): return CelValue.Compare(a, b) >= 0;
            case ("!", [bool a]): return !a;
            case ("-", [long a]): return checked(-a);
            case ("-", [double a]): return -a;
            case ("-", [TimeSpan a]): return -a;
            case ("in", [var a, IReadOnlyList<object?> list]):
                machine.Charge(list.Count);
                return list.Any(item => CelValue.Equals(item, a));
            case ("in", [var a, CelObject or Dictionary<object, object?>]): return CelValue.TryIndex(args[1]!, a, out _);
            case ("+" or "-" or "*" or "/" or "%", [_, _]): return Arithmetic(machine, name, args[0], args[1]);
            case ("size", [var a]): return Size(a);
            case ("dyn", [var a]): return a;
            case ("type", [var a]): return CelValue.TypeName(a);
            case ("int", [var a]): return ToInt(a);
            case ("uint", [var a]): return ToInt(a) is var n && n >= 0 ? (ulong)n : throw new CelError("unsigned integer overflow");
            case ("double", [var a]): return ToDouble(a);
            case ("string", [var a]): return ToText(a);
            case ("bytes", [string a]): return Encoding.UTF8.GetBytes(a);
            case ("bool", [bool a]): return a;
            case ("bool", [string a]):
                return a is "true" or "True" or "TRUE" or "1" or "t" ? true
                : a is "false" or "False" or "FALSE" or "0" or "f"
                ? false
                : throw new CelError("type conversion error from 'string' to 'bool'");
            case ("duration", [TimeSpan a]): return a;
            case ("duration", [string a]):
                return CelTime.TryDuration(a, out var duration) ? duration
                : throw new CelError($"invalid duration: {a}");
            case ("timestamp", [DateTimeOffset a]): return a;
            case ("timestamp", [string a]):
                return Formats.Matches("date-time", a)
                    ? DateTimeOffset.Parse(a, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
                    : throw new CelError($"invalid timestamp: {a}");
            case ("isURL", [string a]): return Uri.TryCreate(a, UriKind.Absolute, out _);
            case ("url", [string a]):
                return Uri.TryCreate(a, UriKind.Absolute, out var uri) ? new CelUrl(uri)
                : throw new CelError($"URL parse error during conversion from string: {a}");
            case ("isQuantity", [string a]): return Quantities.TryParse(a, out _);
            case ("quantity", [string a]):
                return Quantities.TryParse(a, out var quantity) ? new CelQuantity(quantity)
                : throw new CelError("quantities must match the regular expression");
            case ("matches", [string a, string b]): return Matches(machine, a, b);
            default:
                throw new CelError($"no such overload: {name}({string.Join(", ", args.Select(CelValue.TypeName))})");
        }
    }

    // The length of the result counts, as it does for +.
    private static string Join(CelEvaluator machine, IReadOnlyList<object?> list, string separator)
    {
        var parts = list.Select(ToText).ToList();
        machine.Charge(parts.Sum(part => (long)(part?.Length ?? 0) + separator.Length) / 10);
        return string.Join(separator, parts);
    }

    public static object? Member(CelEvaluator machine, object? target, string name, object?[] args)
    {
        machine.Charge(target is string s ? s.Length / 10 : target is IReadOnlyList<object?> l ? l.Count : 0);
        switch (target, name, args)
        {
            case (_, "size", []): return Size(target);
            case (string t, "matches", [string a]): return Matches(machine, t, a);
            case (string t, "startsWith", [string a]): return t.StartsWith(a, StringComparison.Ordinal);
            case (string t, "endsWith", [string a]): return t.EndsWith(a, StringComparison.Ordinal);
            case (string t, "contains", [string a]): return t.Contains(a, StringComparison.Ordinal);
            case (string t, "charAt", [long i]):
                return i >= 0 && i <= t.Length ? i == t.Length ? "" : t[(int)i].ToString()
                : throw new CelError($"index out of range: {i}");
            case (string t, "indexOf", [string a]): return (long)t.IndexOf(a, StringComparison.Ordinal);
            case (string t, "indexOf", [string a, long i]) when i >= 0
                && i <= t.Length:
                return (long)t.IndexOf(a, (int)i, StringComparison.Ordinal);
            case (string t, "lastIndexOf", [string a]): return (long)t.LastIndexOf(a, StringComparison.Ordinal);
            case (string t, "lowerAscii", []): return t.ToLowerInvariant();
            case (string t, "upperAscii", []): return t.ToUpperInvariant();
            case (string t, "trim", []): return t.Trim();
            case (string t, "reverse", []): return new string(t.Reverse().ToArray());
            case (string t, "replace", [string a, string b]) when a.Length > 0: return t.Replace(a, b, StringComparison.Ordinal);
            case (string t, "split", [string a]): return t.Split(a).Cast<object?>().ToList();
            case (string t, "split", [string a, long n]):
                return n == 0 ? []
                : (n < 0 ? t.Split(a) : t.Split(a, (int)n)).Cast<object?>().ToList();
            case (string t, "substring", [long i]) when i >= 0 && i <= t.Length: return t[(int)i..];
            case (string t, "substring", [long i, long j]) when i >= 0 && j >= i && j <= t.Length: return t[(int)i..(int)j];
            case (string t, "find", [string a]): return GoRegex.Compile(a).Match(t) is { Success: true } match ? match.Value : "";
            case (string t, "findAll", [string a]): return GoRegex.Compile(a).Matches(t).Select(m => (object?)m.Value).ToList();
            case (IReadOnlyList<object?> t, "join", []): return Join(machine, t, "");
            case (IReadOnlyList<object?> t, "join", [string a]): return Join(machine, t, a);
            case (IReadOnlyList<object?> t, "isSorted", []): return t.Zip(t.Skip(1)).All(p => CelValue.Compare(p.First, p.Second) <= 0);
            case (IReadOnlyList<object?> t, "sum", []): return t.Count == 0 ? 0L : t.Aggregate((a, b) => Arithmetic(machine, "+", a, b));
            case (IReadOnlyList<object?> { Count: > 0 } t, "min", []): return t.Aggregate((a, b) => CelValue.Compare(a, b) <= 0 ? a : b);
            case (IReadOnlyList<object?> { Count: > 0 } t, "max", []): return t.Aggregate((a, b) => CelValue.Compare(a, b) >= 0 ? a : b);
            case (IReadOnlyList<object?> t, "indexOf", [var a]): return (long)t.ToList().FindIndex(item => CelValue.Equals(item, a));
            case (IReadOnlyList<object?> t, "lastIndexOf", [var a]):
                return (long)t.ToList()
                .FindLastIndex(item => CelValue.Equals(item, a));
            case (IReadOnlyList<object?> t, "flatten", []):
                return t.SelectMany(item =>
                item is IReadOnlyList<object?> inner ? inner : [item]).ToList();
            case (CelOptional t, "hasValue", []): return t.HasValue;
            case (CelOptional t, "value", []): return t.HasValue ? t.Value : throw new CelError("optional.none() dereference");
            case (CelOptional t, "orValue", [var a]): return t.HasValue ? t.Value : a;
            case (CelOptional t, "or", [CelOptional a]): return t.HasValue ? t : a;
            case (CelUrl t, "getScheme", []): return t.Value.Scheme;
            case (CelUrl t, "getHost", []): return t.Value.IsDefaultPort ? t.Value.Host : $"{t.Value.Host}:{t.Value.Port}";
            case (CelUrl t, "getHostname", []): return t.Value.Host;
            case (CelUrl t, "getPort", []): return t.Value.IsDefaultPort ? "" : t.Value.Port.ToString(CultureInfo.InvariantCulture);
            case (CelUrl t, "getEscapedPath", []): return t.Value.AbsolutePath;
            case (CelQuantity t, "compareTo", [CelQuantity a]): return (long)t.Value.CompareTo(a.Value);
            case (CelQuantity t, "isGreaterThan", [CelQuantity a]): return t.Value > a.Value;
            case (CelQuantity t, "isLessThan", [CelQuantity a]): return t.Value < a.Value;
            case (CelQuantity t, "isInteger", []): return t.Value == decimal.Floor(t.Value) && t.Value <= long.MaxValue;
            case (CelQuantity t, "asInteger", []): return (long)t.Value;
            case (CelQuantity t, "asApproximateFloat", []): return (double)t.Value;
            case (CelQuantity t, "sign", []): return (long)Math.Sign(t.Value);
            case (CelQuantity t, "add", [CelQuantity a]): return new CelQuantity(t.Value + a.Value);
            case (CelQuantity t, "sub", [CelQuantity a]): return new CelQuantity(t.Value - a.Value);
            case (DateTimeOffset t, _, []): return TimePart(t.UtcDateTime, name);
            case (TimeSpan t, "getHours", []): return (long)t.TotalHours;
            case (TimeSpan t, "getMinutes", []): return (long)t.TotalMinutes;
            case (TimeSpan t, "getSeconds", []): return (long)t.TotalSeconds;
            case (TimeSpan t, "getMilliseconds", []): return (long)t.Milliseconds;
            default:
                throw new CelError(
                    $"no such overload: {CelValue.TypeName(target)}.{name}({string.Join(", ", args.Select(CelValue.TypeName))})");
        }
    }

    private static long TimePart(DateTime time, string name) => name switch
    {
        "getFullYear" => (long)time.Year,
        "getMonth" => time.Month - 1L,
        "getDate" => (long)time.Day,
        "getDayOfMonth" => time.Day - 1L,
        "getDayOfWeek" => (long)time.DayOfWeek,
        "getDayOfYear" => time.DayOfYear - 1L,
        "getHours" => (long)time.Hour,
        "getMinutes" => (long)time.Minute,
        "getSeconds" => (long)time.Second,
        "getMilliseconds" => (long)time.Millisecond,
        _ => throw new CelError($"no such overload: timestamp.{name}()"),
    };

    private static bool Matches(CelEvaluator machine, string text, string pattern)
    {
        machine.Charge(text.Length + pattern.Length);
        try
        {
            return GoRegex.Compile(pattern).IsMatch(text);
        }
        catch (ArgumentException e)
        {
            throw new CelError("error parsing regexp: " + e.Message);
        }
    }

    private static object Arithmetic(CelEvaluator machine, string op, object? a, object? b)
    {
        try
        {
            switch (op, a, b)
            {
                case ("+", long x, long y): return checked(x + y);
                case ("-", long x, long y): return checked(x - y);
                case ("*", long x, long y): return checked(x * y);
                case ("/", long x, long y): return y == 0 ? throw new CelError("division by zero") : checked(x / y);
                case ("%", long x, long y): return y == 0 ? throw new CelError("modulus by zero") : y == -1 ? 0L : x % y;
                case ("+", ulong x, ulong y): return checked(x + y);
                case ("-", ulong x, ulong y): return checked(x - y);
                case ("*", ulong x, ulong y): return checked(x * y);
                case ("/", ulong x, ulong y): return y == 0 ? throw new CelError("division by zero") : x / y;
                case ("%", ulong x, ulong y): return y == 0 ? throw new CelError("modulus by zero") : x % y;
                case ("+", double x, double y): return x + y;
                case ("-", double x, double y): return x - y;
                case ("*", double x, double y): return x * y;
                case ("/", double x, double y): return x / y;
                case ("+", string x, string y):
                    machine.Charge((x.Length + y.Length) / 10);
                    return x + y;
                case ("+", IReadOnlyList<object?> x, IReadOnlyList<object?> y):
                    machine.Charge(x.Count + y.Count);
                    return x.Concat(y).ToList();
                case ("+", TimeSpan x, TimeSpan y): return x + y;
                case ("-", TimeSpan x, TimeSpan y): return x - y;
                case ("+", DateTimeOffset x, TimeSpan y): return x + y;
                case ("+", TimeSpan x, DateTimeOffset y): return y + x;
                case ("-", DateTimeOffset x, TimeSpan y): return x - y;
                case ("-", DateTimeOffset x, DateTimeOffset y): return x - y;
                default: throw new CelError($"no such overload: {CelValue.TypeName(a)} {op} {CelValue.TypeName(b)}");
            }
        }
        catch (Exception e) when (e is OverflowException or ArgumentOutOfRangeException)
        {
            throw new CelError("integer overflow");
        }
    }

    private static long Size(object? value) => value switch
    {
        string text => text.EnumerateRunes().Count(),
        byte[] bytes => bytes.Length,
        IReadOnlyList<object?> list => list.Count,
        CelObject obj => obj.Count,
        Dictionary<object, object?> map => map.Count,
        _ => throw new CelError($"no such overload: size({CelValue.TypeName(value)})"),
    };

    private static long ToInt(object? value) => value switch
    {
        long number => number,
        ulong number when number <= long.MaxValue => (long)number,
        double number when Math.Abs(number) < 9.2e18 => (long)number,
        string text when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        DateTimeOffset time => time.ToUnixTimeSeconds(),
        TimeSpan duration => duration.Ticks * 100,
        _ => throw new CelError($"type conversion error from '{CelValue.TypeName(value)}' to 'int'"),
    };

    private static double ToDouble(object? value) => value switch
    {
        double number => number,
        long number => number,
        ulong number => number,
        string text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => throw new CelError($"type conversion error from '{CelValue.TypeName(value)}' to 'double'"),
    };

    private static string ToText(object? value) => value switch
    {
        string text => text,
        bool flag => flag ? "true" : "false",
        long number => number.ToString(CultureInfo.InvariantCulture),
        ulong number => number.ToString(CultureInfo.InvariantCulture),
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        TimeSpan duration => CelTime.Text(duration),
        DateTimeOffset time => CelTime.Text(time),
        _ => throw new CelError($"type conversion error from '{CelValue.TypeName(value)}' to 'string'"),
    };
}
