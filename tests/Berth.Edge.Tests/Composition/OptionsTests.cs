using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Edge.Tests.Composition;

public class OptionsTests
{
    [Fact]
    public void AddBerthEdge_EverythingWrong_AllProblemsInOneMessage()
    {
        var options = new BerthEdgeOptions
        {
            Workspaces = new WorkspaceOptions { Namespace = "No Namespace", MaximumPerPerson = 0 },
            Pages = new PageOptions { PasswordResetUrl = "javascript:alert(1)" },
            Management = new ManagementOptions { Address = "localhost", Port = 70_000 },
        };

        var error = Assert.Throws<EdgeConfigurationException>(() => new ServiceCollection().AddBerthEdge(options));

        foreach (var key in (string[])["PublicOrigin", "Workspaces:Namespace", "Workspaces:MaximumPerPerson", "Pages:PasswordResetUrl",
            "Management:Address", "Management:Port"])
        {
            Assert.Contains(error.Problems, p => p.Contains(key, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Read_ValueOfTheWrongForm_NamesTheKey()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Berth:Edge:Management:Port"] = "many",
            ["Berth:Edge:Workspaces:MaximumPerPerson"] = "few",
        }).Build();

        var error = Assert.Throws<EdgeConfigurationException>(() => BerthEdgeOptions.Read(configuration));

        Assert.Equal(2, error.Problems.Count);
        Assert.Contains("Berth:Edge:Workspaces:MaximumPerPerson is 'few'; give a whole number.", error.Problems);
    }

    [Fact]
    public void ReadAndCheck_WrongFormUnknownKeyAndBadValue_AllInOneMessage()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Berth:Edge:PublicOrigin"] = "http://berth.example.com",
            ["Berth:Edge:WorkspaceDomain"] = "workspaces.example.dev",
            ["Berth:Edge:Issuers:0:Issuer"] = "https://idp.example.com",
            ["Berth:Edge:Issuers:0:ClientId"] = "berth",
            ["Berth:Edge:Issuers:0:ClientSecert"] = "x",
            ["Berth:Edge:Workspces:Namespace"] = "ns",
            ["Berth:Edge:Proxy:Targets"] = "Guess",
            ["Berth:Edge:Proxy:ConnectTimeout"] = "soon",
            ["Berth:Edge:Session:GenerateKey"] = "true",
            ["Berth:Edge:Identity:GenerateKey"] = "maybe",
            ["Berth:Edge:Listener:Port"] = "70000",
            ["Berth:Edge:TrustedProxies:0"] = "everybody",
        }).Build();

        var error = Assert.Throws<EdgeConfigurationException>(() => BerthEdgeExtensions.ReadAndCheck(configuration));

        string[] keys =
        [
            "Issuers:0:ClientSecert", "Workspces", "Proxy:Targets", "Proxy:ConnectTimeout", "Identity:GenerateKey", "Listener:Port",
                "PublicOrigin", "TrustedProxies:0",
        ];
        foreach (var key in keys)
        {
            Assert.Single(error.Problems, p => p.StartsWith($"Berth:Edge:{key} ", StringComparison.Ordinal));
        }

        Assert.Contains("Berth:Edge:Proxy:Targets is 'Guess'; give one of Endpoints, Service.", error.Problems);
    }

    [Fact]
    public void Read_Section_IntoAllParts()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Berth:Edge:PublicOrigin"] = "https://a.example",
            ["Berth:Edge:Workspaces:Namespace"] = "ns",
            ["Berth:Edge:Pages:ProductName"] = "Harbour",
            ["Berth:Edge:Issuers:0:Issuer"] = "https://idp.example",
        }).Build();

        var options = BerthEdgeOptions.Read(configuration);

        Assert.Equal(("https://a.example", "ns", "Harbour", "https://idp.example"),
            (options.Edge.PublicOrigin, options.Workspaces.Namespace, options.Pages.ProductName, options.Edge.Issuers[0].Issuer));
    }
}
