namespace Kube.Client.Tests;

public sealed class ResourceVersionComparerTests
{
    [Theory]
    [InlineData("9", "10", -1)]
    [InlineData("10", "10", 0)]
    [InlineData("18446744073709551616", "18446744073709551615", 1)]
    [InlineData("99999999999999999999999999999999999999999", "100000000000000000000000000000000000000000", -1)]
    [InlineData("0", "1", -1)]
    public void TryCompare_Numbers_ComparesAsIntegers(string x, string y, int expected)
    {
        Assert.True(ResourceVersionComparer.TryCompare(x, y, out var result));
        Assert.Equal(expected, result);
        Assert.Equal(-expected, ResourceVersionComparer.Instance.Compare(y, x));
    }

    [Theory]
    [InlineData("", "1")]
    [InlineData("01", "1")]
    [InlineData("1a", "1")]
    [InlineData("-1", "1")]
    public void TryCompare_NotNumbers_IsFalse(string x, string y)
    {
        Assert.False(ResourceVersionComparer.TryCompare(x, y, out _));
        Assert.Throws<ArgumentException>(() => ResourceVersionComparer.Instance.Compare(x, y));
    }

    [Fact]
    public void Compare_Null_IsOlderThanAny() => Assert.True(ResourceVersionComparer.Instance.Compare(null, "0") < 0);
}
