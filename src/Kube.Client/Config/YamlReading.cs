using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Kube.Client;

/// <summary>A YAML mapping of a file together with its place, so that every complaint can name the field.</summary>
internal readonly struct YamlSection(YamlMappingNode? node, string file, string path, List<string> problems)
{
    /// <summary>False where the file has no such section.</summary>
    public bool Exists => node is not null;

    /// <summary>Where the section is, such as <c>users[name=a].user</c>.</summary>
    public string Path => path;

    /// <summary>File of the section.</summary>
    public string File => file;

    /// <summary>A field of text; null when absent, empty or null.</summary>
    public string? Text(string field)
    {
        var value = Find(field);
        if (value is null || IsNull(value))
        {
            return null;
        }

        if (value is YamlScalarNode scalar)
        {
            return string.IsNullOrEmpty(scalar.Value) ? null : scalar.Value;
        }

        Complain(field, "must be a text");
        return null;
    }

    /// <summary>A field that is true or false.</summary>
    public bool Flag(string field)
    {
        switch (Text(field))
        {
            case null or "false" or "False" or "FALSE":
                return false;
            case "true" or "True" or "TRUE":
                return true;
            default:
                Complain(field, "must be true or false");
                return false;
        }
    }

    /// <summary>A sub-section.</summary>
    public YamlSection Section(string field)
    {
        var value = Find(field);
        if (value is not null and not YamlMappingNode && !IsNull(value))
        {
            Complain(field, "must be a mapping");
        }

        return new(value as YamlMappingNode, file, Join(field), problems);
    }

    /// <summary>A list of mappings.</summary>
    public IReadOnlyList<YamlSection> List(string field)
    {
        List<YamlSection> list = [];
        foreach (var (item, index) in Items(field))
        {
            if (item is YamlMappingNode mapping)
            {
                list.Add(new(mapping, file, $"{Join(field)}[{index}]", problems));
            }
            else
            {
                Complain($"{field}[{index}]", "must be a mapping");
            }
        }

        return list;
    }

    /// <summary>A list of texts.</summary>
    public IReadOnlyList<string> Texts(string field)
    {
        List<string> list = [];
        foreach (var (item, index) in Items(field))
        {
            if (item is YamlScalarNode scalar)
            {
                list.Add(scalar.Value ?? "");
            }
            else
            {
                Complain($"{field}[{index}]", "must be a text");
            }
        }

        return list;
    }

    /// <summary>The same section under a name that a person recognises.</summary>
    public YamlSection Renamed(string name) => new(node, file, name, problems);

    /// <summary>Notes a problem of a field.</summary>
    public void Complain(string field, string what) => problems.Add($"{file}: {Join(field)} {what}.");

    private IEnumerable<(YamlNode Item, int Index)> Items(string field)
    {
        var value = Find(field);
        if (value is YamlSequenceNode sequence)
        {
            return sequence.Children.Select((item, index) => (item, index));
        }

        if (value is not null && !IsNull(value))
        {
            Complain(field, "must be a list");
        }

        return [];
    }

    private string Join(string field) =>
        path.Length == 0 ? field
        : field.Length == 0 ? path
        : $"{path}.{field}";

    private YamlNode? Find(string field) =>
        node is not null && node.Children.TryGetValue(new YamlScalarNode(field), out var value) ? value : null;

    private static bool IsNull(YamlNode node) =>
        node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "null" or "~" or "Null" or "NULL" };
}

/// <summary>Reads YAML into nodes with the limits that keep a hostile file from exhausting the process.</summary>
internal static class YamlReading
{
    // A kubeconfig nests six deep; the loader below is recursive, so depth is what could exhaust the stack.
    private const int MaxDepth = 64;

    /// <summary>The first document, or null with a problem noted.</summary>
    public static YamlSection? Read(string text, string file, List<string> problems)
    {
        try
        {
            if (TooDeep(text))
            {
                problems.Add($"{file}: nests more than {MaxDepth} levels; this is not a kubeconfig.");
                return null;
            }

            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            if (yaml.Documents.Count == 0)
            {
                return new YamlSection(null, file, "", problems);
            }

            if (yaml.Documents[0].RootNode is YamlMappingNode root)
            {
                return new YamlSection(root, file, "", problems);
            }

            problems.Add($"{file}: is not a kubeconfig; the top level must be a mapping with clusters, users and contexts.");
        }
        catch (YamlException e)
        {
            // The parser's own words may quote the text, and with it a credential; the place is enough to find the mistake.
            problems.Add($"{file}: is not valid YAML at line {e.Start.Line}, column {e.Start.Column}; correct the syntax there.");
        }

        return null;
    }

    private static bool TooDeep(string text)
    {
        var parser = new Parser(new StringReader(text));
        var depth = 0;
        while (parser.MoveNext())
        {
            depth += parser.Current is ParsingEvent e ? e.NestingIncrease : 0;
            if (depth > MaxDepth)
            {
                return true;
            }
        }

        return false;
    }
}
