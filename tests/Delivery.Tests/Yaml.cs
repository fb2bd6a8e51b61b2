using YamlDotNet.RepresentationModel;

namespace Delivery.Tests;

/// <summary>YAML files, read without types.</summary>
internal static class Yaml
{
    /// <summary>A file as its first document.</summary>
    public static YamlMappingNode Read(string path)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(File.ReadAllText(path)));
        return (YamlMappingNode)yaml.Documents[0].RootNode;
    }

    public static YamlNode? Get(this YamlNode? node, string name) =>
        node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(name), out var value) ? value : null;

    public static string? Text(this YamlNode? node, string name) => (node.Get(name) as YamlScalarNode)?.Value;
}
