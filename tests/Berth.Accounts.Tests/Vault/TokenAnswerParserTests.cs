using System.Text;

namespace Berth.Accounts.Tests.Vault;

public class TokenAnswerParserTests
{
    [Fact]
    public void Parse_PlainAnswer_AllFields()
    {
        using var answer = Parse(200, """
            {"access_token":"at","refresh_token":"rt","id_token":"it","token_type":"bearer",
            "expires_in":300,"scope":"a b","session_state":"s"}
            """);

        Assert.Equal(TokenAnswerKind.Tokens, answer.Kind);
        Assert.Equal(("at", "rt", "it"), (answer.AccessToken!.Reveal(), answer.RefreshToken!.Reveal(), answer.IdToken!.Reveal()));
        Assert.Equal(("bearer", "a b", "s", TimeSpan.FromMinutes(5)),
            (answer.TokenType, answer.Scope, answer.SessionId, answer.ExpiresIn));
    }

    [Theory]
    [InlineData("\"300\"", 300.0)]
    [InlineData("300.7", 300.7)]
    [InlineData("3e2", 300.0)]
    [InlineData("\"soon\"", null)]
    [InlineData("null", null)]
    [InlineData("-1", null)]
    [InlineData("0", null)]
    [InlineData("1e300", null)]
    [InlineData("1893456000", null)]
    [InlineData("{\"a\":1}", null)]
    [InlineData("[300]", null)]
    public void Parse_AnyExpiresIn_NeverLosesTheNewRefreshToken(string text, double? seconds)
    {
        using var answer = Parse(200, $$"""{"expires_in":{{text}},"access_token":"at","refresh_token":"rt"}""");

        Assert.Equal(("at", "rt"), (answer.AccessToken!.Reveal(), answer.RefreshToken!.Reveal()));
        Assert.Equal(seconds, answer.ExpiresIn?.TotalSeconds);
    }

    [Theory]
    [InlineData("""{"refresh_token":"rt","access_token":"at","x":tru""")]
    [InlineData("""{"refresh_token":"rt","access_token":"at"} trailing""")]
    [InlineData("""{"refresh_token":"rt","scope":["a",1,"b"],"access_token":"at"}""")]
    [InlineData("""{"refresh_token":"r\u0074","access_token":"\u0061t","access_token":42}""")]
    [InlineData("""{"refresh_token":"rt","access_token":"at","token_type":7,"scope":{"a":[1]},"id_token":null}""")]
    public void Parse_FlawedButTokensAreThere_KeepsThem(string body)
    {
        using var answer = Parse(200, body);

        Assert.Equal((TokenAnswerKind.Tokens, "at", "rt"), (answer.Kind, answer.AccessToken?.Reveal(), answer.RefreshToken?.Reveal()));
    }

    [Theory]
    [InlineData(400, """{"error":"invalid_grant"}""", "InvalidGrant")]
    [InlineData(401, """{"error":"invalid_grant","error_description":"secret"}""", "InvalidGrant")]
    [InlineData(200, """{"error":"bad_refresh_token"}""", "InvalidGrant")]
    [InlineData(400, """{"error":"invalid_client"}""", "Refused")]
    [InlineData(401, "", "Refused")]
    [InlineData(404, "<html>", "Refused")]
    [InlineData(302, "", "Refused")]
    [InlineData(400, """{"error":"temporarily_unavailable"}""", "NotDone")]
    [InlineData(429, """{"error":"invalid_grant"}""", "NotDone")]
    [InlineData(500, """{"error":"invalid_grant"}""", "Unknown")]
    [InlineData(503, "", "Unknown")]
    [InlineData(200, "", "Unknown")]
    [InlineData(200, "<html>", "Unknown")]
    [InlineData(200, "[]", "Unknown")]
    [InlineData(200, """{"token_type":"Bearer"}""", "Unknown")]
    public void Parse_NoTokens_KindByStatusAndError(int status, string body, string kind)
    {
        using var answer = Parse(status, body);

        Assert.Equal(kind, answer.Kind.ToString());
        Assert.Null(answer.RefreshToken);
        Assert.DoesNotContain("secret", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_ErrorOfUnknownForm_IsNotRepeated()
    {
        using var answer = Parse(400, """{"error":"eyJhbGciOi <script>"}""");

        Assert.Equal("400 unreadable_error", answer.Detail);
    }

    [Fact]
    public void Parse_TokenTooLong_IsNotTaken()
    {
        var token = new string('x', TokenAnswerParser.MaximumToken + 1);
        using var answer = Parse(200, $$"""{"access_token":"at","refresh_token":"{{token}}"}""");

        Assert.Null(answer.RefreshToken);
    }

    [Theory]
    [InlineData("""{"iat":100,"exp":400}""", 300.0)]
    [InlineData("""{"exp":1000300}""", 300.0)]
    [InlineData("""{"iat":400,"exp":100}""", null)]
    [InlineData("""{"exp":"soon"}""", null)]
    [InlineData("[]", null)]
    public void JwtLife_OfAToken_IsTheProvidersOwn(string payload, double? seconds)
    {
        var token = Encoding.ASCII.GetBytes($"e30.{System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload))}.x");

        Assert.Equal(seconds, JwtLife.Of(token, DateTimeOffset.FromUnixTimeSeconds(1000000))?.TotalSeconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("opaque")]
    [InlineData("a.!!!.b")]
    [InlineData("a.e30")]
    public void JwtLife_OfAnythingElse_IsNone(string token) =>
        Assert.Null(JwtLife.Of(Encoding.ASCII.GetBytes(token), DateTimeOffset.UnixEpoch));

    private static TokenAnswer Parse(int status, string body) => TokenAnswerParser.Parse(status, Encoding.UTF8.GetBytes(body), null);
}
