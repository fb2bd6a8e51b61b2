using System.Collections.Immutable;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Kube.Server.Runner.Images;

/// <summary>What an image stands for on this machine.</summary>
internal sealed record CatalogImage
{
    /// <summary>Stands for the image's ENTRYPOINT; a container's command replaces it.</summary>
    public required ImmutableArray<string> Command { get; init; }

    /// <summary>Stands for the image's CMD; a container's args, or its command, replace it.</summary>
    public ImmutableArray<string> Args { get; init; } = [];

    public string? WorkingDirectory { get; init; }

    public ImmutableDictionary<string, string> Variables { get; init; } = ImmutableDictionary<string, string>.Empty;
}

/// <summary>The image cannot be had. The message is fit for a person and names the remedy.</summary>
internal sealed class ImageException(string message) : Exception(message);

/// <summary>
/// The catalogue file: a YAML map from image to command, args, workingDirectory and env. Read again whenever it has changed.
/// </summary>
/// <remarks>A command or folder that begins with "./" or "../" is relative to the catalogue's own folder.</remarks>
internal sealed class ImageCatalog(string? path)
{
    private readonly Lock _gate = new();
    private (DateTime Written, long Length)? _read;
    private ImmutableDictionary<string, CatalogImage> _images = ImmutableDictionary<string, CatalogImage>.Empty;
    private string? _problem;

    /// <summary>Changes when the file does.</summary>
    public (DateTime Written, long Length)? Version
    {
        get
        {
            var file = path is null ? null : new FileInfo(path);
            return file is { Exists: true } ? (file.LastWriteTimeUtc, file.Length) : null;
        }
    }

    private string Folder => Path.GetDirectoryName(Path.GetFullPath(path!))!;

    /// <exception cref="ImageException">It is not in the catalogue, or the catalogue cannot be read.</exception>
    public CatalogImage Find(string image)
    {
        if (path is null)
        {
            throw new ImageException(
                $"image \"{image}\" cannot be run: the process runner has no image catalogue (set its option ImageCatalog)");
        }

        lock (_gate)
        {
            var version = Version
                ?? throw new ImageException(
                    $"image \"{image}\" cannot be run: there is no image catalogue {path}; make it and add the image there");
            if (_read != version)
            {
                Read();
                _read = version;
            }

            return _problem is null
                ? Lookup(image) ?? throw new ImageException($"image \"{image}\" is not in the image catalogue: add it to {path}")
                : throw new ImageException($"image \"{image}\" cannot be run: the image catalogue {path} is not valid: {_problem}");
        }
    }

    // As registries do, an image without a tag means :latest, and the other way round.
    private CatalogImage? Lookup(string image)
    {
        const string latest = ":latest";
        return _images.GetValueOrDefault(image)
            ?? _images.GetValueOrDefault(image.EndsWith(latest, StringComparison.Ordinal) ? image[..^latest.Length] : image + latest);
    }

    private void Read()
    {
        try
        {
            var stream = new YamlStream();
            using (var reader = File.OpenText(path!))
            {
                stream.Load(reader);
            }

            var images = ImmutableDictionary.CreateBuilder<string, CatalogImage>();
            if (stream.Documents.Count > 0)
            {
                var root = stream.Documents[0].RootNode as YamlMappingNode
                    ?? throw new ImageException("the document must be a map from image to command");
                foreach (var (key, value) in root.Children)
                {
                    var name = Text("an image's name", key);
                    images[name] = Image(name, value);
                }
            }

            _images = images.ToImmutable();
            _problem = null;
        }
        catch (Exception error) when (error is YamlException or IOException or UnauthorizedAccessException or ImageException)
        {
            _problem = error is YamlException yaml ? $"line {yaml.Start.Line}: {yaml.Message}" : error.Message;
        }
    }

    private CatalogImage Image(string name, YamlNode node)
    {
        var map = node as YamlMappingNode ?? throw new ImageException($"{name}: must be a map with command");
        var image = new CatalogImage { Command = [] };
        foreach (var (key, value) in map.Children)
        {
            var field = (key as YamlScalarNode)?.Value;
            image = field switch
            {
                "command" => image with { Command = Located(Texts($"{name}: command", value)) },
                "args" => image with { Args = Texts($"{name}: args", value) },
                "workingDirectory" => image with { WorkingDirectory = Path.GetFullPath(Text($"{name}: {field}", value), Folder) },
                "env" => image with { Variables = Variables($"{name}: env", value) },
                _ => throw new ImageException($"{name}: unknown field \"{field}\"; known are command, args, workingDirectory, env"),
            };
        }

        return image.Command.Length > 0 ? image : throw new ImageException($"{name}: command is required and must not be empty");
    }

    private ImmutableArray<string> Located(ImmutableArray<string> command) =>
        command.Length > 0 && (command[0].StartsWith("./", StringComparison.Ordinal)
            || command[0].StartsWith("../", StringComparison.Ordinal))
            ? command.SetItem(0, Path.GetFullPath(command[0], Folder)) : command;

    private static ImmutableDictionary<string, string> Variables(string where, YamlNode node)
    {
        var map = node as YamlMappingNode ?? throw new ImageException($"{where}: must be a map of strings");
        return map.Children.ToImmutableDictionary(e => Text(where, e.Key), e => Text(where, e.Value));
    }

    private static ImmutableArray<string> Texts(string where, YamlNode node) => node is YamlSequenceNode items
        ? [.. items.Children.Select(c => Text(where, c))] : throw new ImageException($"{where}: must be a list of strings");

    private static string Text(string where, YamlNode node) =>
        (node as YamlScalarNode)?.Value ?? throw new ImageException($"{where}: must be a string");
}
