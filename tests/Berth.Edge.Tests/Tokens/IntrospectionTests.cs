using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Berth.Edge.Tests;

/// <summary>Opaque access tokens: who is asked about them, what is believed, and what a provider that is away means.</summary>
public class IntrospectionTests
{
    private const string Url = $"{EdgeFixture.Origin}/whoami";
    private const string Opaque = "an-opaque-token-of-some-length";

    [Fact]
    public async Task Token_Active_IsACallerAndAskedAboutOnce()
    {
        await using var edge = await StartAsync();
        edge.Provider.OnIntrospect = _ => Json(Active(edge));

        Assert.Equal((200, "Bearer user1 False"), await AskAsync(edge));
        Assert.Equal((200, "Bearer user1 False"), await AskAsync(edge));

        Assert.Equal(1, edge.Provider.Introspections);
        Assert.Equal((Opaque, "access_token"),
            ((string?)edge.Provider.LastIntrospection!["token"], (string?)edge.Provider.LastIntrospection["token_type_hint"]));
        Assert.StartsWith("Basic ", edge.Provider.LastAuthorization, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_ProviderWantsPost_SecretIsInTheForm()
    {
        await using var edge = await StartAsync(p => p.OnDiscovery = d =>
            d["introspection_endpoint_auth_methods_supported"] = new JsonArray("client_secret_post"));
        edge.Provider.OnIntrospect = _ => Json(Active(edge));

        Assert.Equal(200, (await AskAsync(edge)).Status);

        Assert.Equal((FakeProvider.ClientId, FakeProvider.ClientSecret, ""), ((string)edge.Provider.LastIntrospection!["client_id"]!,
            (string)edge.Provider.LastIntrospection["client_secret"]!, edge.Provider.LastAuthorization ?? ""));
    }

    [Theory]
    [InlineData("active", "false")]
    [InlineData("token_type", "\"DPoP\"")]
    [InlineData("token_type", null)]
    [InlineData("cnf", "{}")]
    [InlineData("iss", "\"https://other.example\"")]
    [InlineData("iss", "1")]
    [InlineData("aud", "\"https://other.example\"")]
    [InlineData("aud", "[]")]
    [InlineData("client_id", "\"other\"")]
    [InlineData("client_id", null)]
    [InlineData("sub", null)]
    [InlineData("sub", "1")]
    [InlineData("exp", "1")]
    [InlineData("exp", "\"soon\"")]
    [InlineData("exp", "99999999999")]
    [InlineData("nbf", "99999999999")]
    [InlineData("iat", "99999999999")]
    public async Task Token_NotInOrder_Is401AndRemembered(string name, string? value)
    {
        await using var edge = await StartAsync();
        edge.Provider.OnIntrospect = _ =>
        {
            var answer = Active(edge);
            answer.Remove(name);
            if (value is not null)
            {
                answer[name] = JsonNode.Parse(value);
            }

            return Json(answer);
        };

        Assert.Equal(401, (await AskAsync(edge)).Status);
        Assert.Equal(401, (await AskAsync(edge)).Status);

        Assert.Equal(1, edge.Provider.Introspections);
    }

    [Fact]
    public async Task Token_WithOurAudience_NeedsNoListedClient()
    {
        await using var edge = await StartAsync();
        edge.Provider.OnIntrospect = _ =>
        {
            var answer = Active(edge);
            answer["aud"] = new JsonArray("x", EdgeFixture.Audience);
            answer["client_id"] = "other";
            return Json(answer);
        };

        Assert.Equal(200, (await AskAsync(edge)).Status);
    }

    [Theory]
    [InlineData(500, "{}")]
    [InlineData(401, "{\"error\":\"invalid_client\"}")]
    [InlineData(302, "")]
    [InlineData(200, "no json")]
    [InlineData(200, "[]")]
    [InlineData(200, "{\"active\":\"true\"}")]
    [InlineData(200, "{\"active\":true,\"active\":false}")]
    public async Task Token_ProviderFails_Is503WithRetryAfterAndNotRemembered(int status, string body)
    {
        await using var edge = await StartAsync();
        edge.Provider.OnIntrospect = _ => Task.FromResult((status, body));
        using var answer = await edge.NewBrowser().GetAsync(Url, ("Authorization", "Bearer " + Opaque), ("Accept", "application/json"));

        edge.Provider.OnIntrospect = _ => Json(Active(edge));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(5)), (answer.StatusCode, answer.Headers.RetryAfter?.Delta));
        Assert.Contains("cannot-verify", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(answer.Headers.WwwAuthenticate);
        Assert.Equal(200, (await AskAsync(edge)).Status);
    }

    [Fact]
    public async Task Provider_FailsAgainAndAgain_IsLetAloneForAWhile()
    {
        await using var edge = await StartAsync();
        edge.Provider.OnIntrospect = _ => Task.FromResult((500, ""));
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(503, (await AskAsync(edge, $"{Opaque}-{i}")).Status);
        }

        Assert.Equal(5, edge.Provider.Introspections);
        edge.Provider.OnIntrospect = _ => Json(Active(edge));
        Assert.Equal(503, (await AskAsync(edge)).Status);
        edge.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(200, (await AskAsync(edge)).Status);
    }

