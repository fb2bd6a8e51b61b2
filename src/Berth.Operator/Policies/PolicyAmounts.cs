using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>Reads the texts of a policy: quantities, money, schedules.</summary>
internal static class PolicyAmounts
{
    // 1 Ei, more than any cluster has; sums of it over a million workspaces are still far from what the arithmetic holds.
    private static readonly Quantity Most = Quantity.Parse("1Ei");

    /// <summary>A quantity above zero and at most 1 Ei.</summary>
    internal static bool TryReadQuantity([NotNullWhen(true)] string? text, out Quantity quantity) =>
        Quantity.TryParse(text, out quantity) && quantity.Sign > 0 && quantity <= Most;

    /// <summary>An amount of money: at most twelve digits before the point and six after it.</summary>
    internal static bool TryReadMoney([NotNullWhen(true)] string? text, out decimal amount)
    {
        amount = 0;
        if (text is not { Length: > 0 and <= 19 })
        {
            return false;
        }

        var point = text.IndexOf('.', StringComparison.Ordinal);
        var (whole, fraction) = point < 0 ? (text, "0") : (text[..point], text[(point + 1)..]);
        return whole.Length is > 0 and <= 12 && fraction.Length is > 0 and <= 6
            && whole.All(char.IsAsciiDigit) && fraction.All(char.IsAsciiDigit)
            && decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out amount);
    }

    /// <summary>Whether a text is a cron expression of five fields.</summary>
    internal static bool IsSchedule(string text)
    {
        ReadOnlySpan<(int Least, int Most)> ranges = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
        var fields = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (text.Length > 100 || fields.Length != ranges.Length)
        {
            return false;
        }

        for (var i = 0; i < fields.Length; i++)
        {
            var (least, most) = ranges[i];
            if (!fields[i].Split(',').All(part => IsPart(part, least, most)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsPart(string part, int least, int most)
    {
        var slash = part.Split('/');
        if (slash.Length > 2 || (slash.Length == 2 && !(IsNumber(slash[1], 1, most, out _))))
        {
            return false;
        }

        if (slash[0] == "*")
        {
            return true;
        }

        var range = slash[0].Split('-');
        return range.Length <= 2
            && IsNumber(range[0], least, most, out var from)
            && (range.Length == 1 || (IsNumber(range[1], least, most, out var to) && to >= from));
    }

    private static bool IsNumber(string text, int least, int most, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least && number <= most;
}
