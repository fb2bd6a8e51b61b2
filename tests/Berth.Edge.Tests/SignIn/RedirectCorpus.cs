namespace Berth.Edge.Tests;

/// <summary>Return targets that lead, or seem to lead, to another site; and what a browser makes of an answer.</summary>
/// <remarks>
/// After the families of GHSA-qqxw-m5fj-f7gv (<c>/\</c>), GHSA-j7px-6hwj-hpjg (encoded white space), GHSA-5m6c-jp6f-2vcv,
/// GHSA-4mf2-f3wh-gvf2 (suffixes), CVE-2022-23527 and CVE-2026-28512 (user information).
/// </remarks>
internal static class RedirectCorpus
{
    private const string Evil = "evil.example";

    /// <summary>All of it.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Make().Distinct(StringComparer.Ordinal)];

    /// <summary>Whether a browser on the edge's origin, or on the workspace's, would be led away by this address, or could be.</summary>
    public static bool LeadsAway(string target, string from = EdgeFixture.Origin)
    {
        // What a browser makes of it: a backslash is a slash, and tabs and line ends are not there.
        var resolved = new Uri(new Uri(from + "/login"), target.Replace('\\', '/').Replace("\t", "", StringComparison.Ordinal));
        return resolved.GetLeftPart(UriPartial.Authority) is not (EdgeFixture.Origin or EdgeFixture.WorkspaceOrigin)
            || resolved.UserInfo.Length > 0
            || target.Any(c => c is <= ' ' or >= (char)0x7f or '\\')
            || target.StartsWith("//", StringComparison.Ordinal);
    }

    private static IEnumerable<string> Make()
    {
        string[] starts =
        [
            "//", "///", "////", "/\\", "\\\\", "\\/", "/\\/", "\\", "/\t/", "/\n/", "/\r\n/", "\t//", " //", "/ /", "/%09/", "/%0a/",
            "/%0d%0a/", "/%5c", "/%5C/", "/%2f", "/%2F/", "//%2f", "/%2f%2f", "/.//", "/..//", "/./\\", "/%2e//", "/%2e%2e//", "/;//",
            "/?//../", "http:", "http:/", "http://", "HTTP://", "http:\\\\", "http:/\\", "https://", "https:", "hTTps://", "ftp://",
            "javascript://", "data:text/html,//", "//localhost@", "//localhost:8080@", "http://localhost:8080@", "http://localhost@",
            "http://user:pw@", "http://localhost:8080\\@", "http://localhost:8080%40", "//0/", "///\t", "//\u0000", "/\u0000/",
            "//\u2028",
            "/\u3002/", "//\uFF0F", "//%E3%80%82", "http:///", "http:////", "://", ":", "x://", "//[::1]@", "//;@", "//%00", "/%00/",
            "..//", ".//", "./\\", "?//", "#//", "&//", "@", "//@", "///@", "/\u00a0/", "/\u200b/", "/\ufeff/", "/\v/", "/\f/", "/%0b/",
            "/%0c/",
            "/%20/", "/%a0/", "/%c2%a0/", "/%u002f", "/%252f", "/%255c", "//\\", "/\\\\", "/..\\", "/.\\/", "/..;//", "/...//", "//%5c",
            "//%09/", "%2f%2f", "%5c%5c", "/%2f%5c", "/%ef%bc%8f", "file://", "blob:http://", "view-source:http://", "ws://", "wss://",
            "mailto:a@",
            "http://localhost:8080.", "http://localhost:8080/\\", "http://localhost:80:8080@", "http://[localhost:8080]@",
            "http://127.1\\@",
        ];
        foreach (var start in starts)
        {
            yield return start + Evil;
            yield return start + Evil + "/%2e%2e";
        }

        string[] suffixes =
        [
            ".evil.example", "evil.example", "@evil.example", ":80@evil.example", "\\.evil.example", "%2eevil.example",
            "%00.evil.example",
            "/@evil.example/../", "#@evil.example", "?@evil.example", "\t.evil.example", "%09.evil.example", "&@evil.example",
            ";@evil.example",
            "\u3002evil.example", "//evil.example", "/\\evil.example",
        ];
        foreach (var suffix in suffixes)
        {
            yield return EdgeFixture.Origin + suffix;
            yield return EdgeFixture.WorkspaceOrigin + suffix;
            yield return "http://localhost" + suffix;
        }

        string[] others =
        [
            "http://ws-unknown.localhost:8080/", "http://a.ws-one.localhost:8080/", "http://ws-one.localhost/",
            "http://ws-one.localhost:9/",
            "https://ws-one.localhost:8080/", "http://WS-ONE.localhost:8080/", "http://ws-one.localhost.:8080/",
            "http://ws-one.localhost:8080//evil.example/..", "javascript:alert(1)", "JaVaScRiPt:alert(1)//localhost:8080",
            "data:text/html,x",
            "/a\r\nLocation: //evil.example", "/a%0d%0aLocation:%20//evil.example", "/" + new string('a', 2000), "",
            "http://ws-one.localhost:8080:8080/", "http://ws-one.localhost:08080/", "http://xn--ws-one.localhost:8080/",
            "\u0001//evil.example",
        ];
        foreach (var other in others)
        {
            yield return other;
        }
    }
}
