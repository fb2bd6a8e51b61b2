namespace Berth.Resources.Tests;

public sealed class WorkspaceNamesTests
{
    [Fact]
    public void ForOwner_KnownIdentity_IsTheDocumentedHash()
    {
        // Computed independently: base32(sha256("https://id.example.com/" 00 "42")).
        Assert.Equal("ws-gteygflnsjbfmjmu", WorkspaceNames.ForOwner("https://id.example.com/", "42"));
        Assert.Equal("gteygflnsjbfmjmu", WorkspaceNames.OwnerHash("https://id.example.com/", "42"));
    }

    [Fact]
    public void ForOwner_SeparatorMatters_DiffersWhereTheConcatenationIsTheSame() =>
        Assert.NotEqual(WorkspaceNames.ForOwner("https://a", "b42"), WorkspaceNames.ForOwner("https://ab", "42"));

    [Theory]
    [InlineData("", "x")]
    [InlineData("x", "")]
    [InlineData("a\0b", "x")]
    [InlineData("x", "a\0b")]
    public void ForOwner_NoIdentity_Throws(string issuer, string subject) =>
        Assert.ThrowsAny<ArgumentException>(() => WorkspaceNames.ForOwner(issuer, subject));

    [Fact]
    public void ForOwner_LongestSlug_IsAValidName()
    {
        var name = WorkspaceNames.ForOwner("https://id.example.com/", "42", new string('a', WorkspaceNames.MaxSlugLength));
        Assert.True(WorkspaceNames.IsValid(name));
        Assert.True(name.Length <= WorkspaceNames.MaxLength);
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("my-project-2", true)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData("a-", false)]
    [InlineData("a--b", false)]
    [InlineData("A", false)]
    [InlineData("a.b", false)]
    [InlineData("ä", false)]
    public void IsSlug_Text_FollowsTheRule(string text, bool expected)
    {
        Assert.Equal(expected, WorkspaceNames.IsSlug(text));
        if (!expected)
        {
            Assert.Throws<ArgumentException>(() => WorkspaceNames.ForOwner("i", "s", text));
        }
    }

    [Theory]
    [InlineData("My Project (2)", "my-project-2")]
    [InlineData("  Größe 2: Test ", "grosse-2-test")]
    [InlineData("Café", "cafe")]
    [InlineData("Cafe\u0301 A\u030Angstro\u0308m", "cafe-angstrom")]
    [InlineData("Œuvre Ærø Łódź Þór Iași Đặng Văn ĳs", "oeuvre-aero-lodz-thor-iasi-dang-van-ijs")]
    [InlineData("3×4÷2", "3-4-2")]
    [InlineData("\u0301", null)]
    [InlineData("---", null)]
    [InlineData("日本", null)]
    [InlineData(null, null)]
    public void Slugify_Text_GivesASlugOrNull(string? text, string? expected)
    {
        var slug = WorkspaceNames.Slugify(text);
        Assert.Equal(expected, slug);
        Assert.True(slug is null || WorkspaceNames.IsSlug(slug));
    }

    [Fact]
    public void Slugify_TwoLettersAtTheLimit_IsStillASlug() =>
        Assert.Equal(new string('x', 39) + "s", WorkspaceNames.Slugify(new string('x', 39) + "ß"));

    [Fact]
    public void Slugify_LongText_IsCutToASlug() =>
        Assert.True(WorkspaceNames.IsSlug(WorkspaceNames.Slugify(new string('x', 39) + " " + new string('y', 300))));

    [Theory]
    [InlineData("ws-abc", true)]
    [InlineData("a", true)]
    [InlineData("1a", false)]
    [InlineData("a.b", false)]
    [InlineData("a-", false)]
    [InlineData("A", false)]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("a`b", false)]
    public void IsValid_Name_MustBeAServiceName(string? name, bool expected) => Assert.Equal(expected, WorkspaceNames.IsValid(name));

    [Fact]
    public void IsValid_64Characters_IsNot() => Assert.False(WorkspaceNames.IsValid(new string('a', 64)));
}
