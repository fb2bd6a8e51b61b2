using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using Berth.Accounts;

namespace Berth.Edge.Tests.Api;

public class PeopleApiTests
{
    private const string Disable = "/api/people/disable";
    private const string Enable = "/api/people/enable";

    [Fact]
    public async Task List_ByAnAdministrator_FindsWhoIsMeant()
    {
        await using var edge = await ProductFixture.StartAsync();
        await edge.SignedInAsync("user1");
        await edge.SignedInAsync("user2");
        using var admin = edge.Api("admin");
        var issuer = Uri.EscapeDataString(edge.Provider.Issuer);
        using var disabled = await admin.PostAsJsonAsync(Disable, Key(edge, "user2"));

        Assert.Equal(["user1"], await SubjectsAsync(admin, $"?issuer={issuer}&subject=user1"));
        Assert.Equal(["user2"], await SubjectsAsync(admin, "?disabled=true"));
        Assert.DoesNotContain("user2", await SubjectsAsync(admin, "?disabled=false"));
        Assert.Empty(await SubjectsAsync(admin, "?subject=User1"));
        Assert.Single(await SubjectsAsync(admin, "?limit=1"));
        Assert.Contains(await AuditAsync(edge), e => e is { Action: "person.list", Outcome: "allowed", Actor.Subject: "admin" });
    }

    [Theory]
    [InlineData("?disabled=perhaps")]
    [InlineData("?limit=0")]
    [InlineData("?before=yesterday")]
    [InlineData("?subject=")]
    [InlineData("?subject=a&subject=b")]
    public async Task List_QueryThatCannotBeRead_400(string query)
    {
        await using var edge = await ProductFixture.StartAsync();
        using var admin = edge.Api("admin");
        using var answer = await admin.GetAsync("/api/people" + query);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/api/people", "person.list")]
    [InlineData("POST", Disable, "person.disable")]
    [InlineData("POST", Enable, "person.enable")]
    public async Task AnyCall_BySomebodyElse_RefusedNotedAndWithoutEffect(string method, string path, string action)
    {
        await using var edge = await ProductFixture.StartAsync();
        await edge.SignedInAsync("user2");
        using var api = edge.Api("user1");
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Content = method == "POST" ? JsonContent.Create(Key(edge, "user2")) : null;
        using var answer = await api.SendAsync(request);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal("administrators-only", (string?)(await WorkspaceApiTests.JsonAsync(answer))["reason"]);
        Assert.Contains(await AuditAsync(edge), e => e.Action == action && e is { Outcome: "refused", Actor.Subject: "user1" });
        Assert.False(edge.Get<IAccountStore>().Revocations.IsDisabled(new PersonKey(edge.Provider.Issuer, "user2")));
    }

    [Fact]
    public async Task Disable_SessionTokensAndSockets_EndUntilEnabled()
    {
        await using var edge = await ProductFixture.StartAsync();
        await using var upstream = await Upstream.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var made = await browser.SendAsync($"{ProductFixture.Origin}/api/me/tokens", HttpMethod.Post,
            JsonContent.Create(new { name = "script", scopes = new[] { "api:read" } }), ("Origin", ProductFixture.Origin));
        using var personal = edge.Api("user1");
        personal.DefaultRequestHeaders.Authorization = new("Bearer", (string)(await WorkspaceApiTests.JsonAsync(made))["token"]!);
        using var bearer = await edge.WithWorkspaceAsync("user1", upstream.Port);
        using var socket = await edge.ConnectAsync(bearer, "user1");
        Assert.Equal(HttpStatusCode.OK, (await personal.GetAsync("/api/me")).StatusCode);
        using var admin = edge.Api("admin");

        using var disabled = await admin.PostAsJsonAsync(Disable, Key(edge, "user1"));

        Assert.Equal(HttpStatusCode.OK, disabled.StatusCode);
        var person = await WorkspaceApiTests.JsonAsync(disabled);
        Assert.Equal(("user1", true), ((string?)person["subject"], (bool)person["disabled"]!));
        Assert.NotNull(person["disabledAt"]);
        var end = await socket.ReceiveAsync(new byte[64].AsMemory(), CancellationToken.None);
        Assert.Equal((WebSocketMessageType.Close, (WebSocketCloseStatus?)4001), (end.MessageType, socket.CloseStatus));
        Assert.Equal(HttpStatusCode.Unauthorized, (await bearer.GetAsync("/api/me")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await personal.GetAsync("/api/me")).StatusCode);
        using (var page = await browser.GetAsync($"{ProductFixture.Origin}/api/me", ("Accept", "application/json")))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, page.StatusCode);
        }

