using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;

namespace Berth.Images.Sbom;

/// <summary>What a project was restored with: packages, and the packs of the runtime that is published with it.</summary>
internal static class AssetsFile
{
    // Packs that build and are not in what is built.
    private static readonly string[] BuildOnly =
        [".Crossgen2.", ".ILCompiler", ".ILLink", "Microsoft.NET.ILLink.Tasks", ".App.Ref", ".App.Host"];

    /// <summary>Reads <c>project.assets.json</c>.</summary>
    /// <param name="file">Its path.</param>
    /// <param name="readText">Reads a file; packages say their licence in files of their own.</param>
    /// <exception cref="InvalidDataException">It is no such file, or the project was not restored for one runtime.</exception>
    public static IReadOnlyList<Component> Read(string file, Func<string, string> readText)
    {
        try
        {
            return Read(Parse(readText(file), file), file, readText);
        }
        catch (Exception e) when (
            e is InvalidOperationException or InvalidCastException or IndexOutOfRangeException or NullReferenceException
                or ArgumentException)
        {
            throw new InvalidDataException($"{file} is not what NuGet writes: {e.Message}", e);
        }
    }

    private static List<Component> Read(JsonNode root, string file, Func<string, string> readText)
    {
        var targets = (root["targets"] as JsonObject)?.Where(t => t.Key.Contains('/')).ToList() ?? [];
        if (targets is not [var target])
        {
            throw new InvalidDataException(
                $"{file} has {targets.Count} targets with a runtime and must have one: publish with --runtime first.");
        }

        var folders = (root["packageFolders"] as JsonObject)?.Select(f => f.Key).ToList() ?? [];
        var libraries = root["libraries"] as JsonObject ?? [];
        var packages = ((JsonObject)target.Value!).Where(p => (string?)p.Value?["type"] == "package" && Ships(p.Value!)).ToList();
        var purls = packages.ToDictionary(p => p.Key.Split('/')[0],
            p => Purl(p.Key.Split('/')[0], p.Key.Split('/')[1]), StringComparer.OrdinalIgnoreCase);

        List<Component> found = [];
        foreach (var (key, value) in packages)
        {
            var (name, version) = (key.Split('/')[0], key.Split('/')[1]);
            var library = libraries[key];
            found.Add(new Component(name, version, purls[name])
            {
                Licenses = Licenses(folders, library.Text("path"), name, readText),
                Sha512 = Hex(library.Text("sha512"), file),
                Needs = [.. (value!["dependencies"] as JsonObject ?? []).Where(d => purls.ContainsKey(d.Key)).Select(d => purls[d.Key])],
            });
        }

        found.AddRange(Packs(root, folders, readText));
        return found;
    }

    // A package with nothing for the runtime (analysers, a mere meeting point of others) is not in what is published.
    private static bool Ships(JsonNode package) =>
        new[] { "runtime", "native", "resource" }.Any(k => package[k] is JsonObject { Count: > 0 } files
            && files.Any(f => !f.Key.EndsWith("_._", StringComparison.Ordinal)));

    private static IEnumerable<Component> Packs(JsonNode root, List<string> folders, Func<string, string> readText) =>
        from framework in root["project"]?["frameworks"] as JsonObject ?? []
        from pack in framework.Value?["downloadDependencies"] as JsonArray ?? []
        let name = (string)pack!["name"]!
        where !BuildOnly.Any(b => name.Contains(b, StringComparison.OrdinalIgnoreCase))
        // "[10.0.12, 10.0.12]": exactly this one.
        let version = ((string)pack["version"]!).Trim('[', ']').Split(',')[0].Trim()
        select new Component(name, version, Purl(name, version))
        {
            Licenses = Licenses(folders, $"{name}/{version}".ToLowerInvariant(), name, readText),
        };

    private static string Purl(string name, string version) => $"pkg:nuget/{Uri.EscapeDataString(name)}@{Uri.EscapeDataString(version)}";

    // An expression, or what the package says instead, as a name.
    private static IReadOnlyList<License> Licenses(List<string> folders, string? path, string name, Func<string, string> readText)
    {
        var nuspec = path is null ? null
            : folders.Select(f => Path.Combine(f, path, name.ToLowerInvariant() + ".nuspec")).FirstOrDefault(File.Exists);
        if (nuspec is null)
        {
            return [];
        }

        try
        {
            using var text = new StringReader(readText(nuspec));
            using var reader = XmlReader.Create(text, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
            var said = XDocument.Load(reader).Descendants().ToLookup(e => e.Name.LocalName);
            var license = said["license"].FirstOrDefault();
            var url = said["licenseUrl"].FirstOrDefault()?.Value.Trim() ?? "";
            return (string?)license?.Attribute("type") == "expression" ? [License.OfExpression(license!.Value.Trim())]
                : license is not null ? [new License($"{license.Value.Trim()} of the package", false)]
                : url.Length > 0 ? [new License(url, false)] : [];
        }
        catch (XmlException e)
        {
            throw new InvalidDataException($"{nuspec} cannot be read: {e.Message}", e);
        }
    }

    private static string? Hex(string? base64, string file)
    {
        Span<byte> hash = stackalloc byte[SHA512.HashSizeInBytes];
        return base64 is null ? null
            : Convert.TryFromBase64String(base64, hash, out var length) && length == hash.Length ? Convert.ToHexStringLower(hash)
            : throw new InvalidDataException($"{file} has a sha512 that is none: {base64}");
    }

    private static JsonNode Parse(string text, string file)
    {
        try
        {
            return JsonNode.Parse(text) ?? throw new InvalidDataException($"{file} is empty.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{file} is not JSON: {e.Message}", e);
        }
    }
}
