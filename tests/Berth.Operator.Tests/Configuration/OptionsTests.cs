using Berth.Resources;
using Microsoft.Extensions.Configuration;

namespace Berth.Operator.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void Check_RequiredOnly_GivesSettings()
    {
        var settings = Check(("PublicOrigin", "https://berth.example.com"), ("WorkspaceDomain", "work.example.dev"));
        Assert.Equal("https://a.work.example.dev", settings.Urls.Origin("a"));
        Assert.Equal("https://berth.example.com", settings.IdentityIssuer);
        Assert.Equal("http://berth-edge.own.svc:80/.well-known/workspace-identity/jwks.json", settings.IdentityJwks);
        Assert.Equal("http://berth-edge.own.svc:80/proxy", settings.ProxyUrl);
        Assert.Equal("http://berth-edge.own.svc:80/auth/forward", settings.ForwardAuthAddress);
        Assert.Equal(RoutingMode.ForwardAuth, settings.Routing);
        Assert.NotNull(settings.Tls);
    }

    [Fact]
    public void Check_HttpOrigin_HasNoTlsAndKeepsThePort()
    {
        var settings = Check(("PublicOrigin", "http://localhost:8080"), ("WorkspaceDomain", "localhost"), ("Routing", "edge"),
            ("Edge:Namespace", "berth"));
        Assert.Null(settings.Tls);
        Assert.Equal("http://localhost:8080", settings.IdentityIssuer);
        Assert.Equal(new EdgeService("berth", "berth-edge", 80, 8080), settings.Edge);
        Assert.Equal(RoutingMode.Edge, settings.Routing);
    }

    [Fact]
    public void Check_PathPrefix_MakesFoldersOfTheDomain()
    {
        var settings = Check(("PublicOrigin", "https://berth.example.com"), ("WorkspaceDomain", "work.example.dev"), ("PathPrefix", "true"),
            ("Routing", "None"));
        Assert.Equal("https://work.example.dev/w/a", settings.Urls.Url("a"));
    }

    [Theory]
    [InlineData("ForwardAuth")]
    [InlineData("Edge")]
    public void Check_PathPrefixWithRoutesByHost_IsRefused(string routing)
    {
        var error = Assert.Throws<OperatorConfigurationException>(() => Check(
            ("PublicOrigin", "https://berth.example.com"), ("WorkspaceDomain", "work.example.dev"), ("PathPrefix", "true"),
            ("Routing", routing)));
        Assert.Contains($"Routing is {routing}, and PathPrefix is on", error.Message, StringComparison.Ordinal);
        Assert.Contains("Set Routing to None", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_ManyMistakes_AreAllInOneMessage()
    {
        var error = Assert.Throws<OperatorConfigurationException>(() => Check(
            ("PublicOrigin", "berth.example.com"),
            ("WorkspaceDomain", "Work_Domain"),
            ("Routing", "2"),
            ("Namespace", "Not A Name"),
            ("ImagePullPolicy", "Sometimes"),
            ("Workers", "many"),
            ("Edge:Port", "70000"),
            ("Edge:JwksUrl", "ftp://x"),
            ("Edge:ProxyUrl", "ftp://x"),
            ("Edge:PodLabels", ""),
            ("Network:AllowedSources", "10.0.0.0/8, here"),
            ("LeaderElection:Enabled", "maybe"),
            ("Management:Address", "localhost"),
            ("Typo", "x"),
            ("Edge:Typo", "x")));
        foreach (var name in (string[])["PublicOrigin", "WorkspaceDomain", "Routing", "Namespace", "ImagePullPolicy", "Workers",
            "Edge:Port", "Edge:JwksUrl", "Edge:ProxyUrl", "Edge:PodLabels",
            "Network:AllowedSources", "LeaderElection:Enabled", "Management:Address", "Typo is not", "Edge:Typo is not"])
        {
            Assert.Contains(error.Problems, p => p.StartsWith(name, StringComparison.Ordinal));
        }

        Assert.Equal(15, error.Problems.Count);
        Assert.All(error.Problems, p => Assert.Contains(p, error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("https://berth.example.com/")]
    [InlineData("https://berth.example.com/path")]
    [InlineData("https://user@berth.example.com")]
    [InlineData("ftp://berth.example.com")]
    [InlineData("")]
    public void Check_PublicOriginThatIsNone_IsRefused(string origin) =>
        Assert.Contains("PublicOrigin", Assert.Throws<OperatorConfigurationException>(() =>
            Check(("PublicOrigin", origin), ("WorkspaceDomain", "localhost"))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("a`) || Host(`b")]
    [InlineData("*.example.dev")]
    [InlineData(".example.dev")]
    [InlineData("example.dev:8080")]
    public void Check_WorkspaceDomainThatCouldEndARule_IsRefused(string domain) =>
        Assert.Throws<OperatorConfigurationException>(() =>
            Check(("PublicOrigin", "https://berth.example.com"), ("WorkspaceDomain", domain)));

    [Theory]
    [InlineData("Routing", "2", "Routing is '2'; use ForwardAuth, Edge or None.")]
    [InlineData("Routing", "Edge,None", "Routing is 'Edge,None'; use ForwardAuth, Edge or None.")]
    [InlineData("Backup:Mode", "1", "Backup:Mode is '1'; use Auto, Snapshot, Archive or Off.")]
    [InlineData("Backup:Mode", "tape", "Backup:Mode is 'tape'; use Auto, Snapshot, Archive or Off.")]
    public void Check_ChoiceThatIsNone_IsRefusedWithTheOnesThereAre(string key, string value, string problem) =>
        Assert.Equal([problem], Assert.Throws<OperatorConfigurationException>(() =>
            Check(("PublicOrigin", "https://berth.example.com"), ("WorkspaceDomain", "localhost"), (key, value))).Problems);

    [Fact]
    public void Check_BackupMode_IsTakenInAnyCase_AndAnEmptyOneIsTheDefault()
    {
        Assert.Equal(BackupMode.Snapshot, Mode("snapshot"));
        Assert.Equal(BackupMode.Off, Mode(" OFF "));
        Assert.Equal(new BackupOptions().Mode, Mode(""));

        static BackupMode Mode(string mode) =>
            Check(("PublicOrigin", "https://berth.example.com"), ("WorkspaceDomain", "localhost"), ("Backup:Mode", mode)).Backup.Mode;
    }

    private static BlueprintSettings Check(params (string Key, string Value)[] values)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(values.Select(v => KeyValuePair.Create($"BERTH:OPERATOR:{v.Key}", (string?)v.Value)))
            .Build();
        var (options, problems) = OptionsReader.Read(configuration);
        return OptionsChecker.Check(options, "own", problems);
    }
}