        edge.Provider.Subject = "user1";
        using (var refused = await edge.NewBrowser().FollowAsync($"{ProductFixture.Origin}/login"))
        {
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        }

        using var enabled = await admin.PostAsJsonAsync(Enable, Key(edge, "user1"));
        Assert.False((bool)(await WorkspaceApiTests.JsonAsync(enabled))["disabled"]!);
        Assert.Equal(HttpStatusCode.OK, (await bearer.GetAsync("/api/me")).StatusCode);
        using (var before = await browser.GetAsync($"{ProductFixture.Origin}/api/me", ("Accept", "application/json")))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, before.StatusCode);
        }

        await edge.SignedInAsync("user1");
        Assert.Equal(
            [("person.disable", "admin"), ("person.enable", "admin")],
            (await AuditAsync(edge)).Where(e => e.Action.StartsWith("person.", StringComparison.Ordinal) && e.Outcome == "allowed"
                && e.Target == $"people/user1 of {edge.Provider.Issuer}").Reverse().Select(e => (e.Action, e.Actor!.Value.Subject)));
    }

    [Fact]
    public async Task Disable_Oneself_409AndStillThere()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("admin");
        using var answer = await browser.SendAsync(ProductFixture.Origin + Disable, HttpMethod.Post,
            JsonContent.Create(Key(edge, "admin")), ("Origin", ProductFixture.Origin));

        Assert.Equal((HttpStatusCode)409, answer.StatusCode);
        Assert.Equal("own-account", (string?)(await WorkspaceApiTests.JsonAsync(answer))["reason"]);
        using var after = await browser.GetAsync($"{ProductFixture.Origin}/api/me", ("Accept", "application/json"));
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Fact]
    public async Task Disable_FromAnotherOrigin_403AndWithoutEffect()
    {
        await using var edge = await ProductFixture.StartAsync();
        await edge.SignedInAsync("user1");
        var browser = await edge.SignedInAsync("admin");
        using var answer = await browser.SendAsync(ProductFixture.Origin + Disable, HttpMethod.Post,
            JsonContent.Create(Key(edge, "user1")), ("Origin", "http://ws-one.localhost:8080"));

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.False(edge.Get<IAccountStore>().Revocations.IsDisabled(new PersonKey(edge.Provider.Issuer, "user1")));
    }

    [Theory]
    [InlineData("""{"issuer":"https://idp.example","subject":"nobody"}""", 404, "person-not-found")]
    [InlineData("""{"subject":"user1"}""", 422, "invalid-fields")]
    [InlineData("""{"issuer":"https://idp.example","subject":""}""", 422, "invalid-fields")]
    [InlineData("""{"issuer":"https://idp.example","subject":"a\nb"}""", 422, "invalid-fields")]
    [InlineData("""{"issuer":"https://idp.example","subject":"a","why":"b"}""", 400, "bad-json")]
    [InlineData("", 422, "invalid-fields")]
    public async Task Disable_BodyThatMeansNobody_SaysWhatIsWrong(string body, int status, string reason)
    {
        await using var edge = await ProductFixture.StartAsync();
        using var admin = edge.Api("admin");
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await admin.PostAsync(Disable, content);

        Assert.Equal((status, reason), ((int)answer.StatusCode, (string?)(await WorkspaceApiTests.JsonAsync(answer))["reason"]));
    }

    private static object Key(ProductFixture edge, string subject) => new { issuer = edge.Provider.Issuer, subject };

    private static async Task<string[]> SubjectsAsync(HttpClient api, string query)
    {
        using var answer = await api.GetAsync("/api/people" + query);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return [.. (await WorkspaceApiTests.JsonAsync(answer))["items"]!.AsArray().Select(i => (string)i!["subject"]!)];
    }

    private static Task<IReadOnlyList<AuditEvent>> AuditAsync(ProductFixture edge) =>
        edge.Get<IAccountStore>().ListAuditAsync(new(), default);
}
