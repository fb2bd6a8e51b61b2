using System.Net;
using Microsoft.AspNetCore.Http;

namespace Berth.Edge.Tests.PathPrefix;

public class FolderHeadersTests
{
    private const string Origin = "https://workspaces.test";
    private static readonly FolderReferences References = new(Origin, "/w/a", "/docs/page");

    private static CanonicalRequest Request(string path = "/docs/page") => new()
    {
        Scheme = "https",
        Host = "a.workspaces.test",
        HostKind = HostKind.Workspace,
        Prefix = "/w/a",
        Path = path,
        Query = "",
        ClientAddress = IPAddress.Loopback,
        IsUpgrade = false,
        IsNavigation = true,
    };

    [Theory]
    [InlineData("5", "5")]
    [InlineData("0;url=/x", "0;url=/w/a/x")]
    [InlineData("0; URL = '/x' ", "0;url=/w/a/x")]
    [InlineData("1, \"/x\"", "1;url=/w/a/x")]
    [InlineData("1;/x;y=1", "1;url=/w/a/x;y=1")]
    [InlineData("1;url=https://elsewhere.test/;x", "1;url=https://elsewhere.test/;x")]
    [InlineData("1;", "1;")]
    public void Refresh_Forms_LeadIntoTheFolder(string value, string expected) =>
        Assert.Equal(expected, FolderHeaders.Refresh(value, References));

    [Theory]
    [InlineData("</s.css>; rel=preload; as=style", "</w/a/s.css>; rel=preload; as=style")]
    [InlineData("</a>; rel=next, <https://elsewhere.test/>; rel=me, <b>; rel=x",
        "</w/a/a>; rel=next, <https://elsewhere.test/>; rel=me, <b>; rel=x")]
    [InlineData("</a>; title=\"</b> \\\" </c>\"; rel=x", "</w/a/a>; title=\"</b> \\\" </c>\"; rel=x")]
    [InlineData("</a", "</a")]
    public void Link_Targets_LeadIntoTheFolder(string value, string expected) =>
        Assert.Equal(expected, FolderHeaders.Link(value, References));

    [Theory]
    [InlineData("/", "/w/a/")]
    [InlineData("/app/", "/w/a/app/")]
    [InlineData("/w/a/app/", "/w/a/app/")]
    [InlineData("/w/", "/w/a/w/")]
    [InlineData("/../", "/w/a/")]
    [InlineData("https://workspaces.test/", "/w/a/")]
    [InlineData("https://elsewhere.test/", "/w/a/")]
    public void Scope_OfServiceWorkers_EndsAtTheFolder(string value, string expected) =>
        Assert.Equal(expected, FolderHeaders.Scope(value, References, "/w/a"));

    [Theory]
    [InlineData("sid=1; Path=/", "sid=1; Path=/w/a/")]
    [InlineData("sid=1; HttpOnly; path = /app ; Secure", "sid=1; HttpOnly; Secure; Path=/w/a/app")]
    [InlineData("sid=1", "sid=1; Path=/w/a/docs")]
    [InlineData("sid=1; Path=", "sid=1; Path=/w/a/docs")]
    [InlineData("sid=1; Path=app", "sid=1; Path=/w/a/docs")]
    [InlineData("sid=1; Path=/x; Path=/y", "sid=1; Path=/w/a/y")]
    [InlineData("sid=1; Path=/w/b/", "sid=1; Path=/w/a/w/b/")]
    [InlineData("sid=1; Path=/w/a/", "sid=1; Path=/w/a/")]
    [InlineData("sid=1; Path=/w/a", "sid=1; Path=/w/a/")]
    [InlineData("sid=1; Path=/w/a/../b/", "sid=1; Path=/w/a/w/b/")]
    [InlineData("sid=\"a b\"; Max-Age=0; Path=/", "sid=\"a b\"; Max-Age=0; Path=/w/a/")]
    [InlineData("__Host-sid=1; Secure; Path=/", "__Secure-berth-app-sid=1; Secure; Path=/w/a/")]
    [InlineData("__host-sid=1; Secure; Path=/", "__Secure-berth-app-sid=1; Secure; Path=/w/a/")]
    public void FromApplication_Cookie_IsSentToTheFolderOnly(string value, string expected) =>
        Assert.Equal(expected, FolderCookies.FromApplication(value, References, Request()));

    [Fact]
    public void FromApplication_NoPathAtTheRoot_IsTheFolder() =>
        Assert.Equal("sid=1; Path=/w/a/", FolderCookies.FromApplication(
            "sid=1", new FolderReferences(Origin, "/w/a", "/page"), Request("/page")));

    [Theory]
    [InlineData("a=1; b=2", "a=1; b=2")]
    [InlineData("a=1; __Secure-berth-app-sid=2", "a=1; __Host-sid=2")]
    [InlineData("__Host-sid=planted; a=1", "a=1")]
    [InlineData("__HOST-sid=planted; __Secure-berth-app-sid=2", "__Host-sid=2")]
    [InlineData("__Host-sid=planted", null)]
    public void ToApplication_HostCookies_AreThoseItSetItself(string cookies, string? expected) =>
        Assert.Equal(expected, FolderCookies.ToApplication(cookies));

    [Fact]
    public void Confine_HeadersOfTheWholeOrigin_AreTakenAway()
    {
        var headers = new HeaderDictionary
        {
            ["Strict-Transport-Security"] = "max-age=0",
            ["NEL"] = "{}",
            ["Report-To"] = "{}",
            ["Content-Location"] = "/x",
            ["SourceMap"] = "/x.map",
            ["Content-Security-Policy"] = "default-src 'self'",
        };

        FolderHeaders.Confine(headers, Request(), Origin);

        Assert.Equal(["Content-Location", "Content-Security-Policy", "SourceMap"], headers.Keys.Order());
        Assert.Equal(("/w/a/x", "/w/a/x.map"), (headers["Content-Location"].ToString(), headers["SourceMap"].ToString()));
    }
}
