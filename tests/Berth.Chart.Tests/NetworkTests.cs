namespace Berth.Chart.Tests;

/// <summary>Who may speak to whom, asked of the policies that are rendered.</summary>
public sealed class NetworkTests
{
    private static readonly Pod Traefik = new("traefik", new() { ["app.kubernetes.io/name"] = "traefik" });
    private static readonly Pod Prometheus = new("monitoring", new() { ["app.kubernetes.io/name"] = "prometheus" });
    private static readonly Pod Stranger = new("default", new() { ["app"] = "stranger" });
    private static readonly Pod Neighbour = new(Chart.Namespace, new() { ["app"] = "somebody-else" });
    private static readonly Pod Dns = new("kube-system", new() { ["k8s-app"] = "kube-dns" });
    private static readonly Pod Workspace = new(Chart.Workspaces,
        new() { ["berth.dev/workspace"] = "ws-1", ["berth.dev/template"] = "studio" });
    private static readonly Pod Waiting = new(Chart.Workspaces, new() { ["berth.dev/pool"] = "studio", ["berth.dev/template"] = "studio" });
    private static readonly Pod Intruder = new(Chart.Workspaces, new() { ["app"] = "stranger" });

    private const string Bundled = "database: {mode: bundled, external: {host: ''}}";

    // Workspaces' own policies are the operator's: here theirs may reach everything, so that what counts is the other end.
    [SkippableFact]
    public void Edge_IsReachedByTraefikWorkspacesAndTheTestOnly()
    {
        var (flows, manifests) = Rendered(Bundled);
        var edge = Pod.Of(manifests, "Deployment berth-edge");
        Assert.True(flows.Allows(Traefik, edge, 8080));
        Assert.True(flows.Allows(Pod.Of(manifests, "Pod berth-test"), edge, 8080));
        Assert.True(Enters(manifests, Workspace, edge, 8080));
        Assert.True(Enters(manifests, Waiting, edge, 8080));
        Assert.All((Pod[])[Stranger, Neighbour, Prometheus, Pod.Of(manifests, "Deployment berth-operator"),
            Pod.Of(manifests, "StatefulSet berth-postgres")],
            p => Assert.False(flows.Allows(p, edge, 8080)));
        Assert.False(Enters(manifests, Intruder, edge, 8080));
    }

    [SkippableFact]
    public void Edge_OfATraefikInANamedNamespace_IsNotReachedByOthersWithItsLabels()
    {
        var manifests = Chart.Render("traefik: {namespace: ingress}");
        var edge = Pod.Of(manifests, "Deployment berth-edge");
        Assert.True(new Flows(manifests).Allows(Traefik with { Namespace = "ingress" }, edge, 8080));
        Assert.False(new Flows(manifests).Allows(Traefik, edge, 8080));
    }

    // values-dev: by the node's port people come from anywhere, and the provider is not on 443.
    [SkippableFact]
    public void Edge_ForTryingOut_ReachesTheProviderOnItsPort()
    {
        var manifests = ValueSets.Render("dev");
        Assert.True(new Flows(manifests).Allows(Pod.Of(manifests, "Deployment berth-edge"), "172.17.0.1", 4500));
        var from = manifests.One("NetworkPolicy", "berth-edge")["spec"]!["ingress"]![0]!["from"]!.AsArray();
        Assert.Contains(from, p => (string?)p!["ipBlock"]?["cidr"] == "0.0.0.0/0");
    }

    [SkippableFact]
    public void Metrics_AreReadByPrometheusOnly()
    {
        var (flows, manifests) = Rendered(Bundled);
        foreach (var part in (string[])["Deployment berth-edge", "Deployment berth-operator"])
        {
            var pod = Pod.Of(manifests, part);
            Assert.True(flows.Allows(Prometheus, pod, 8081), part);
            Assert.All((Pod[])[Traefik, Stranger, Neighbour], p => Assert.False(flows.Allows(p, pod, 8081)));
            Assert.False(Enters(manifests, Workspace, pod, 8081));
        }
    }

    [SkippableFact]
    public void Database_IsReachedByEdgeAndMigrationOnly()
    {
        var (flows, manifests) = Rendered(Bundled);
        var database = Pod.Of(manifests, "StatefulSet berth-postgres");
        Assert.True(flows.Allows(Pod.Of(manifests, "Deployment berth-edge"), database, 5432));
        Assert.True(flows.Allows(Pod.Of(manifests, "Job berth-migrate"), database, 5432));
        Pod[] others =
        [
            Traefik, Prometheus, Stranger, Neighbour, Pod.Of(manifests, "Deployment berth-operator"),
                Pod.Of(manifests, "Job berth-secrets"),
            Pod.Of(manifests, "Pod berth-test"),
        ];
        Assert.All(others, p => Assert.False(flows.Allows(p, database, 5432)));
        Assert.False(Enters(manifests, Workspace, database, 5432));
    }

