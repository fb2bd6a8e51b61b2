namespace Berth.Edge.Tests;

public class ReturnTargetTests
{
    private const string Evil = "evil.example";

    [Theory]
    [InlineData("/", "/")]
    [InlineData("/a/b?c=d%2Fe&f=http://x/", "/a/b?c=d%2Fe&f=http://x/")]
    [InlineData("/%61", "/a")]
    [InlineData("http://localhost:8080/dashboard?x=1", "/dashboard?x=1")]
    [InlineData("http://ws-one.localhost:8080/lab?x=1", "http://ws-one.localhost:8080/lab?x=1")]
    [InlineData("http://ws-one.localhost:8080", "http://ws-one.localhost:8080/")]
    [InlineData("/auth/workspace?host=ws-one.localhost&return=%2Fa%23b", "/auth/workspace?host=ws-one.localhost&return=%2Fa%23b")]
    public void Clean_OwnTarget_IsKept(string target, string expected) => Assert.Equal(expected, Targets().Clean(target));

    [Fact]
    public void Clean_OpenRedirectCorpus_NeverLeavesTheEdge()
    {
        var corpus = Corpus().ToList();
        Assert.True(corpus.Count >= 100, $"{corpus.Count}");
        var escapes = new List<string>();
        foreach (var target in corpus)
        {
            var clean = Targets().Clean(target);

            // What a browser makes of it, starting from the edge's login page.
            var resolved = new Uri(new Uri(EdgeFixture.Origin + "/login"), clean.Replace('\\', '/'));
            if (resolved.GetLeftPart(UriPartial.Authority) is not (EdgeFixture.Origin or EdgeFixture.WorkspaceOrigin)
                || clean.Any(c => c is <= ' ' or >= (char)0x7f or '\\')
                || clean.StartsWith("//", StringComparison.Ordinal))
            {
                escapes.Add($"{target} -> {clean}");
            }
        }

        Assert.Empty(escapes);
    }

    [Theory]
    [InlineData("/.berth/session?ticket=x")]
    [InlineData("//evil.example")]
    [InlineData("http://evil.example")]
    [InlineData("/a/../b")]
    public void CleanWorkspacePath_NotAPathOfTheApplication_IsTheRoot(string target) =>
        Assert.Equal("/", ReturnTargets.CleanWorkspacePath(target));

    [Fact]
    public void CleanWorkspacePath_FileNameWithEscapes_IsKept() =>
        Assert.Equal("/files/a%23b%25.txt?x=%2F", ReturnTargets.CleanWorkspacePath("/files/a%23b%25.txt?x=%2F"));

    private static IEnumerable<string> Corpus()
    {
        string[] starts =
        [
            "//", "///", "////", "/\\", "\\\\", "\\/", "/\\/", "\\", "/\t/", "/\n/", "/\r\n/", "\t//", " //", "/ /", "/%09/", "/%0a/",
                "/%0d%0a/", "/%5c", "/%5C/", "/%2f",
            "/%2F/", "//%2f", "/%2f%2f", "/.//", "/..//", "/./\\", "/%2e//", "/%2e%2e//", "/;//", "/?//../", "http:", "http:/", "http://",
                "HTTP://", "http:\\\\", "http:/\\",
            "https://", "https:", "hTTps://", "ftp://", "javascript://", "data:text/html,//", "//localhost@", "//localhost:8080@",
                "http://localhost:8080@", "http://localhost@",
            "http://user:pw@", "http://localhost:8080\\@", "http://localhost:8080%40", "//0/", "///\t", "//\u0000", "/\u0000/", "//\u2028",
                "/\u3002/", "//\uFF0F", "//%E3%80%82",
            "http:///", "http:////", "://", ":", "x://", "//[::1]@", "//;@", "//%00", "/%00/", "..//", ".//", "./\\", "?//", "#//", "&//",
                "@", "//@", "///@",
        ];
        foreach (var start in starts)
        {
            yield return start + Evil;
            yield return start + Evil + "/%2e%2e";
        }

        string[] suffixes = [".evil.example", "evil.example", "@evil.example", ":80@evil.example", "\\.evil.example", "%2eevil.example",
            "%00.evil.example", "/@evil.example/../", "#@evil.example", "?@evil.example"];
        foreach (var suffix in suffixes)
        {
            yield return EdgeFixture.Origin + suffix;
            yield return EdgeFixture.WorkspaceOrigin + suffix;
            yield return "http://localhost" + suffix;
        }

        yield return "http://ws-unknown.localhost:8080/";
        yield return "http://a.ws-one.localhost:8080/";
        yield return "http://ws-one.localhost/";
        yield return "http://ws-one.localhost:9/";
        yield return "https://ws-one.localhost:8080/";
        yield return "http://WS-ONE.localhost:8080/";
        yield return "http://ws-one.localhost.:8080/";
        yield return "http://ws-one.localhost:8080//evil.example/..";
        yield return "javascript:alert(1)";
        yield return "JaVaScRiPt:alert(1)//localhost:8080";
        yield return "data:text/html,x";
        yield return "/a\r\nLocation: //evil.example";
        yield return "/" + new string('a', 2000);
        yield return "";
    }

    private static ReturnTargets Targets()
    {
        var directory = new TableDirectory();
        directory.Put(EdgeFixture.Entry(EdgeFixture.WorkspaceHost, "https://idp.example.test", "user1", 1));
        return new ReturnTargets(EdgeSettingsParser.Parse(EdgeFixture.Options("https://idp.example.test")), directory);
    }
}
