using System.Collections.Immutable;
using System.Globalization;

namespace Berth.Operator;

/// <summary>
/// A cron expression of five fields, in UTC: minute, hour, day of the month, month, day of the week. Lists, ranges, steps and English
/// names of months and days; days of the week are 0 to 7, both ends Sunday. Where both days are bounded either will do, as in cron itself.
/// @hourly, @daily, @weekly, @monthly and @yearly stand for themselves.
/// </summary>
internal sealed class CronSchedule
{
    // The rarest there is, 29 February of a given day of the week, comes within 40 years at the latest (a century year may lack it).
    private const int MaxYears = 41;

    private static readonly string[] Months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    private static readonly string[] Days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

    private readonly ImmutableSortedSet<int> _minutes;
    private readonly ImmutableSortedSet<int> _hours;
    private readonly ImmutableSortedSet<int> _daysOfMonth;
    private readonly ImmutableSortedSet<int> _months;
    private readonly ImmutableSortedSet<int> _daysOfWeek;
    private readonly bool _eitherDay;

    private CronSchedule(string[] fields)
    {
        _minutes = Field(fields[0], "minute", 0, 59, []);
        _hours = Field(fields[1], "hour", 0, 23, []);
        _daysOfMonth = Field(fields[2], "day of the month", 1, 31, []);
        _months = Field(fields[3], "month", 1, 12, Months);
        _daysOfWeek = [.. Field(fields[4], "day of the week", 0, 7, Days).Select(d => d % 7)];
        _eitherDay = !fields[2].StartsWith('*') && !fields[4].StartsWith('*');
    }

    /// <summary>Reads an expression.</summary>
    /// <returns>The schedule, or what is wrong with it in words.</returns>
    internal static (CronSchedule? Schedule, string? Problem) Parse(string text)
    {
        var expression = text.Trim() switch
        {
            "@hourly" => "0 * * * *",
            "@daily" or "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" or "@annually" => "0 0 1 1 *",
            var other => other,
        };
        var fields = expression.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != 5)
        {
            return (null, $"'{text}' has {fields.Length} fields; a schedule has five: minute, hour, day of the month, month, day of the "
                + "week.");
        }

        try
        {
            var schedule = new CronSchedule(fields);
            return schedule.Next(new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero)) is null
                ? (null, $"'{text}' names a day that never comes.")
                : (schedule, null);
        }
        catch (FormatException e)
        {
            return (null, $"'{text}' is no schedule: {e.Message}");
        }
    }

    /// <summary>The first time after another that it names; null when it names none.</summary>
    internal DateTimeOffset? Next(DateTimeOffset after)
    {
        if (after.UtcDateTime.Year > DateTime.MaxValue.Year - MaxYears - 1)
        {
            return null;
        }

        var start = after.UtcDateTime;
        var at = new DateTime(start.Year, start.Month, start.Day, start.Hour, start.Minute, 0, DateTimeKind.Utc).AddMinutes(1);
        var end = at.AddYears(MaxYears);
        while (at < end)
        {
            if (!_months.Contains(at.Month))
            {
                at = new DateTime(at.Year, at.Month, 1, 0, 0, 0, DateTimeKind.Utc).AddMonths(1);
            }
            else if (!IsDay(at))
            {
                at = at.Date.AddDays(1);
            }
            else if (!_hours.Contains(at.Hour))
            {
                at = at.Date.AddHours(at.Hour + 1);
            }
            else if (!_minutes.Contains(at.Minute))
            {
                at = at.AddMinutes(1);
            }
            else
            {
                return new DateTimeOffset(at, TimeSpan.Zero);
            }
        }

        return null;
    }

    /// <summary>Whether it names this very time.</summary>
    internal bool Names(DateTimeOffset time) => Next(time.AddTicks(-1)) == time || Next(time.AddMinutes(-1)) == time;

    private bool IsDay(DateTime at)
    {
        var month = _daysOfMonth.Contains(at.Day);
        var week = _daysOfWeek.Contains((int)at.DayOfWeek);
        return _eitherDay ? month || week : month && week;
    }

    private static ImmutableSortedSet<int> Field(string text, string name, int least, int most, string[] names)
    {
        var values = ImmutableSortedSet.CreateBuilder<int>();
        foreach (var item in text.Split(','))
        {
            var parts = item.Split('/');
            if (parts.Length > 2)
            {
                throw new FormatException($"'{item}' has more than one step.");
            }

            var step = parts.Length == 2 ? Number(parts[1], $"step of the {name}", 1, most, []) : 1;
            var range = parts[0].Split('-');
            var (from, to) = range switch
            {
                ["*"] => (least, names == Days ? most - 1 : most),
                [var one] when parts.Length == 2 => (Number(one, name, least, most, names), most),
                [var one] => (Number(one, name, least, most, names), Number(one, name, least, most, names)),
                [var first, var last] => (Number(first, name, least, most, names), Number(last, name, least, most, names)),
                _ => throw new FormatException($"'{item}' is no range."),
            };
            if (from > to)
            {
                throw new FormatException($"'{item}' begins after its end.");
            }

            for (var value = from; value <= to; value += step)
            {
                values.Add(value);
            }
        }

        return values.ToImmutable();
    }

    private static int Number(string text, string name, int least, int most, string[] names)
    {
        var named = Array.FindIndex(names, n => n.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (named >= 0)
        {
            return named + (names == Months ? 1 : 0);
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"'{text}' is no {name}; use {least} to {most}.");
    }
}
