using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace Berth.EndToEnd;

/// <summary>Berth with its own development provider.</summary>
public sealed class DevelopmentBerth : BerthFixture;

/// <summary>The journey, signed in by the development provider.</summary>
public sealed class DevelopmentProviderJourneyTests(DevelopmentBerth berth) : JourneyTests(berth), IClassFixture<DevelopmentBerth>
{
    private readonly DevelopmentBerth _berth = berth;

    [Fact]
    public async Task Stranger_NavigatesToWorkspaceHost_IsSentToSignIn()
    {
        var host = $"ws-aaaaaaaaaaaaaaaa.{new Uri(_berth.Origin).Authority}";

        var (status, head) = await RawHttp.SendAsync(
            _berth.Origin,
            $"GET / HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nConnection: close\r\n\r\n"
        );

        Assert.InRange(status, 302, 303);
        Assert.Contains($"location: {_berth.Origin}/", head, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Stranger_UpgradesOnWorkspaceHost_GetsUnauthorized()
    {
        Assert.Equal(401, await RawHttp.UpgradeAsync(_berth.Origin, $"ws-aaaaaaaaaaaaaaaa.{new Uri(_berth.Origin).Authority}", ""));
    }

    [SkippableFact]
    public async Task LoginHint_OnLoginPage_SignsInWithoutAClick()
    {
        await using var person = await _berth.NewPersonAsync();
        var page = await person.NewPageAsync();

        await page.GotoAsync(_berth.Origin + "/login?login_hint=user2");

        await new StudioPage(page).ShowsAsync("user2@example.com");
    }

    [Fact]
    public async Task Api_BearerToken_CreatesAndStopsAndShowsNothingToOthers()
    {
        using var admin = await ApiAsync("admin");
        using var other = await ApiAsync("user2");

        var created = await (await admin.PostAsJsonAsync("/api/workspaces", new JsonObject())).Content.ReadFromJsonAsync<JsonObject>();
        var name = (string)created!["name"]!;
        var stopped = await admin.PostAsync($"/api/workspaces/{name}/stop", null);

        Assert.True(stopped.IsSuccessStatusCode);
        Assert.Equal("Stopped", (string?)(await admin.GetFromJsonAsync<JsonObject>($"/api/workspaces/{name}"))!["desiredState"]);
        Assert.Equal(HttpStatusCode.NotFound, (await other.GetAsync($"/api/workspaces/{name}")).StatusCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Bearer x")]
    [InlineData("Basic YTpi")]
    public async Task Api_NoUsableToken_IsUnauthorized(string authorization)
    {
        using var http = new HttpClient { BaseAddress = new Uri(_berth.Origin) };
        if (authorization.Length > 0)
        {
            http.DefaultRequestHeaders.Add("Authorization", authorization);
        }

        var answer = await http.GetAsync("/api/workspaces");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    private async Task<HttpClient> ApiAsync(string user)
    {
        var http = new HttpClient { BaseAddress = new Uri(_berth.Origin) };
        var token = await http.GetStringAsync($"{_berth.Provider}/access-token/{user}");
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Trim());
        return http;
    }

    protected override Task PassProviderAsync(IPage page, string person) => page.Locator($"button[value={person}]").ClickAsync();

    protected override string ShownAs(string person) => $"{person}@example.com";
}
