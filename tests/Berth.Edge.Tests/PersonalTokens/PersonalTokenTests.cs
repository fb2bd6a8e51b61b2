using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Berth.Accounts;
using Berth.Edge.Tests.Api;
using Berth.Edge.Tests.ApiProxy;
using Berth.Edge.Tests.Progress;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Edge.Tests.PersonalTokens;

/// <summary>Personal access tokens as people and programs meet them.</summary>
public class PersonalTokenTests
{
    private static readonly string[] Methods = ["get", "post", "put", "patch", "delete", "head"];

    [Fact]
    public async Task EveryOperation_TokenOfEachScope_AllowedExactlyWhereTheDescriptionSaysSo()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        var browser = await proxy.Edge.SignedInAsync("admin");
        var document = JsonNode.Parse(await proxy.Anonymous().GetStringAsync("/openapi/v1.json"))!.AsObject();
        var wrong = new List<string>();
        var allowed = 0;

        // All of them first: one of the calls signs out everywhere, which ends the session and no token.
        var secrets = new Dictionary<string, string>();
        foreach (var scope in TokenScopes.All.Select(s => s.Name))
        {
            secrets[scope] = await CreateAsync(browser, scope);
        }

        foreach (var (scope, secret) in secrets)
        {
            using var program = Program(proxy.Edge, secret);
            foreach (var (path, operations) in document["paths"]!.AsObject())
            {
                foreach (var (method, operation) in operations!.AsObject().Where(o => Methods.Contains(o.Key)))
                {
                    var described = operation!["security"]!.AsArray()
                        .Select(s => s!["personalToken"]).OfType<JsonArray>().Any(s => (string?)s.Single() == scope);
                    using var request = new HttpRequestMessage(new HttpMethod(method.ToUpperInvariant()), path
                        .Replace("{connection}", "api", StringComparison.Ordinal)
                        .Replace("{path}", "items/1", StringComparison.Ordinal).Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal));
                    using var answer = await program.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                    var isRefused = answer.StatusCode == HttpStatusCode.Forbidden
                        && (answer.Headers.WwwAuthenticate.ToString().Contains("insufficient_scope", StringComparison.Ordinal)
                            || (await answer.Content.ReadAsStringAsync()).Contains("insufficient-scope", StringComparison.Ordinal)
                            || method == "head");
                    Assert.NotEqual(HttpStatusCode.Unauthorized, answer.StatusCode);
                    allowed += isRefused ? 0 : 1;
                    if (isRefused == described)
                    {
                        wrong.Add($"{method} {path} with {scope}: {(int)answer.StatusCode}");
                    }
                }
            }
        }

        Assert.Empty(wrong);
        Assert.True(allowed > 30, $"{allowed} allowed calls are too few.");
    }

    [Theory]
    [InlineData("POST", "/api/me/tokens")]
    [InlineData("GET", "/api/auth/manager/offline-token?connection=api")]
    [InlineData("GET", "/api/auth/manager/offline-token/callback?state=x&code=y")]
    [InlineData("POST", "/api/auth/manager/offline-token-id")]
    [InlineData("GET", "/dashboard")]
    [InlineData("POST", "/dashboard")]
    [InlineData("GET", "/start")]
    [InlineData("GET", "/tokens")]
    [InlineData("POST", "/tokens")]
    [InlineData("GET", "/login")]
    [InlineData("POST", "/logout")]
    [InlineData("GET", "/nothing")]
    public async Task Token_OfAllScopes_CannotDoWhatIsForPeople(string method, string path)
    {
        await using var proxy = await ProxyFixture.StartAsync();
        var browser = await proxy.Edge.SignedInAsync("admin");
        using var program = Program(proxy.Edge, await CreateAsync(browser, [.. TokenScopes.All.Select(s => s.Name)]));
        using var answer = await program.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal("Bearer error=\"insufficient_scope\"", answer.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task Create_FromAnAccessTokenOfAProvider_NeedsABrowser()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using var answer = await api.PostAsJsonAsync("/api/me/tokens", new { name = "x", scopes = new[] { "api:read" } });
        Assert.Equal((HttpStatusCode.Forbidden, "session-required"),
            (answer.StatusCode, (string?)(await WorkspaceApiTests.JsonAsync(answer))["reason"]));
    }

    [Fact]
    public async Task Token_CreatedListedUsedRevoked_WorksInBetweenAndIsNeverShownAgain()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var created = await PostAsync(browser, """{"name":" laptop ","scopes":["api:write","api:read"],"expiresInDays":7}""");
        var made = await WorkspaceApiTests.JsonAsync(created);
        var secret = (string)made["token"]!;
        Assert.Equal((HttpStatusCode.Created, "no-store"), (created.StatusCode, created.Headers.CacheControl!.ToString()));
        Assert.True(PersonalTokenSecret.IsWellFormed(secret));
        Assert.Equal(("laptop", TimeSpan.FromDays(7)), ((string?)made["name"],
            (DateTimeOffset)made["expiresAt"]! - (DateTimeOffset)made["createdAt"]!));

        using var program = Program(edge, secret);
        var me = await WorkspaceApiTests.JsonAsync(await program.GetAsync("/api/me"));
        using var list = await program.GetAsync("/api/me/tokens");
        var text = await list.Content.ReadAsStringAsync();
        var item = JsonNode.Parse(text)!["items"]!.AsArray().Single()!;
        Assert.Equal(("user1", "bearer"), ((string?)me["subject"], (string?)me["authenticatedBy"]));
        Assert.Equal(((string?)made["id"], true), ((string?)item["id"], (bool)item["current"]!));
        Assert.Equal(["api:read", "api:write"], item["scopes"]!.AsArray().Select(s => (string?)s));
        Assert.NotNull(item["lastUsedAt"]);
        Assert.DoesNotContain(PersonalTokenSecret.Prefix, text, StringComparison.Ordinal);

        using var other = edge.Api("user2");
        using var foreign = await other.DeleteAsync($"/api/me/tokens/{item["id"]}");
        using var gone = await program.DeleteAsync($"/api/me/tokens/{item["id"]}");
        using var after = await program.GetAsync("/api/me");
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NoContent, HttpStatusCode.Unauthorized),
            (foreign.StatusCode, gone.StatusCode, after.StatusCode));
        Assert.Equal("invalid-token", (string?)(await WorkspaceApiTests.JsonAsync(after))["reason"]);

        var events = await edge.Get<IAccountStore>().ListAuditAsync(new() { Actor = new(edge.Provider.Issuer, "user1") }, default);
        Assert.Equal(["token.create", "token.revoke", "token.use"],
            events.Select(e => e.Action).Where(a => a.StartsWith("token.", StringComparison.Ordinal)).Order());
        Assert.DoesNotContain(events, e => e.Target?.Contains(secret, StringComparison.Ordinal) == true);
    }

    [Theory]
    [InlineData("""{"scopes":["api:read"]}""", "name")]
    [InlineData("""{"name":"  ","scopes":["api:read"]}""", "name")]
    [InlineData("""{"name":"x"}""", "scopes")]
    [InlineData("""{"name":"x","scopes":["everything"]}""", "scopes")]
    [InlineData("""{"name":"x","scopes":[null]}""", "scopes")]
    [InlineData("""{"name":"x","scopes":["admin"]}""", "scopes")]
    [InlineData("""{"name":"x","scopes":["api:read"],"expiresInDays":0}""", "expiresInDays")]
    [InlineData("""{"name":"x","scopes":["api:read"],"expiresInDays":367}""", "expiresInDays")]
    public async Task Create_ThatCannotBe_RefusedByField(string body, string field)
    {
        await using var edge = await ProductFixture.StartAsync();
        using var answer = await PostAsync(await edge.SignedInAsync("user1"), body);
        Assert.Equal((422, field), ((int)answer.StatusCode, (await WorkspaceApiTests.JsonAsync(answer))["errors"]!.AsObject().Single().Key));
    }

    [Fact]
    public async Task Token_OfAnAdministrator_AdministersOnlyWithTheScope()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("admin");
        using var plain = Program(edge, await CreateAsync(browser, "api:read"));
        using var full = Program(edge, await CreateAsync(browser, "api:read", "admin"));

        Assert.Equal(HttpStatusCode.Forbidden, (await plain.GetAsync("/api/workspaces?all=true")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await full.GetAsync("/api/workspaces?all=true")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await plain.GetAsync("/api/audit")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await full.GetAsync("/api/audit")).StatusCode);
    }

    [Fact]
    public async Task Token_PersonDisabledOrSignedOut_EndsOnlyWithTheFirst()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var program = Program(edge, await CreateAsync(browser, "api:read", "api:write"));
        var person = new PersonKey(edge.Provider.Issuer, "user1");

        using var everywhere = await program.DeleteAsync("/api/me/sessions");
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.OK), (everywhere.StatusCode, (await program.GetAsync("/api/me")).StatusCode));
        await edge.Get<IAccountStore>().SetDisabledAsync(person, true, default);
        Assert.Equal(HttpStatusCode.Unauthorized, (await program.GetAsync("/api/me")).StatusCode);
        await edge.Get<IAccountStore>().SetDisabledAsync(person, false, default);
        using var asked = await program.DeleteAsync("/api/me/sessions?tokens=true");
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.Unauthorized),
            (asked.StatusCode, (await program.GetAsync("/api/me")).StatusCode));
    }

    [Fact]
    public async Task Token_Revoked_EndsWhatIsOpenForIt()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var program = Program(edge, await CreateAsync(browser, "api:read"));
        using var other = Program(edge, await CreateAsync(browser, "api:read"));
        using var open = await program.GetAsync("/api/workspaces/events", HttpCompletionOption.ResponseHeadersRead);
        using var stays = await other.GetAsync("/api/workspaces/events", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(2, edge.Get<IOpenConnections>().Count);
        var id = (await edge.Get<IAccountStore>().PersonalTokens.ListAsync(new(edge.Provider.Issuer, "user1"), default))[1].Id;

        using var revoked = await browser.SendAsync($"{ProductFixture.Origin}/api/me/tokens/{id}", HttpMethod.Delete,
            headers: ("Origin", ProductFixture.Origin));
        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        await open.Content.ReadAsStringAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1, edge.Get<IOpenConnections>().Count);
    }

    [Fact]
    public async Task Token_DatabaseAway_503AndNot401()
    {
        var accounts = new BrokenAccounts();
        await using var edge = await ProductFixture.StartAsync(services: s => s.AddSingleton<IAccountStore>(accounts));
        var browser = await edge.SignedInAsync("user1");
        using var program = Program(edge, await CreateAsync(browser, "api:read"));
        accounts.IsDown = true;
        using var answer = await program.GetAsync("/api/me");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "5"), (answer.StatusCode, answer.Headers.RetryAfter!.ToString()));
    }

    [Fact]
    public async Task Page_MakeAndRevoke_WorksByFormsAndShowsTheTokenOnce()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        var csrf = (await PageAsync(browser)).QuerySelector("input[name=csrf]")!.GetAttribute("value")!;

        using var wrong = await FormAsync(browser, "/tokens", ("csrf", csrf), ("name", "<b>"), ("days", "x"));
        var mistake = await ProgressPageTests.PageAsync(wrong);
        using var made = await FormAsync(browser, "/tokens", ("csrf", csrf), ("name", "<b>laptop"), ("scope", "api:read"), ("days", ""));
        await Pages.PageTests.AssertStrictAsync(made);
        var page = await ProgressPageTests.PageAsync(made);
        var secret = page.QuerySelector("#token")!.GetAttribute("value")!;
        Assert.Equal((HttpStatusCode.UnprocessableEntity, 2, "<b>"), (wrong.StatusCode, mistake.QuerySelectorAll(".error").Length,
            mistake.QuerySelector("input[name=name]")!.GetAttribute("value")));
        Assert.Contains("no-store", made.Headers.CacheControl!.ToString(), StringComparison.Ordinal);

        using var program = Program(edge, secret);
        Assert.Equal(HttpStatusCode.OK, (await program.GetAsync("/api/me")).StatusCode);
        var list = await PageAsync(browser);
        Assert.Null(list.QuerySelector("#token"));
        Assert.Equal("<b>laptop", list.QuerySelector("article h2")!.TextContent);
        Assert.DoesNotContain(secret, list.DocumentElement.OuterHtml, StringComparison.Ordinal);

        var revoke = list.QuerySelector("form[action$='/revoke']")!.GetAttribute("action")!;
        using var foreign = await FormAsync(browser, revoke, ("csrf", "x"));
        Assert.Equal(HttpStatusCode.OK, (await program.GetAsync("/api/me")).StatusCode);
        using var gone = await FormAsync(browser, revoke, ("csrf", csrf));
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.SeeOther), (foreign.StatusCode, gone.StatusCode));
        Assert.Equal(HttpStatusCode.Unauthorized, (await program.GetAsync("/api/me")).StatusCode);
    }

    [Fact]
    public async Task Tokens_TurnedOff_NoneIsMadeOrTakenAndThoseThereCanBeRevoked()
    {
        await using var edge = await ProductFixture.StartAsync(o => o with { PersonalTokens = new PersonalTokenOptions { Enabled = false } });
        var browser = await edge.SignedInAsync("user1");
        var secret = PersonalTokenSecret.New();
        var id = Guid.CreateVersion7();
        var now = TimeProvider.System.GetUtcNow();
        await edge.Get<IAccountStore>().PersonalTokens.CreateAsync(
            new PersonKey(edge.Provider.Issuer, "user1"),
            new NewPersonalToken
            {
                Id = id,
                Name = "old",
                SecretHash = PersonalTokenSecret.Hash(secret),
                Scopes = ["api:read"],
                CreatedAt = now,
                ExpiresAt = now.AddDays(1),
            },
            default);
        using var program = Program(edge, secret);

        using var used = await program.GetAsync("/api/me");
        using var made = await PostAsync(browser, """{"name":"new","scopes":["api:read"]}""");
        using var revoked = await browser.SendAsync(
            $"{ProductFixture.Origin}/api/me/tokens/{id}", HttpMethod.Delete, headers: [("Origin", ProductFixture.Origin)]);

        Assert.Equal([401, 403, 204], new[] { used, made, revoked }.Select(a => (int)a.StatusCode));
        Assert.Contains("personal-tokens-off", await made.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static HttpClient Program(ProductFixture edge, string secret)
    {
        var client = new HttpClient(edge.NewHandler()) { BaseAddress = new Uri(ProductFixture.Origin) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", secret);
        return client;
    }

    private static Task<HttpResponseMessage> PostAsync(Browser browser, string body) => browser.SendAsync(
        $"{ProductFixture.Origin}/api/me/tokens", HttpMethod.Post,
        new StringContent(body, System.Text.Encoding.UTF8, "application/json"), ("Origin", ProductFixture.Origin));

    private static async Task<string> CreateAsync(Browser browser, params string[] scopes)
    {
        using var answer = await PostAsync(browser,
            $$"""{"name":"t","scopes":[{{string.Join(',', scopes.Select(s => $"\"{s}\""))}}]}""");
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (string)(await WorkspaceApiTests.JsonAsync(answer))["token"]!;
    }

    private static async Task<AngleSharp.Dom.IDocument> PageAsync(Browser browser)
    {
        using var answer = await browser.GetAsync(ProductFixture.Origin + TokenPages.Path);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await ProgressPageTests.PageAsync(answer);
    }

    private static Task<HttpResponseMessage> FormAsync(Browser browser, string path, params (string Name, string Value)[] fields) =>
        browser.SendAsync(ProductFixture.Origin + path, HttpMethod.Post,
            new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Name, f.Value))), ("Origin", ProductFixture.Origin));
}
