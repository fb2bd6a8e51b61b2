namespace Berth.Edge.Tests.PathPrefix;

public class FolderReferencesTests
{
    private const string Origin = "https://workspaces.test:8443";
    private static readonly FolderReferences References = new(Origin, "/w/ws-one", "/docs/page");

    [Theory]
    [InlineData("/", "/w/ws-one/")]
    [InlineData("/lab?x=1#top", "/w/ws-one/lab?x=1#top")]
    [InlineData("/w/ws-one/lab", "/w/ws-one/lab")]
    [InlineData("/w/ws-one", "/w/ws-one")]
    [InlineData("/w/ws-onemore/", "/w/ws-one/w/ws-onemore/")]
    [InlineData("/w/ws-two/", "/w/ws-one/w/ws-two/")]
    [InlineData("//a//b", "//a//b")]
    [InlineData("/a//b", "/w/ws-one/a//b")]
    [InlineData("https://workspaces.test:8443/x?y", Origin + "/w/ws-one/x?y")]
    [InlineData("https://WORKSPACES.test:8443", Origin + "/w/ws-one/")]
    [InlineData("http://workspaces.test:8443/x", Origin + "/w/ws-one/x")]
    [InlineData("//workspaces.test:8443/x", Origin + "/w/ws-one/x")]
    [InlineData("https://workspaces.test:8443/w/ws-one/x", Origin + "/w/ws-one/x")]
    public void Rewrite_OwnPath_GetsTheFolderOnce(string reference, string expected)
    {
        Assert.Equal(expected, References.Rewrite(reference));
        Assert.Equal(expected, References.Rewrite(expected));
    }

    [Theory]
    [InlineData("https://elsewhere.test/x")]
    [InlineData("https://workspaces.test/x")]
    [InlineData("https://workspaces.test:8443@elsewhere.test/x")]
    [InlineData("https://workspaces.test:8443.elsewhere.test/x")]
    [InlineData("//elsewhere.test/x")]
    [InlineData("mailto:somebody@example.test")]
    [InlineData("vscode://file/x")]
    [InlineData("javascript:alert(1)")]
    public void Rewrite_Elsewhere_IsNotTouched(string reference) => Assert.Equal(reference, References.Rewrite(reference));

    [Theory]
    [InlineData("next")]
    [InlineData("a/b?x=/c/../d")]
    [InlineData("?page=2")]
    [InlineData("#top")]
    [InlineData("")]
    [InlineData("...")]
    public void Rewrite_RelativeWithoutDots_StaysWhereItIs(string reference) => Assert.Equal(reference, References.Rewrite(reference));

    [Theory]
    [InlineData("../x", "/w/ws-one/x")]
    [InlineData("./x", "/w/ws-one/docs/x")]
    [InlineData("../../../x", "/w/ws-one/x")]
    [InlineData("..", "/w/ws-one/")]
    [InlineData("%2e%2E/%2e./x", "/w/ws-one/x")]
    [InlineData("..\\..\\x", "/w/ws-one/x")]
    [InlineData("/../ws-two/", "/w/ws-one/ws-two/")]
    [InlineData("/w/ws-one/../ws-two/", "/w/ws-one/w/ws-two/")]
    [InlineData("/w/ws-one/%2E%2e/ws-two/?q", "/w/ws-one/w/ws-two/?q")]
    [InlineData("/w/ws-one\\..\\ws-two/", "/w/ws-one/w/ws-two/")]
    [InlineData("https://workspaces.test:8443/w/ws-one/../ws-two", Origin + "/w/ws-one/w/ws-two")]
    [InlineData("https:/x", "/w/ws-one/x")]
    [InlineData("https:../../x", "/w/ws-one/x")]
    [InlineData("/.\t./x", "/w/ws-one/x")]
    [InlineData(" /x ", "/w/ws-one/x")]
    public void Rewrite_ThatWouldLeadOut_StaysInTheFolder(string reference, string expected) =>
        Assert.Equal(expected, References.Rewrite(reference));

    [Theory]
    [InlineData("\\\\elsewhere.test/x")]
    [InlineData("/\\elsewhere.test/x")]
    [InlineData("///elsewhere.test/x")]
    [InlineData("/\t/elsewhere.test/x")]
    public void Rewrite_WhatBrowsersTakeForAnotherHost_IsThatHost(string reference) =>
        Assert.Equal(reference, References.Rewrite(reference));
}
