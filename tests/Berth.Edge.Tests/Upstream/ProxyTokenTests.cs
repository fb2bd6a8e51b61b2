using System.Net;
using Berth.Accounts;
using Microsoft.AspNetCore.Http;

namespace Berth.Edge.Tests.ApiProxy;

public class ProxyTokenTests
{
    [Theory]
    [InlineData("GET", 0, false)]
    [InlineData("POST", 0, false)]
    [InlineData("POST", 5000, false)]
    public async Task Call_TokenRefusedOnce_IsMadeAgainWithANewOneAndTheSameBody(string method, int length, bool chunked)
    {
        await using var proxy = await ProxyFixture.StartAsync();
        Refuse(proxy, times: 1);
        using var client = proxy.As("user1");
        using var request = Request(method, length, chunked);

        using var answer = await client.SendAsync(request);

        Assert.Equal((HttpStatusCode.OK, "ok"), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
        var calls = proxy.Calls.ToArray();
        Assert.Equal(["Bearer secret-user1-1", "Bearer secret-user1-2"], calls.Select(c => c.Header("Authorization")));
        Assert.All(calls, c => Assert.Equal(length, c.Body.Length));
        Assert.Equal(calls[0].Body, calls[1].Body);
        Assert.Equal(
            [default, new AccessTokenRequest { ForceRefresh = true, Rejected = 1 }], proxy.Vault.Asked.Select(a => a.Request));
    }

    [Fact]
    public async Task Call_TokenRefusedAlways_IsMadeTwiceAndNeverMore()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        Refuse(proxy, times: int.MaxValue);
        using var client = proxy.As("user1");

        using var answer = await client.GetAsync("/proxy/api/items/1");

        var (status, code, details) = await ProxyFixture.ErrorAsync(answer);
        Assert.Equal((502, "token-rejected"), (status, code));
        Assert.Contains("connection=api", (string)details["consentUrl"]!, StringComparison.Ordinal);
        Assert.Equal(2, proxy.Calls.Count);
    }

    [Fact]
    public async Task Call_TokenRefusedAndNoNewerOne_IsNotMadeAgain()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        proxy.Vault.IsStuck = true;
        Refuse(proxy, times: int.MaxValue);
        using var client = proxy.As("user1");

        using var answer = await client.GetAsync("/proxy/api/items/1");

