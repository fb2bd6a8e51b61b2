using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Berth.Chart.Tests;

/// <summary>What holds for every object, whatever is configured.</summary>
public sealed partial class ObjectsTests
{
    public static TheoryData<string> Sets => ValueSets.Names;

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Objects_AreThereOnce_UnderNamesThatKubernetesTakes(string set)
    {
        var manifests = ValueSets.Render(set);
        Assert.Equal(manifests.All.Count, manifests.All.Select(m => m.Id()).Distinct().Count());
        Assert.All(manifests.All, m => Assert.True(Name().IsMatch(m.Name()) && m.Name().Length <= 63, m.Id()));
    }

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Objects_AreInOneOfTwoNamespaces_AndBearTheLabels(string set)
    {
        string[] wholeCluster =
        [
            "Namespace", "ClusterRole", "ClusterRoleBinding", "BerthPolicy", "ValidatingAdmissionPolicy",
                "ValidatingAdmissionPolicyBinding",
        ];
        foreach (var manifest in ValueSets.Render(set).All)
        {
            if (wholeCluster.Contains(manifest.Kind()))
            {
                Assert.Null(manifest.NamespaceOf());
            }
            else
            {
                Assert.True(manifest.NamespaceOf() is Chart.Namespace or Chart.Workspaces, manifest.Id());
            }

            Assert.Equal("berth", manifest.Labels().GetValueOrDefault("app.kubernetes.io/part-of"));
            Assert.Equal(Chart.Release, manifest.Labels().GetValueOrDefault("app.kubernetes.io/instance"));
            Assert.True(manifest.Labels().ContainsKey("app.kubernetes.io/component"), manifest.Id());
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Selectors_FindThePodsTheyAreFor(string set)
    {
        var manifests = ValueSets.Render(set);
        foreach (var workload in manifests.Of("Deployment").Concat(manifests.Of("StatefulSet")))
        {
            Holds(workload["spec"]!["selector"]!["matchLabels"]!, workload["spec"]!["template"]!.Labels());
        }

        foreach (var service in manifests.Of("Service"))
        {
            var chosen = manifests.PodTemplates().Where(p => service["spec"]!["selector"]!.AsObject().All(l =>
                p.Template.Labels().GetValueOrDefault(l.Key) == (string?)l.Value)).ToList();
            var owner = Assert.Single(chosen);
            var names = owner.Template["spec"]!["containers"]![0]!["ports"]!.AsArray().Select(p => (string)p!["name"]!);
            Assert.All(service["spec"]!["ports"]!.AsArray(), p => Assert.Contains((string)p!["targetPort"]!, names));
        }

        foreach (var budget in manifests.Of("PodDisruptionBudget"))
        {
            Holds(budget["spec"]!["selector"]!["matchLabels"]!, manifests.One("Deployment", budget.Name())["spec"]!["template"]!.Labels());
        }
    }

    // A new version of the chart alone must not roll the pods, and no selector may ever change.
    [SkippableFact]
    public void PodLabels_HoldNoVersion() =>
        Assert.All(ValueSets.Render("prod").PodTemplates().Where(p => !p.Owner.StartsWith("Pod ", StringComparison.Ordinal)), p =>
        Assert.DoesNotContain(p.Template.Labels().Keys, k => k is "app.kubernetes.io/version" or "helm.sh/chart"));

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void ConfigMaps_HoldNoSecret(string set)
    {
        var text = string.Join('\n', ValueSets.Render(set).Of("ConfigMap").Select(m => m.ToJsonString()));
        Assert.DoesNotMatch(Secretive(), text);
    }

    [SkippableFact]
    public void ClientSecrets_InTheValues_AreInOneSecretOnly()
    {
        const string Secret = "a-secret-nobody-else-may-see";
        var manifests = Chart.Render($"issuers: [{{issuer: 'https://x.test', clientId: a, clientSecret: {Secret}}}]");
        var encoded = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Secret));
        var holders = manifests.All.Where(m =>
            m.ToJsonString().Contains(Secret, StringComparison.Ordinal) || m.ToJsonString().Contains(encoded, StringComparison.Ordinal));
        Assert.Equal("Secret berth/berth-clients", Assert.Single(holders).Id());
        Assert.DoesNotContain(Secret, manifests.Notes, StringComparison.Ordinal);
    }

