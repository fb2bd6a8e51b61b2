using Kube.Server.Schema;

namespace Kube.Server.Tests.Schema;

public sealed class QuantitiesTests
{
    [Theory]
    [InlineData("1024Mi", "1Gi")]
    [InlineData("1.5Gi", "1536Mi")]
    [InlineData("0.5Gi", "512Mi")]
    [InlineData("1Gi", "1Gi")]
    [InlineData("1023Ki", "1023Ki")]
    [InlineData("512i", null)]
    [InlineData("0.5Ki", "512")]
    [InlineData("1000m", "1")]
    [InlineData("1500m", "1500m")]
    [InlineData("0.1", "100m")]
    [InlineData("1000", "1k")]
    [InlineData("1000k", "1M")]
    [InlineData("1e3", "1e3")]
    [InlineData("1000e0", "1e3")]
    [InlineData("0", "0")]
    [InlineData("0Gi", "0")]
    [InlineData("-1Gi", "-1Gi")]
    [InlineData("-0.0000000001", "-1n")]
    [InlineData("0.0000000001", "1n")]
    [InlineData("1E", "1E")]
    [InlineData("lots", null)]
    [InlineData("", null)]
    public void Canonical_Spellings_AreThoseOfKubernetes(string text, string? expected) =>
        Assert.Equal(expected, Quantities.Canonical(text));

    [Theory]
    [InlineData("1024Mi")]
    [InlineData("1.5Gi")]
    [InlineData("0.000123")]
    [InlineData("12345678k")]
    [InlineData("1e3")]
    public void Canonical_Twice_IsTheSameAndAsMuch(string text)
    {
        var once = Quantities.Canonical(text)!;
        Assert.Equal(once, Quantities.Canonical(once));
        Assert.True(Quantities.TryParse(text, out var before) && Quantities.TryParse(once, out var after) && before == after);
    }
}
