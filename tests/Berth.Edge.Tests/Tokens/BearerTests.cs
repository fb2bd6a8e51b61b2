using System.Net;
using System.Text.Json.Nodes;

namespace Berth.Edge.Tests;

public class BearerTests
{
    private const string Url = $"{EdgeFixture.Origin}/whoami";

    [Fact]
    public async Task AccessToken_OfAConfiguredProvider_IsACaller()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var token = edge.Provider.Sign(edge.Provider.AccessTokenClaims(EdgeFixture.Audience), "at+jwt");

        Assert.Equal((HttpStatusCode.OK, "Bearer user1 False"), await AskAsync(edge, token));
        Assert.Equal((HttpStatusCode.OK, "Bearer user1 False"), await AskAsync(edge, token));
        using var post = await edge.NewBrowser()
            .SendAsync($"{EdgeFixture.Origin}/change", HttpMethod.Post, headers: [("Authorization", "Bearer " + token)]);
        Assert.Equal("changed by user1", await post.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("empty")]
    [InlineData("basic")]
    [InlineData("type-none")]
    [InlineData("type-jwt")]
    [InlineData("type-logout")]
    [InlineData("type-identity")]
    [InlineData("audience-other")]
    [InlineData("audience-none")]
    [InlineData("issuer-unknown")]
    [InlineData("issuer-slash")]
    [InlineData("expired")]
    [InlineData("exp-none")]
    [InlineData("exp-text")]
    [InlineData("exp-huge")]
    [InlineData("nbf-future")]
    [InlineData("lifetime")]
    [InlineData("sub-none")]
    [InlineData("sub-number")]
    [InlineData("nonce")]
    [InlineData("cnf")]
    [InlineData("events")]
    [InlineData("crit")]
    [InlineData("b64")]
    [InlineData("alg-none")]
    [InlineData("alg-hs256")]
    [InlineData("kid-unknown")]
    [InlineData("key-other")]
    [InlineData("duplicate-claim")]
    [InlineData("duplicate-header")]
    [InlineData("too-long")]
    [InlineData("not-base64")]
    [InlineData("array")]
    public async Task AccessToken_NotInOrder_Is401WithoutDetail(string what)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var header = Header(edge, what);

