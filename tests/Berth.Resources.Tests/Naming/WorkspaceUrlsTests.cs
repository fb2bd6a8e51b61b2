namespace Berth.Resources.Tests;

public sealed class WorkspaceUrlsTests
{
    [Theory]
    [InlineData("http://localhost:8080", "localhost", "http://ws-a.localhost:8080")]
    [InlineData("https://berth.example.com", "work.example.dev", "https://ws-a.work.example.dev")]
    [InlineData("https://berth.example.com:443", "work.example.dev", "https://ws-a.work.example.dev")]
    public void Origin_OfAWorkspace_HasSchemeAndPortOfTheEdge(string edge, string domain, string expected) =>
        Assert.Equal(expected, new WorkspaceUrls(new Uri(edge), domain).Origin("ws-a"));

    [Theory]
    [InlineData("http://localhost:8080", "workspaces.localhost", "http://workspaces.localhost:8080")]
    [InlineData("https://berth.example.com", "work.example.dev", "https://work.example.dev")]
    public void Url_InPathPrefixMode_IsAFolderOfTheDomain(string edge, string domain, string origin)
    {
        var urls = new WorkspaceUrls(new Uri(edge), domain, IsPathPrefix: true);

        Assert.Equal((origin, "/w/ws-a", origin + "/w/ws-a"), (urls.Origin("ws-a"), urls.Prefix("ws-a"), urls.Url("ws-a")));
    }

    [Fact]
    public void Url_WithAHostEach_IsTheOrigin()
    {
        var urls = new WorkspaceUrls(new Uri("http://localhost:8080"), "localhost");

        Assert.Equal(("", "http://ws-a.localhost:8080"), (urls.Prefix("ws-a"), urls.Url("ws-a")));
    }

    [Theory]
    [InlineData("ws-a.localhost", "ws-a")]
    [InlineData("localhost", null)]
    [InlineData(".localhost", null)]
    [InlineData("a.b.localhost", null)]
    [InlineData("ws-a.localhost.evil.com", null)]
    [InlineData("ws-aXlocalhost", null)]
    [InlineData("WS-A.localhost", null)]
    public void TryGetName_Host_IsExactlyOneLabelBelowTheDomain(string host, string? expected)
    {
        var found = new WorkspaceUrls(new Uri("http://localhost:8080"), "localhost").TryGetName(host, out var name);
        Assert.Equal(expected, name);
        Assert.Equal(expected is not null, found);
    }
}
