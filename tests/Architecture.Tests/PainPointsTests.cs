using System.Text.RegularExpressions;

namespace Architecture.Tests;

/// <summary>docs/pain-points.md promises tests by name.</summary>
public sealed partial class PainPointsTests
{
    private const int PainPoints = 14;

    [Fact]
    public void Page_EachPainPoint_NamesTestsThatExist()
    {
        var tests = Repository.TrackedFiles()
            .Where(f => f.StartsWith("tests/", StringComparison.Ordinal) && f.EndsWith(".cs", StringComparison.Ordinal))
            .SelectMany(f => TestMethod().Matches(File.ReadAllText(Path.Combine(Repository.Root, f))).Select(m => m.Groups["name"].Value))
            .ToHashSet(StringComparer.Ordinal);
        var rows = File.ReadLines(Path.Combine(Repository.Root, "docs", "pain-points.md"))
            .Where(l => Row().IsMatch(l))
            .Select(l => TestName().Matches(l.Split('|')[4]).Select(m => m.Groups["name"].Value).ToArray())
            .ToList();

        Assert.Equal(PainPoints, rows.Count);
        Assert.All(rows, Assert.NotEmpty);
        Assert.All(rows.SelectMany(r => r), name => Assert.Contains(name, tests));
    }

    [GeneratedRegex(@"^\| \d+ \|")]
    private static partial Regex Row();

    [GeneratedRegex("`(?<name>[A-Za-z0-9_]+)`")]
    private static partial Regex TestName();

    [GeneratedRegex(@"public (async Task|void|Task) (?<name>[A-Za-z0-9_]+)\(")]
    private static partial Regex TestMethod();
}