    // No password is in a manifest: the database's comes from its Secret, by a variable that Npgsql reads.
    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void ConnectionStrings_HoldNoPassword(string set)
    {
        var connections = ValueSets.Render(set).Containers().SelectMany(c => c.Container["env"]?.AsArray() ?? [])
            .Where(e => ((string)e!["name"]!).EndsWith("ConnectionString", StringComparison.Ordinal)).Select(e => (string)e!["value"]!);
        Assert.All(connections, c => Assert.DoesNotContain("Password", c, StringComparison.OrdinalIgnoreCase));
    }

    [SkippableTheory]
    [InlineData("1.20.0", "policy/v1beta1", "autoscaling/v2beta2", false, false)]
    [InlineData("1.22.0", "policy/v1", "autoscaling/v2beta2", false, false)]
    [InlineData("1.27.0", "policy/v1", "autoscaling/v2", true, false)]
    [InlineData("1.33.0", "policy/v1", "autoscaling/v2", true, true)]
    public void ApiVersions_AreThoseOfTheCluster(string version, string budget, string scaler, bool matchesKeys, bool admission)
    {
        var manifests = Chart.Render(new RenderOptions { KubeVersion = version }, Chart.Required);
        Assert.All(manifests.Of("PodDisruptionBudget"), m => Assert.Equal(budget, (string?)m["apiVersion"]));
        Assert.Equal(scaler, (string?)manifests.One("HorizontalPodAutoscaler", "berth-edge")["apiVersion"]);
        var spread = manifests.One("Deployment", "berth-edge")["spec"]!["template"]!["spec"]!["topologySpreadConstraints"]!.AsArray();
        Assert.All(spread, s => Assert.Equal(matchesKeys, s!["matchLabelKeys"] is not null));
        Assert.Equal(admission, manifests.Of("ValidatingAdmissionPolicy").Any());
    }

    [SkippableFact]
    public void Edge_RollsWithoutAGap()
    {
        var edge = ValueSets.Render("required").One("Deployment", "berth-edge")["spec"]!;
        Assert.Equal(0, (int)edge["strategy"]!["rollingUpdate"]!["maxUnavailable"]!);
        Assert.Null(edge["replicas"]);
        Assert.Equal(3, (int)Chart.Render("edge: {replicas: 3, autoscaling: {enabled: false}}").One("Deployment",
            "berth-edge")["spec"]!["replicas"]!);
    }

    [SkippableFact]
    public void Operator_IsTwo_AndCompetesForALeaseItMayTake()
    {
        var manifests = ValueSets.Render("required");
        Assert.Equal(2, (int)manifests.One("Deployment", "berth-operator")["spec"]!["replicas"]!);
        var environment = manifests.Environment("Deployment", "berth-operator");
        var role = manifests.Of("Role").Single(r => r.Name() == "berth-operator-lease");
        Assert.Equal(environment["Berth__Operator__LeaderElection__Namespace"], role.NamespaceOf());
        Assert.Contains(role["rules"]!.AsArray(), r =>
            r!["resourceNames"].Strings().Contains(environment["Berth__Operator__LeaderElection__Lease"]));
        Assert.DoesNotContain("Berth__Operator__LeaderElection__Enabled", environment.Keys);
    }

    [SkippableFact]
    public void Registry_StandsBeforeOurImages_AndNotBeforeThoseWithTheirOwn()
    {
        var manifests = Chart.Render("{image: {registry: registry.example.org/berth/}, database: {mode: bundled, external: {host: ''}}}");
        var images = manifests.Containers().Select(c => (string)c.Container["image"]!).ToHashSet();
        Assert.Contains("registry.example.org/berth/berth-edge:0.1.0", images);
        Assert.Contains("registry.example.org/berth/berth-operator:0.1.0", images);
        Assert.Contains(images, i => i.StartsWith("docker.io/library/postgres:", StringComparison.Ordinal));
        Assert.Equal("registry.example.org/berth/berth-studio:0.1.0",
            (string?)manifests.One("WorkspaceTemplate", "studio")["spec"]!["image"]);
        var digest = "sha256:" + new string('a', 64);
        Assert.Equal("berth-edge@" + digest,
            (string?)Chart.Render($"edge: {{image: {{digest: '{digest}'}}}}").One("Deployment",
                "berth-edge")["spec"]!["template"]!["spec"]!["containers"]![0]!["image"]);
    }

    private static void Holds(JsonNode selector, Dictionary<string, string> labels) =>
        Assert.All(selector.AsObject(), l => Assert.Equal((string?)l.Value, labels.GetValueOrDefault(l.Key)));

    [GeneratedRegex("^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
    private static partial Regex Name();

    [GeneratedRegex("(?i)password|client-?secret|BEGIN (EC )?PRIVATE KEY")]
    private static partial Regex Secretive();
}
