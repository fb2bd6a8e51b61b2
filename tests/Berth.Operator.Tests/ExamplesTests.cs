using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Resources;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>The examples are what people copy: each has to make a workspace that starts.</summary>
public sealed class ExamplesTests
{
    private static string Folder => Checkout.Path("docs", "examples");

    public static TheoryData<string> Templates => [.. Directory.GetFiles(Folder, "template-*.yaml").Select(f => Path.GetFileName(f)!)];

    [Theory]
    [MemberData(nameof(Templates))]
    public void Template_Example_MakesAPod(string file)
    {
        var template = JsonSerializer.Deserialize(Read(file), WorkspaceTemplate.JsonTypeInfo)!;
        var workspace = TestData.Workspace(s => s with { Template = new TemplateReference { Name = template.Metadata.Name! } });
        var blueprint = Blueprint.For(workspace, template, TestData.Settings, new BlueprintFacts());
        Assert.Empty(blueprint.Problems);
        Assert.Equal(template.Spec.Image, blueprint.Pod!.Spec!.Containers[0].Image);
        Assert.Equal($"template-{template.Metadata.Name}.yaml", file);
    }

    [Fact]
    public void Workspace_Example_FitsItsTemplate()
    {
        var workspace = JsonSerializer.Deserialize(Read("workspace-sample.yaml"), UserWorkspace.JsonTypeInfo)!;
        var template = JsonSerializer.Deserialize(Read($"template-{workspace.Spec.Template.Name}.yaml"), WorkspaceTemplate.JsonTypeInfo)!;
        var blueprint = Blueprint.For(workspace, template, TestData.Settings, new BlueprintFacts());
        Assert.Empty(blueprint.Problems);
        Assert.Equal("2Gi", blueprint.Volume!.Spec!.Resources!.Requests!["storage"]);
    }

    private static JsonNode Read(string file)
    {
        using var text = File.OpenText(Path.Combine(Folder, file));
        var yaml = new YamlStream();
        yaml.Load(text);
        return ToJson(Assert.Single(yaml.Documents).RootNode)!;
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(c =>
            KeyValuePair.Create(((YamlScalarNode)c.Key).Value!, ToJson(c.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(ToJson)]),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "true" or "false" } flag => flag.Value == "true",
        YamlScalarNode { Style: ScalarStyle.Plain } plain when long.TryParse(plain.Value, CultureInfo.InvariantCulture, out var number) =>
            number,
        _ => ((YamlScalarNode)node).Value,
    };
}
