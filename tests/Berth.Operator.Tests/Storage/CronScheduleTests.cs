using System.Globalization;

namespace Berth.Operator.Tests;

public sealed class CronScheduleTests
{
    [Theory]
    [InlineData("0 3 * * *", "2026-11-21 02:59", "2026-11-21 03:00")]
    [InlineData("0 3 * * *", "2026-11-21 03:00", "2026-11-22 03:00")]
    [InlineData("*/15 * * * *", "2026-11-21 23:50", "2026-11-22 00:00")]
    [InlineData("7/20 * * * *", "2026-11-21 10:27", "2026-11-21 10:47")]
    [InlineData("0 9-17/4 * * 1-5", "2026-11-20 17:30", "2026-11-23 09:00")]
    [InlineData("30 22 * * mon,WED", "2026-11-21 00:00", "2026-11-23 22:30")]
    [InlineData("0 0 * * 7", "2026-11-21 00:00", "2026-11-22 00:00")]
    [InlineData("0 0 * * 5-7", "2026-11-22 00:00", "2026-11-27 00:00")]
    [InlineData("0 0 31 * *", "2026-11-21 00:00", "2026-12-31 00:00")]
    [InlineData("0 0 29 2 *", "2026-11-21 00:00", "2028-02-29 00:00")]
    [InlineData("0 0 29 FEB *", "2096-03-01 00:00", "2104-02-29 00:00")]
    [InlineData("59 23 31 12 *", "2026-12-31 23:59", "2027-12-31 23:59")]
    [InlineData("0 0 13 * 5", "2026-11-21 00:00", "2026-11-27 00:00")]
    [InlineData("0 0 13 * 5", "2026-11-27 00:00", "2026-12-04 00:00")]
    [InlineData("0 0 */10 * 5", "2026-11-27 00:00", "2026-12-11 00:00")]
    [InlineData("@weekly", "2026-11-21 00:00", "2026-11-22 00:00")]
    [InlineData("@hourly", "2026-11-21 00:00", "2026-11-21 01:00")]
    [InlineData("  0   3 * * * ", "2026-11-21 00:00", "2026-11-21 03:00")]
    public void Next_AfterATime_IsTheFirstNamed(string schedule, string after, string next)
    {
        var (parsed, problem) = CronSchedule.Parse(schedule);
        Assert.Null(problem);
        Assert.Equal(Time(next), parsed!.Next(Time(after)));
        Assert.True(parsed.Names(Time(next)));
        Assert.False(parsed.Names(Time(next).AddSeconds(1)));
    }

    [Theory]
    [InlineData("", "0 fields")]
    [InlineData("0 3 * *", "4 fields")]
    [InlineData("0 3 * * * *", "6 fields")]
    [InlineData("60 * * * *", "'60' is no minute")]
    [InlineData("* 24 * * *", "'24' is no hour")]
    [InlineData("* * 0 * *", "'0' is no day of the month")]
    [InlineData("* * * 13 *", "'13' is no month")]
    [InlineData("* * * * 8", "'8' is no day of the week")]
    [InlineData("5-1 * * * *", "begins after its end")]
    [InlineData("*/0 * * * *", "step of the minute")]
    [InlineData("1-2-3 * * * *", "no range")]
    [InlineData("1/2/3 * * * *", "more than one step")]
    [InlineData(", * * * *", "is no minute")]
    [InlineData("-1 * * * *", "is no minute")]
    [InlineData("+1 * * * *", "is no minute")]
    [InlineData("0 0 30 2 *", "never comes")]
    public void Parse_NoSchedule_SaysWhy(string text, string why)
    {
        var (parsed, problem) = CronSchedule.Parse(text);
        Assert.Null(parsed);
        Assert.Contains(why, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Next_AtTheEndOfTheCalendar_IsNone() =>
        Assert.Null(CronSchedule.Parse("* * * * *").Schedule!.Next(DateTimeOffset.MaxValue));

    [Fact]
    public void Next_AgainstEveryMinute_AgreesWithAPlainLook()
    {
        // Each minute of a leap year, looked at one by one.
        var schedule = CronSchedule.Parse("13,47 */7 1-7,29 2,11 WED").Schedule!;
        var at = new DateTimeOffset(2027, 12, 31, 23, 59, 0, TimeSpan.Zero);
        var wanted = Enumerable.Range(1, 366 * 1440).Select(m => at.AddMinutes(m)).Where(t =>
            t.Minute is 13 or 47 && t.Hour % 7 == 0 && t.Month is 2 or 11 && (t.Day is <= 7 or 29 || t.DayOfWeek == DayOfWeek.Wednesday)
                && t.Minute is 13 or 47 && t.Month is 2 or 11).Where(t => t.Minute is 13 or 47 && t.Hour % 7 == 0).ToList();
        var found = new List<DateTimeOffset>();
        for (var next = schedule.Next(at); next is { } time && time.Year == 2028; next = schedule.Next(time))
        {
            found.Add(time);
        }

        Assert.Equal(wanted, found);
    }

    private static DateTimeOffset Time(string text) =>
        DateTimeOffset.ParseExact(text, "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
