using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;

namespace Berth.Resources;

/// <summary>
/// A Kubernetes resource quantity such as <c>500m</c>, <c>1.5Gi</c> or <c>2e3</c>, with exact arithmetic.
/// </summary>
/// <remarks>
/// Held in billionths, the finest unit of the API; what is finer is rounded up, as the API does (apimachinery, resource.Quantity).
/// The default value is zero.
/// </remarks>
public readonly record struct Quantity : IComparable<Quantity>
{
    private const int MaxLength = 64;
    private static readonly BigInteger Billion = 1_000_000_000;
    private readonly BigInteger _nanos;

    private Quantity(BigInteger nanos) => _nanos = nanos;

    /// <summary>Zero.</summary>
    public static Quantity Zero => default;

    /// <summary>-1, 0 or 1.</summary>
    public int Sign => _nanos.Sign;

    /// <summary>Whole units, rounded up: bytes of memory or storage, cores of CPU.</summary>
    /// <exception cref="OverflowException">More than a long holds.</exception>
    public long Value => (long)CeilingDivide(_nanos, Billion);

    /// <summary>Thousandths, rounded up: milli-cores of CPU.</summary>
    /// <exception cref="OverflowException">More than a long holds.</exception>
    public long MilliValue => (long)CeilingDivide(_nanos, 1_000_000);

    /// <summary>A quantity of whole units.</summary>
    public static Quantity FromUnits(long units) => new(units * Billion);

    /// <summary>Reads a quantity.</summary>
    /// <exception cref="FormatException">Not a quantity; the message shows the text and what is allowed.</exception>
    public static Quantity Parse(string text) =>
        TryParse(text, out var quantity)
            ? quantity
            : throw new FormatException($"'{text}' is not a quantity: use a number with an optional suffix, such as 500m, 2, 512Mi or "
                + "10Gi.");

    /// <summary>
    /// Reads a quantity: sign, decimal number, and a binary suffix (Ki … Ei), a decimal suffix (n, u, m, k, M … E) or an exponent.
    /// </summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Quantity quantity)
    {
        quantity = default;
        if (text is not { Length: > 0 and <= MaxLength })
        {
            return false;
        }

        var at = text[0] is '+' or '-' ? 1 : 0;
        var digits = BigInteger.Zero;
        var fraction = 0;
        var seenDigit = false;
        var seenPoint = false;
        for (; at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '.'); at++)
        {
            if (text[at] == '.')
            {
                if (seenPoint)
                {
                    return false;
                }

                seenPoint = true;
                continue;
            }

            seenDigit = true;
            digits = (digits * 10) + (text[at] - '0');
            fraction += seenPoint ? 1 : 0;
        }

        if (!seenDigit || !TryReadSuffix(text.AsSpan(at), out var power10, out var power2))
        {
            return false;
        }

        power10 += 9 - fraction;
        var scaled = digits * BigInteger.Pow(2, power2);
        scaled = power10 >= 0 ? scaled * BigInteger.Pow(10, power10) : CeilingDivide(scaled, BigInteger.Pow(10, -power10));
        quantity = new(text[0] == '-' ? -scaled : scaled);
        return true;
    }

    /// <summary>The smaller of two.</summary>
    public static Quantity Min(Quantity a, Quantity b) => a <= b ? a : b;

    /// <summary>The larger of two.</summary>
    public static Quantity Max(Quantity a, Quantity b) => a >= b ? a : b;

    /// <inheritdoc/>
    public int CompareTo(Quantity other) => _nanos.CompareTo(other._nanos);

    /// <summary>Sum.</summary>
    public static Quantity operator +(Quantity a, Quantity b) => new(a._nanos + b._nanos);

    /// <summary>Difference.</summary>
    public static Quantity operator -(Quantity a, Quantity b) => new(a._nanos - b._nanos);

    /// <summary>Order by value, whatever the suffixes were.</summary>
    public static bool operator <(Quantity a, Quantity b) => a._nanos < b._nanos;

    /// <summary>Order by value, whatever the suffixes were.</summary>
    public static bool operator >(Quantity a, Quantity b) => a._nanos > b._nanos;

    /// <summary>Order by value, whatever the suffixes were.</summary>
    public static bool operator <=(Quantity a, Quantity b) => a._nanos <= b._nanos;

    /// <summary>Order by value, whatever the suffixes were.</summary>
    public static bool operator >=(Quantity a, Quantity b) => a._nanos >= b._nanos;

    /// <summary>Sum, for languages without operators.</summary>
    public static Quantity Add(Quantity left, Quantity right) => left + right;

    /// <summary>Difference, for languages without operators.</summary>
    public static Quantity Subtract(Quantity left, Quantity right) => left - right;

    /// <summary>The shortest exact text: a binary suffix where the value is a whole number of it, else units, else n, u or m.</summary>
    public override string ToString()
    {
        if (_nanos.IsZero)
        {
            return "0";
        }

        if ((_nanos % Billion).IsZero)
        {
            var units = _nanos / Billion;
            ReadOnlySpan<string> suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
            var step = 0;
            while (step < suffixes.Length - 1 && (units % 1024).IsZero)
            {
                units /= 1024;
                step++;
            }

            return units.ToString(CultureInfo.InvariantCulture) + suffixes[step];
        }

        return (_nanos % 1_000_000).IsZero
            ? (_nanos / 1_000_000).ToString(CultureInfo.InvariantCulture) + "m"
            : (_nanos % 1000).IsZero
                ? (_nanos / 1000).ToString(CultureInfo.InvariantCulture) + "u"
                : _nanos.ToString(CultureInfo.InvariantCulture) + "n";
    }

    private static bool TryReadSuffix(ReadOnlySpan<char> suffix, out int power10, out int power2)
    {
        (power10, power2) = suffix switch
        {
            "" => (0, 0),
            "n" => (-9, 0),
            "u" => (-6, 0),
            "m" => (-3, 0),
            "k" => (3, 0),
            "M" => (6, 0),
            "G" => (9, 0),
            "T" => (12, 0),
            "P" => (15, 0),
            "E" => (18, 0),
            "Ki" => (0, 10),
            "Mi" => (0, 20),
            "Gi" => (0, 30),
            "Ti" => (0, 40),
            "Pi" => (0, 50),
            "Ei" => (0, 60),
            _ => (int.MinValue, 0),
        };
        if (power10 != int.MinValue)
        {
            return true;
        }

        // An exponent of more than two digits is nobody's disk; refusing it keeps hostile input from making numbers of a billion digits.
        return suffix.Length is >= 2 and <= 4
            && suffix[0] is 'e' or 'E'
            && int.TryParse(suffix[1..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out power10)
            && power10 is >= -99 and <= 99;
    }

    // Rounds away from zero for the magnitudes handed in, which are never negative while parsing.
    private static BigInteger CeilingDivide(BigInteger value, BigInteger by)
    {
        var quotient = BigInteger.DivRem(value, by, out var remainder);
        return remainder.Sign > 0 ? quotient + 1 : quotient;
    }
}
