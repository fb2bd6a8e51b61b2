using System.Net;

namespace Berth.Edge.Tests.Proxy;

/// <summary>Time-outs by template and path.</summary>
public class RouteTests
{
    private static readonly ProxyOptions Options = new()
    {
        Routes =
        [
            new RouteOptions { Template = "notebook", Path = "/api/kernels", ResponseHeaderTimeout = TimeSpan.FromMinutes(20) },
            new RouteOptions { Template = "notebook", ActivityTimeout = TimeSpan.FromHours(1) },
            new RouteOptions { Path = "/build/", StreamActivityTimeout = TimeSpan.FromHours(2) },
        ],
    };

    [Theory]
    [InlineData("notebook", "/api/kernels", 20, 10, 24)]
    [InlineData("notebook", "/api/kernels/1", 20, 10, 24)]
    [InlineData("notebook", "/api/kernelspecs", 1, 60, 24)]
    [InlineData("notebook", "/build/1", 1, 60, 24)]
    [InlineData("studio", "/api/kernels", 1, 10, 24)]
    [InlineData("studio", "/build/1", 1, 10, 2)]
    [InlineData("studio", "/build", 1, 10, 24)]
    [InlineData(null, "/Build/1", 1, 10, 24)]
    public void Find_FirstThatFitsCounts(string? template, string path, int headerMinutes, int activityMinutes, int streamHours)
    {
        var times = new RouteTable(Options).Find(template, path);

        Assert.Equal((TimeSpan.FromMinutes(headerMinutes), TimeSpan.FromMinutes(activityMinutes), TimeSpan.FromHours(streamHours)),
            (times.ResponseHeader, times.Plain, times.Stream));
    }

    [Fact]
    public async Task SlowRoute_MayTakeLonger_OthersMayNot()
    {
        await using var edge = await EdgeFixture.StartAsync(options: o => o with
        {
            Proxy = o.Proxy with { Routes = [new RouteOptions { Path = "/slow", ResponseHeaderTimeout = TimeSpan.FromMinutes(20) }] },
        });
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();
        var pending = browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/slow", ("Accept", "application/json"));
        await ProductFixture.Until(() => !edge.Upstream.Requests.IsEmpty);

        edge.Clock.Advance(TimeSpan.FromMinutes(19));
        Assert.False(pending.IsCompleted);
        edge.Upstream.Gate.SetResult();

        using var answer = await pending;
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public void Parse_BadRoutes_AreNamed()
    {
        var options = EdgeFixture.Options("https://id.example.test") with
        {
            Proxy = new ProxyOptions
            {
                Routes =
                [
                    new RouteOptions { Path = "build", ActivityTimeout = TimeSpan.FromHours(1) },
                    new RouteOptions { Path = "/a" },
                    new RouteOptions { Path = "/b", ResponseHeaderTimeout = TimeSpan.Zero },
                ],
            },
        };

        var problems = Assert.Throws<EdgeConfigurationException>(() => EdgeSettingsParser.Parse(options)).Problems;

        Assert.Equal(
            ["Berth:Edge:Proxy:Routes:0:Path", "Berth:Edge:Proxy:Routes:1", "Berth:Edge:Proxy:Routes:2:ResponseHeaderTimeout"],
            problems.Select(p => p.Split(' ')[0]));
    }
}