        using var answer = await edge.NewBrowser().GetAsync(Url, ("Authorization", header), ("Accept", "application/json"));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Bearer error=\"invalid_token\"", answer.Headers.WwwAuthenticate.Single().ToString());
        Assert.Contains("invalid-token", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task GarbageToken_BesideAGoodCookie_IsStillRefusedEverywhere()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        foreach (var path in (string[])["/whoami", "/login", "/logout", "/", "/auth/callback", "/.well-known/workspace-identity/jwks.json"])
        {
            using var answer = await browser.GetAsync(EdgeFixture.Origin + path, ("Authorization", "Bearer garbage"));
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    [Fact]
    public async Task IdToken_AsAccessToken_IsRefusedEvenWhereUntypedOnesAreAccepted()
    {
        string? idToken = null;
        await using var edge = await EdgeFixture.StartAsync(
            p => p.OnIdTokenText = t => idToken = t,
            o => o with { Issuers = [o.Issuers[0] with { AcceptUntypedAccessTokens = true }] });
        await edge.SignedInAsync("user1");
        var claims = edge.Provider.AccessTokenClaims(EdgeFixture.Audience);

        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(edge, idToken!)).Status);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(edge, edge.Provider.Sign(claims, "JWT"))).Status);
        claims["aud"] = new JsonArray(EdgeFixture.Audience, FakeProvider.ClientId);
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(edge, edge.Provider.Sign(claims, "JWT"))).Status);
    }

    [Fact]
    public async Task Audience_NotConfigured_AcceptsNoTokenAtAll()
    {
        await using var edge = await EdgeFixture.StartAsync(options: o => o with { Issuers = [o.Issuers[0] with { Audience = null }] });

        Assert.Equal(HttpStatusCode.Unauthorized,
            (await AskAsync(edge, edge.Provider.Sign(edge.Provider.AccessTokenClaims(EdgeFixture.Audience), "at+jwt"))).Status);
    }

    [Fact]
    public async Task CachedToken_EndsWithItsLifetimeAndWithItsKey()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var token = edge.Provider.Sign(edge.Provider.AccessTokenClaims(EdgeFixture.Audience), "at+jwt");
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(edge, token)).Status);

        edge.Provider.Key = TestKey.NewEc("key-2");
        Assert.True(await edge.Get<IdentityProviders>().All[0].RefreshAsync(CancellationToken.None));
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(edge, token)).Status);

        edge.Clock.Advance(IdentityProvider.MissInterval);
        var second = edge.Provider.Sign(edge.Provider.AccessTokenClaims(EdgeFixture.Audience), "at+jwt");
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(edge, second)).Status);
        edge.Clock.Advance(TimeSpan.FromSeconds(3600 + 61));
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(edge, second)).Status);
    }

    [Fact]
    public async Task UnknownKid_OneRefetchServesTheCurrentRequestAndAFloodCostsNoMore()
    {
        await using var edge = await EdgeFixture.StartAsync();
        edge.Provider.Key = TestKey.NewEc("key-2");
        var before = edge.Provider.JwksRequests;
        var good = edge.Provider.Sign(edge.Provider.AccessTokenClaims(EdgeFixture.Audience), "at+jwt");

        Assert.Equal(HttpStatusCode.OK, (await AskAsync(edge, good)).Status);
        Assert.Equal(before + 1, edge.Provider.JwksRequests);

        var claims = edge.Provider.AccessTokenClaims(EdgeFixture.Audience);
        await Task.WhenAll(Enumerable.Range(0, 50)
            .Select(i => AskAsync(edge, TestKey.NewEc("made-up-" + i).Sign((JsonObject)claims.DeepClone(), "at+jwt"))));
        Assert.Equal(before + 1, edge.Provider.JwksRequests);
    }

    [Fact]
    public async Task ProviderGone_KnownKeysStayGood()
    {
        await using var edge = await EdgeFixture.StartAsync();
        edge.Provider.IsDown = true;
        Assert.False(await edge.Get<IdentityProviders>().All[0].RefreshAsync(CancellationToken.None));

        Assert.Equal(HttpStatusCode.OK,
            (await AskAsync(edge, edge.Provider.Sign(edge.Provider.AccessTokenClaims(EdgeFixture.Audience), "at+jwt"))).Status);
        Assert.True(edge.Get<IEdgeReadiness>().IsReady);
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("PS256")]
    [InlineData("ES256")]
    [InlineData("ES384")]
    public void Algorithms_OnTheList_VerifyOnlyWithTheKeyThatFits(string algorithm)
    {
        var key = algorithm switch { "ES256" => TestKey.NewEc("k"), "ES384" => TestKey.NewEc384("k"), _ => TestKey.NewRsa("k", algorithm) };
        Assert.Equal(TokenError.None, JwsVerifier.Parse(key.Sign([]), JwsAlgorithms.All, out var jws));

        Assert.Equal(TokenError.None, JwsVerifier.Verify(jws!, key.ToSet()));
        Assert.Equal(TokenError.UnknownKey,
            JwsVerifier.Verify(jws! with { Algorithm = algorithm == "ES256" ? "RS256" : "ES256" }, key.ToSet()));
        Assert.Equal(TokenError.Algorithm, JwsVerifier.Parse(key.Sign([]), JwsAlgorithms.All.Remove(algorithm), out _));
        if (algorithm is "RS256" or "PS256")
        {
            Assert.Equal(TokenError.UnknownKey,
                JwsVerifier.Verify(jws with { Algorithm = algorithm == "RS256" ? "PS256" : "RS256" }, key.ToSet()));
        }
    }

    [Theory]
    [InlineData("1893456000", true)]
    [InlineData("1893456000.75", true)]
    [InlineData("1e300", true)]
    [InlineData("-1e300", false)]
    [InlineData("1e999", false)]
    [InlineData("\"1893456000\"", false)]
    [InlineData("null", false)]
    public void Expiry_AsAnyNumber_IsReadAndClamped(string number, bool good)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1893456000);

        var error = JwtClaims.Read(System.Text.Encoding.UTF8.GetBytes($$"""{"iss":"i","exp":{{number}}}"""), now, out _);

        Assert.Equal(good ? TokenError.None : TokenError.Time, error);
    }

    private static string Header(EdgeFixture edge, string what)
    {
        var provider = edge.Provider;
        var claims = provider.AccessTokenClaims(EdgeFixture.Audience);
        var now = (long)claims["iat"]!;
        string Signed(string? type = "at+jwt", Action<JsonObject>? header = null) => "Bearer " + provider.Key.Sign(claims, type, header);
        string With(string name, JsonNode? value)
        {
            claims[name] = value;
            return Signed();
        }

        string Without(string name)
        {
            claims.Remove(name);
            return Signed();
        }

        return what switch
        {
            "garbage" => "Bearer garbage",
            "empty" => "Bearer ",
            "basic" => "Basic dXNlcjpwYXNz",
            "type-none" => Signed(null),
            "type-jwt" => Signed("JWT"),
            "type-logout" => Signed("logout+jwt"),
            "type-identity" => Signed("workspace-identity+jwt"),
            "audience-other" => With("aud", "https://other.example.test"),
            "audience-none" => Without("aud"),
            "issuer-unknown" => With("iss", "https://other.example.test"),
            "issuer-slash" => With("iss", provider.Issuer + "/"),
            "expired" => With("exp", now - 61),
            "exp-none" => Without("exp"),
            "exp-text" => With("exp", (now + 60).ToString()),
            "exp-huge" => With("exp", 1e300),
            "nbf-future" => With("nbf", now + 61),
            "lifetime" => With("exp", now + 86_401),
            "sub-none" => Without("sub"),
            "sub-number" => With("sub", 7),
            "nonce" => With("nonce", "n"),
            "cnf" => With("cnf", new JsonObject { ["jkt"] = "x" }),
            "events" => With("events", new JsonObject()),
            "crit" => Signed(header: h => h["crit"] = new JsonArray("exp")),
            "b64" => Signed(header: h => h["b64"] = false),
            "alg-none" => "Bearer " + provider.Key.SignRaw("""{"alg":"none","typ":"at+jwt"}""", claims.ToJsonString()),
            "alg-hs256" => "Bearer " + provider.Key.SignRaw("""{"alg":"HS256","typ":"at+jwt","kid":"key-1"}""", claims.ToJsonString()),
            "kid-unknown" => Signed(header: h => h["kid"] = "nobody"),
            "key-other" => "Bearer " + TestKey.NewEc("key-1").Sign(claims, "at+jwt"),
            "duplicate-claim" => "Bearer " + provider.Key.SignText(claims.ToJsonString().Insert(1, "\"sub\":\"admin\","), "at+jwt"),
            "duplicate-header" => "Bearer "
                + provider.Key.SignRaw("""{"alg":"ES256","alg":"ES256","typ":"at+jwt","kid":"key-1"}""", claims.ToJsonString()),
            "too-long" => With("padding", new string('x', 8192)),
            "not-base64" => Signed()[..^1] + "!",
            _ => "Bearer " + provider.Key.SignText("[1]", "at+jwt"),
        };
    }

    private static async Task<(HttpStatusCode Status, string Body)> AskAsync(EdgeFixture edge, string token)
    {
        using var answer = await edge.NewBrowser().GetAsync(Url, ("Authorization", "Bearer " + token));
        return (answer.StatusCode, answer.StatusCode == HttpStatusCode.OK ? await answer.Content.ReadAsStringAsync() : "");
    }
}
