using System.Text.Json;
using Kube.Client.Models;

namespace Kube.Runtime.Tests.Crds;

public sealed class CrdGeneratorTests
{
    [Fact]
    public void ToYaml_KindWithEverything_MatchesGoldenFile()
    {
        var golden = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Crds", "gadget.golden.yaml"));
        Assert.Equal(golden, CrdGenerator.ToYaml<Gadget>());
    }

    [Fact]
    public void ToYaml_Output_SaysTheSameAsJson()
    {
        var yaml = new YamlDotNet.RepresentationModel.YamlStream();
        yaml.Load(new StringReader(CrdGenerator.ToYaml<Gadget>()));
        AssertSame(JsonSerializer.SerializeToElement(CrdGenerator.ToJson<Gadget>()), yaml.Documents[0].RootNode, "$");
    }

    [Fact]
    public void ToYaml_WithoutCelRules_DiffersOnlyInThem()
    {
        var yaml = CrdGenerator.ToYaml<Gadget>(celRules: false);
        Assert.DoesNotContain("x-kubernetes-validations", yaml, StringComparison.Ordinal);
        Assert.Contains("x-kubernetes-list-map-keys", yaml, StringComparison.Ordinal);
        Assert.True(yaml.Split('\n').All(CrdGenerator.ToYaml<Gadget>().Split('\n').Contains));
    }

    [Fact]
    public void ToJson_RecursiveType_FailsNamingTheField()
    {
        var e = Assert.Throws<CrdException>(() => CrdGenerator.ToJson<Recursive>());
        Assert.Contains("Recursive.spec.children[]", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToJson_AnyJsonWithoutPermission_FailsNamingTheField()
    {
        var e = Assert.Throws<CrdException>(() => CrdGenerator.ToJson<AnyJson>());
        Assert.Contains("AnyJson.spec", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToJson_CoreKind_Fails() => Assert.Throws<CrdException>(() => CrdGenerator.ToJson<Pod>());

    private static void AssertSame(JsonElement json, YamlDotNet.RepresentationModel.YamlNode yaml, string path)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                var map = Assert.IsType<YamlDotNet.RepresentationModel.YamlMappingNode>(yaml);
                Assert.Equal(json.EnumerateObject().Select(p => p.Name),
                    map.Children.Keys.Select(k => ((YamlDotNet.RepresentationModel.YamlScalarNode)k).Value));
                foreach (var p in json.EnumerateObject())
                {
                    AssertSame(p.Value, map[p.Name], path + "." + p.Name);
                }

                break;
            case JsonValueKind.Array:
                var list = Assert.IsType<YamlDotNet.RepresentationModel.YamlSequenceNode>(yaml);
                Assert.Equal(json.GetArrayLength(), list.Children.Count);
                for (var i = 0; i < list.Children.Count; i++)
                {
                    AssertSame(json[i], list[i], $"{path}[{i}]");
                }

                break;
            case JsonValueKind.String:
                Assert.Equal(json.GetString(), ((YamlDotNet.RepresentationModel.YamlScalarNode)yaml).Value);
                break;
            default:
                var scalar = (YamlDotNet.RepresentationModel.YamlScalarNode)yaml;
                Assert.True(scalar.Style == YamlDotNet.Core.ScalarStyle.Plain, $"{path} must not be quoted");
                Assert.Equal(json.GetRawText(), scalar.Value);
                break;
        }
    }
}
