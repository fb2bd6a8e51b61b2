using System.Text;

namespace Berth.Edge.Tests.Management;

public class TokenFindingTests
{
    private const string Issuer = "http://localhost:1";
    private static readonly EdgeSettings Settings = EdgeSettingsParser.Parse(EdgeFixture.Options(Issuer));
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_000_000);

    [Theory]
    [InlineData("""{"iss":"http://localhost:1","exp":999905}""", Issuer, -95)]
    [InlineData("""{"iss":"http://localhost:1","exp":2000000,"nbf":1000030}""", Issuer, 30)]
    [InlineData("""{"iss":"http://localhost:1","exp":2000000,"iat":1000007}""", Issuer, 7)]
    [InlineData("""{"iss":"https://evil.example","exp":2000000}""", "unknown", null)]
    [InlineData("""{"exp":1e300,"nbf":1e300}""", null, 315_360_000)]
    [InlineData("""{"exp":-1e300}""", null, -315_360_000)]
    [InlineData("""{"exp":"soon"}""", null, null)]
    public void Of_TokenOutOfTime_SaysByHowMuchAndForWhom(string claims, string? issuer, int? skew)
    {
        var finding = TokenFinding.Of($"Bearer {Token("""{"alg":"ES256","kid":"key-1"}""", claims)}", TokenError.Time, Settings, Now);

        Assert.Equal((issuer, "key-1", skew), (finding.Issuer, finding.KeyId, (int?)finding.Skew?.TotalSeconds));
    }

    [Theory]
    [InlineData("Bearer garbage")]
    [InlineData("Bearer a.b.c")]
    [InlineData("Bearer")]
    [InlineData("Basic dTpw")]
    public void Of_NoToken_OnlyTheError(string header) =>
        Assert.Equal(new TokenFinding(TokenError.Malformed, IsPersonal: false), TokenFinding.Of(header, TokenError.Malformed, Settings,
            Now));

    [Fact]
    public void Of_PersonalToken_NothingOfIt() => Assert.Equal(
        new TokenFinding(TokenError.NoSuchToken, IsPersonal: true),
        TokenFinding.Of("Bearer berth_pat_secretsecret", TokenError.NoSuchToken, Settings, Now));

    [Fact]
    public void Of_KeyIdOfAnybody_IsCutAndPrintable()
    {
        var header = $$"""{"alg":"ES256","kid":"a\u001b[31m{{new string('k', 200)}}"}""";

        var finding = TokenFinding.Of($"Bearer {Token(header, "{}")}", TokenError.UnknownKey, Settings, Now);

        Assert.Equal(("kid", 64), (finding.Claim, finding.KeyId!.Length));
        Assert.DoesNotContain('\u001b', finding.KeyId);
    }

    private static string Token(string header, string claims) =>
        $"{StrictBase64Url.Encode(Encoding.UTF8.GetBytes(header))}.{StrictBase64Url.Encode(Encoding.UTF8.GetBytes(claims))}.AAAA";
}
