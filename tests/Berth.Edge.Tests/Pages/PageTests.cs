using System.Net;
using System.Text.RegularExpressions;
using Berth.Edge.Tests.Progress;
using Berth.Resources;

namespace Berth.Edge.Tests.Pages;

public class PageTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/tos")]
    [InlineData("/privacy")]
    [InlineData("/forgot-password")]
    public async Task PublicPages_GetAndHead_NothingInlineNothingCreated(string path)
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = edge.NewBrowser();

        using var answer = await browser.GetAsync(ProductFixture.Origin + path);
        using var head = await browser.SendAsync(ProductFixture.Origin + path, HttpMethod.Head);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (answer.StatusCode, head.StatusCode));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        await AssertStrictAsync(answer);
        Assert.Empty(edge.Kube.Writes);
        Assert.Empty(browser.Cookies);
    }

    [Fact]
    public async Task Assets_NamedInPages_AreServedForEver()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        using var answer = await browser.GetAsync($"{ProductFixture.Origin}/dashboard");
        var page = await ProgressPageTests.PageAsync(answer);
        var assets = page.QuerySelectorAll("link[rel=stylesheet], link[rel=icon]").Select(l => l.GetAttribute("href")!)
            .Concat(page.QuerySelectorAll("script").Select(s => s.GetAttribute("src")!)).ToArray();

        Assert.Equal(3, assets.Length);
        foreach (var asset in assets)
        {
            using var file = await browser.GetAsync(ProductFixture.Origin + asset);
            Assert.Equal(HttpStatusCode.OK, file.StatusCode);
            Assert.Contains("immutable", file.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        }

        using var none = await browser.GetAsync(ProductFixture.Origin + "/assets/../berth.css");
        Assert.NotEqual(HttpStatusCode.OK, none.StatusCode);
    }

    [Fact]
    public async Task Dashboard_Stranger_GoesToSignInAndBack()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = edge.NewBrowser();

        using var answer = await browser.GetAsync($"{ProductFixture.Origin}/dashboard");
        Assert.Equal("/login?return=%2Fdashboard", answer.Headers.Location!.OriginalString);

        using var script = await browser.GetAsync($"{ProductFixture.Origin}/dashboard/events", ("Accept", "text/event-stream"));
        Assert.Equal(HttpStatusCode.Unauthorized, script.StatusCode);
    }

    [Fact]
    public async Task Dashboard_WithoutScript_StopStartDeleteByForms()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        var name = edge.NameOf("user1");

        await SubmitAsync(edge, browser, "/dashboard", $"form[action='/dashboard/{name}/stop']");
        Assert.Equal("Stopped", edge.Kube.Find<UserWorkspace>(name)!.Spec.DesiredState);
        await SubmitAsync(edge, browser, "/dashboard", $"form[action='/dashboard/{name}/start']");
        Assert.Equal("Running", edge.Kube.Find<UserWorkspace>(name)!.Spec.DesiredState);
        await SubmitAsync(edge, browser, $"/dashboard/{name}/delete", $"form[action='/dashboard/{name}/delete']");
        Assert.Null(edge.Kube.Find<UserWorkspace>(name));
    }

    [Fact]
    public async Task Dashboard_StopAnnounced_SaysWhenAndKeepsByAButton()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        var name = edge.NameOf("user1");
        var stopsAt = new DateTimeOffset(2999, 1, 1, 16, 5, 0, TimeSpan.Zero);
        await ShowAsync(new UserWorkspaceStatus
        {
            Activity = new() { StopsAt = stopsAt, StopReason = StopReasons.Idle, KeptBy = "Twice." },
        });

        var notice = (await PageAsync(browser, "/dashboard")).QuerySelector(".workspace .notice")!;
        Assert.Contains("Stops at 2999-01-01 16:05 UTC unless it is used.", notice.TextContent, StringComparison.Ordinal);
        Assert.Equal("2999-01-01T16:05:00Z", notice.QuerySelector("time")!.GetAttribute("datetime"));
        Assert.DoesNotContain("Twice.", (await PageAsync(browser, "/dashboard")).Body!.TextContent, StringComparison.Ordinal);
        await SubmitAsync(edge, browser, "/dashboard", $"form[action='/dashboard/{name}/keep']");
        Assert.InRange(edge.Kube.Find<UserWorkspace>(name)!.Spec.Lifetime!.KeepUntil!.Value,
            DateTimeOffset.UtcNow.AddMinutes(119), DateTimeOffset.UtcNow.AddMinutes(120));
        await SubmitAsync(edge, browser, "/dashboard", $"form[action='/dashboard/{name}/unkeep']");
        Assert.Null(edge.Kube.Find<UserWorkspace>(name)!.Spec.Lifetime!.KeepUntil);

        await ShowAsync(new UserWorkspaceStatus { Activity = new() { StopsAt = stopsAt, StopReason = StopReasons.MaxRun } });
        var page = await PageAsync(browser, "/dashboard");
        Assert.Contains("as long as it may", page.QuerySelector(".workspace .notice")!.TextContent, StringComparison.Ordinal);
        Assert.Null(page.QuerySelector($"form[action='/dashboard/{name}/keep']"));

        await ShowAsync(new UserWorkspaceStatus
        {
            Queue = new() { Position = 3, Length = 7, Message = "Twenty run at a time." },
            TemplateRevision = new() { PendingRestart = true },
            Failure = new() { Message = "It had not enough memory." },
            Activity = new() { KeptBy = "<b>In use.</b>" },
        });
        var text = (await PageAsync(browser, "/dashboard")).QuerySelector(".workspace")!.TextContent;
        string[] parts =
            ["Number 3 of 7 in the queue. Twenty run at a time.", "A restart brings changes", "not enough memory", "<b>In use.</b>"];
        foreach (var part in parts)
        {
            Assert.Contains(part, text, StringComparison.Ordinal);
        }

        async Task ShowAsync(UserWorkspaceStatus status)
        {
            edge.SetStatus(name, status);
            var written = edge.Kube.Find<UserWorkspace>(name)!;
            await ProductFixture.Until(() => WorkspaceWatch.IsAtLeast(edge.Get<WorkspaceWatch>().Find(name), written));
        }
    }

    [Fact]
    public async Task Form_WithoutOrWithAnothersToken_RefusedAndNothingChanged()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        var other = await edge.SignedInAsync("user2");
        using var otherStart = await other.FollowAsync($"{ProductFixture.Origin}/start");
        var foreign = (await PageAsync(other, "/dashboard")).QuerySelector("input[name=csrf]")!.GetAttribute("value")!;
        var name = edge.NameOf("user1");
        foreach (var token in (string?[])[null, "", "x", foreign])
        {
            using var form = new FormUrlEncodedContent(new Dictionary<string, string?> { ["csrf"] = token }!);
            using var answer = await PostAsync(browser, $"/dashboard/{name}/stop", form);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        Assert.Equal("Running", edge.Kube.Find<UserWorkspace>(name)!.Spec.DesiredState);
    }

    [Fact]
    public async Task CreateForm_NameOfHtml_IsEscapedEverywhere()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        const string Evil = "<script>alert(1)</script>\"'";

        await SubmitAsync(edge, browser, "/dashboard", "form[action='/dashboard']", ("displayName", Evil));

        using var answer = await browser.GetAsync($"{ProductFixture.Origin}/dashboard");
        await AssertStrictAsync(answer);
        var page = await PageAsync(browser, "/dashboard");
        Assert.Contains(Evil, page.QuerySelectorAll("h2").Select(h => h.TextContent));
    }

    [Fact]
    public async Task CreateForm_Parameters_OnlyTheChosenTemplatesCountAndMistakesStandBesideTheirFields()
    {
        await using var edge = await ProductFixture.StartAsync();
        edge.Kube.Put(
            ProductFixture.Template("notebook", new TemplateParameter { Name = "threads", Type = "int", Minimum = 1, Maximum = 32 },
            new TemplateParameter { Name = "locale", Type = "enum", Values = ["en", "de"], Default = "en" }));
        edge.Kube.Put(ProductFixture.Template("other", new TemplateParameter { Name = "threads", Type = "string", Required = true }));
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        await ProductFixture.Until(() => edge.Get<WorkspaceWatch>().Templates().Count == 3);
        var page = await PageAsync(browser, "/dashboard");
        Assert.Equal(["en", "de"], page.QuerySelectorAll("select[name='p.notebook.locale'] option").Skip(1)
            .Select(o => o.GetAttribute("value")));
        Assert.Equal("32", page.QuerySelector("input[name='p.notebook.threads']")!.GetAttribute("max"));
        Assert.Empty(page.QuerySelectorAll("fieldset [required]"));
        var token = page.QuerySelector("input[name=csrf]")!.GetAttribute("value")!;
        Dictionary<string, string> Filled(string threads) => new()
        {
            ["csrf"] = token,
            ["displayName"] = "Numbers",
            ["template"] = "notebook",
            ["p.notebook.threads"] = threads,
            ["p.notebook.locale"] = "",
            ["p.other.threads"] = "x",
        };

        using var bad = new FormUrlEncodedContent(Filled("33"));
        using var refused = await PostAsync(browser, "/dashboard", bad);
        var again = await ProgressPageTests.PageAsync(refused);
        using var good = new FormUrlEncodedContent(Filled("8"));
        using var created = await PostAsync(browser, "/dashboard", good);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        var field = again.QuerySelector("input[name='p.notebook.threads']")!;
        Assert.Equal("33", field.GetAttribute("value"));
        Assert.Contains("from 1 to 32", again.GetElementById(field.GetAttribute("aria-describedby")!)!.TextContent,
            StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.SeeOther, created.StatusCode);
        Assert.Equal([("threads", "8")],
            edge.Kube.Find<UserWorkspace>(edge.NameOf("user1") + "-numbers")!.Spec.Parameters!.Select(p => (p.Key, p.Value)));
    }

    [Fact]
    public async Task CreateForm_Mistake_ComesBackWithTheReason()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        var token = (await PageAsync(browser, "/dashboard")).QuerySelector("input[name=csrf]")!.GetAttribute("value")!;

        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["csrf"] = token, ["displayName"] = "???" });
        using var answer = await PostAsync(browser, "/dashboard", form);
        var page = await ProgressPageTests.PageAsync(answer);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.NotNull(page.QuerySelector("[role=alert]"));
        Assert.Equal("???", page.QuerySelector("input[name=displayName]")!.GetAttribute("value"));
    }

    [Fact]
    public async Task Details_HostileEventAndUnknownWorkspace()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        edge.Kube.Put(new Kube.Client.Models.CoreEvent
        {
            Metadata = new() { Name = "e" },
            InvolvedObject = new() { Kind = "UserWorkspace", Name = edge.NameOf("user1") },
            Reason = "X",
            Message = "<img src=x onerror=1>",
        });

        using var answer = await browser.GetAsync($"{ProductFixture.Origin}/dashboard/{edge.NameOf("user1")}");
        using var none = await browser.GetAsync($"{ProductFixture.Origin}/dashboard/ws-nope");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound), (answer.StatusCode, none.StatusCode));
        Assert.Empty((await ProgressPageTests.PageAsync(answer)).QuerySelectorAll("img[src=x]"));
    }

    [Fact]
    public async Task Unknown_NavigationAndScript_404WithRequestIdInTheirForm()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = edge.NewBrowser();

        using var page = await browser.GetAsync($"{ProductFixture.Origin}/nope");
        using var json = await browser.GetAsync($"{ProductFixture.Origin}/nope", ("Accept", "application/json"));
        using var host = await browser.GetAsync("http://elsewhere.test.localhost:8080/");

        Assert.Equal(HttpStatusCode.NotFound, page.StatusCode);
        await AssertStrictAsync(page);
        Assert.Matches("Request [^<]+", await page.Content.ReadAsStringAsync());
        Assert.Equal("application/problem+json", json.Content.Headers.ContentType!.MediaType);
        Assert.Equal((HttpStatusCode)421, host.StatusCode);
    }

    [Fact]
    public async Task Accounts_Unavailable_SignInShowsMaintenanceAndSignedInPeopleGoOn()
    {
        var accounts = new BrokenAccounts();
        await using var edge = await ProductFixture.StartAsync(services: s =>
            Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions
            .AddSingleton<Accounts.IAccountStore>(s, accounts));
        var browser = await edge.SignedInAsync("user1");
        accounts.IsDown = true;

        edge.Provider.Subject = "user2";
        using var refused = await edge.NewBrowser().FollowAsync($"{ProductFixture.Origin}/login");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);

        using var goesOn = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        Assert.Equal(HttpStatusCode.OK, goesOn.StatusCode);
    }

    [Fact]
    public async Task RevokedEverywhere_NextRequest_IsAStranger()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        var accounts = edge.Get<Accounts.IAccountStore>();
        Assert.Single(await accounts.ListSessionsAsync(new(edge.Provider.Issuer, "user1"), default));

        await accounts.RevokeAllSessionsAsync(new(edge.Provider.Issuer, "user1"), default);

        using var answer = await browser.GetAsync($"{ProductFixture.Origin}/dashboard");
        Assert.StartsWith("/login", answer.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }

    internal static async Task AssertStrictAsync(HttpResponseMessage answer)
    {
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        var html = await answer.Content.ReadAsStringAsync();
        Assert.DoesNotMatch(new Regex("<script(?![^>]* src=)", RegexOptions.IgnoreCase), html);
        Assert.DoesNotMatch(new Regex("<[^>]* (style|on[a-z]+)=", RegexOptions.IgnoreCase), html);
        Assert.DoesNotContain("<style", html, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<AngleSharp.Html.Dom.IHtmlDocument> PageAsync(Browser browser, string path)
    {
        using var answer = await browser.GetAsync(ProductFixture.Origin + path);
        return await ProgressPageTests.PageAsync(answer);
    }

    private static Task<HttpResponseMessage> PostAsync(Browser browser, string path, HttpContent form) =>
        browser.SendAsync(ProductFixture.Origin + path, HttpMethod.Post, form, ("Origin", ProductFixture.Origin),
            ("Sec-Fetch-Site", "same-origin"));

    private static async Task SubmitAsync(ProductFixture edge, Browser browser, string path, string selector,
        params (string Name, string Value)[] typed)
    {
        var form = (await PageAsync(browser, path)).QuerySelector(selector);
        Assert.NotNull(form);
        var fields = form.QuerySelectorAll("input[type=hidden]").ToDictionary(i => i.GetAttribute("name")!, i => i.GetAttribute("value")!);
        foreach (var (name, value) in typed)
        {
            fields[name] = value;
        }

        using var answer = await PostAsync(browser, form.GetAttribute("action")!, new FormUrlEncodedContent(fields));
        Assert.Equal((HttpStatusCode.SeeOther, "/dashboard"), (answer.StatusCode, answer.Headers.Location!.OriginalString));
        _ = edge;
    }
}