    [SkippableFact]
    public void Database_ReachesNobody()
    {
        var (flows, manifests) = Rendered(Bundled);
        var database = Pod.Of(manifests, "StatefulSet berth-postgres");
        Assert.False(flows.Allows(database, "203.0.113.7", 443));
        Assert.False(flows.Allows(database, Dns, 53));
    }

    [SkippableFact]
    public void WorkspacesNamespace_IsClosedBeforeTheOperatorOpensIt()
    {
        var (flows, manifests) = Rendered(Bundled);
        Assert.False(flows.Allows(Stranger, Workspace, 8080));
        Assert.False(flows.Allows(Workspace, Waiting, 8080));
        Assert.False(flows.Allows(Workspace, "203.0.113.7", 443));
        Assert.False(flows.Allows(Pod.Of(manifests, "Deployment berth-operator"), Workspace, 8080));
    }

    [SkippableFact]
    public void Edge_ReachesWhatItNeeds()
    {
        var (flows, manifests) = Rendered(Bundled);
        var edge = Pod.Of(manifests, "Deployment berth-edge");
        Assert.True(flows.Allows(edge, Dns, 53));
        Assert.True(flows.Allows(edge, "203.0.113.7", 443));
        Assert.True(flows.Allows(edge, "10.96.0.1", 6443));
        Assert.True(Leaves(manifests, edge, Workspace, 8888));
        Assert.False(Leaves(manifests, edge, Intruder, 8888));
        Assert.False(flows.Allows(edge, Stranger, 8080));
        Assert.False(flows.Allows(edge, "203.0.113.7", 25));
    }

    [SkippableFact]
    public void ExternalDatabase_IsReachedInItsNetworksOnly()
    {
        var manifests = Chart.Render("database: {external: {networks: [10.9.0.0/16], port: 6432}}");
        var flows = new Flows(manifests);
        foreach (var part in (string[])["Deployment berth-edge", "Job berth-migrate"])
        {
            var pod = Pod.Of(manifests, part);
            Assert.True(flows.Allows(pod, "10.9.3.4", 6432), part);
            Assert.False(flows.Allows(pod, "10.8.3.4", 6432), part);
        }

        Assert.False(flows.Allows(Pod.Of(manifests, "Deployment berth-operator"), "10.9.3.4", 6432));
    }

    [SkippableFact]
    public void Jobs_ReachTheApiAndNothingElse()
    {
        var (flows, manifests) = Rendered(Bundled);
        var job = Pod.Of(manifests, "Job berth-secrets");
        Assert.True(flows.Allows(job, "10.96.0.1", 443));
        Assert.False(flows.Allows(job, Pod.Of(manifests, "Deployment berth-edge"), 8080));
        Assert.False(flows.Allows(Pod.Of(manifests, "Job berth-migrate"), "10.96.0.1", 443));
    }

    [SkippableFact]
    public void EveryPodOfTheRelease_IsUnderTheDefaultDeny()
    {
        foreach (var set in ValueSets.All.Keys)
        {
            var manifests = ValueSets.Render(set);
            var selector = manifests.Of("NetworkPolicy").First(p =>
                p.Name() == "berth-default-deny" && p.NamespaceOf() != Chart.Workspaces)["spec"]!["podSelector"]!;
            Assert.All(manifests.PodTemplates(), p => Assert.All(selector["matchLabels"]!.AsObject(), l =>
                Assert.Equal((string?)l.Value, p.Template.Labels().GetValueOrDefault(l.Key))));
        }
    }

    private static (Flows Flows, Manifests Manifests) Rendered(params string[] values)
    {
        var manifests = Chart.Render(values);
        return (new Flows(manifests), manifests);
    }

    // One end only: what the operator's policies say of the other is not in the chart.
    private static bool Enters(Manifests manifests, Pod from, Pod to, int port) =>
        new Flows(Without(manifests, Chart.Workspaces)).Allows(from, to, port);

    private static bool Leaves(Manifests manifests, Pod from, Pod to, int port) => Enters(manifests, from, to, port);

    private static Manifests Without(Manifests manifests, string ns) => new([.. manifests.All.Where(m => m.NamespaceOf() != ns)], "");
}
