using System.Text.Json.Nodes;

namespace Berth.Chart.Tests;

/// <summary>
/// What every pod of the chart keeps to: the restricted Pod Security Standard, bounded, written to nowhere but where it says.
/// </summary>
public sealed class SecurityTests
{
    public static TheoryData<string> Sets => ValueSets.Names;

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Pods_MeetTheRestrictedStandard(string set)
    {
        foreach (var (owner, template) in ValueSets.Render(set).PodTemplates())
        {
            var security = template["spec"]!["securityContext"]!;
            Assert.True((bool)security["runAsNonRoot"]!, owner);
            Assert.True((int)security["runAsUser"]! > 0, owner);
            Assert.Equal("RuntimeDefault", (string?)security["seccompProfile"]!["type"]);
            Assert.All((string[])["hostNetwork", "hostPID", "hostIPC"], f => Assert.Null(template["spec"]![f]));
            Assert.False((bool)template["spec"]!["enableServiceLinks"]!, owner);
            Assert.All(Volumes(template), v => Assert.Null(v["hostPath"]));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Containers_HaveNoRightsAndAReadOnlyRoot(string set)
    {
        foreach (var (owner, container) in ValueSets.Render(set).Containers())
        {
            var security = container["securityContext"]!;
            Assert.False((bool)security["allowPrivilegeEscalation"]!, owner);
            Assert.True((bool)security["readOnlyRootFilesystem"]!, owner);
            Assert.Equal(["ALL"], security["capabilities"]!["drop"].Strings());
            Assert.Null(security["privileged"]);
            Assert.Null(security["capabilities"]!["add"]);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Containers_SayWhatTheyNeedAndTakeAtMost(string set)
    {
        foreach (var (owner, container) in ValueSets.Render(set).Containers())
        {
            Assert.NotNull(container["resources"]?["requests"]?["cpu"]);
            Assert.NotNull(container["resources"]?["requests"]?["memory"]);
            Assert.True(container["resources"]?["limits"]?["memory"] is not null, owner);
            Assert.Contains(':', (string)container["image"]!);
            Assert.Equal("IfNotPresent", (string?)container["imagePullPolicy"]);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void LongRunningContainers_HaveProbes(string set)
    {
        var manifests = ValueSets.Render(set);
        foreach (var manifest in manifests.Of("Deployment").Concat(manifests.Of("StatefulSet")))
        {
            var container = manifest["spec"]!["template"]!["spec"]!["containers"]![0]!;
            Assert.All((string[])["startupProbe", "readinessProbe", "livenessProbe"], p =>
                Assert.True(container[p] is not null, $"{manifest.Id()}: {p}"));
        }
    }

    // A probe of liveness that asks for more than the process itself would restart all replicas when the database is away.
    [SkippableFact]
    public void Probes_AskTheManagementPort()
    {
        var manifests = ValueSets.Render("required");
        foreach (var name in (string[])["berth-edge", "berth-operator"])
        {
            var container = manifests.One("Deployment", name)["spec"]!["template"]!["spec"]!["containers"]![0]!;
            Assert.Equal("/livez", (string?)container["livenessProbe"]!["httpGet"]!["path"]);
            Assert.Equal("/readyz", (string?)container["readinessProbe"]!["httpGet"]!["path"]);
            Assert.Equal("management", (string?)container["readinessProbe"]!["httpGet"]!["port"]);
            Assert.Contains(container["ports"]!.AsArray(), p => (string)p!["name"]! == "management" && (int)p["containerPort"]! == 8081);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Tokens_AreMountedOnlyWhereTheApiIsCalled(string set)
    {
        foreach (var (owner, template) in ValueSets.Render(set).PodTemplates())
        {
            var account = (string?)template["spec"]!["serviceAccountName"];
            var token = (bool?)template["spec"]!["automountServiceAccountToken"];
            Assert.True(account is not null ? token != false : token == false, $"{owner}: account {account}, token {token}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Mounts_NameVolumesThatAreThere(string set)
    {
        var manifests = ValueSets.Render(set);
        var claims = manifests.Of("StatefulSet").SelectMany(s => s["spec"]!["volumeClaimTemplates"]!.AsArray())
            .Select(c => c!.Name()).ToList();
        foreach (var (owner, template) in manifests.PodTemplates())
        {
            var volumes = Volumes(template).Select(v => (string)v["name"]!).Concat(claims).ToHashSet();
            var mounts = template["spec"]!["containers"]!.AsArray().SelectMany(c => c!["volumeMounts"]?.AsArray() ?? [])
                .Select(m => (string)m!["name"]!);
            Assert.All(mounts, m => Assert.True(volumes.Contains(m), $"{owner}: {m}"));
        }
    }

    private static IEnumerable<JsonNode> Volumes(JsonNode template) => (template["spec"]!["volumes"]?.AsArray() ?? []).OfType<JsonNode>();
}
