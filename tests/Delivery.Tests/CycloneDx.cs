using System.Globalization;
using System.Text.Json.Nodes;

namespace Delivery.Tests;

/// <summary>What the schema of CycloneDX 1.5 asks of the parts that our bills have, and, what it says in words alone, references that hold.</summary>
internal static class CycloneDx
{
    private static readonly string[] Members = ["bomFormat", "specVersion", "serialNumber", "version", "metadata", "components", "dependencies"];
    private static readonly string[] ComponentMembers = ["type", "bom-ref", "name", "version", "purl", "licenses", "hashes", "properties"];

    public static void Check(JsonNode bill)
    {
        Assert.Equal(("CycloneDX", "1.5", 1), ((string?)bill["bomFormat"], (string?)bill["specVersion"], (int?)bill["version"]));
        Assert.Matches("^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", (string?)bill["serialNumber"]);
        Assert.Subset(Members.ToHashSet(), bill.AsObject().Select(m => m.Key).ToHashSet());
        Assert.True(DateTimeOffset.TryParseExact(
            (string?)bill["metadata"]!["timestamp"], "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _));

        var components = bill["components"]!.AsArray().Prepend(bill["metadata"]!["component"]).Select(c => c!.AsObject()).ToList();
        Assert.All(components, Component);
        var references = components.Select(c => (string)c["bom-ref"]!).ToList();
        Assert.Equal(references.Distinct(), references);

        var dependencies = bill["dependencies"]!.AsArray().Select(d => d!.AsObject()).ToList();
        Assert.Equal(references.Order(StringComparer.Ordinal), dependencies.Select(d => (string)d["ref"]!).Order(StringComparer.Ordinal));
        Assert.All(dependencies, d =>
        {
            var on = d["dependsOn"]!.AsArray().Select(n => (string)n!).ToList();
            Assert.Equal(on.Distinct(), on);
            Assert.All(on, n => Assert.Contains(n, references));
        });
    }

    private static void Component(JsonObject component)
    {
        Assert.Contains((string?)component["type"], (string[])["application", "container", "library"]);
        Assert.NotEqual("", (string?)component["name"] ?? "");
        Assert.Matches("^pkg:[a-z]+/[^ ]+$", (string?)component["purl"]);
        Assert.Subset(ComponentMembers.ToHashSet(), component.Select(m => m.Key).ToHashSet());
        Assert.All(component["hashes"]?.AsArray() ?? [], h => Assert.Matches("^[0-9a-f]{128}$", (string?)h!["content"]));

        // Either licences, each by id or by name, or one expression and nothing else.
        var licenses = component["licenses"]?.AsArray() ?? [];
        Assert.All(licenses, l => Assert.Single(l!.AsObject()));
        Assert.True(licenses.All(l => l!["license"] is JsonObject { Count: 1 } one && (one.ContainsKey("id") || one.ContainsKey("name")))
            || licenses is [{ } only] && (string?)only["expression"] is { Length: > 0 });
    }
}
