using Microsoft.Extensions.Configuration;

namespace Berth.Edge.Tests.ApiProxy;

public class UpstreamOptionsTests
{
    private const string Section = "Berth:Edge:Connections:github:Upstream:";

    [Fact]
    public void Read_AllFields_AreBound()
    {
        var options = Read(
            ("Berth:Edge:Connections:github:Provider", "main"),
            (Section + "BaseAddress", "https://api.example.com/v3/"),
            (Section + "AllowedMethods:0", "GET"),
            (Section + "AllowedMethods:1", "POST"),
            (Section + "AllowedPaths:0", "/user"),
            (Section + "AllowedPaths:1", "POST /repos/*/issues"),
            (Section + "Cors:AllowedOrigins:0", "https://app.example.com"),
            (Section + "RateLimit:Requests", "7"));
        var problems = new List<string>();

        var settings = Parse(options.Connections["github"].Upstream!, problems)!;

        Assert.Empty(problems);
        Assert.Equal("main", options.Connections["github"].Provider);
        Assert.Equal(("https://api.example.com", "/v3"), (settings.Origin, settings.BasePath));
        Assert.Equal(["GET", "POST"], settings.Methods);
        Assert.Equal(2, settings.Paths.Length);
        Assert.Equal(7, settings.Rate.Requests);
        Assert.Contains("https://app.example.com", settings.Cors.Origins);
        Assert.Equal("Bearer ", settings.TokenPrefix);
    }

    [Fact]
    public void Read_MisspeltKeyOfAConnection_IsNamed()
    {
        var problems = new List<string>();
        BerthEdgeOptions.Read(Configuration([(Section + "BaseAdress", "https://a.example")]), problems);

        Assert.Contains(problems, p => p.StartsWith(Section + "BaseAdress is not an option", StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_EverythingWrong_NamesEachFieldInOneGo()
    {
        var problems = new List<string>();

        Parse(
            new UpstreamOptions
            {
                BaseAddress = "http://api.example.com",
                AllowedMethods = ["get", "TRACE"],
                AllowedPaths = ["repos", "/a/../b", "/a*/b", "PUT /a"],
                TokenHeader = "Cookie",
                TokenScheme = "two words",
                Cors = new() { AllowedOrigins = ["*", "https://a.example/"], AllowedHeaders = ["Cookie"] },
                RateLimit = new() { Requests = 0, Window = TimeSpan.Zero, Concurrent = 0 },
                ConnectTimeout = TimeSpan.Zero,
                MaximumBody = -1,
                ReplayableBody = 2_000_000,
            },
            problems);

        string[] fields =
        [
            "BaseAddress", "AllowedMethods", "AllowedPaths", "TokenHeader", "TokenScheme", "Cors:AllowedOrigins", "Cors:AllowedHeaders",
            "RateLimit:Requests", "RateLimit:Window", "RateLimit:Concurrent", "ConnectTimeout", "MaximumBody", "ReplayableBody",
        ];
        Assert.All(fields, f => Assert.Contains(problems, p => p.StartsWith($"{Section}{f} ", StringComparison.Ordinal)));
        Assert.Equal(4, problems.Count(p => p.Contains("AllowedPaths", StringComparison.Ordinal)));
        Assert.Equal(2, problems.Count(p => p.Contains("Cors:AllowedOrigins", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("https://user@api.example.com")]
    [InlineData("https://api.example.com/a?b=c")]
    [InlineData("https://api.example.com/a#b")]
    [InlineData("https://api.example.com/a/../b")]
    [InlineData("https://api.example.com//a")]
    [InlineData("https://api.example.com/%61")]
    [InlineData("https://api.example.com/a%2fb")]
    [InlineData("ftp://api.example.com")]
    [InlineData("file:///etc/passwd")]
    [InlineData("/relative")]
    [InlineData("http://10.0.0.1")]
    [InlineData("")]
    public void Parse_BaseAddressThatCouldBeReadInTwoWays_IsRefused(string address)
    {
        var problems = new List<string>();

        Parse(new UpstreamOptions { BaseAddress = address, AllowedPaths = ["/**"] }, problems);

        Assert.StartsWith(Section + "BaseAddress ", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://localhost:9000", false)]
    [InlineData("http://127.0.0.1:9000/x", false)]
    [InlineData("http://[::1]:9000", false)]
    [InlineData("http://api.internal", true)]
    public void Parse_PlainHttp_OnlyOnLoopbackOrWhenAllowed(string address, bool allow)
    {
        var problems = new List<string>();

        var settings = Parse(new UpstreamOptions { BaseAddress = address, AllowedPaths = ["/**"], AllowInsecure = allow }, problems);

        Assert.Empty(problems);
        Assert.Equal(!allow, settings!.IsLoopback);
    }

    [Theory]
    [InlineData("/user", "/user", true)]
    [InlineData("/user", "/user/", false)]
    [InlineData("/user", "/users", false)]
    [InlineData("/user", "/USER", false)]
    [InlineData("/repos/*/issues", "/repos/a/issues", true)]
    [InlineData("/repos/*/issues", "/repos//issues", false)]
    [InlineData("/repos/*/issues", "/repos/a/b/issues", false)]
    [InlineData("/repos/**", "/repos", true)]
    [InlineData("/repos/**", "/repos/a/b/", true)]
    [InlineData("/repos/**", "/reposit", false)]
    [InlineData("/**", "/", true)]
    [InlineData("/**", "/a", true)]
    [InlineData("/", "/", true)]
    [InlineData("/", "/a", false)]
    [InlineData("/a%20b", "/a%20b", true)]
    public void Matches_Path_SegmentBySegment(string pattern, string path, bool expected)
    {
        var parsed = PathPattern.Parse(pattern, out var problem);

        Assert.Equal("", problem);
        Assert.Equal(expected, parsed!.Matches(path));
    }

    [Theory]
    [InlineData("/a/%C0%AE%C0%AE/b", false)]
    [InlineData("/a//b", false)]
    [InlineData("/a/%C3%A9", true)]
    [InlineData("/a/", true)]
    public void IsUnambiguous_Path_RefusesWhatServersReadDifferently(string path, bool expected) =>
        Assert.Equal(expected, UpstreamPaths.IsUnambiguous(path));

    internal static UpstreamSettings? Parse(UpstreamOptions options, List<string> problems) =>
        new UpstreamSettingsParser(problems).Parse(new Dictionary<string, UpstreamOptions?> { ["github"] = options }).Find("github");

    private static BerthEdgeOptions Read(params (string Key, string Value)[] values) => BerthEdgeOptions.Read(Configuration(values));

    private static IConfiguration Configuration(IEnumerable<(string Key, string Value)> values) => new ConfigurationBuilder()
        .AddInMemoryCollection(values.Select(v => KeyValuePair.Create<string, string?>(v.Key, v.Value))).Build();
}
