namespace Kube.Runtime.Tests;

public class SeriesTableTests
{
    private static KeyValuePair<string, object?> Tag(string name, object? value) => new(name, value);

    private static SeriesTable<object> Table(int maximum = 100) => new(
        tags => string.Join(',', tags.ToArray().OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"{t.Key}={t.Value}")), () => new object(), maximum);

    [Fact]
    public void Of_SameTagsInAnotherOrder_IsTheSameSeries()
    {
        var table = Table();

        Assert.Same(table.Of([Tag("a", 1), Tag("b", "x")]), table.Of([Tag("b", "x"), Tag("a", 1)]));
        Assert.Single(table.All);
    }

    [Fact]
    public void Of_AnotherNameOrValue_IsAnotherSeries()
    {
        var table = Table();
        object[] series = [table.Of([]), table.Of([Tag("a", 1)]), table.Of([Tag("a", 2)]), table.Of([Tag("b", 1)]), table.Of([Tag("a", 1), Tag("b", 1)])];

        Assert.Equal(series.Length, series.Distinct().Count());
    }

    [Fact]
    public void Of_Known_AllocatesNothing()
    {
        var table = Table();
        KeyValuePair<string, object?>[] tags = [Tag("route", "workspace"), Tag("status", 200)];
        table.Of(tags);
        table.Of(tags);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            table.Of(tags);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Of_MoreThanTheMaximum_ShareOne()
    {
        var table = Table(maximum: 3);
        var series = Enumerable.Range(0, 1000).Select(i => table.Of([Tag("id", i)])).ToList();

        Assert.Equal(4, series.Distinct().Count());
        Assert.Equal(4, table.All.Count());
        Assert.Contains(table.All, s => s.Key == SeriesTable<object>.Overflow);
        Assert.Same(series[0], table.Of([Tag("id", 0)]));
    }

    [Fact]
    public void Clear_Known_IsForgotten()
    {
        var table = Table();
        var before = table.Of([Tag("a", 1)]);
        table.Clear();

        Assert.Empty(table.All);
        Assert.NotSame(before, table.Of([Tag("a", 1)]));
    }
}
