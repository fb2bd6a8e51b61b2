using System.Text.RegularExpressions;

namespace Architecture.Tests;

/// <summary>What must not stand in a file that others read.</summary>
public sealed partial class RepositoryTests
{
    [Fact]
    public void Files_NameNoRegistryAndNoPathOfAMachine()
    {
        var found = Repository.TrackedFiles()
            .Where(f => !f.EndsWith(".png", StringComparison.Ordinal) && !f.Contains("/Data/", StringComparison.Ordinal))
            .SelectMany(f => File.ReadLines(Path.Combine(Repository.Root, f)).Select((line, i) => (f, i, line)))
            .Where(l => Forbidden().IsMatch(l.line))
            .Select(l => $"{l.f}:{l.i + 1}: {l.line.Trim()}");

        Assert.Empty(found);
    }

    [Fact]
    public void Projects_PinNoVersionOfTheirOwn()
    {
        var found = Repository.TrackedFiles()
            .Where(f => f.EndsWith(".csproj", StringComparison.Ordinal))
            .Where(f => VersionedReference().IsMatch(File.ReadAllText(Path.Combine(Repository.Root, f))));

        Assert.Empty(found);
    }

    [Fact]
    public void Sources_LinesAreOfAtMost140Columns()
    {
        var found = Repository.TrackedFiles()
            .Where(f => f.StartsWith("src/", StringComparison.Ordinal) && f.EndsWith(".cs", StringComparison.Ordinal))
            .SelectMany(f => File.ReadLines(Path.Combine(Repository.Root, f)).Select((line, i) => (f, i, line)))
            .Where(l => l.line.Length > 140)
            .Select(l => $"{l.f}:{l.i + 1}: {l.line.Length} columns");

        Assert.Empty(found);
    }

    [GeneratedRegex(@"(nuget|npmjs|pypi)\.(org|com)|(^|[^A-Za-z0-9_.])/(work|farm|roo[t])/")]
    private static partial Regex Forbidden();

    [GeneratedRegex("<PackageReference[^>]*\\sVersion=")]
    private static partial Regex VersionedReference();
}