    [Fact]
    public async Task Provider_DoesNotAnswerInTime_Is503()
    {
        await using var edge = await StartAsync();
        var asked = new TaskCompletionSource();
        var never = new TaskCompletionSource<(int, string)>();
        edge.Provider.OnIntrospect = _ =>
        {
            asked.TrySetResult();
            return never.Task;
        };

        var waiting = AskAsync(edge);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        edge.Clock.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal(503, (await waiting.WaitAsync(TimeSpan.FromSeconds(30))).Status);
        never.SetResult((500, ""));
    }

    [Fact]
    public async Task Callers_WithOneTokenAtOnce_CauseOneQuestion()
    {
        await using var edge = await StartAsync();
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource<(int, string)>();
        edge.Provider.OnIntrospect = _ =>
        {
            asked.TrySetResult();
            return answer.Task;
        };

        var introspector = edge.Get<TokenIntrospector>();
        var waiting = Enumerable.Range(0, 20).Select(_ => introspector.AskAsync(Opaque, "hash", default).AsTask()).ToList();
        using var impatient = new CancellationTokenSource();
        var gone = introspector.AskAsync(Opaque, "hash", impatient.Token).AsTask();
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        answer.SetResult((200, Active(edge).ToJsonString()));

        Assert.All(await Task.WhenAll(waiting), a => Assert.Equal(TokenError.None, a.Error));
        Assert.Equal(1, edge.Provider.Introspections);
    }

    [Fact]
    public async Task Flood_OfMadeUpTokens_AsksForSixtyFourAtATimeAndRefusesTheRestAs503()
    {
        await using var edge = await StartAsync();
        var answer = new TaskCompletionSource<(int, string)>();
        edge.Provider.OnIntrospect = _ => answer.Task;
        var introspector = edge.Get<TokenIntrospector>();
        var waiting = Enumerable.Range(0, 64).Select(i => introspector.AskAsync($"{Opaque}-{i}", $"{i}", default).AsTask()).ToList();

        var one = await introspector.AskAsync(Opaque, "one more", default);
        answer.SetResult((200, """{"active":false}"""));

        Assert.Equal(TokenError.Unverifiable, one.Error);
        Assert.All(await Task.WhenAll(waiting), a => Assert.Equal(TokenError.Inactive, a.Error));
    }

