using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Testing;
using static Berth.Edge.Tests.Vault.VaultFixture;

namespace Berth.Edge.Tests.Vault;

/// <summary>The token manager's calls over HTTP.</summary>
public class ManagerTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task Validate_BearerSessionNothingAndGarbage_AreTold()
    {
        await using var edge = await StartAsync(postgres);
        using var api = edge.Api("ann");
        var browser = await edge.SignedInAsync("ann");

        using var bearer = await api.GetAsync(Manager + "validate-token");
        using var session = await browser.CallAsync(HttpMethod.Get, "validate-token");
        using var nothing = await edge.NewBrowser().CallAsync(HttpMethod.Get, "validate-token");
        api.DefaultRequestHeaders.Authorization = new("Bearer", "garbage");
        using var garbage = await api.GetAsync(Manager + "validate-token");

        var body = await JsonAsync(bearer);
        Assert.Equal((true, "bearer", "ann"), ((bool)body["valid"]!, (string)body["authenticated_by"]!, (string)body["subject"]!));
        Assert.Equal("session", (string)(await JsonAsync(session))["authenticated_by"]!);
        await IsErrorAsync(nothing, 401, "not-authenticated", "validateToken");
        await IsErrorAsync(garbage, 401, "invalid-token", "authenticate");
    }

    [SkippableFact]
    public async Task Consent_FromBeginningToAccessToken_Works()
    {
        await using var edge = await StartAsync(postgres);
        var browser = await edge.SignedInAsync("ann");
        using var begun = await browser.CallAsync(HttpMethod.Get, "offline-token?purpose=reports");
        var query = System.Web.HttpUtility.ParseQueryString(new Uri((string)(await JsonAsync(begun))["consent_url"]!).Query);
        Assert.Equal(("S256", "consent", "openid offline_access calendar", ProductFixture.Origin + ConsentFlow.CallbackPath),
            (query["code_challenge_method"], query["prompt"], query["scope"], query["redirect_uri"]));
        Assert.Equal([43, 43, 43], [query["state"]!.Length, query["nonce"]!.Length, query["code_challenge"]!.Length]);

        var (status, stored) = await ConsentAsync(browser);
        var id = (string)stored["persistent_token_id"]!;
        using var token = await browser.CallAsync(HttpMethod.Post, $"access-token?persistent_token_id={id}");
        using var api = edge.Api("ann");
        using var byBearer = await api.PostAsync(Manager + $"access-token?persistent_token_id={id}", null);

        Assert.Equal(HttpStatusCode.OK, status);
        var body = await JsonAsync(token);
        Assert.Equal(("opaque", "Bearer", id),
            ((string)body["access_token"]!, (string)body["token_type"]!, (string)body["persistent_token_id"]!));
        Assert.InRange((long)body["expires_in"]!, 200, 300);
        Assert.Equal("no-store", token.Headers.CacheControl?.ToString());
        Assert.Equal("opaque", (string)(await JsonAsync(byBearer))["access_token"]!);
    }

    // A tenth of its life is what a token may have lost with the largest min_ttl; without one it is renewed six seconds before its end.
    [SkippableFact]
    public async Task AccessToken_MinimumLife_IsRenewedLongBeforeItsEnd()
    {
        await using var edge = await StartAsync(postgres);
        var renew = edge.Provider.OnTokenAnswer!;
        edge.Provider.OnTokenAnswer = answer =>
        {
            renew(answer);
            answer["expires_in"] = 60;
        };
        var browser = await edge.SignedInAsync("ann");
        var id = await StoredAsync(browser);
        var before = edge.Provider.TokenRequests;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        while (edge.Provider.TokenRequests == before)
        {
            using var answer = await browser.CallAsync(HttpMethod.Post, $"access-token?persistent_token_id={id}&min_ttl=54");
            await Task.Delay(100, limit.Token);
        }
    }

    [SkippableFact]
    public async Task Consent_WithReturn_GoesThereWithTheId()
    {
        await using var edge = await StartAsync(postgres);
        var browser = await edge.SignedInAsync("ann");
        using var begun = await browser.CallAsync(HttpMethod.Get, "offline-token?return=%2Fdashboard%3Fa%3D1");
        using var provider = await browser.GetAsync((string)(await JsonAsync(begun))["consent_url"]!);

        using var answer = await browser.GetAsync(provider.Headers.Location!.AbsoluteUri);

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.Matches("^/dashboard\\?a=1&persistent_token_id=[0-9a-f-]{36}$", answer.Headers.Location!.OriginalString);
    }

    [SkippableFact]
    public async Task Callback_AgainOrFromElsewhere_IsUnknownAndStoresNothing()
    {
        await using var edge = await StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        var bob = await edge.SignedInAsync("bob");
        var otherSession = await edge.SignedInAsync("ann");
        edge.Provider.Subject = "ann";
        string? used = null;
        await ConsentAsync(ann, url => used = url);

        using var again = await ann.GetAsync(used!, ("Accept", "application/json"));
        var byBob = await ConsentAsync(ann, returning: bob);
        var byOtherSession = await ConsentAsync(ann, returning: otherSession);
        var byNobody = await ConsentAsync(ann, returning: edge.NewBrowser());
        var wrongState = await ConsentAsync(ann, url => url.Replace("state=", "state=A", StringComparison.Ordinal));

        await IsErrorAsync(again, 400, "consent-unknown", "finishConsent");
        Assert.All([byBob, byOtherSession, wrongState], r => Assert.Equal("consent-unknown", (string?)r.Body["code"]));
        Assert.Equal("not-authenticated", (string?)byNobody.Body["code"]);
    }

    [SkippableFact]
    public async Task Callback_BegunWithABearerToken_EndsInAnySessionOfThePersonAndNotWithATokenAlone()
    {
        await using var edge = await StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        using var api = edge.Api("ann");
        using var begun = await api.GetAsync(Manager + "offline-token");
        using var provider = await ann.GetAsync((string)(await JsonAsync(begun))["consent_url"]!);
        var back = provider.Headers.Location!.AbsoluteUri;

        using var byToken = await api.GetAsync(back);
        using var bySession = await ann.GetAsync(back);

        await IsErrorAsync(byToken, 401, "sign-in-required", "finishConsent");
        Assert.Equal(HttpStatusCode.OK, bySession.StatusCode);
    }

    [SkippableFact]
    public async Task Callback_OtherIssuerDeniedOrOtherAccount_IsRefused()
    {
        await using var edge = await StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        var wrongIssuer = await ConsentAsync(
            ann, url => url.Replace("iss=", "iss=https%3A%2F%2Fevil.example%2F", StringComparison.Ordinal));
        var noIssuer = await ConsentAsync(ann, url => url[..url.IndexOf("&iss=", StringComparison.Ordinal)]);
        var denied = await ConsentAsync(ann, url => url.Replace("code=", "error=access_denied&x=", StringComparison.Ordinal));
        edge.Provider.Subject = "bob";
        var other = await ConsentAsync(ann);
        edge.Provider.Subject = "ann";
        edge.Provider.OnIdToken = claims => claims["nonce"] = "another";
        var wrongNonce = await ConsentAsync(ann);
        edge.Provider.OnIdToken = null;
        edge.Provider.OnTokenAnswer = null;
        var noRefreshToken = await ConsentAsync(ann);

        Assert.Equal([(400, "issuer-mismatch"), (400, "issuer-mismatch"), (403, "consent-denied"), (403, "account-mismatch"),
            (502, "provider-error"), (502, "no-offline-access")],
            new[] { wrongIssuer, noIssuer, denied, other, wrongNonce, noRefreshToken }
                .Select(r => ((int)r.Status, (string)r.Body["code"]!)));
        Assert.Empty(await edge.Get<Berth.Accounts.ITokenVault>().ListAsync(new(edge.Provider.Issuer, "ann"), default));
    }

    [SkippableFact]
    public async Task AccessToken_EachWayToFail_HasItsStatusAndCode()
    {
        await using var edge = await StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        var id = await StoredAsync(ann);
        using var bob = edge.Api("bob");
        var path = $"access-token?persistent_token_id={id}";

        using var missing = await edge.NewBrowser().CallAsync(HttpMethod.Post, path);
        using var noId = await ann.CallAsync(HttpMethod.Post, "access-token");
        using var bad = await ann.CallAsync(HttpMethod.Post, "access-token?persistent_token_id=1");
        using var badFlag = await ann.CallAsync(HttpMethod.Post, path + "&force_refresh=perhaps");
        using var badTtl = await ann.CallAsync(HttpMethod.Post, path + "&min_ttl=-1");
        using var unknown = await ann.CallAsync(HttpMethod.Post, $"access-token?persistent_token_id={Guid.NewGuid()}");
        using var foreign = await bob.PostAsync(Manager + path, null);
        using var crossSite = await ann.SendAsync(Manager + path, HttpMethod.Post, null, ("Origin", "https://evil.example"));

        await IsErrorAsync(missing, 403, "cross-site", "authenticate", orElse: (401, "not-authenticated", "getAccessToken"));
        await IsErrorAsync(noId, 400, "bad-uuid", "getAccessToken");
        await IsErrorAsync(bad, 400, "bad-uuid", "getAccessToken");
        await IsErrorAsync(badFlag, 400, "bad-parameter", "getAccessToken");
        await IsErrorAsync(badTtl, 400, "bad-parameter", "getAccessToken");
        var one = await IsErrorAsync(unknown, 404, "token-not-found", "getAccessToken");
        var two = await IsErrorAsync(foreign, 404, "token-not-found", "getAccessToken");
        Assert.All([one, two], b => Assert.True(b["details"]!.AsObject().Remove("requestId")));
        Assert.Equal(one.ToJsonString(), two.ToJsonString());
        Assert.Equal(HttpStatusCode.Forbidden, crossSite.StatusCode);
    }

    [SkippableFact]
    public async Task AccessToken_ProviderDownThenRefusing_503WithRetryAfterThen409WithTheWayOn()
    {
        await using var edge = await StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        var id = await StoredAsync(ann);
        var forced = $"access-token?persistent_token_id={id}&force_refresh=true";
        edge.Provider.IsDown = true;
        using var down = await ann.CallAsync(HttpMethod.Post, forced);
        edge.Provider.IsDown = false;
        using var cached = await ann.CallAsync(HttpMethod.Post, $"access-token?persistent_token_id={id}");
        HttpResponseMessage refused;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((refused = await ann.CallAsync(HttpMethod.Post, forced)).StatusCode == HttpStatusCode.ServiceUnavailable)
        {
            refused.Dispose();
            await Task.Delay(100, limit.Token);
        }

        await IsErrorAsync(down, 503, "provider-unavailable", "getAccessToken");
        Assert.NotNull(down.Headers.RetryAfter?.Delta);
        Assert.Equal("opaque", (string)(await JsonAsync(cached))["access_token"]!);
        var body = await IsErrorAsync(refused, 409, "reconsent-required", "getAccessToken");
        Assert.Equal("/api/auth/manager/offline-token?connection=calendar", (string)body["details"]!["begin"]!);
        refused.Dispose();
    }

    [SkippableFact]
    public async Task Revoke_DryRunThenReally_ThenTheTokenIsGone()
    {
        await using var edge = await StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        var id = await StoredAsync(ann);
        using var bob = edge.Api("bob");

        using var foreign = await bob.DeleteAsync(Manager + $"offline-token-id?id={id}");
        using var bad = await ann.CallAsync(HttpMethod.Delete, "offline-token-id?id=x");
        using var dry = await ann.CallAsync(HttpMethod.Delete, $"offline-token-id?id={id}&dryRun=true");
        using var still = await ann.CallAsync(HttpMethod.Post, $"access-token?persistent_token_id={id}");
        using var revoked = await ann.CallAsync(HttpMethod.Delete, $"offline-token-id?id={id}");
        using var gone = await ann.CallAsync(HttpMethod.Post, $"access-token?persistent_token_id={id}");

        await IsErrorAsync(foreign, 404, "token-not-found", "revokeToken");
        await IsErrorAsync(bad, 400, "bad-uuid", "revokeToken");
        Assert.Equal((true, false, "queued"), await PlanAsync(dry));
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);
        Assert.Equal((false, true, "queued"), await PlanAsync(revoked));
        await IsErrorAsync(gone, 410, "token-revoked", "getAccessToken");
    }

    [SkippableFact]
    public async Task NewToken_WithoutARefreshTokenOrWithABadOne_IsToldWhatToDo()
    {
        await using var edge = await StartAsync(postgres);
        using var ann = edge.Api("ann");

        using var without = await ann.PostAsJsonAsync(Manager + "offline-token-id", new { purpose = "other one" });
        using var refused = await ann.PostAsJsonAsync(Manager + "offline-token-id", new { refresh_token = "made-up" });
        using var unknown = await ann.PostAsJsonAsync(Manager + "offline-token-id", new { connection = "nothing" });
        using var field = await ann.PostAsJsonAsync(Manager + "offline-token-id", new { scope = "admin" });
        using var media = await ann.PostAsync(Manager + "offline-token-id", new StringContent("x"));

        var body = await IsErrorAsync(without, 409, "consent-required", "createToken");
        Assert.Equal("/api/auth/manager/offline-token?connection=calendar&purpose=other%20one", (string)body["details"]!["begin"]!);
        await IsErrorAsync(refused, 422, "refresh-token-refused", "createToken");
        await IsErrorAsync(unknown, 404, "connection-not-found", "createToken");
        await IsErrorAsync(field, 400, "bad-json", "createToken");
        await IsErrorAsync(media, 415, "media-type", "createToken");
    }

    [Fact]
    public async Task Calls_WithoutAVault_SaySo()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var ann = edge.Api("ann");

        using var token = await ann.PostAsync(Manager + $"access-token?persistent_token_id={Guid.NewGuid()}", null);
        using var begun = await ann.GetAsync(Manager + "offline-token");
        using var valid = await ann.GetAsync(Manager + "validate-token");

        await IsErrorAsync(token, 503, "vault-not-configured", "getAccessToken");
        await IsErrorAsync(begun, 503, "vault-not-configured", "beginConsent");
        Assert.Equal(HttpStatusCode.OK, valid.StatusCode);
    }

    private static async Task<(bool DryRun, bool Revoked, string Upstream)> PlanAsync(HttpResponseMessage answer)
    {
        var body = await JsonAsync(answer);
        return ((bool)body["dry_run"]!, (bool)body["revoked"]!, (string)body["upstream"]!);
    }

    private static async Task<JsonObject> IsErrorAsync(
        HttpResponseMessage answer, int status, string code, string operation, (int, string, string)? orElse = null)
    {
        var body = await JsonAsync(answer);
        var found = ((int)answer.StatusCode, (string)body["code"]!, (string)body["operation"]!);
        Assert.Equal(found == orElse ? orElse : (status, code, operation), found);
        Assert.False(string.IsNullOrEmpty((string?)body["error"]));
        Assert.NotNull(body["details"]);
        return body;
    }
}
