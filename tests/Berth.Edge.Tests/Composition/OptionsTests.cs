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
            ["Berth:Edge:Management:Port"] = "many", ["Berth:Edge:Workspaces:MaximumPerPerson"] = "few",
        }).Build();

        var error = Assert.Throws<EdgeConfigurationException>(() => BerthEdgeOptions.Read(configuration));

        Assert.Equal(2, error.Problems.Count);
        Assert.Contains("Berth:Edge:Workspaces:MaximumPerPerson", error.Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Section_IntoAllParts()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Berth:Edge:PublicOrigin"] = "https://a.example", ["Berth:Edge:Workspaces:Namespace"] = "ns",
                ["Berth:Edge:Pages:ProductName"] = "Harbour",
            ["Berth:Edge:Issuers:0:Issuer"] = "https://idp.example",
        }).Build();

        var options = BerthEdgeOptions.Read(configuration);

        Assert.Equal(("https://a.example", "ns", "Harbour", "https://idp.example"),
            (options.Edge.PublicOrigin, options.Workspaces.Namespace, options.Pages.ProductName, options.Edge.Issuers[0].Issuer));
    }
}
