using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;

namespace Berth.Edge.Tests;

public class EdgeSettingsTests
{
    private static readonly string Key = Convert.ToBase64String(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray());

    [Fact]
    public void Parse_EverythingWrong_NamesEveryKeyInOneMessage()
    {
        var options = new EdgeOptions
        {
            PublicOrigin = "http://berth.example.com/path",
            WorkspaceDomain = "bad_domain",
            Issuers =
            [
                new IssuerOptions { Issuer = "http://idp.example.com", Algorithms = ["HS256"], Scopes = ["a b"],
                    AcceptUntypedAccessTokens = true, AdministratorClaim = "groups" },
                new IssuerOptions { Issuer = "http://idp.example.com", ClientId = "x", ClientSecret = "a", ClientSecretFile = "/missing" },
            ],
            Administrators = [new AdministratorOptions { Issuer = "https://nobody.example.com" }],
            Session = new SessionOptions { Keys = ["short", "AAAA", "AAAA"], IdleTimeout = TimeSpan.FromDays(2) },
            Identity = new WorkspaceIdentityOptions { KeyFiles = ["/missing"] },
            TrustedProxies = ["10.0.0.0/33", "0.0.0.0/0", "::/0"],
            Proxy = new ProxyOptions { ConnectTimeout = TimeSpan.Zero },
            Limits = new EdgeLimitOptions
            {
                Address = new RateOptions { Requests = -1 },
                SignIn = new RateOptions { Requests = 1, Window = TimeSpan.Zero },
                WebSocketsPerPerson = -1,
            },
        };

        var error = Assert.Throws<EdgeConfigurationException>(() => EdgeSettingsParser.Parse(options, Missing));

        foreach (var key in (string[])
            [
                "PublicOrigin", "WorkspaceDomain", "Issuers:0:Issuer", "Issuers:0:ClientId", "Issuers:0:Algorithms", "Issuers:0:Scopes",
                    "Issuers:0:AcceptUntypedAccessTokens",
                "Issuers:0:AdministratorClaim", "Issuers:1:Issuer", "Issuers:1:Key", "Issuers:1:ClientSecretFile",
                    "Administrators:0:Issuer", "Administrators:0:Subject",
                "Session:Keys", "Session:Keys:0", "Session:IdleTimeout", "Identity:KeyFiles:0", "TrustedProxies:0", "TrustedProxies:1",
                    "TrustedProxies:2", "Proxy:ConnectTimeout",
                "Limits:Address:Requests", "Limits:SignIn:Window", "Limits:WebSocketsPerPerson",
            ])
        {
            Assert.Contains(error.Problems, p => p.StartsWith($"Berth:Edge:{key} ", StringComparison.Ordinal));
            Assert.Contains($"Berth:Edge:{key} ", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("http://berth.example.com", false)]
    [InlineData("https://berth.example.com", true)]
    [InlineData("https://berth.example.com:8443", true)]
    [InlineData("http://localhost:8080", true)]
    [InlineData("http://127.0.0.1:8080", true)]
    [InlineData("https://user@berth.example.com", false)]
    [InlineData("https://berth.example.com/?x", false)]
    [InlineData("ftp://berth.example.com", false)]
    [InlineData("https://one.workspaces.example.dev", false)]
    [InlineData("", false)]
    public void Parse_PublicOrigin_IsAnOriginAndEncryptedOutsideLoopback(string origin, bool good)
    {
        var options = EdgeFixture.Options("https://idp.example.test") with
        {
            PublicOrigin = origin,
            WorkspaceDomain = "workspaces.example.dev"
        };

        var error = Record.Exception(() => EdgeSettingsParser.Parse(options));

        Assert.Equal(good, error is null);
    }

    [Theory]
    [InlineData("https://berth.example.com", "berth.example.com", false)]
    [InlineData("https://Berth.example.com", "BERTH.example.com.", false)]
    [InlineData("https://berth.example.com", "workspaces.example.dev", true)]
    [InlineData("https://berth.example.com", "example.com", true)]
    public void Parse_PathPrefix_TheEdgesOwnHostIsRefused(string origin, string domain, bool good)
    {
        var options = EdgeFixture.Options("https://idp.example.test") with
        {
            PublicOrigin = origin,
            WorkspaceDomain = domain,
            PathPrefix = new PathPrefixOptions { Enabled = true },
        };

        var error = Record.Exception(() => EdgeSettingsParser.Parse(options));

        Assert.Equal(good ? null : typeof(EdgeConfigurationException), error?.GetType());
        Assert.True(good || error!.Message.Contains("Berth:Edge:WorkspaceDomain is the host of PublicOrigin", StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_BoundFromConfiguration_ReadsListsAndFiles()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var files = new Dictionary<string,
            string>
        { ["/secret"] = "s3cret\n", ["/cookie"] = Key + "\n", ["/identity"] = ec.ExportECPrivateKeyPem() };
        var options = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Berth:Edge:PublicOrigin"] = "https://Berth.example.com",
                ["Berth:Edge:WorkspaceDomain"] = "workspaces.example.dev",
                ["Berth:Edge:Issuers:0:Issuer"] = "https://idp.example.com/",
                ["Berth:Edge:Issuers:0:ClientId"] = "berth",
                ["Berth:Edge:Issuers:0:ClientSecretFile"] = "/secret",
                ["Berth:Edge:Issuers:0:Scopes:0"] = "email",
                ["Berth:Edge:Issuers:0:Algorithms:0"] = "ES256",
                ["Berth:Edge:Administrators:0:Issuer"] = "https://idp.example.com/",
                ["Berth:Edge:Administrators:0:Subject"] = "admin",
                ["Berth:Edge:Session:KeyFiles:0"] = "/cookie",
                ["Berth:Edge:Session:IdleTimeout"] = "01:00:00",
                ["Berth:Edge:Identity:KeyFiles:0"] = "/identity",
                ["Berth:Edge:TrustedProxies:0"] = "10.0.0.0/8",
                ["Berth:Edge:Proxy:Targets"] = "Service",
            })
            .Build()
            .GetSection(EdgeOptions.Section)
            .Get<EdgeOptions>()!;

        var settings = EdgeSettingsParser.Parse(options, f => files[f]);

        Assert.Equal("https://berth.example.com", settings.PublicOrigin);
        Assert.Equal("https://ws-1.workspaces.example.dev", settings.WorkspaceOrigin("ws-1.workspaces.example.dev"));
        Assert.Equal(("s3cret", "openid email", "idp-example-com"),
            (settings.Issuers[0].ClientSecret, settings.Issuers[0].Scope, settings.Issuers[0].Key));
        Assert.Equal(["ES256"], settings.Issuers[0].Algorithms);
        Assert.Contains(("https://idp.example.com/", "admin"), settings.Administrators);
        Assert.Equal(TimeSpan.FromHours(1), settings.Sessions.Idle);
        Assert.Equal(TargetResolution.Service, settings.Proxy.Targets);
        Assert.Single(settings.CookieKeys);
        Assert.Single(settings.IdentityKeys);
    }

    [Fact]
    public void Parse_IssuerAsText_DoesNotShowItsSecret()
    {
        var settings = EdgeSettingsParser.Parse(EdgeFixture.Options("https://idp.example.test"));

        Assert.DoesNotContain(FakeProvider.ClientSecret, settings.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(FakeProvider.ClientSecret, settings.Issuers[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_NoKeysAndNotToldToMakeSome_IsRefused()
    {
        var options = EdgeFixture.Options("https://idp.example.test") with
        {
            Session = new SessionOptions(),
            Identity = new WorkspaceIdentityOptions()
        };

        var error = Assert.Throws<EdgeConfigurationException>(() => EdgeSettingsParser.Parse(options));

        Assert.Equal(2, error.Problems.Count);
    }

    private static string Missing(string path) => throw new FileNotFoundException("there is no such file", path);
}
