using System.Net;
using AngleSharp.Html.Parser;
using Berth.Resources;

namespace Berth.Edge.Tests.Progress;

public class ProgressPageTests
{
    [Fact]
    public async Task SignIn_FirstTime_WorkspaceMadeThenProgressThenTheWorkspaceItself()
    {
        await using var edge = await ProductFixture.StartAsync();
        await using var upstream = await Upstream.StartAsync();
        var browser = edge.NewBrowser();

        using var progress = await browser.FollowAsync($"{ProductFixture.Origin}/login?login_hint=user1");
        Assert.Equal(edge.HostOf("user1") + "/", progress.RequestMessage!.RequestUri!.AbsoluteUri);
        var page = await PageAsync(progress);
        Assert.Equal("My workspace is starting", page.QuerySelector("h1")!.TextContent);
        Assert.Equal(5, page.QuerySelectorAll(".steps li").Length);
        Assert.NotNull(page.QuerySelector("noscript meta[http-equiv=refresh]"));

        edge.MakeReady(edge.NameOf("user1"), upstream.Port);
        await ProductFixture.Until(() => edge.Get<WorkspaceTable>().TryFindByHost(edge.NameOf("user1") + ".localhost", out var entry)
            && entry.IsReady);
        using var workspace = await browser.GetAsync(edge.HostOf("user1") + "/");
        Assert.Equal(HttpStatusCode.OK, workspace.StatusCode);
        Assert.DoesNotContain("is starting", await workspace.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Navigation_ToAStoppedWorkspace_WakesIt_OthersDoNot()
    {
        await using var edge = await ProductFixture.StartAsync();
        var (browser, name) = await WithStoppedWorkspaceAsync(edge);
        var url = edge.HostOf("user1") + "/deep/link?x=1";

        foreach (var headers in new (string, string)[][]
        {
            [("Accept", "application/json")], [("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")],
                [("Sec-Fetch-Dest", "image"), ("Sec-Fetch-Mode", "no-cors")],
        })
        {
            using var refused = await browser.GetAsync(url, headers);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        }

        using var head = await browser.SendAsync(url, HttpMethod.Head);
        using var prefetch = await browser.GetAsync(url, ("Sec-Purpose", "prefetch"));
        Assert.Equal("Stopped", edge.Kube.Find<UserWorkspace>(name)!.Spec.DesiredState);

        using var answer = await browser.GetAsync(url);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var spec = edge.Kube.Find<UserWorkspace>(name)!.Spec;
        Assert.Equal(("Running", "edge", "Visit"), (spec.DesiredState, spec.LastRequest!.By, spec.LastRequest.Reason));
    }

    [Fact]
    public async Task Navigation_OfAnAdministrator_ShowsButDoesNotWake()
    {
        await using var edge = await ProductFixture.StartAsync();
        var (_, name) = await WithStoppedWorkspaceAsync(edge);
        var admin = await edge.SignedInAsync("admin");

        using var answer = await admin.FollowAsync(edge.HostOf("user1") + "/");

        var page = await PageAsync(answer);
        Assert.Equal("My workspace is stopped", page.QuerySelector("h1")!.TextContent);
        Assert.NotNull(page.QuerySelector("form[action='/.berth/start'] button"));
        Assert.Equal("Stopped", edge.Kube.Find<UserWorkspace>(name)!.Spec.DesiredState);
    }

    [Fact]
    public async Task Stranger_OtherPerson_NothingIsWokenOrShown()
    {
        await using var edge = await ProductFixture.StartAsync();
        var (_, name) = await WithStoppedWorkspaceAsync(edge);
        var other = await edge.SignedInAsync("user2");

        using var refused = await other.FollowAsync(edge.HostOf("user1") + "/");
        using var stranger = await edge.NewBrowser().GetAsync(edge.HostOf("user1") + "/");

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("You are signed in as", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.StartsWith(ProductFixture.Origin + "/auth/workspace", stranger.Headers.Location!.AbsoluteUri, StringComparison.Ordinal);
        Assert.Equal("Stopped", edge.Kube.Find<UserWorkspace>(name)!.Spec.DesiredState);
    }

    [Fact]
    public async Task Events_UntilReady_ShowEachStateAndEndWithReady()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        using var request = new HttpRequestMessage(HttpMethod.Get, edge.HostOf("user1") + "/.berth/progress");
        request.Headers.TryAddWithoutValidation("Cookie", browser.CookieHeader(new Uri(edge.HostOf("user1")).Host));
        using var client = new HttpClient(edge.NewHandler());
        using var stream = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await stream.Content.ReadAsStreamAsync());
        Assert.Equal("event: update", await NextEventAsync(reader));

        edge.SetStatus(edge.NameOf("user1"), new UserWorkspaceStatus
        {
            Phase = WorkspacePhases.Failed,
            ObservedGeneration = 1,
            Failure = new WorkspaceFailure { Message = "No <image>.", Class = FailureClasses.Template },
        });
        Assert.Equal("event: update", await NextEventAsync(reader));
        var shown = await reader.ReadLineAsync();
        var data = "";
        while (shown is { Length: > 0 })
        {
            data += shown;
            shown = await reader.ReadLineAsync();
        }

        Assert.Contains("No &lt;image&gt;.", data, StringComparison.Ordinal);
        Assert.Contains("Try again", data, StringComparison.Ordinal);

        edge.MakeReady(edge.NameOf("user1"), 1);
        string? name;
        do
        {
            name = await NextEventAsync(reader);
        }
        while (name == "event: update");
        Assert.Equal("event: ready", name);
        Assert.Null(await NextEventAsync(reader));
    }

    [Fact]
    public async Task StartButton_OfAFailedWorkspace_RestartsAndGoesBack()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        var name = edge.NameOf("user1");
        edge.SetStatus(name, new UserWorkspaceStatus { Phase = WorkspacePhases.Failed, ObservedGeneration = 1 });
        var origin = edge.HostOf("user1");

        using var foreign = await browser.SendAsync(origin + "/.berth/start", HttpMethod.Post, null, ("Origin", "https://evil.example"));
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["return"] = "//evil.example/" });
        using var answer = await browser.SendAsync(origin + "/.berth/start", HttpMethod.Post, form, ("Origin", origin),
            ("Sec-Fetch-Site", "same-origin"));

        Assert.Equal((HttpStatusCode.SeeOther, "/"), (answer.StatusCode, answer.Headers.Location!.OriginalString));
        Assert.NotNull(edge.Kube.Find<UserWorkspace>(name)!.Metadata.Annotations![Annotations.RestartedAt]);
    }

    [Fact]
    public async Task Wake_ApiServerAway_PageSaysSo()
    {
        await using var edge = await ProductFixture.StartAsync();
        var (browser, _) = await WithStoppedWorkspaceAsync(edge);
        edge.Kube.Fail = (_, _) => new Kube.Client.KubeException("refused", null);

        using var answer = await browser.GetAsync(edge.HostOf("user1") + "/");

        var page = await PageAsync(answer);
        Assert.Contains("cannot be changed right now", page.QuerySelector(".notice")!.TextContent, StringComparison.Ordinal);
        Assert.NotNull(page.QuerySelector("form[action='/.berth/start']"));
    }

    internal static async Task<AngleSharp.Html.Dom.IHtmlDocument> PageAsync(HttpResponseMessage response) =>
        new HtmlParser().ParseDocument(await response.Content.ReadAsStringAsync());

    private static async Task<(Browser Browser, string Name)> WithStoppedWorkspaceAsync(ProductFixture edge)
    {
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        var name = edge.NameOf("user1");
        var known = edge.Kube.Find<UserWorkspace>(name)!;
        edge.Kube.Put(known with
        {
            Spec = known.Spec with { DesiredState = "Stopped" },
            Status = new UserWorkspaceStatus { Phase = WorkspacePhases.Stopped, ObservedGeneration = known.Metadata.Generation },
        });
        await ProductFixture.Until(() => edge.Get<WorkspaceWatch>().Find(name)?.Spec.DesiredState == "Stopped");
        return (browser, name);
    }

    private static async Task<string?> NextEventAsync(StreamReader reader)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        string? line;
        do
        {
            line = await reader.ReadLineAsync(limit.Token);
        }
        while (line is not null && !line.StartsWith("event: ", StringComparison.Ordinal));
        return line;
    }
}