        Assert.Equal((502, "token-rejected"), await ProxyCallTests.CodeAsync(answer));
        Assert.Single(proxy.Calls);
    }

    [Theory]
    [InlineData(100_000, false)]
    [InlineData(10, true)]
    public async Task Call_TokenRefusedAndBodyNotKept_RenewsTheTokenAndAsksToRepeat(int length, bool chunked)
    {
        await using var proxy = await ProxyFixture.StartAsync();
        Refuse(proxy, times: 1);
        using var client = proxy.As("user1");
        using var request = Request("POST", length, chunked);

        using var answer = await client.SendAsync(request);
        using var repeated = await client.SendAsync(Request("POST", length, chunked));

        Assert.Equal((503, "retry-with-new-token"), await ProxyCallTests.CodeAsync(answer));
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.OK, repeated.StatusCode);
        Assert.Equal(["Bearer secret-user1-1", "Bearer secret-user1-2"], proxy.Calls.Select(c => c.Header("Authorization")));
    }

    [Theory]
    [InlineData(AccessTokenOutcome.NotFound, ReconsentCause.None, 409, "consent-required", null)]
    [InlineData(AccessTokenOutcome.Revoked, ReconsentCause.None, 409, "consent-required", null)]
    [InlineData(AccessTokenOutcome.NeedsConsent, ReconsentCause.RotationLost, 409, "reconsent-required", "rotation-lost")]
    [InlineData(AccessTokenOutcome.NeedsConsent, ReconsentCause.Refused, 409, "reconsent-required", "refused")]
    [InlineData(AccessTokenOutcome.ProviderUnavailable, ReconsentCause.None, 503, "provider-unavailable", null)]
    [InlineData(AccessTokenOutcome.ProviderError, ReconsentCause.None, 502, "provider-error", null)]
    [InlineData(AccessTokenOutcome.VaultUnavailable, ReconsentCause.None, 503, "vault-unavailable", null)]
    public async Task Call_VaultHasNoToken_SaysWhyAndReachesNobody(
        AccessTokenOutcome outcome, ReconsentCause cause, int status, string code, string? told)
    {
        await using var proxy = await ProxyFixture.StartAsync();
        proxy.Vault.Refusal = new AccessTokenResult
        {
            Outcome = outcome,
            Cause = cause,
            RetryAfter = status == 503 ? TimeSpan.FromSeconds(17) : null,
            Detail = "secret-ish words of the vault",
        };
        using var client = proxy.As("user1");

        using var answer = await client.GetAsync("/proxy/api/items/1");

        var (gotStatus, gotCode, details) = await ProxyFixture.ErrorAsync(answer);
        Assert.Equal((status, code), (gotStatus, gotCode));
        Assert.Equal(told, (string?)details["cause"]);
        Assert.Equal(status == 409, details.ContainsKey("consentUrl"));
        Assert.Equal(status == 503 ? TimeSpan.FromSeconds(17) : null, answer.Headers.RetryAfter?.Delta);
        Assert.Empty(proxy.Calls);
    }

    [Fact]
    public async Task Call_NoVault_SaysSo()
    {
        await using var proxy = await ProxyFixture.StartAsync(withVault: false);
        using var client = proxy.As("user1");

        using var answer = await client.GetAsync("/proxy/api/items/1");

        Assert.Equal((503, "vault-unavailable"), await ProxyCallTests.CodeAsync(answer));
    }

    [Theory]
    [InlineData("/v1/items/2?a=b#c", "/proxy/api/items/2?a=b#c")]
    [InlineData("../other", "/proxy/api/other")]
    [InlineData("2", "/proxy/api/items/2")]
    [InlineData("{origin}/v1/items/3", "/proxy/api/items/3")]
    [InlineData("{origin}/v1", "/proxy/api")]
    [InlineData("{origin}/v10/items", null)]
    [InlineData("{origin}/admin", null)]
    [InlineData("/v1/../admin", null)]
    [InlineData("https://evil.example/v1/items/1", null)]
    [InlineData("//evil.example/v1/items/1", null)]
    [InlineData("/\\evil.example/v1", null)]
    [InlineData("{origin}.evil.example/v1", null)]
    [InlineData("http://user@{authority}/v1/items", null)]
    [InlineData("ftp://{authority}/v1/items", null)]
    [InlineData("javascript:alert(1)", null)]
    public async Task Call_Redirect_IsOursOrRefusedAndNeverFollowed(string location, string? expected)
    {
        await using var proxy = await ProxyFixture.StartAsync();
        var stated = location.Replace("{origin}", proxy.ApiOrigin, StringComparison.Ordinal)
            .Replace("{authority}", new Uri(proxy.ApiOrigin).Authority, StringComparison.Ordinal);
        proxy.Answer = (context, _) =>
        {
            context.Response.StatusCode = context.Request.Method == "POST" ? 201 : 302;
            context.Response.Headers.Location = stated;
            return Task.CompletedTask;
        };
        using var client = proxy.As("user1");

        using var found = await client.GetAsync("/proxy/api/items/1");
        using var created = await client.PostAsync("/proxy/api/items/1", null);

        Assert.Equal(2, proxy.Calls.Count);
        Assert.Equal(expected, created.Headers.Location?.OriginalString);
        Assert.Equal(201, (int)created.StatusCode);
        if (expected is null)
        {
            Assert.Equal((502, "redirect-refused"), await ProxyCallTests.CodeAsync(found));
            Assert.Null(found.Headers.Location);
        }
        else
        {
            Assert.Equal((302, expected), ((int)found.StatusCode, found.Headers.Location!.OriginalString));
        }
    }

    [Fact]
    public async Task Call_LinksForPaging_AreOurs()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        proxy.Answer = (context, _) =>
        {
            context.Response.Headers.Link =
                $"<{proxy.ApiOrigin}/v1/items?page=2>; rel=\"next\", <https://docs.example/x>; rel=\"help\"";
            context.Response.Headers["Content-Location"] = "https://elsewhere.example/";
            return Task.CompletedTask;
        };
        using var client = proxy.As("user1");

        using var answer = await client.GetAsync("/proxy/api/items?page=1");

        Assert.Equal("</proxy/api/items?page=2>; rel=\"next\", <https://docs.example/x>; rel=\"help\"",
            string.Join(", ", answer.Headers.GetValues("Link")));
        Assert.Null(answer.Content.Headers.ContentLocation);
    }

    [Fact]
    public async Task Call_ProxyAuthenticationOfTheApi_IsNotOurCallersAffair()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        proxy.Answer = (context, _) =>
        {
            context.Response.StatusCode = 407;
            return Task.CompletedTask;
        };
        using var client = proxy.As("user1");

        using var answer = await client.GetAsync("/proxy/api/items/1");

        Assert.Equal((502, "upstream-answer"), await ProxyCallTests.CodeAsync(answer));
    }

    private static HttpRequestMessage Request(string method, int length, bool chunked)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), "/proxy/api/items/1");
        if (method == "POST")
        {
            request.Content = new ByteArrayContent([.. Enumerable.Range(0, length).Select(i => (byte)i)]);
            request.Headers.TransferEncodingChunked = chunked;
        }

        return request;
    }

    private static void Refuse(ProxyFixture proxy, int times)
    {
        var left = times;
        proxy.Answer = (context, _) =>
        {
            if (left-- > 0)
            {
                context.Response.StatusCode = 401;
                context.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
                return context.Response.WriteAsync("no");
            }

            return context.Response.WriteAsync("ok");
        };
    }
}