    [Fact]
    public async Task Answers_AreForgottenInTime_GoodOnesWithTheTokenOthersInSeconds()
    {
        await using var edge = await StartAsync();
        edge.Provider.OnIntrospect = _ => Json(Active(edge, life: 30));
        await AskAsync(edge);
        edge.Clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(200, (await AskAsync(edge)).Status);
        Assert.Equal(1, edge.Provider.Introspections);

        edge.Clock.Advance(TimeSpan.FromSeconds(2));
        edge.Provider.OnIntrospect = null;
        Assert.Equal(401, (await AskAsync(edge)).Status);
        Assert.Equal(2, edge.Provider.Introspections);

        edge.Clock.Advance(TimeSpan.FromSeconds(11));
        edge.Provider.OnIntrospect = _ => Json(Active(edge, life: 3600));
        Assert.Equal(200, (await AskAsync(edge)).Status);
        edge.Clock.Advance(TimeSpan.FromSeconds(61));
        edge.Provider.OnIntrospect = null;
        Assert.Equal(401, (await AskAsync(edge)).Status);
        Assert.Equal(4, edge.Provider.Introspections);
    }

    [Theory]
    [InlineData("short")]
    [InlineData("a-token-with-a-\"quote\"-in-it")]
    [InlineData("eyJhbGciOiJub25lIn0.e30.AAAA")]
    public async Task Token_ThatIsNoOpaqueOne_IsShownToNobody(string token)
    {
        await using var edge = await StartAsync();
        edge.Provider.OnIntrospect = _ => Json(Active(edge));

        Assert.Equal(401, (await AskAsync(edge, token)).Status);
        Assert.Equal(0, edge.Provider.Introspections);
    }

    [Fact]
    public async Task Introspection_NotTurnedOn_OpaqueTokensAreShownToNobody()
    {
        await using var edge = await EdgeFixture.StartAsync();
        edge.Provider.OnIntrospect = _ => Json(Active(edge));

        Assert.Equal(401, (await AskAsync(edge)).Status);
        Assert.Equal(0, edge.Provider.Introspections);
    }

    [Fact]
    public void Options_ThatCannotWork_AreNamed()
    {
        var issuer = new IssuerOptions
        {
            Issuer = "https://one.example",
            ClientId = "c",
            Introspection = new() { Enabled = true, CacheFor = TimeSpan.Zero, Timeout = TimeSpan.FromMinutes(1) },
        };
        var error = Assert.Throws<EdgeConfigurationException>(() => EdgeSettingsParser.Parse(EdgeFixture.Options("x") with
        {
            Issuers = [issuer, issuer with { Issuer = "https://two.example", ClientSecret = "s" }],
        }));

        Assert.Contains("Issuers:0:Introspection:Enabled needs a ClientSecret", error.Message, StringComparison.Ordinal);
        Assert.Contains("Issuers:0:Introspection:Clients is empty", error.Message, StringComparison.Ordinal);
        Assert.Contains("Issuers:0:Introspection:CacheFor is", error.Message, StringComparison.Ordinal);
        Assert.Contains("Issuers:0:Introspection:Timeout is", error.Message, StringComparison.Ordinal);
        Assert.Contains("Issuers:1:Introspection:Enabled is true for a second issuer", error.Message, StringComparison.Ordinal);
    }

    private static Task<EdgeFixture> StartAsync(Action<FakeProvider>? provider = null) => EdgeFixture.StartAsync(provider, o => o with
    {
        Issuers = [o.Issuers[0] with { Introspection = new() { Enabled = true, Clients = ["cli"] } }],
    });

    private static JsonObject Active(EdgeFixture edge, int life = 3600)
    {
        var now = edge.Clock.GetUtcNow().ToUnixTimeSeconds();
        return new JsonObject
        {
            ["active"] = true,
            ["token_type"] = "Bearer",
            ["client_id"] = "cli",
            ["sub"] = "user1",
            ["iat"] = now,
            ["exp"] = now + life,
            ["scope"] = "openid",
        };
    }

    private static Task<(int Status, string Body)> Json(JsonObject body) => Task.FromResult((StatusCodes.Status200OK, body.ToJsonString()));

    private static async Task<(int Status, string Body)> AskAsync(EdgeFixture edge, string token = Opaque)
    {
        using var answer = await edge.NewBrowser().GetAsync(Url, ("Authorization", "Bearer " + token), ("Accept", "application/json"));
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
