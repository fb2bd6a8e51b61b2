using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Testing;

namespace Berth.Chart.Tests;

/// <summary>The namespace of workspaces, their templates, and what the installation allows.</summary>
public sealed class WorkspacesTests
{
    [SkippableFact]
    public void Namespace_IsRestrictedAndBounded()
    {
        var manifests = ValueSets.Render("required");
        var labels = manifests.One("Namespace", Chart.Workspaces).Labels();
        Assert.All((string[])["enforce", "audit", "warn"], m => Assert.Equal("restricted", labels[$"pod-security.kubernetes.io/{m}"]));
        Assert.Equal(Chart.Workspaces, manifests.One("ResourceQuota", "berth").NamespaceOf());
        Assert.Equal(Chart.Workspaces, manifests.One("LimitRange", "berth").NamespaceOf());
    }

    [SkippableFact]
    public void Namespace_OfSomebodyElse_IsNotMade() =>
        Assert.Empty(Chart.Render("workspaces: {createNamespace: false}").Of("Namespace"));

    // A container that a quota counts must say what it takes: where a template says nothing, the limit range does.
    [SkippableFact]
    public void LimitRange_GivesDefaultsForWhatTheQuotaCounts()
    {
        var manifests = ValueSets.Render("required");
        var counted = manifests.One("ResourceQuota", "berth")["spec"]!["hard"]!.AsObject().Select(h => h.Key)
            .Where(k => k is "requests.cpu" or "requests.memory").Select(k => k["requests.".Length..]);
        var defaults = manifests.One("LimitRange", "berth")["spec"]!["limits"]![0]!["defaultRequest"]!.AsObject();
        Assert.All(counted, c => Assert.True(defaults.ContainsKey(c), c));
    }

    [SkippableFact]
    public void Templates_GetThePoolOfNodes_WhereTheySayNothing()
    {
        var manifests = Chart.Render("""
            workspaces: {scheduling: {nodeSelector: {pool: spot}, tolerations: [{key: spot, operator: Exists}]}}
            templates:
              gpu: {image: gpu:1, scheduling: {nodeSelector: {pool: gpu}}}
            """);
        var studio = manifests.One("WorkspaceTemplate", "studio")["spec"]!["scheduling"]!;
        Assert.Equal("spot", (string?)studio["nodeSelector"]!["pool"]);
        Assert.Equal("spot", (string?)studio["tolerations"]![0]!["key"]);
        Assert.Equal("gpu", (string?)manifests.One("WorkspaceTemplate", "gpu")["spec"]!["scheduling"]!["nodeSelector"]!["pool"]);
        Assert.Null(ValueSets.Render("required").One("WorkspaceTemplate", "studio")["spec"]!["scheduling"]);
    }

    [SkippableFact]
    public void Templates_MayBeTakenOut() => Assert.Empty(Chart.Render("templates: {studio: null}").Of("WorkspaceTemplate"));

    [SkippableFact]
    public void WarmPools_AreTheTemplates() =>
        Assert.Equal(3, (int)ValueSets.Render("prod").One("WorkspaceTemplate", "studio")["spec"]!["warmPool"]!["size"]!);

    [SkippableFact]
    public void Policy_HasPricesAndBudgets()
    {
        var policy = ValueSets.Render("prod").One("BerthPolicy", "default")["spec"]!;
        Assert.Equal("EUR", (string?)policy["prices"]!["currency"]);
        Assert.Equal("150", (string?)policy["budgets"]!["perPerson"]);
        Assert.Empty(Chart.Render("policy: {create: false}").Of("BerthPolicy"));
    }

    // Every field is one that the definition knows; the API would drop or refuse others.
    [SkippableTheory]
    [MemberData(nameof(SetNames))]
    public void CustomResources_HaveFieldsThatTheDefinitionsKnow(string set)
    {
        var schemas = Directory.GetFiles(Path.Combine(Chart.Folder, "crds")).Select(f => YamlJson.ReadOne(File.ReadAllText(f)))
            .ToDictionary(c => (string)c["spec"]!["names"]!["kind"]!, c => c["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!);
        foreach (var manifest in ValueSets.Render(set).All.Where(m => schemas.ContainsKey(m.Kind())))
        {
            Known(manifest["spec"]!, schemas[manifest.Kind()]["properties"]!["spec"]!, manifest.Id());
        }
    }

    public static TheoryData<string> SetNames => ValueSets.Names;

    // The text of the policies is that of the example, which is tried on clusters; only the names are the release's.
    [SkippableFact]
    public void AdmissionPolicies_AreTheExamplesWithTheReleasesNames()
    {
        var example = Checkout.Read("docs/examples/cluster/admission.yaml");
        var theirs = YamlJson.ReadAll(example).Where(m => m.Kind() == "ValidatingAdmissionPolicy").Select(p => Text(p["spec"]!)).ToList();
        var manifests = Chart.Render("admission: {enabled: true}");
        Assert.Equal(theirs, manifests.Of("ValidatingAdmissionPolicy").Select(p => Text(p["spec"]!)));

        var other = Chart.Render(new RenderOptions { Namespace = "prod" }, Chart.Required,
            "admission: {enabled: true, administratorGroups: [admins]}");
        var text = string.Join('\n', other.Of("ValidatingAdmissionPolicy").Select(p => Text(p["spec"]!)));
        Assert.Contains("'system:serviceaccount:prod:berth-operator'", text, StringComparison.Ordinal);
        Assert.Contains("'admins'", text, StringComparison.Ordinal);
        Assert.DoesNotContain("berth:administrators", text, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void AdmissionPolicies_BearOnTheWorkspacesNamespaceOnly()
    {
        var manifests = Chart.Render("admission: {enabled: true}");
        Assert.Equal(2, manifests.Of("ValidatingAdmissionPolicyBinding").Count());
        Assert.All(manifests.Of("ValidatingAdmissionPolicyBinding"), b =>
        {
            Assert.Contains((string)b["spec"]!["policyName"]!, manifests.Of("ValidatingAdmissionPolicy").Select(p => p.Name()));
            Assert.Equal(Chart.Workspaces,
                (string?)b["spec"]!["matchResources"]!["namespaceSelector"]!["matchLabels"]!["kubernetes.io/metadata.name"]);
        });
    }

    private static string Text(JsonNode node) =>
        Regex.Replace(node.ToJsonString(new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }), "\\s+", " ");

    private static void Known(JsonNode value, JsonNode schema, string path)
    {
        if (value is JsonArray items)
        {
            foreach (var (item, i) in items.Select((v, i) => (v, i)))
            {
                Known(item!, schema["items"]!, $"{path}[{i}]");
            }
        }
        else if (value is JsonObject members && schema["properties"] is JsonObject properties)
        {
            foreach (var (name, member) in members)
            {
                Assert.True(properties.ContainsKey(name), $"{path}.{name} is no field.");
                Known(member!, properties[name]!, $"{path}.{name}");
            }
        }
    }
}
