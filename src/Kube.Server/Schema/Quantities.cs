using System.Globalization;
using System.Text.Json.Nodes;

namespace Kube.Server.Schema;

/// <summary>resource.Quantity: 100m, 1.5Gi, 2e3.</summary>
internal static class Quantities
{
    private static readonly (string Suffix, decimal Factor)[] Suffixes =
    [
        ("Ki", 1024m), ("Mi", 1048576m), ("Gi", 1073741824m), ("Ti", 1099511627776m), ("Pi", 1125899906842624m),
        ("Ei", 1152921504606846976m),
        ("n", 0.000000001m), ("u", 0.000001m), ("m", 0.001m), ("k", 1e3m), ("M", 1e6m), ("G", 1e9m), ("T", 1e12m), ("P", 1e15m),
        ("E", 1e18m),
    ];

    public static bool TryParse(string text, out decimal value)
    {
        value = 0;
        var number = text.AsSpan();
        var factor = 1m;
        foreach (var (suffix, multiplier) in Suffixes)
        {
            if (number.EndsWith(suffix, StringComparison.Ordinal))
            {
                number = number[..^suffix.Length];
                factor = multiplier;
                break;
            }
        }
        if (number.Length is 0 or > 28 || !char.IsAsciiDigit(number[^1]) && number[^1] != '.')
        {
            return false;
        }
        if (!decimal.TryParse(number, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
            CultureInfo.InvariantCulture, out value))
        {
            return false;
        }
        try
        {
            value *= factor;
            return true;
        }
        catch (OverflowException)
        {
            return false;
        }
    }

    /// <summary>
    /// The one spelling of an amount: no fraction, the largest suffix of its family (1024Mi is 1Gi, 0.5 is 500m, 1000k is 1M); null for no
    /// quantity. Amounts with a binary suffix that are smaller than 1024 lose it; what is smaller than a billionth is rounded up to one.
    /// </summary>
    public static string? Canonical(string text)
    {
        if (!TryParse(text, out var value))
        {
            return null;
        }
        if (value == 0)
        {
            return "0";
        }
        if (text.EndsWith('i') && Math.Abs(value) >= 1024)
        {
            return Binary(AwayFromZero(value));
        }
        return Decimal(value, exponent: !text.EndsWith('i') && char.IsAsciiDigit(text[^1]) && text.AsSpan().ContainsAny('e', 'E'));
    }

    /// <summary>Respells the quantities of an object, in place; what is none stays and is refused by the kind's own rules.</summary>
    public static void Canonicalise(JsonNode? value, SchemaNode schema)
    {
        if (!schema.AnyQuantity)
        {
            return;
        }
        switch (value)
        {
            case JsonObject obj:
                foreach (var (key, child) in obj.ToList())
                {
                    if (schema.Child(key) is not { AnyQuantity: true } known)
                    {
                        continue;
                    }
                    var text = Json.AsString(child) ?? (Json.IsNumber(child) ? Json.NumberText(child!) : null);
                    if (known.Format != "quantity")
                    {
                        Canonicalise(child, known);
                    }
                    else if (text is not null && Canonical(text) is { } spelled && spelled != Json.AsString(child))
                    {
                        obj[key] = spelled;
                    }
                }
                break;
            case JsonArray array when schema.Items is { } items:
                foreach (var child in array)
                {
                    Canonicalise(child, items);
                }
                break;
        }
    }

    private static string Binary(decimal value)
    {
        var power = 0;
        while (power < 6 && value % 1024 == 0)
        {
            value /= 1024;
            power++;
        }
        return Spell(value, (string[])["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"], power);
    }

    private static string Decimal(decimal value, bool exponent)
    {
        // In billionths, then up in steps of a thousand.
        var power = -3;
        var scaled = AwayFromZero(value * 1_000_000_000m);
        while (power < 6 && scaled % 1000 == 0)
        {
            scaled /= 1000;
            power++;
        }
        return exponent
            ? scaled.ToString("0", CultureInfo.InvariantCulture)
                + (power == 0 ? "" : "e" + (power * 3).ToString(CultureInfo.InvariantCulture))
            : Spell(scaled, (string[])["n", "u", "m", "", "k", "M", "G", "T", "P", "E"], power + 3);
    }

    private static decimal AwayFromZero(decimal value) => value < 0 ? Math.Floor(value) : Math.Ceiling(value);

    private static string Spell(decimal value, string[] suffixes, int power) =>
        value.ToString("0", CultureInfo.InvariantCulture) + suffixes[power];
}
