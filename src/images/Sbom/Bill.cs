using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Berth.Images.Sbom;

/// <summary>One thing that is in an image.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Purl">Its package URL, by which scanners know it.</param>
internal sealed record Component(string Name, string Version, string Purl)
{
    /// <summary>What it may be used under; none where nothing is stated that a program can read.</summary>
    public IReadOnlyList<License> Licenses { get; init; } = [];

    /// <summary>SHA-512 of the package, hexadecimal; null where none is known.</summary>
    public string? Sha512 { get; init; }

    /// <summary>Package URLs of what it needs.</summary>
    public IReadOnlyList<string> Needs { get; init; } = [];
}

/// <summary>A bill of materials, CycloneDX 1.5. The same things give the same text: order, number and time follow from them.</summary>
internal sealed class Bill(
    string name, string version, string? revision, DateTimeOffset time, string type, IReadOnlyList<Component> components)
{
    private const string SpecVersion = "1.5";
    private const string RevisionProperty = "berth:revision";
    private static readonly JsonSerializerOptions Form =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What is in it, each once, in the order of package URLs.</summary>
    public IReadOnlyList<Component> Components { get; } =
        [.. components.DistinctBy(c => c.Purl).OrderBy(c => c.Purl, StringComparer.Ordinal)];

    /// <summary>The text of the file.</summary>
    public string ToJson()
    {
        var body = new JsonObject
        {
            ["metadata"] = Metadata(),
            ["components"] = new JsonArray([.. Components.Select(Describe)]),
            ["dependencies"] = Dependencies(),
        };
        var document = new JsonObject
        {
            ["bomFormat"] = "CycloneDX",
            ["specVersion"] = SpecVersion,
            ["serialNumber"] = $"urn:uuid:{Number(body.ToJsonString())}",
            ["version"] = 1,
        };
        foreach (var (key, value) in body.ToList())
        {
            body.Remove(key);
            document[key] = value;
        }

        return document.ToJsonString(Form) + "\n";
    }

    /// <summary>The components of a bill that was written before, and the program itself.</summary>
    /// <exception cref="InvalidDataException">It is no bill.</exception>
    public static IEnumerable<Component> ReadComponents(string json, string file)
    {
        JsonNode? root;
        try
        {
            root = JsonNode.Parse(json);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{file} is not JSON: {e.Message}", e);
        }

        if (root is not JsonObject document || document.Text("bomFormat") != "CycloneDX")
        {
            throw new InvalidDataException($"{file} is no CycloneDX document.");
        }

        var needs = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var dependency in (document["dependencies"] as JsonArray ?? []).OfType<JsonObject>())
        {
            needs[dependency.Text("ref") ?? ""] = [.. Texts(dependency["dependsOn"])];
        }

        return [.. new[] { (document["metadata"] as JsonObject)?["component"] }.Concat(document["components"] as JsonArray ?? [])
            .OfType<JsonObject>()
            .Select(c => Read(c, needs, file))];
    }

    private static IEnumerable<string> Texts(JsonNode? list) =>
        (list as JsonArray ?? []).OfType<JsonValue>().Select(v => v.TryGetValue<string>(out var text) ? text : null).OfType<string>();

    private static Component Read(JsonObject c, Dictionary<string, string[]> needs, string file)
    {
        string Required(string name) => c.Text(name) ?? throw new InvalidDataException($"{file} has a component without {name}.");
        return new Component(Required("name"), Required("version"), Required("purl"))
        {
            Licenses = License.Read(c["licenses"]),
            Sha512 = (c["hashes"] as JsonArray)?.FirstOrDefault(h => h.Text("alg") == "SHA-512").Text("content"),
            Needs = needs.GetValueOrDefault(c.Text("bom-ref") ?? "") ?? [],
        };
    }

    // RFC 9562, version 8: a number made of a hash, so that the same bill has the same one.
    private static Guid Number(string text)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes(text))[..16];
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    // An image is another thing than the program in it, which bears its name.
    private string OwnPurl => type == "container"
        ? $"pkg:oci/{Uri.EscapeDataString(name.ToLowerInvariant())}?tag={Uri.EscapeDataString(version)}"
        : $"pkg:generic/{Uri.EscapeDataString(name)}@{Uri.EscapeDataString(version)}";

    private JsonObject Metadata()
    {
        var self = new JsonObject { ["type"] = type, ["bom-ref"] = OwnPurl, ["name"] = name, ["version"] = version, ["purl"] = OwnPurl };
        if (type == "application")
        {
            self["licenses"] = License.Describe([new License("Apache-2.0", true)]);
        }

        if (revision is not null)
        {
            self["properties"] = new JsonArray(new JsonObject { ["name"] = RevisionProperty, ["value"] = revision });
        }

        return new JsonObject
        {
            ["timestamp"] = time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            ["component"] = self,
        };
    }

    private static JsonObject Describe(Component c)
    {
        var described = new JsonObject
        {
            ["type"] = "library",
            ["bom-ref"] = c.Purl,
            ["name"] = c.Name,
            ["version"] = c.Version,
            ["purl"] = c.Purl,
        };
        if (c.Licenses.Count > 0)
        {
            described["licenses"] = License.Describe(c.Licenses);
        }

        if (c.Sha512 is not null)
        {
            described["hashes"] = new JsonArray(new JsonObject { ["alg"] = "SHA-512", ["content"] = c.Sha512 });
        }

        return described;
    }

    private JsonArray Dependencies()
    {
        var known = Components.Select(c => c.Purl).ToHashSet();
        var needed = Components.SelectMany(c => c.Needs).ToHashSet();
        var all = Components.Select(c => (Ref: c.Purl, Needs: c.Needs.Where(known.Contains)))
            .Prepend((Ref: OwnPurl, Needs: known.Where(k => !needed.Contains(k))));
        return new JsonArray([.. all.Select(d => new JsonObject
        {
            ["ref"] = d.Ref,
            ["dependsOn"] = new JsonArray([.. d.Needs.Distinct().Order(StringComparer.Ordinal).Select(n => (JsonNode)n)]),
        })]);
    }
}
