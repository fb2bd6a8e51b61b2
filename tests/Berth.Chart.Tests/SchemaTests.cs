using System.Collections;
using System.Reflection;
using System.Text.Json.Nodes;
using Berth.Edge;
using Berth.Operator;

namespace Berth.Chart.Tests;

/// <summary>values.schema.json, which Helm checks before anything is rendered.</summary>
public sealed class SchemaTests
{
    public static TheoryData<string> Sets => ValueSets.Names;

    public static TheoryData<string, string> Bad => new()
    {
        { "publicOrigni: https://x", ".publicOrigni: is no value" },
        { "edge: {replica: 3}", ".edge.replica: is no value" },
        { "edge: {replicas: three}", ".edge.replicas: is no" },
        { "edge: {service: {port: 70000}}", ".edge.service.port: 70000 is out of range" },
        { "workspaces: {routing: forwardauth}", ".workspaces.routing: is none of" },
        { "tls: {mode: letsencrypt}", ".tls.mode: is none of" },
        { "issuers: [{clientsecret: x}]", ".issuers[0].clientsecret: is no value" },
        { "issuers: [{clientSecretRef: {key: x}}]", ".issuers[0].clientSecretRef.name: is missing" },
        { "issuers: [{allow: {emailDomain: [x]}}]", ".issuers[0].allow.emailDomain: is no value" },
        { "issuers: {issuer: x}", ".issuers: is no" },
        { "database: {external: {password: x}}", ".database.external.password: is no value" },
        { "database: {external: {sslMode: require}}", ".database.external.sslMode: is none of" },
        { "secrets: {session: []}", ".secrets.session: has too few" },
        { "secrets: {session: [a/b]}", ".secrets.session[0]: 'a/b' does not match" },
        { "edge: {image: {digest: sha256:1}}", ".edge.image.digest: 'sha256:1' does not match" },
        { "edge: {resources: {limits: {memory: a lot}}}", ".edge.resources.limits.memory: 'a lot' does not match" },
        { "admission: {enabled: sometimes}", ".admission.enabled: is none of" },
        { "admission: {administratorGroups: [\"a'] || true || ['\"]}", ".admission.administratorGroups[0]" },
        { "traefik: {podLabels: {}}", ".traefik.podLabels: has too few" },
        { "templates: {studio: [1]}", ".templates.studio: is no" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void Values_ThatNobodyKnowsOrCanUse_AreRefused(string values, string problem) =>
        Assert.Contains(Schema.Read().Problems(YamlJson.ReadOne(values)), p => p.StartsWith(problem, StringComparison.Ordinal));

    [Theory]
    [InlineData("values.yaml")]
    [InlineData("values-dev.yaml")]
    [InlineData("values-prod.yaml")]
    public void Values_OfTheChart_AreAccepted(string file) => Assert.Empty(Schema.Read().Problems(YamlJson.ReadOne(Chart.ReadFile(file))));

    [Theory]
    [MemberData(nameof(Sets))]
    public void Values_OfTheTests_AreAccepted(string set) =>
        Assert.All(ValueSets.All[set].Values, v => Assert.Empty(Schema.Read().Problems(YamlJson.ReadOne(v))));

    // What the schema knows, values.yaml shows, and so the README; what is free in form or optional by nature stands in its comments.
    [Fact]
    public void Schema_AndValues_HaveTheSameNames()
    {
        string[] optional = ["global", "issuers", "connections", "administrators", "templates", "workspaces.scheduling",
            "workspaces.backup"];
        var values = YamlJson.ReadOne(Chart.ReadFile("values.yaml"));
        var schema = Schema.Read();
        Walk(schema.Root, values, "");

        void Walk(JsonObject part, JsonNode? value, string path)
        {
            foreach (var (name, child) in part["properties"]?.AsObject() ?? [])
            {
                var at = path.Length == 0 ? name : $"{path}.{name}";
                var resolved = schema.Resolve(child!);
                if (optional.Contains(at) || at.EndsWith(".image.registry", StringComparison.Ordinal)
                    || at.Contains("esources.", StringComparison.Ordinal))
                {
                    continue;
                }

                Assert.True(value is JsonObject o && o.ContainsKey(name), $"values.yaml has no {at}.");
                Walk(resolved, value[name], at);
            }
        }
    }

    [Fact]
    public void Issuers_TakeEveryOptionOfTheEdge() => Same(typeof(IssuerOptions), "issuers", ["clientSecretFile"], ["clientSecretRef"]);

    [Fact]
    public void Connections_TakeEveryOptionOfTheEdge() =>
        Same(typeof(ConnectionOptions), "connections", ["clientSecretFile"], ["clientSecretRef"]);

    [Fact]
    public void Backup_TakesEveryOptionOfTheOperator()
    {
        var schema = Schema.Read().Root["properties"]!["workspaces"]!["properties"]!["backup"]!["properties"]!.AsObject();
        var known = schema.Where(p => p.Key != "s3").Select(p => p.Key)
            .Concat(schema["s3"]!["properties"]!.AsObject().Select(p => $"s3{Capital(p.Key)}"));
        Assert.Equal(typeof(BackupOptions).GetProperties().Select(p => Small(p.Name)).Order(), known.Order());
    }

    private static void Same(Type options, string value, string[] without, string[] with)
    {
        var schema = Schema.Read();
        var part = schema.Root["properties"]![value]!;
        Compare(options, (part["items"] ?? part["additionalProperties"])!.AsObject(), value);

        void Compare(Type type, JsonObject node, string path)
        {
            var names = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(p => p.SetMethod is not null).ToDictionary(p => Small(p.Name));
            Assert.Equal(names.Keys.Except(without).Concat(path == value ? with : []).Order(), node["properties"]!.AsObject()
                .Select(p => p.Key).Order());
            foreach (var (name, property) in names)
            {
                var inner = property.PropertyType;
                if (node["properties"]![name]?["properties"] is not null && !typeof(IEnumerable).IsAssignableFrom(inner))
                {
                    Compare(inner, node["properties"]![name]!.AsObject(), $"{path}.{name}");
                }
            }
        }
    }

    private static string Small(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    private static string Capital(string name) => char.ToUpperInvariant(name[0]) + name[1..];
}
