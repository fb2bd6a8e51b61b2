using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Accounts;
using Berth.Resources;
using Kube.Client.Models;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Edge.Tests.Api;

public class AccountApiTests
{
    [Fact]
    public async Task Preferences_PutGetDelete_OnlyTheCallersAndWithTheirVersion()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var one = edge.Api("user1");
        using var two = edge.Api("user2");
        using var empty = await one.GetAsync("/api/me/preferences");
        Assert.Equal("\"0\"", empty.Headers.ETag!.Tag);

        using var put = await PutAsync(one, "/api/me/preferences", """{"template":"studio","parameters":{"a":"b"},"environment":{"X":"1"}}""",
            "If-Match", "\"0\"");
        using var late = await PutAsync(one, "/api/me/preferences", "{}", "If-Match", "\"0\"");
        var mine = await JsonAsync(await one.GetAsync("/api/me/preferences"));
        var others = await JsonAsync(await two.GetAsync("/api/me/preferences"));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.PreconditionFailed), (put.StatusCode, late.StatusCode));
        Assert.Equal(("studio", "b", "1"),
            ((string?)mine["template"], (string?)mine["parameters"]!["a"], (string?)mine["environment"]!["X"]));
        Assert.Null(others["template"]);
        Assert.Equal(HttpStatusCode.NoContent, (await one.DeleteAsync("/api/me/preferences")).StatusCode);
        Assert.Null((await JsonAsync(await one.GetAsync("/api/me/preferences")))["template"]);
    }

    [Theory]
    [InlineData("""{"environment":{"A=B":"1"}}""", 422, "environment.A=B")]
    [InlineData("""{"template":"../x"}""", 422, "template")]
    [InlineData("""{"parameters":{"a":null}}""", 422, "parameters.a")]
    [InlineData("""{"templates":"x"}""", 400, "templates")]
    [InlineData("""[]""", 400, "")]
    public async Task Preferences_ThatCannotBe_RefusedByField(string body, int status, string field)
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using var answer = await PutAsync(api, "/api/me/preferences", body);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(field, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_WithPreferences_FilledInWhereTheWishLeavesItOpen()
    {
        await using var edge = await ProductFixture.StartAsync();
        edge.Kube.Put(ProductFixture.Template("big",
            new TemplateParameter { Name = "size", Type = ParameterTypes.Choice, Values = ["small", "large"] },
            new TemplateParameter { Name = "note", Type = ParameterTypes.Text },
            new TemplateParameter { Name = "flag", Type = ParameterTypes.Flag }));
        await ProductFixture.Until(() => edge.Get<WorkspaceWatch>().Template("big") is not null);
        using var api = edge.Api("user1");
        using var put = await PutAsync(api, "/api/me/preferences",
            """{"template":"big","parameters":{"size":"large","note":"mine","flag":"perhaps","other":"x"}}""");

        using var created = await api.PostAsJsonAsync("/api/workspaces", new { name = "a", parameters = new { note = "wished" } });
        using var plain = await api.PostAsJsonAsync("/api/workspaces", new { name = "b", template = "studio" });

        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var spec = edge.Kube.Find<UserWorkspace>(edge.NameOf("user1") + "-a")!.Spec;
        Assert.Equal("big", spec.Template.Name);
        Assert.Equal([new("note", "wished"), new("size", "large")], spec.Parameters!.OrderBy(p => p.Key));
        Assert.Null(edge.Kube.Find<UserWorkspace>(edge.NameOf("user1") + "-b")!.Spec.Parameters);
    }

    [Fact]
    public async Task Create_DatabaseAway_MadeWithoutPreferences()
    {
        var accounts = new BrokenAccounts();
        await using var edge = await ProductFixture.StartAsync(services: s => s.AddSingleton<IAccountStore>(accounts));
        using var api = edge.Api("user1");
        accounts.IsDown = true;

        using var created = await api.PostAsync("/api/workspaces", null);
        using var preferences = await api.GetAsync("/api/me/preferences");

        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, preferences.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(5), preferences.Headers.RetryAfter!.Delta);
        Assert.Equal("accounts-unavailable", (string?)(await JsonAsync(preferences))["reason"]);
    }

    [Fact]
    public async Task Data_PutGetListDelete_OnlyTheCallers()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var one = edge.Api("user1");
        using var two = edge.Api("user2");
        using var put = await PutAsync(one, "/api/me/data/app.settings", """{"a":[1,"ü"]}""", "If-None-Match", "*");
        using var again = await PutAsync(one, "/api/me/data/app.settings", "1", "If-None-Match", "*");
        using var read = await one.GetAsync("/api/me/data/app.settings");
        using var theirs = await two.GetAsync("/api/me/data/app.settings");

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.PreconditionFailed), (put.StatusCode, again.StatusCode));
        Assert.Equal(put.Headers.ETag, read.Headers.ETag);
        Assert.Equal("ü", (string?)(await JsonAsync(read))["a"]![1]);
        Assert.Equal(HttpStatusCode.NotFound, theirs.StatusCode);
        using var cached = new HttpRequestMessage(HttpMethod.Get, "/api/me/data/app.settings");
        cached.Headers.IfNoneMatch.Add(read.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await one.SendAsync(cached)).StatusCode);
        Assert.Equal("app.settings", (string?)(await JsonAsync(await one.GetAsync("/api/me/data")))["items"]![0]!["key"]);
        Assert.Empty((await JsonAsync(await two.GetAsync("/api/me/data")))["items"]!.AsArray());
        Assert.Equal(HttpStatusCode.NoContent, (await two.DeleteAsync("/api/me/data/app.settings")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await one.GetAsync("/api/me/data/app.settings")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await one.DeleteAsync("/api/me/data/app.settings")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await one.GetAsync("/api/me/data/app.settings")).StatusCode);
    }

    [Theory]
    [InlineData("/api/me/data/UPPER", "1", 422)]
    [InlineData("/api/me/data/k", "", 400)]
    [InlineData("/api/me/data/k", "{", 400)]
    [InlineData("/api/me/data/k", """{"a":1,"a":2}""", 400)]
    [InlineData("/api/me/data/k", "\"\\u0000\"", 422)]
    [InlineData("/api/me/data/k", "\"\\ud800\"", 422)]
    [InlineData("/api/me/data/k", "{\"\\udc00\":1}", 400)]
    public async Task Data_ThatCannotBe_RefusedAndNothingKept(string path, string body, int status)
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using var answer = await PutAsync(api, path, body);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Empty((await JsonAsync(await api.GetAsync("/api/me/data")))["items"]!.AsArray());
    }

    [Fact]
    public async Task Data_BySomebodysPageOnAnotherSite_Refused()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var content = new StringContent("1", Encoding.UTF8, "application/json");
        using var answer = await browser.SendAsync($"{ProductFixture.Origin}/api/me/data/k", HttpMethod.Put, content,
            ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"));

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Empty(await edge.Get<IAccountStore>().UserData.ListAsync(new(edge.Provider.Issuer, "user1"), default));
    }

    [Fact]
    public async Task HistoryAndUsage_RunOfAWorkspace_ForItsOwnerOnly()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var one = edge.Api("user1");
        using var two = edge.Api("user2");
        await one.PostAsync("/api/workspaces", null);
        var name = edge.NameOf("user1");
        var ready = new DateTimeOffset(2026, 1, 1, 10, 0, 0, TimeSpan.Zero);
        edge.SetStatus(name, new UserWorkspaceStatus
        {
            Phase = WorkspacePhases.Stopped,
            Start = new WorkspaceStart { RequestedAt = ready.AddSeconds(-5), ReadyAt = ready, Path = "cold" },
            Conditions = [new Condition { Type = "Ready", Status = "False", Reason = "Stopped", LastTransitionTime = ready.AddHours(1) }],
        });
        await ProductFixture.Until(() => edge.Get<WorkspaceWatch>().Find(name)?.Status is not null);

        JsonArray items = [];
        await ProductFixture.Until(() =>
            (items = JsonAsync(one.GetAsync("/api/me/history").GetAwaiter().GetResult()).GetAwaiter().GetResult()["items"]!.AsArray()).Count == 3);
        var usage = await JsonAsync(await one.GetAsync("/api/me/usage?from=2026-01-01&to=2026-01-31"));

        Assert.Equal(["stop", "ready", "start"], items.Select(i => (string?)i!["kind"]));
        Assert.Equal(3600, (int)usage["seconds"]!);
        Assert.Equal(name, (string?)usage["items"]![0]!["workspace"]);
        Assert.Empty((await JsonAsync(await two.GetAsync("/api/me/history")))["items"]!.AsArray());
        Assert.Empty((await JsonAsync(await two.GetAsync("/api/me/usage?from=2026-01-01&to=2026-01-31")))["items"]!.AsArray());
    }

    [Theory]
    [InlineData("/api/me/history?limit=0")]
    [InlineData("/api/me/history?before=yesterday")]
    [InlineData("/api/me/history?before=2026-01-01T00:00:00")]
    [InlineData("/api/me/history?workspace=")]
    [InlineData("/api/me/usage?from=2026-13-01")]
    [InlineData("/api/me/usage?from=2026-02-01&to=2026-01-01")]
    [InlineData("/api/me/usage?from=2024-01-01&to=2026-01-01")]
    [InlineData("/api/me/usage?to=0001-01-01&to=0001-01-01")]
    public async Task Query_ThatCannotBeRead_400(string path)
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using var answer = await api.GetAsync(path);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Sessions_ListedAndEndedEverywhere_NextRequestOfEachIsAStranger()
    {
        await using var edge = await ProductFixture.StartAsync();
        var one = await edge.SignedInAsync("user1");
        var two = await edge.SignedInAsync("user1");
        var other = await edge.SignedInAsync("user2");
        using var list = await one.GetAsync($"{ProductFixture.Origin}/api/me/sessions");
        var items = (await JsonAsync(list))["items"]!.AsArray();
        Assert.Equal(2, items.Count);
        Assert.Single(items, i => (bool)i!["current"]!);

        using var end = await one.SendAsync($"{ProductFixture.Origin}/api/me/sessions", HttpMethod.Delete, null,
            ("Origin", ProductFixture.Origin));
        Assert.Equal(HttpStatusCode.NoContent, end.StatusCode);

        foreach (var (browser, expected) in new[] { (one, 401), (two, 401), (other, 200) })
        {
            using var answer = await browser.GetAsync($"{ProductFixture.Origin}/api/me");
            Assert.Equal(expected, (int)answer.StatusCode);
        }
    }

    [Fact]
    public async Task Sessions_OneOfSomebodyElse_404AndItLives()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        var session = Assert.Single(await edge.Get<IAccountStore>().ListSessionsAsync(new(edge.Provider.Issuer, "user1"), default));
        using var stranger = edge.Api("user2");
        using var mine = edge.Api("user1");

        Assert.Equal(HttpStatusCode.NotFound, (await stranger.DeleteAsync($"/api/me/sessions/{session.Id}")).StatusCode);
        Assert.Equal(200, (int)(await browser.GetAsync($"{ProductFixture.Origin}/api/me")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await mine.DeleteAsync($"/api/me/sessions/{session.Id}")).StatusCode);
        Assert.Equal(401, (int)(await browser.GetAsync($"{ProductFixture.Origin}/api/me")).StatusCode);
    }

    // Workspaces of other people are the same site, and the cookie comes along.
    [Theory]
    [InlineData("same-site", "no-cors", "image", HttpStatusCode.Unauthorized)]
    [InlineData("same-site", "navigate", "iframe", HttpStatusCode.Unauthorized)]
    [InlineData("cross-site", "cors", "empty", HttpStatusCode.Unauthorized)]
    [InlineData("same-site", "navigate", "document", HttpStatusCode.OK)]
    [InlineData("same-origin", "cors", "empty", HttpStatusCode.OK)]
    public async Task Cookie_PulledInByAPageOfAnotherOrigin_IsAStrangers(string site, string mode, string destination, HttpStatusCode expected)
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");

        using var answer = await browser.GetAsync($"{ProductFixture.Origin}/api/me", ("Accept", "application/json"),
            ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", destination));

        Assert.Equal(expected, answer.StatusCode);
    }

    [Fact]
    public async Task Bearer_PersonDisabledMeanwhile_RefusedThoughTheTokenIsGood()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var api = edge.Api("user1");
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/api/me")).StatusCode);

        await edge.Get<IAccountStore>().SetDisabledAsync(new(edge.Provider.Issuer, "user1"), true, default);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.GetAsync("/api/me")).StatusCode);

        await edge.Get<IAccountStore>().SetDisabledAsync(new(edge.Provider.Issuer, "user1"), false, default);
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/api/me")).StatusCode);
    }

    internal static async Task<HttpResponseMessage> PutAsync(
        HttpClient api, string path, string body, string? header = null, string? value = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (header is not null)
        {
            request.Headers.TryAddWithoutValidation(header, value);
        }

        return await api.SendAsync(request);
    }

    internal static async Task<JsonNode> JsonAsync(HttpResponseMessage answer) =>
        JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
}
