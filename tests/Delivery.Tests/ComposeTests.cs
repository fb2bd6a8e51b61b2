using Testing;
using YamlDotNet.RepresentationModel;

namespace Delivery.Tests;

/// <summary>docs/examples/compose: the provider in it asks nobody for a password.</summary>
public sealed class ComposeTests
{
    public static TheoryData<string> Files() => ["compose.yaml", "without-traefik.yaml"];

    [Theory]
    [MemberData(nameof(Files))]
    public void Compose_Ports_AreOnLoopbackAlone(string file) => Assert.All(
        Services(file).SelectMany(s => (s.Value.Get("ports") as YamlSequenceNode)?.Children ?? []),
        p => Assert.StartsWith("127.0.0.1:", ((YamlScalarNode)p).Value, StringComparison.Ordinal));

    [Fact]
    public void Compose_Services_AreReadOnlyWithoutRights() => Assert.All(
        Services("compose.yaml").Select(s => (s.Key, Value: Merged(s.Value))),
        s =>
        {
            Assert.Equal("true", s.Value("read_only"));
            Assert.Contains("ALL", s.Value("cap_drop"), StringComparison.Ordinal);
            Assert.Contains("no-new-privileges:true", s.Value("security_opt"), StringComparison.Ordinal);
        });

    [Fact]
    public void Compose_FilesItMounts_AreThere() => Assert.All(
        Services("compose.yaml").SelectMany(s => (s.Value.Get("volumes") as YamlSequenceNode)?.Children ?? [])
            .Select(v => ((YamlScalarNode)v).Value!.Split(':')[0])
            .Where(v => v.StartsWith('.')),
        v => Assert.True(File.Exists(Checkout.Path("docs", "examples", "compose", v)), v));

    [Fact]
    public void Compose_PortsOfTheParts_AreTheOnesTraefikLeadsTo()
    {
        var api = Services("compose.yaml").Single(s => ((YamlScalarNode)s.Key).Value == "api").Value.Get("environment");
        var edge = Services("compose.yaml").Single(s => ((YamlScalarNode)s.Key).Value == "edge").Value.Get("environment");
        var routes = Checkout.Read("docs", "examples", "compose", "traefik.yaml");

        Assert.Equal(api.Text("PORT"), edge.Text("Berth__Edge__Listener__Port"));
        Assert.Contains($"http://api:{api.Text("PORT")}", routes, StringComparison.Ordinal);
        Assert.Contains($"http://api:{api.Text("IDP_PORT")}", routes, StringComparison.Ordinal);
    }

    private static IEnumerable<KeyValuePair<YamlNode, YamlNode>> Services(string file) =>
        ((YamlMappingNode)Yaml.Read(Checkout.Path("docs", "examples", "compose", file)).Get("services")!).Children;

    // What a service takes from the anchor counts as its own.
    private static Func<string, string> Merged(YamlNode service) =>
        name => (service.Get(name) ?? service.Get("<<").Get(name))?.ToString() ?? "";
}
