using System.Text.Json.Nodes;
using Testing;

namespace Berth.Chart.Tests;

/// <summary>RBAC: nothing is granted that is not named, and nobody reads Secrets.</summary>
public sealed class RightsTests
{
    public static TheoryData<string> Sets => ValueSets.Names;

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Rules_HaveNoWildcard(string set)
    {
        foreach (var (owner, rule) in Rules(ValueSets.Render(set)))
        {
            Assert.All((string[])["apiGroups", "resources", "verbs"], list =>
            {
                Assert.True(rule[list].Strings() is { Length: > 0 } values
                    && !values.Any(v => v.Contains('*', StringComparison.Ordinal)), $"{owner}: {list}");
            });
            Assert.All(rule["verbs"].Strings(), v =>
                Assert.DoesNotContain(v, (string[])["escalate", "bind", "impersonate", "deletecollection"]));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Secrets_AreMadeByOneJobOnly_AndListedByNobody(string set)
    {
        foreach (var (owner, rule) in Rules(ValueSets.Render(set)).Where(r => r.Rule["resources"].Strings().Contains("secrets")))
        {
            Assert.Equal("Role berth-secrets", owner);
            Assert.True(rule["verbs"].Strings().SequenceEqual(["create"]) || rule["resourceNames"].Strings().Length > 0, owner);
            Assert.All(rule["verbs"].Strings(), v => Assert.Contains(v, (string[])["create", "get", "patch"]));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Bindings_NameRolesAndAccountsThatAreThere(string set)
    {
        var manifests = ValueSets.Render(set);
        var bindings = manifests.Of("RoleBinding").Concat(manifests.Of("ClusterRoleBinding")).ToList();
        foreach (var binding in bindings)
        {
            var role = binding["roleRef"]!;
            var found = manifests.One((string)role["kind"]!, (string)role["name"]!);
            Assert.Equal(binding.NamespaceOf(), found.NamespaceOf());
            Assert.All(binding["subjects"]!.AsArray(), s =>
                Assert.Equal((string?)s!["namespace"], manifests.One("ServiceAccount", (string)s["name"]!).NamespaceOf()));
        }

        var bound = bindings.Select(b => (string)b["roleRef"]!["name"]!).ToHashSet();
        Assert.All(manifests.Of("Role").Concat(manifests.Of("ClusterRole")), r => Assert.Contains(r.Name(), bound));
    }

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void PodAccounts_AreThere(string set)
    {
        var manifests = ValueSets.Render(set);
        Assert.All(manifests.PodTemplates().Select(p => (string?)p.Template["spec"]!["serviceAccountName"]).OfType<string>(),
            account => manifests.One("ServiceAccount", account));
    }

    // Whatever the edge is made to do, it makes no pod and reads no Secret.
    [SkippableFact]
    public void Edge_MayNotTouchWhatWorkspacesAreMadeOf()
    {
        var rules = Rules(ValueSets.Render("required")).Where(r => r.Owner.EndsWith("-edge", StringComparison.Ordinal))
            .Select(r => r.Rule).ToList();
        var writes = rules.Where(r => r["verbs"].Strings().Intersect(["create", "update", "patch", "delete"]).Any())
            .SelectMany(r => r["resources"].Strings()).Order();
        Assert.Equal(["leases", "tokenreviews", "userworkspaces", "userworkspaces/status"], writes);
    }

    // The only rights outside of its two namespaces are to look.
    [SkippableFact]
    public void Operator_InTheWholeCluster_OnlyLooks()
    {
        var cluster = ValueSets.Render("required").One("ClusterRole", "berth-berth-operator");
        Assert.All(cluster["rules"]!.AsArray(), rule => Assert.Empty(rule!["verbs"].Strings().Except(["get", "list", "watch"])));
    }

    // What docs/examples/cluster grants for the whole cluster, the chart grants no more of.
    [SkippableFact]
    public void Operator_HasNoRightThatTheExampleDoesNotName()
    {
        var example = YamlJson.ReadAll(Checkout.Read("docs/examples/cluster/operator.yaml"));
        var allowed = example.Where(m => m.Kind() is "Role" or "ClusterRole").SelectMany(Grants).ToHashSet();
        var granted = ValueSets.Render("required").All.Where(m => m.Kind() is "Role" or "ClusterRole")
            .Where(m => m.Name().Contains("operator", StringComparison.Ordinal)).SelectMany(Grants).ToHashSet();
        Assert.Empty(granted.Except(allowed));
        Assert.Empty(allowed.Except(granted));
    }

    [SkippableFact]
    public void Edge_HasTheRightsThatTheExampleNames()
    {
        var example = YamlJson.ReadAll(Checkout.Read("docs/examples/cluster/edge-rights.yaml"));
        var allowed = example.Where(m => m.Kind() is "Role" or "ClusterRole").SelectMany(Grants).Order();
        var granted = ValueSets.Render("required").All.Where(m => m.Kind() is "Role" or "ClusterRole")
            .Where(m => m.Name().EndsWith("-edge", StringComparison.Ordinal)).SelectMany(Grants).Order();
        Assert.Equal(allowed, granted);
    }

    [SkippableFact]
    public void Routes_WithoutTraefik_NeedNoRight() =>
        Assert.DoesNotContain(Rules(ValueSets.Render("path-prefix")), r => r.Rule["apiGroups"].Strings().Contains("traefik.io"));

    // Two releases of one name in two namespaces must not take each other's cluster-wide objects.
    [SkippableFact]
    public void ClusterWideObjects_BearTheReleasesNamespaceInTheirNames()
    {
        var manifests = ValueSets.Render("prod-upgrade");
        string[] kinds = ["ClusterRole", "ClusterRoleBinding", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"];
        Assert.All(manifests.All.Where(m => kinds.Contains(m.Kind())), m =>
            Assert.StartsWith($"{Chart.Namespace}-{Chart.Release}-", m.Name()));
    }

    private static IEnumerable<(string Owner, JsonNode Rule)> Rules(Manifests manifests) =>
        from role in manifests.Of("Role").Concat(manifests.Of("ClusterRole"))
        from rule in role["rules"]!.AsArray()
        select ($"{role.Kind()} {role.Name()}", rule!);

    private static IEnumerable<string> Grants(JsonNode role) =>
        from rule in role["rules"]!.AsArray()
        from resource in rule!["resources"].Strings()
        from verb in rule["verbs"].Strings()
        select $"{verb} {resource}";
}
