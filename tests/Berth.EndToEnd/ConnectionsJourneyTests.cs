using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace Berth.EndToEnd;

/// <summary>
/// A person connects a service in the browser, and a program in their workspace calls it with the line of the documentation: with the
/// development provider, as <c>make run</c> offers it.
/// </summary>
public sealed class ConnectionsJourneyTests : BerthFixture
{
    [SkippableFact]
    public async Task Person_Connects_ProgramInTheWorkspaceCallsTheApiUntilTheyDisconnect()
    {
        Skip.IfNot(HasVault, "needs PostgreSQL's programs");
        await using var person = await NewPersonAsync();
        var studio = await OpenAsync(person, "user1");
        var page = await person.NewPageAsync();
        await page.GotoAsync(Origin + "/dashboard");
        await page.GetByRole(AriaRole.Link, new() { Name = "Connections" }).ClickAsync();
        var card = page.Locator("#c-profile");
        await Assertions.Expect(card).ToContainTextAsync("Not connected");

        // Refused once, from the provider's page: nothing comes of it.
        await card.GetByRole(AriaRole.Button, new() { Name = "Connect" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Go back without allowing it" }).ClickAsync();
        await Assertions.Expect(page.GetByText("You did not allow it")).ToBeVisibleAsync();
        await studio.RunAsync(Line());
        await studio.TerminalShowsAsync("You have not allowed this connection yet");

        await ConnectAsync(page);
        await studio.RunAsync("clear");
        await studio.RunAsync(Line());
        await studio.TerminalShowsAsync("\"sub\":\"dev-user1\"");

        // What the shell has is the workspace's own token, in a file; nothing of the provider's, whose tokens are JWTs as well.
        await studio.RunAsync("clear");
        await studio.RunAsync(
            "echo jwts-$(env | grep -c eyJ)-$(cut -d. -f2 \"$BERTH_TOKEN_FILE\" | tr _- /+ | base64 -d 2>/dev/null | grep -c berth-edge)"
        );
        await studio.TerminalShowsAsync("jwts-0-1");

        await card.GetByRole(AriaRole.Button, new() { Name = "Disconnect" }).ClickAsync();
        await Assertions.Expect(card).ToContainTextAsync("Not connected");
        await studio.RunAsync("clear");
        await studio.RunAsync(Line());
        await studio.TerminalShowsAsync("You have not allowed this connection yet");
    }

    [SkippableFact]
    public async Task OtherPerson_WhoConnects_GetsTheirOwnData()
    {
        Skip.IfNot(HasVault, "needs PostgreSQL's programs");
        await using var one = await NewPersonAsync();
        await using var two = await NewPersonAsync();
        await OpenAsync(one, "user1");
        await ConnectAsync(await ConnectionsAsync(one));
        var studio = await OpenAsync(two, "user2");

        await studio.RunAsync(Line());
        await studio.TerminalShowsAsync("You have not allowed this connection yet");
        await ConnectAsync(await ConnectionsAsync(two));
        await studio.RunAsync("clear");
        await studio.RunAsync(Line());
        await studio.TerminalShowsAsync("\"sub\":\"dev-user2\"");
    }

    [SkippableFact]
    public async Task Restart_KeepsTheConnectionAndItsRefreshToken()
    {
        Skip.IfNot(HasVault, "needs PostgreSQL's programs");
        await using (var person = await NewPersonAsync())
        {
            await OpenAsync(person, "admin");
            await ConnectAsync(await ConnectionsAsync(person));
        }

        var before = await ProfileAsync("admin");
        await Berth.InterruptAsync();
        await StartAsync();
        var after = await ProfileAsync("admin");
        using var http = await ApiAsync("admin");
        var page = await http.GetStringAsync("/connections");
        var id = System.Text.RegularExpressions.Regex.Match(page, "<code>([0-9a-f-]{36})</code>").Groups[1].Value;
        var first = await TokenAsync(http, id, force: false);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));

        // Not more often than every few seconds, and then with the refresh token from before.
        while (await TokenAsync(http, id, force: true) == first)
        {
            await Task.Delay(500, limit.Token);
        }

        Assert.Equal("dev-admin", before);
        Assert.Equal("dev-admin", after);
    }

    [SkippableFact]
    public async Task Start_VaultKeyGone_SaysWhichAndWithItEverythingIsThere()
    {
        Skip.IfNot(HasVault, "needs PostgreSQL's programs");
        await using (var person = await NewPersonAsync())
        {
            await OpenAsync(person, "user1");
            await ConnectAsync(await ConnectionsAsync(person));
        }

        await Berth.InterruptAsync();
        var key = Path.Combine(Folder, "edge", "vault-key");
        File.Move(key, key + ".kept");
        await Assert.ThrowsAsync<InvalidOperationException>(StartAsync);
        await Berth.ExitAsync();

        Assert.Equal(2, Berth.ExitCode);
        Assert.Contains("sealed with key 'local-", Berth.Output, StringComparison.Ordinal);
        Assert.Contains("ended before it was ready", Berth.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", Berth.Output, StringComparison.Ordinal);

        File.Move(key + ".kept", key, overwrite: true);
        await StartAsync();
        Assert.Equal("dev-user1", await ProfileAsync("user1"));
    }

    /// <summary>The line that docs/local.md tells people to type.</summary>
    private static string Line() =>
        Documentation("local.md").Split('\n').Single(l => l.Contains("$BERTH_TOKEN_FILE", StringComparison.Ordinal)).Trim();

    private async Task<StudioPage> OpenAsync(IBrowserContext person, string name)
    {
        var studio = new StudioPage(await person.NewPageAsync());
        await studio.Page.GotoAsync($"{Origin}/login?login_hint={name}");
        await studio.ShowsAsync($"{name}@example.com");
        return studio;
    }

    private async Task<IPage> ConnectionsAsync(IBrowserContext person)
    {
        var page = await person.NewPageAsync();
        await page.GotoAsync(Origin + "/connections");
        return page;
    }

    private static async Task ConnectAsync(IPage page)
    {
        var card = page.Locator("#c-profile");
        if (await card.GetByText("Not connected").CountAsync() == 0)
        {
            return;
        }

        await card.GetByRole(AriaRole.Button, new() { Name = "Connect" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Allow", Exact = true }).ClickAsync();
        await Assertions.Expect(page.GetByText("“profile” is connected")).ToBeVisibleAsync();
    }

    private async Task<string?> ProfileAsync(string user)
    {
        using var http = await ApiAsync(user);
        var answer = await http.GetAsync("/proxy/profile/userinfo");
        return answer.StatusCode == HttpStatusCode.OK
            ? (string?)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["sub"]
            : $"{answer.StatusCode}";
    }

    private static async Task<string> TokenAsync(HttpClient http, string id, bool force)
    {
        var path = $"/api/auth/manager/access-token?persistent_token_id={id}&force_refresh={(force ? "true" : "false")}";
        var answer = await http.PostAsync(path, null);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        return (string)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["access_token"]!;
    }

    private async Task<HttpClient> ApiAsync(string user)
    {
        var http = new HttpClient { BaseAddress = new Uri(Origin) };
        var token = await http.GetStringAsync($"{Provider}/access-token/{user}");
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Trim());
        return http;
    }
}
