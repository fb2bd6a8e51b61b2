namespace Berth.Edge.Tests;

public class CanonicalPathTests
{
    [Theory]
    [InlineData("/", "/")]
    [InlineData("/a/b", "/a/b")]
    [InlineData("/%61%2d%2E%5f%7E", "/a-._~")]
    [InlineData("/a%20b%c3%a4", "/a%20b%C3%A4")]
    [InlineData("//a//", "//a//")]
    [InlineData("/a|b^c`{}\"<>", "/a%7Cb%5Ec%60%7B%7D%22%3C%3E")]
    [InlineData("/...", "/...")]
    [InlineData("/.git", "/.git")]
    [InlineData("/a;v=1", "/a;v=1")]
    [InlineData("/a:b@c!$&'()*+,=", "/a:b@c!$&'()*+,=")]
    public void Make_PlainPath_HasOneForm(string path, string expected)
    {
        Assert.Equal(expected, CanonicalPath.Make(path, PathStrictness.Strict));
        Assert.Equal(expected, CanonicalPath.Make(expected, PathStrictness.Strict));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("*")]
    [InlineData("/a%2fb")]
    [InlineData("/a%2Fb")]
    [InlineData("/a%5cb")]
    [InlineData("/a%5Cb")]
    [InlineData("/a%00")]
    [InlineData("/a%0a")]
    [InlineData("/a%0D%0Ab")]
    [InlineData("/a%7f")]
    [InlineData("/a\\b")]
    [InlineData("/a#b")]
    [InlineData("/a b")]
    [InlineData("/a\tb")]
    [InlineData("/a\u0001")]
    [InlineData("/ä")]
    [InlineData("/a?b")]
    [InlineData("/.")]
    [InlineData("/..")]
    [InlineData("/a/./b")]
    [InlineData("/a/../b")]
    [InlineData("/a/%2e%2e/b")]
    [InlineData("/a/%2E./b")]
    [InlineData("/a/.%2e/b")]
    [InlineData("/a/..;x=1/b")]
    [InlineData("/a/%2e%2E;/b")]
    [InlineData("/a%")]
    [InlineData("/a%2")]
    [InlineData("/a%zz")]
    [InlineData("/a%u002f")]
    public void Make_AmbiguousPath_IsRefusedEverywhere(string path)
    {
        Assert.Null(CanonicalPath.Make(path, PathStrictness.Strict));
        Assert.Null(CanonicalPath.Make(path, PathStrictness.Workspace));
    }

    [Theory]
    [InlineData("%3b")]
    [InlineData("%3F")]
    [InlineData("%23")]
    [InlineData("%25")]
    [InlineData("%252f")]
    public void Make_EscapeThatFileNamesNeed_PassesOnWorkspaceHostsOnly(string escape)
    {
        Assert.Null(CanonicalPath.Make("/a" + escape, PathStrictness.Strict));
        Assert.Equal("/a" + escape[..3].ToUpperInvariant() + escape[3..], CanonicalPath.Make("/a" + escape, PathStrictness.Workspace));
    }

    [Theory]
    [InlineData("example.com", "example.com")]
    [InlineData("EXAMPLE.com.", "example.com")]
    [InlineData("localhost", "localhost")]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("[::1]", "[::1]")]
    [InlineData("xn--mnchen-3ya.example", "xn--mnchen-3ya.example")]
    [InlineData("", null)]
    [InlineData(".", null)]
    [InlineData("a..b", null)]
    [InlineData("a.b..", null)]
    [InlineData("-a.b", null)]
    [InlineData("a_b", null)]
    [InlineData("a b", null)]
    [InlineData("münchen.example", null)]
    [InlineData("xn--zzzzzz--.example", null)]
    [InlineData("a@b", null)]
    [InlineData("a/b", null)]
    [InlineData("a%2eb", null)]
    [InlineData("[::1%eth0]", null)]
    public void Host_Canonicalised_HasOneFormOrNone(string host, string? expected) => Assert.Equal(expected, HostNames.Canonicalise(host));

    [Theory]
    [InlineData("ws.example.dev", "example.dev", true)]
    [InlineData("example.dev", "example.dev", false)]
    [InlineData("evilexample.dev", "example.dev", false)]
    [InlineData("a.ws.example.dev", "example.dev", false)]
    [InlineData(".example.dev", "example.dev", false)]
    public void Host_OneLabelBelow_OnADotBoundary(string host, string domain, bool expected) =>
        Assert.Equal(expected, HostNames.IsOneLabelBelow(host, domain, out _));
}
