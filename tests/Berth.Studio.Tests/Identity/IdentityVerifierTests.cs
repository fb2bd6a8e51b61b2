using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Studio.Identity;
using Testing;

namespace Berth.Studio.Tests.Identity;

public sealed class IdentityVerifierTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TestIssuer _issuer = new();
    private readonly IdentityVerifier _verifier;

    public IdentityVerifierTests() => _verifier = new IdentityVerifier(TestIssuer.Issuer, TestIssuer.Audience, _issuer.Keys, _time);

    public void Dispose() => _issuer.Dispose();

    [Fact]
    public async Task Verify_ValidToken_IsThatPerson()
    {
        var person = await _verifier.VerifyAsync(_issuer.Sign(Claims()), default);

        Assert.Equal(
            ("https://idp.test", "alice", "owner", "alice@example.org"),
            (person.ProviderIssuer, person.Subject, person.Role, person.Email)
        );
        Assert.True(person.CanWrite);
    }

    [Fact]
    public async Task Verify_AudienceInAList_IsAccepted()
    {
        var claims = Claims();
        claims["aud"] = new JsonArray("somebody", TestIssuer.Audience);

        Assert.Equal("alice", (await _verifier.VerifyAsync(_issuer.Sign(claims), default)).Subject);
    }

    [Theory]
    [InlineData("iss", "http://edge.test/")]
    [InlineData("iss", "HTTP://EDGE.TEST")]
    [InlineData("iss", null)]
    [InlineData("aud", "http://ws-other.localhost")]
    [InlineData("aud", null)]
    [InlineData("sub", "")]
    [InlineData("sub", null)]
    [InlineData("oidc_iss", null)]
    [InlineData("role", null)]
    [InlineData("exp", null)]
    [InlineData("exp", "9999999999")]
    [InlineData("nbf", null)]
    public async Task Verify_ClaimIsWrong_IsRefused(string claim, string? value)
    {
        var claims = Claims();
        claims[claim] = value;

        await RefusedAsync(_issuer.Sign(claims));
    }

    [Theory]
    [InlineData("alg", "none")]
    [InlineData("alg", "HS256")]
    [InlineData("alg", "ES384")]
    [InlineData("alg", "es256")]
    [InlineData("typ", "JWT")]
    [InlineData("typ", null)]
    [InlineData("kid", "other")]
    [InlineData("kid", null)]
    [InlineData("crit", "exp")]
    public async Task Verify_HeaderIsWrong_IsRefused(string name, string? value)
    {
        var header = _issuer.Header();
        header[name] = value;

        await RefusedAsync(_issuer.Sign(Claims(), header));
    }

    [Fact]
    public async Task Verify_AlgNoneWithoutSignature_IsRefused()
    {
        var header = _issuer.Header();
        header["alg"] = "none";

        await RefusedAsync(TestIssuer.Encode(header.ToJsonString()) + "." + TestIssuer.Encode(Claims().ToJsonString()) + ".");
    }

    [Fact]
    public async Task Verify_Hs256WithThePublicKeyAsSecret_IsRefused()
    {
        var header = _issuer.Header();
        header["alg"] = "HS256";
        var signed = TestIssuer.Encode(header.ToJsonString()) + "." + TestIssuer.Encode(Claims().ToJsonString());
        var mac = HMACSHA256.HashData(Encoding.UTF8.GetBytes(_issuer.KeySet), Encoding.ASCII.GetBytes(signed));

        await RefusedAsync(signed + "." + System.Buffers.Text.Base64Url.EncodeToString(mac));
    }

    [Fact]
    public async Task Verify_SignedByAnotherKeyOfTheSameName_IsRefused()
    {
        using var other = new TestIssuer();

        await RefusedAsync(other.Sign(Claims()));
    }

    [Fact]
    public async Task Verify_ClaimsExchangedAfterSigning_IsRefused()
    {
        var parts = _issuer.Sign(Claims()).Split('.');

        await RefusedAsync(
            parts[0] + "." + TestIssuer.Encode(TestIssuer.Claims(_time.GetUtcNow(), "mallory").ToJsonString()) + "." + parts[2]
        );
    }

    [Fact]
    public async Task Verify_ClaimGivenTwice_IsRefused()
    {
        var claims = Claims().ToJsonString();

        await RefusedAsync(_issuer.Sign(_issuer.Header().ToJsonString(), claims[..^1] + ",\"sub\":\"mallory\"}"));
    }

    [Fact]
    public async Task Verify_ExpiredWithinTheSkew_IsAcceptedAndRefusedAfterIt()
    {
        var token = _issuer.Sign(Claims());

        _time.Advance(TimeSpan.FromSeconds(359));
        Assert.Equal("alice", (await _verifier.VerifyAsync(token, default)).Subject);

        _time.Advance(TimeSpan.FromSeconds(1));
        await RefusedAsync(token);
    }

    [Fact]
    public async Task Verify_FromTheFuture_IsAcceptedWithinTheSkewOnly()
    {
        Assert.NotNull(await _verifier.VerifyAsync(_issuer.Sign(TestIssuer.Claims(_time.GetUtcNow().AddSeconds(60))), default));
        await RefusedAsync(_issuer.Sign(TestIssuer.Claims(_time.GetUtcNow().AddSeconds(61))));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a.b")]
    [InlineData("a.b.c.d")]
    [InlineData("e30.e30.e30")]
    [InlineData("!!!.e30.e30")]
    [InlineData("e30=.e30.e30")]
    [InlineData("W10.e30.e30")]
    [InlineData("eyJhbGciOiJFUzI1NiIsInR5cCI6Ilx1ZDgwMCIsImtpZCI6ImtleS0xIn0.e30.e30")]
    public async Task Verify_NotAToken_IsRefused(string text) => await RefusedAsync(text);

    [Fact]
    public async Task Verify_TooLong_IsRefusedWithoutBeingDecoded()
    {
        var claims = Claims();
        claims["name"] = new string('x', IdentityVerifier.MaxLength);

        await RefusedAsync(_issuer.Sign(claims));
    }

    [Theory]
    [InlineData("owner", true)]
    [InlineData("admin", true)]
    [InlineData("use", true)]
    [InlineData("view", false)]
    [InlineData("something-new", false)]
    public async Task CanWrite_Role_OnlyTheKnownWritingRoles(string role, bool expected) =>
        Assert.Equal(
            expected,
            (await _verifier.VerifyAsync(_issuer.Sign(TestIssuer.Claims(_time.GetUtcNow(), "bob", role)), default)).CanWrite
        );

    private JsonObject Claims() => TestIssuer.Claims(_time.GetUtcNow());

    private async Task RefusedAsync(string token) =>
        await Assert.ThrowsAsync<IdentityException>(async () => await _verifier.VerifyAsync(token, default));
}
