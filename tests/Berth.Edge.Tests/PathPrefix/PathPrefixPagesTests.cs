using System.Net;
using Berth.Resources;

namespace Berth.Edge.Tests.PathPrefix;

/// <summary>Pages of the whole product where workspaces are folders: every address that people are shown is one that works.</summary>
public class PathPrefixPagesTests
{
    private const string Shared = "http://workspaces.localhost:8080";

    [Fact]
    public async Task SignIn_FirstTime_ProgressInTheFolderThenTheWorkspace()
    {
        await using var edge = await StartAsync();
        await using var upstream = await Upstream.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        var folder = "/w/" + edge.NameOf("user1");
        using var start = await browser.GetAsync($"{ProductFixture.Origin}/start");
        Assert.Equal(Shared + folder + "/", start.Headers.Location!.AbsoluteUri);
        await ProductFixture.Until(() => edge.Get<WorkspaceTable>()
            .TryFindByHost(edge.NameOf("user1") + ".workspaces.localhost", out _));

        using var progress = await browser.FollowAsync(start.Headers.Location.AbsoluteUri);
        Assert.Equal(Shared + folder + "/", progress.RequestMessage!.RequestUri!.AbsoluteUri);
        var page = await Progress.ProgressPageTests.PageAsync(progress);
        Assert.Equal("My workspace is starting", page.QuerySelector("h1")!.TextContent);
        Assert.NotNull(page.QuerySelector($"[data-live='{folder}/.berth/progress']"));

        edge.MakeReady(edge.NameOf("user1"), upstream.Port);
        await ProductFixture.Until(() => edge.Get<WorkspaceTable>()
            .TryFindByHost(edge.NameOf("user1") + ".workspaces.localhost", out var entry)
            && entry.IsReady);
        using var workspace = await browser.GetAsync(Shared + folder + "/deep?x=1");
        Assert.Equal("from the workspace", await workspace.Content.ReadAsStringAsync());
        Assert.Equal("/deep?x=1", upstream.Requests.Last().Target);

        using var live = await browser.GetAsync(Shared + folder + "/.berth/progress", ("Accept", "text/event-stream"));
        Assert.Contains("event: ready\n", await live.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopped_StartButton_PostsToTheFolderAndComesBackToThePage()
    {
        await using var edge = await StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        var name = edge.NameOf("user1");
        var known = edge.Kube.Find<UserWorkspace>(name)!;
        edge.Kube.Put(known with { Spec = known.Spec with { DesiredState = "Stopped" } });
        await ProductFixture.Until(() => edge.Get<WorkspaceWatch>().Find(name)?.Spec.DesiredState == "Stopped");
        var folder = $"/w/{name}";

        using var started = await browser.SendAsync(Shared + folder + "/.berth/start", HttpMethod.Post,
            new FormUrlEncodedContent([new("return", "/deep?x=1")]), ("Origin", Shared));

        Assert.Equal(HttpStatusCode.SeeOther, started.StatusCode);
        Assert.Equal(folder + "/deep?x=1", started.Headers.Location!.OriginalString);
        Assert.Equal("Running", edge.Kube.Find<UserWorkspace>(name)!.Spec.DesiredState);
    }

    [Fact]
    public async Task Addresses_OnTheDashboardAndInTheApi_AreTheFolder()
    {
        await using var edge = await StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        var address = $"{Shared}/w/{edge.NameOf("user1")}";

        using var dashboard = await browser.GetAsync($"{ProductFixture.Origin}/dashboard");
        var page = await Progress.ProgressPageTests.PageAsync(dashboard);
        Assert.Equal(address + "/", page.QuerySelector($"#open-{edge.NameOf("user1")}")!.GetAttribute("href"));

        using var api = edge.Api("user1");
        var list = await api.GetStringAsync(new Uri("/api/workspaces", UriKind.Relative));
        Assert.Contains($"\"url\":\"{address}\"", list, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, HttpStatusCode.Forbidden)]
    [InlineData(true, HttpStatusCode.OK)]
    public async Task Open_AsAdministrator_ByTheSwitch(bool allowOthers, HttpStatusCode expected)
    {
        await using var edge = await StartAsync(allowOthers);
        var browser = await edge.SignedInAsync("user1");
        using var start = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        var admin = await edge.SignedInAsync("admin");

        using var answer = await admin.FollowAsync($"{Shared}/w/{edge.NameOf("user1")}/");

        Assert.Equal(expected, answer.StatusCode);
    }

    private static Task<ProductFixture> StartAsync(bool allowOthers = false) => ProductFixture.StartAsync(o => o with
    {
        Edge = o.Edge with
        {
            WorkspaceDomain = "workspaces.localhost",
            PathPrefix = new PathPrefixOptions { Enabled = true, AllowOthers = allowOthers },
        },
    });
}
