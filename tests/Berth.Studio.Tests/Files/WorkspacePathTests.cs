using System.Text;
using Berth.Studio.Files;

namespace Berth.Studio.Tests.Files;

public sealed class WorkspacePathTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/etc/passwd")]
    [InlineData("//etc")]
    [InlineData("..")]
    [InlineData("../etc")]
    [InlineData("a/../b")]
    [InlineData("a/..")]
    [InlineData("a/../../b")]
    [InlineData(".")]
    [InlineData("./a")]
    [InlineData("a/./b")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("a\0b")]
    [InlineData("a/\0")]
    public void TryParse_NotAPathInside_SaysWhy(string text)
    {
        Assert.False(WorkspacePath.TryParse(text, out _, out var problem));
        Assert.NotEmpty(problem);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("a/b/c.txt")]
    [InlineData("...")]
    [InlineData("..a/b..")]
    [InlineData(".hidden")]
    [InlineData(" ")]
    [InlineData("a\nb")]
    [InlineData("a\\..\\b")]
    [InlineData("..\\etc")]
    [InlineData("%2e%2e/%2fetc")]
    [InlineData("..%2fetc")]
    [InlineData("..%c0%af")]
    [InlineData("\uff0e\uff0e/etc")]
    [InlineData("C:/windows")]
    [InlineData("~")]
    [InlineData("$HOME")]
    [InlineData("日本語/ファイル.txt")]
    public void TryParse_OddButOrdinaryNames_AreKeptAsTheyAre(string text)
    {
        Assert.True(WorkspacePath.TryParse(text, out var path, out _));
        Assert.Equal(text, path.Value);
    }

    [Fact]
    public void TryParse_LoneSurrogate_SaysWhy() => Assert.False(WorkspacePath.TryParse("a" + '\ud800', out _, out _));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void TryParse_Nothing_IsTheWorkspace(string? text)
    {
        Assert.True(WorkspacePath.TryParse(text, out var path, out _));
        Assert.True(path.IsRoot);
        Assert.Empty(path.Names);
    }

    [Fact]
    public void TryParse_NameLength_IsCountedInBytes()
    {
        Assert.True(WorkspacePath.TryParse(new string('x', 255), out _, out _));
        Assert.False(WorkspacePath.TryParse(new string('x', 256), out _, out _));
        Assert.True(WorkspacePath.TryParse(new string('ä', 127), out _, out _));
        Assert.False(WorkspacePath.TryParse(new string('ä', 128), out _, out _));
    }

    [Fact]
    public void TryParse_PathLength_IsLimited()
    {
        var deep = string.Join('/', Enumerable.Repeat("aaaaaaa", 512));
        Assert.Equal(4095, Encoding.UTF8.GetByteCount(deep));
        Assert.True(WorkspacePath.TryParse(deep, out _, out _));
        Assert.False(WorkspacePath.TryParse(deep + "b", out _, out _));
    }

    [Fact]
    public void TryParse_AnyMixOfHostilePieces_NeverHasADotDotNameOrAnAbsoluteStart()
    {
        string[] pieces = ["..", ".", "/", "a", "\\", "%2e", "\0", " ", "//", "..."];
        var random = new Random(7);
        for (var i = 0; i < 50_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 7)).Select(_ => pieces[random.Next(pieces.Length)]));
            if (WorkspacePath.TryParse(text, out var path, out _))
            {
                Assert.All(path.Names, n => Assert.False(n is "" or "." or ".." || n.Contains('\0', StringComparison.Ordinal), text));
            }
        }
    }

    [Theory]
    [InlineData("a/b", "a", true)]
    [InlineData("a", "a", true)]
    [InlineData("ab", "a", false)]
    [InlineData("a", "a/b", false)]
    [InlineData("a", "", true)]
    public void IsWithin_Names_NotPrefixesOfText(string inner, string outer, bool expected)
    {
        Assert.True(WorkspacePath.TryParse(inner, out var a, out _));
        Assert.True(WorkspacePath.TryParse(outer, out var b, out _));
        Assert.Equal(expected, a.IsWithin(b));
    }
}
