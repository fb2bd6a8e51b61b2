using System.Net;

namespace Berth.Edge.Tests.PathPrefix;

public class WorkspaceFolderTests
{
    [Theory]
    [InlineData("/w/ws-one/", "ws-one", "/")]
    [InlineData("/w/ws-one/a/b", "ws-one", "/a/b")]
    [InlineData("/w/ws-one//b", "ws-one", "//b")]
    [InlineData("/w/ws-one/w/ws-two/", "ws-one", "/w/ws-two/")]
    [InlineData("/w/ws-one", "ws-one", "")]
    public void TrySplit_Folder_IsNameAndRest(string path, string name, string rest)
    {
        Assert.True(WorkspaceFolder.TrySplit(path, out var found, out var within));
        Assert.Equal((name, rest), (found, within));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/w")]
    [InlineData("/w/")]
    [InlineData("/w//ws-one/")]
    [InlineData("//w/ws-one/")]
    [InlineData("/W/ws-one/")]
    [InlineData("/w/WS-ONE/")]
    [InlineData("/w/ws_one/")]
    [InlineData("/w/-one/")]
    [InlineData("/w/ws.one/")]
    [InlineData("/w/ws%3Bone/")]
    [InlineData("/w/ws-one;x/")]
    [InlineData("/ws-one/")]
    [InlineData("/workspace/ws-one/")]
    public void TrySplit_AnythingElse_IsNoFolder(string path) => Assert.False(WorkspaceFolder.TrySplit(path, out _, out _));

    /// <summary>
    /// What is decided by and what is forwarded are one path, cut in two (GHSA-6jwx-7vp4-9847 and GHSA-pvrc-wvj2-f59p were two readings).
    /// </summary>
    [Fact]
    public void Enter_WhateverTheTarget_NameAndRestAreTheCanonicalPath()
    {
        var random = new Random(20261121);
        string[] parts = ["/", "w", "W", "%77", "ws-one", "ws-two", "ws%2done", "%2f", "%5c", "..", ".", "%2e%2e", "%252e", ";", "..;x",
            "//", "\\", "%00", "a", "%20", "?", "#", "%", "\t", "\u00e4"];
        var entered = 0;
        for (var i = 0; i < 40_000; i++)
        {
            // Most begin like a folder: chance alone would seldom get that far.
            var raw = (random.Next(3) > 0 ? "/w/ws-one/" : "/")
                + string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => parts[random.Next(parts.Length)]));
            if (CanonicalPath.Make(raw, PathStrictness.Workspace) is not { } path)
            {
                continue;
            }

            var (request, refusal) = WorkspaceFolder.Enter(Request(path), raw);
            if (request is null)
            {
                Assert.NotNull(refusal);
                continue;
            }

            Assert.Equal(path, request.Prefix + request.Path);
            if (request.HostKind != HostKind.Workspace)
            {
                continue;
            }

            entered++;
            var name = request.Host[..request.Host.IndexOf('.')];
            Assert.Equal($"/w/{name}", request.Prefix);
            Assert.StartsWith(request.Prefix + "/", raw, StringComparison.Ordinal);

            // Read once more, it is the same: nothing in the rest makes it another workspace's.
            Assert.Equal(path, CanonicalPath.Make(path, PathStrictness.Workspace));
            Assert.Equal(name, new Uri("http://h" + path).AbsolutePath.Split('/')[2]);
            Assert.StartsWith("/", request.Path, StringComparison.Ordinal);
        }

        Assert.True(entered > 5_000, $"only {entered}");
    }

    [Theory]
    [InlineData("/w/%77s-one/")]
    [InlineData("/%77/ws-one/")]
    [InlineData("/w/ws%2Done/x")]
    public void Enter_EncodedFolder_IsRefused(string raw)
    {
        var (request, refusal) = WorkspaceFolder.Enter(Request(CanonicalPath.Make(raw, PathStrictness.Workspace)!), raw);

        Assert.Null(request);
        Assert.Contains("encoded", refusal, StringComparison.Ordinal);
    }

    private static CanonicalRequest Request(string path) => new()
    {
        Scheme = "https",
        Host = "workspaces.test",
        HostKind = HostKind.SharedWorkspaces,
        Path = path,
        Query = "",
        ClientAddress = IPAddress.Loopback,
        IsUpgrade = false,
        IsNavigation = true,
    };
}
