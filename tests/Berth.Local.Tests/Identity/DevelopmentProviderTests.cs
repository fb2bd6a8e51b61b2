using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using System.Web;
using Berth.Local.Identity;
using Testing;

namespace Berth.Local.Tests.Identity;

public sealed class DevelopmentProviderTests : IAsyncLifetime
{
    private const string Callback = "http://localhost:9999/auth/callback";
    private const string Verifier = "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijk";
    private readonly string _folder = Directory.CreateTempSubdirectory("idp").FullName;
    private readonly FakeTimeProvider _clock = new();
    private DevelopmentProvider _provider = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _provider = await DevelopmentProvider.StartAsync(Options(), null, _clock, CancellationToken.None);
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = true })
        {
            BaseAddress = new Uri(_provider.Issuer.Replace("localhost", "127.0.0.1", StringComparison.Ordinal)),
        };
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _provider.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Authorize_LoginHintNamesAccount_ReturnsCodeWithStateAndIssuerWithoutAClick()
    {
        var answer = await _http.GetAsync(Authorize("&login_hint=user1"));

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        var query = Query(answer);
        Assert.Equal("s1", query["state"]);
        Assert.Equal(_provider.Issuer, query["iss"]);
        Assert.NotNull(query["code"]);
    }

    [Fact]
    public async Task Authorize_NobodySignedIn_ShowsAllAccounts()
    {
        var page = await _http.GetStringAsync(Authorize(""));

        Assert.All(DevelopmentAccount.All, account => Assert.Contains($"value=\"{account.Username}\"", page, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("redirect_uri=http%3A%2F%2Flocalhost%3A9999%2Fauth%2Fcallback%2F")]
    [InlineData("redirect_uri=http%3A%2F%2Fevil.example%2F")]
    [InlineData("client_id=other")]
    public async Task Authorize_UnknownClientOrAddress_ShowsMessageAndSendsNothing(string replacement)
    {
        var name = replacement.Split('=')[0];
        var url = string.Join(
            '&',
            Authorize("").Split('?')[1].Split('&').Where(p => !p.StartsWith(name, StringComparison.Ordinal)).Append(replacement)
        );

        var answer = await _http.GetAsync("/authorize?" + url);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Null(answer.Headers.Location);
    }

    [Theory]
    [InlineData("code_challenge_method=plain", "invalid_request")]
    [InlineData("response_type=token", "unsupported_response_type")]
    [InlineData("scope=email", "invalid_scope")]
    [InlineData("state=a&state=b", "invalid_request")]
    [InlineData("prompt=none", "login_required")]
    public async Task Authorize_BadParameter_TellsTheClient(string replacement, string error)
    {
        var name = replacement.Split('=')[0];
        var url = string.Join(
            '&',
            Authorize("").Split('?')[1].Split('&').Where(p => !p.StartsWith(name + "=", StringComparison.Ordinal)).Append(replacement)
        );

        var answer = await _http.GetAsync("/authorize?" + url);

        Assert.Equal(error, Query(answer)["error"]);
    }

    [Fact]
    public async Task Token_RightVerifier_GivesIdTokenWithNonceAndPersonsClaims()
    {
        var tokens = await RedeemAsync(await CodeAsync("user1"));

        var claims = Claims((string)tokens["id_token"]!);
        Assert.Equal("n1", (string?)claims["nonce"]);
        Assert.Equal("dev-user1", (string?)claims["sub"]);
        Assert.Equal("berth", (string?)claims["aud"]);
        Assert.Equal("user1@example.com", (string?)claims["email"]);
    }

    [Fact]
    public async Task Token_WrongVerifier_IsRefused()
    {
        var answer = await PostAsync(
            "/token",
            new()
            {
                ["grant_type"] = "authorization_code",
                ["code"] = await CodeAsync("user1"),
                ["redirect_uri"] = Callback,
                ["code_verifier"] = new string('x', 43),
            }
        );

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("invalid_grant", (string?)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["error"]);
    }

    [Fact]
    public async Task Token_WrongSecret_IsRefused()
    {
        _http.DefaultRequestHeaders.Authorization = Basic("berth", "wrong");

        var answer = await _http.PostAsync("/token", new FormUrlEncodedContent([new("grant_type", "refresh_token")]));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Token_CodeUsedTwice_EndsTheTokensOfTheFirstUse()
    {
        var code = await CodeAsync("user1");
        var tokens = await RedeemAsync(code);

        var second = await PostAsync("/token", CodeForm(code));

        Assert.Equal(HttpStatusCode.BadRequest, second.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await RefreshAsync((string)tokens["refresh_token"]!)).StatusCode);
    }

    [Fact]
    public async Task Token_CodeOlderThanAMinute_IsRefused()
    {
        var code = await CodeAsync("user1");
        _clock.Advance(TimeSpan.FromSeconds(61));

        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync("/token", CodeForm(code))).StatusCode);
    }

    [Fact]
    public async Task Token_RefreshTokenReused_EndsItsSuccessorToo()
    {
        var first = (string)(await RedeemAsync(await CodeAsync("user1")))["refresh_token"]!;
        var second = (string)(await (await RefreshAsync(first)).Content.ReadFromJsonAsync<JsonObject>())!["refresh_token"]!;

        var reuse = await RefreshAsync(first);

        Assert.NotEqual(first, second);
        Assert.Equal(HttpStatusCode.BadRequest, reuse.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await RefreshAsync(second)).StatusCode);
    }

    [Fact]
    public async Task Revoke_RefreshToken_EndsItAndTheAccessToken()
    {
        var tokens = await RedeemAsync(await CodeAsync("user1"));
        await PostAsync("/revoke", new() { ["token"] = (string)tokens["refresh_token"]! });

        Assert.Equal(HttpStatusCode.BadRequest, (await RefreshAsync((string)tokens["refresh_token"]!)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await UserInfoAsync((string)tokens["access_token"]!)).StatusCode);
    }

    [Fact]
    public async Task AccessToken_ForAnAccount_IsAcceptedLikeOneOfTheCodeFlow()
    {
        var token = (await _http.GetStringAsync("/access-token/user2")).Trim();

        Assert.Equal("http://localhost:9999", (string?)Claims(token)["aud"]);
        Assert.Equal(HttpStatusCode.OK, (await UserInfoAsync(token)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync("/access-token/nobody")).StatusCode);
    }

    [Theory]
    [InlineData("&login_hint=user1&prompt=consent")]
    [InlineData("&prompt=consent")]
    public async Task Authorize_PromptConsent_AsksAlsoWhoIsSignedInAndGivesTheCodeOnceAllowed(string more)
    {
        await CodeAsync("user1");
        var url = Authorize(more);

        var asked = await _http.GetAsync(url);
        var allowed = await _http.PostAsync(url, new FormUrlEncodedContent([new("consent", "allow")]));
        var denied = await _http.PostAsync(url, new FormUrlEncodedContent([new("cancel", "1")]));

        Assert.Equal(HttpStatusCode.OK, asked.StatusCode);
        Assert.Contains("User One", await asked.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.NotNull(Query(allowed)["code"]);
        Assert.Equal("access_denied", Query(denied)["error"]);
    }

    [Fact]
    public async Task Authorize_AllowedByNobodyOrFromAnotherSite_GivesNoCode()
    {
        var url = Authorize("&prompt=consent");
        using var foreign = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new FormUrlEncodedContent([new("consent", "allow")]),
            Headers = { { "Origin", "http://evil.example" } },
        };

        var nobody = await _http.PostAsync(url, new FormUrlEncodedContent([new("consent", "allow")]));
        await CodeAsync("user1");
        var elsewhere = await _http.SendAsync(foreign);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Forbidden), (nobody.StatusCode, elsewhere.StatusCode));
        Assert.Null(nobody.Headers.Location);
    }

    [Fact]
    public async Task Token_OtherClient_HasAnAudienceOfItsOwnAndNoUseForTheFirstOnesGrants()
    {
        var code = await CodeAsync("user1");
        var tokens = await RedeemAsync(await CodeAsync("user1"));
        var other = Authorize("&login_hint=user1").Replace("client_id=berth", "client_id=reports", StringComparison.Ordinal);
        var otherCode = Query(await _http.GetAsync(other))["code"]!;

        var stolenCode = await PostAsync("/token", CodeForm(code), "reports");
        var stolen = await PostAsync(
            "/token",
            new() { ["grant_type"] = "refresh_token", ["refresh_token"] = (string)tokens["refresh_token"]! },
            "reports"
        );
        var own = (await (await PostAsync("/token", CodeForm(otherCode), "reports")).Content.ReadFromJsonAsync<JsonObject>())!;

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (stolenCode.StatusCode, stolen.StatusCode));
        Assert.Equal("http://localhost:9999", (string?)Claims((string)tokens["access_token"]!)["aud"]);
        Assert.Equal("urn:another-api", (string?)Claims((string)own["access_token"]!)["aud"]);
    }

    [Fact]
    public async Task RefreshToken_AfterRestart_IsGoodAndASpentOneStillEndsItsFamily()
    {
        var spent = (string)(await RedeemAsync(await CodeAsync("user1")))["refresh_token"]!;
        var live = (string)(await (await RefreshAsync(spent)).Content.ReadFromJsonAsync<JsonObject>())!["refresh_token"]!;
        var revoked = (string)(await RedeemAsync(await CodeAsync("user2")))["refresh_token"]!;
        await PostAsync("/revoke", new() { ["token"] = revoked });
        Assert.DoesNotContain(live, await File.ReadAllTextAsync(Path.Combine(_folder, "grants.json")), StringComparison.Ordinal);

        await _provider.DisposeAsync();
        _http.Dispose();
        await InitializeAsync();
        var refreshed = await RefreshAsync(live);
        var next = (string)(await refreshed.Content.ReadFromJsonAsync<JsonObject>())!["refresh_token"]!;

        Assert.Equal(HttpStatusCode.OK, refreshed.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await RefreshAsync(revoked)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await RefreshAsync(spent)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await RefreshAsync(next)).StatusCode);
    }

    [Fact]
    public async Task Grants_Damaged_NamesTheFileAndTheRemedy()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "grants.json"), "{\"Tokens\":");

        var error = await Assert.ThrowsAsync<LocalConfigurationException>(
            () => DevelopmentProvider.StartAsync(Options(), null, _clock, CancellationToken.None)
        );

        Assert.Contains("grants.json is damaged: remove it", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UserInfo_IdTokenInsteadOfAccessToken_IsRefused()
    {
        var tokens = await RedeemAsync(await CodeAsync("user2"));

        Assert.Equal(HttpStatusCode.OK, (await UserInfoAsync((string)tokens["access_token"]!)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await UserInfoAsync((string)tokens["id_token"]!)).StatusCode);
    }

    [Fact]
    public async Task EndSession_WithoutHint_AsksFirst()
    {
        await CodeAsync("user1");
        var asked = await _http.GetAsync("/end_session");
        var stillIn = await _http.GetAsync(Authorize("&prompt=none"));

        Assert.Contains("Sign out?", await asked.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.NotNull(Query(stillIn)["code"]);
    }

    [Fact]
    public async Task EndSession_WithTheSessionsIdentifier_EndsItWithoutAsking()
    {
        var claims = Claims((string)(await RedeemAsync(await CodeAsync("user1")))["id_token"]!);

        await _http.GetAsync("/end_session?logout_hint=another");
        var stillIn = await _http.GetAsync(Authorize("&prompt=none"));
        await _http.GetAsync($"/end_session?logout_hint={claims["sid"]}");
        var silent = await _http.GetAsync(Authorize("&prompt=none"));

        Assert.NotNull(Query(stillIn)["code"]);
        Assert.Equal("login_required", Query(silent)["error"]);
    }

    [Fact]
    public async Task EndSession_WithHint_EndsSessionAndReturnsToRegisteredAddress()
    {
        var tokens = await RedeemAsync(await CodeAsync("user1"));

        var ended = await _http.GetAsync(
            $"/end_session?id_token_hint={tokens["id_token"]}&post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A9999%2F&state=x"
        );
        var silent = await _http.GetAsync(Authorize("&prompt=none"));

        Assert.Equal("http://localhost:9999/?state=x", ended.Headers.Location!.ToString());
        Assert.Equal("login_required", Query(silent)["error"]);
    }

    [Fact]
    public async Task AnyPath_ForeignHostName_IsMisdirected()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/.well-known/openid-configuration")
        {
            Headers = { Host = "rebound.example" },
        };

        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await _http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Key_AfterRestart_IsTheSame()
    {
        var before = await _http.GetStringAsync("/jwks");
        await using var second = await DevelopmentProvider.StartAsync(Options(), null, _clock, CancellationToken.None);
        using var http = new HttpClient();

        Assert.Equal(
            before,
            await http.GetStringAsync(second.Issuer.Replace("localhost", "127.0.0.1", StringComparison.Ordinal) + "/jwks")
        );
    }

    private static string Authorize(string more) =>
        $"/authorize?client_id=berth&redirect_uri={HttpUtility.UrlEncode(Callback)}&response_type=code&scope=openid%20profile%20email%20offline_access&state=s1&nonce=n1"
        + $"&code_challenge={Secrets.Hash(Verifier)}&code_challenge_method=S256{more}";

    private static System.Collections.Specialized.NameValueCollection Query(HttpResponseMessage answer) =>
        HttpUtility.ParseQueryString(answer.Headers.Location!.Query);

    private static Dictionary<string, string> CodeForm(string code) =>
        new()
        {
            ["grant_type"] = "authorization_code",
            ["code"] = code,
            ["redirect_uri"] = Callback,
            ["code_verifier"] = Verifier,
        };

    private static AuthenticationHeaderValue Basic(string id, string secret) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{id}:{secret}")));

    private static JsonObject Claims(string token) =>
        JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[1]))!.AsObject();

    private DevelopmentProviderOptions Options() =>
        new()
        {
            Port = 0,
            DataDirectory = _folder,
            ClientId = "berth",
            ClientSecret = "secret of the test",
            RedirectUris = [Callback],
            PostLogoutRedirectUris = ["http://localhost:9999/"],
            Audience = "http://localhost:9999",
            OtherClients = [new("reports", "secret of the test", [Callback], "urn:another-api")],
        };

    private async Task<string> CodeAsync(string user) => Query(await _http.GetAsync(Authorize("&login_hint=" + user)))["code"]!;

    private async Task<JsonObject> RedeemAsync(string code) =>
        (await (await PostAsync("/token", CodeForm(code))).Content.ReadFromJsonAsync<JsonObject>())!;

    private Task<HttpResponseMessage> RefreshAsync(string token) =>
        PostAsync("/token", new() { ["grant_type"] = "refresh_token", ["refresh_token"] = token });

    private async Task<HttpResponseMessage> PostAsync(string path, Dictionary<string, string> form, string client = "berth")
    {
        _http.DefaultRequestHeaders.Authorization = Basic(client, "secret of the test");
        return await _http.PostAsync(path, new FormUrlEncodedContent(form));
    }

    private async Task<HttpResponseMessage> UserInfoAsync(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/userinfo") { Headers = { Authorization = new("Bearer", token) } };
        return await _http.SendAsync(request);
    }
}
