using System.Text.RegularExpressions;

namespace Berth.Accounts.Tests.PersonalTokens;

public class PersonalTokenSecretTests
{
    // Fixed for ever: a scanner somewhere knows it.
    private const string Known = "berth_pat_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg40SzMd";

    [Fact]
    public void New_Tokens_WellFormedAndNeverTheSame()
    {
        var tokens = Enumerable.Range(0, 1000).Select(_ => PersonalTokenSecret.New()).ToHashSet();
        Assert.Equal(1000, tokens.Count);
        Assert.All(tokens, t =>
        {
            Assert.Matches(new Regex(@"\Aberth_pat_[0-9A-Za-z]{49}\z"), t);
            Assert.True(PersonalTokenSecret.IsWellFormed(t));
        });
    }

    [Fact]
    public void IsWellFormed_AnyCharacterChangedSwappedOrLost_False()
    {
        Assert.True(PersonalTokenSecret.IsWellFormed(Known));
        for (var i = 0; i < Known.Length; i++)
        {
            Assert.False(PersonalTokenSecret.IsWellFormed(Known.Remove(i, 1)));
            Assert.False(PersonalTokenSecret.IsWellFormed(Known.Insert(i, "x")));
            Assert.False(PersonalTokenSecret.IsWellFormed(Known.Remove(i, 1).Insert(i, Known[i] == 'x' ? "y" : "x")));
            if (i > 0 && Known[i] != Known[i - 1])
            {
                Assert.False(PersonalTokenSecret.IsWellFormed($"{Known[..(i - 1)]}{Known[i]}{Known[i - 1]}{Known[(i + 1)..]}"));
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("berth_pat_")]
    [InlineData("BERTH_PAT_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg40SzMd")]
    [InlineData("berth_pat_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef-40SzMd")]
    [InlineData("berth_pat_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg40SzMd\n")]
    public void IsWellFormed_SomethingElse_False(string text) => Assert.False(PersonalTokenSecret.IsWellFormed(text));

    [Fact]
    public void Hash_KnownToken_IsTheSha256OfItsText() =>
        Assert.Equal(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(Known)),
            PersonalTokenSecret.Hash(Known));
}
