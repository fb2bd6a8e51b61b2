using System.Text.RegularExpressions;

namespace Berth.Resources.Tests;

public sealed class QuantityTests
{
    [Theory]
    [InlineData("1", 1)]
    [InlineData("+1", 1)]
    [InlineData("-1", -1)]
    [InlineData("1k", 1000)]
    [InlineData("1Ki", 1024)]
    [InlineData("1.5Gi", 1610612736)]
    [InlineData("10Gi", 10737418240)]
    [InlineData("2e3", 2000)]
    [InlineData("2E3", 2000)]
    [InlineData("1E", 1000000000000000000)]
    [InlineData("0.5k", 500)]
    [InlineData(".5k", 500)]
    [InlineData("5.", 5)]
    [InlineData("0.1Ki", 103)]
    [InlineData("1500m", 2)]
    [InlineData("1n", 1)]
    [InlineData("0", 0)]
    public void Value_OfAQuantity_IsRoundedUpToUnits(string text, long expected) => Assert.Equal(expected, Quantity.Parse(text).Value);

    [Theory]
    [InlineData("250m", 250)]
    [InlineData("0.25", 250)]
    [InlineData("2", 2000)]
    [InlineData("1u", 1)]
    public void MilliValue_OfAQuantity_IsRoundedUp(string text, long expected) => Assert.Equal(expected, Quantity.Parse(text).MilliValue);

    [Theory]
    [InlineData("")]
    [InlineData(" 1")]
    [InlineData("1 Gi")]
    [InlineData("Gi")]
    [InlineData(".")]
    [InlineData("1.2.3")]
    [InlineData("1g")]
    [InlineData("1GiB")]
    [InlineData("1e")]
    [InlineData("1e999999999")]
    [InlineData("--1")]
    [InlineData("١")]
    [InlineData(null)]
    public void TryParse_NoQuantity_IsFalse(string? text) => Assert.False(Quantity.TryParse(text, out _));

    [Fact]
    public void TryParse_VeryLongText_IsRefused() => Assert.False(Quantity.TryParse(new string('9', 100_000), out _));

    [Fact]
    public void Parse_NoQuantity_SaysWhatIsAllowed() =>
        Assert.Contains("512Mi", Assert.Throws<FormatException>(() => Quantity.Parse("lots")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("1024Mi", "1Gi")]
    [InlineData("1000m", "1")]
    [InlineData("1e3", "1k")]
    [InlineData("0.5Gi", "512Mi")]
    public void Equality_DifferentTexts_SameValue(string a, string b)
    {
        Assert.Equal(Quantity.Parse(a), Quantity.Parse(b));
        Assert.Equal(Quantity.Parse(a).GetHashCode(), Quantity.Parse(b).GetHashCode());
    }

    [Fact]
    public void Comparison_BinaryAndDecimal_IsExact()
    {
        Assert.True(Quantity.Parse("1Gi") > Quantity.Parse("1G"));
        Assert.True(Quantity.Parse("999999999n") < Quantity.Parse("1"));
        Assert.Equal(Quantity.Parse("1536Mi"), Quantity.Parse("1Gi") + Quantity.Parse("512Mi"));
        Assert.Equal(Quantity.Parse("-512Mi"), Quantity.Parse("512Mi") - Quantity.Parse("1Gi"));
        Assert.Equal(Quantity.Parse("1"), Quantity.Min(Quantity.Parse("1"), Quantity.Parse("2")));
        Assert.Equal(Quantity.Parse("2"), Quantity.Max(Quantity.Parse("1"), Quantity.Parse("2")));
    }

    [Theory]
    [InlineData("1024Mi", "1Gi")]
    [InlineData("0.25", "250m")]
    [InlineData("1000", "1000")]
    [InlineData("0", "0")]
    [InlineData("1500u", "1500u")]
    [InlineData("3n", "3n")]
    public void ToString_OfAQuantity_IsShortAndExact(string text, string expected)
    {
        Assert.Equal(expected, Quantity.Parse(text).ToString());
        Assert.Equal(Quantity.Parse(text), Quantity.Parse(Quantity.Parse(text).ToString()));
    }

    [Theory]
    [InlineData("10Gi", true)]
    [InlineData("0.5", true)]
    [InlineData("500m", true)]
    [InlineData("0", false)]
    [InlineData("0.0", false)]
    [InlineData("-1Gi", false)]
    [InlineData("1e3", false)]
    [InlineData("10GB", false)]
    [InlineData("10Gi\n", false)]
    public void PositivePattern_Text_AcceptsOnlyWhatIsPositive(string text, bool expected)
    {
        // \z instead of $: the API's patterns are RE2, where $ is the very end.
        var pattern = QuantityPatterns.Positive.TrimEnd('$') + @"\z";
        Assert.Equal(expected, Regex.IsMatch(text, pattern));
        Assert.True(!expected || (Quantity.TryParse(text, out var quantity) && quantity.Sign > 0));
    }
}
