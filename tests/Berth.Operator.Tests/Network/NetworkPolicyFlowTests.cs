using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// The policies that the operator writes, evaluated flow by flow: two workspaces, the edge, Traefik, name servers, the API server,
/// other pods, the Internet and the metadata addresses of clouds.
/// </summary>
public sealed class NetworkPolicyFlowTests
{
    private static readonly Dictionary<string, string> PeopleLabels = new() { ["kubernetes.io/metadata.name"] = TestData.Ns };
    private static readonly Dictionary<string, string> BerthLabels = new() { ["kubernetes.io/metadata.name"] = "berth" };
    private static readonly Dictionary<string, string> SystemLabels = new() { ["kubernetes.io/metadata.name"] = "kube-system" };

    private static readonly UserWorkspace First = TestData.Workspace(name: "ws-one");
    private static readonly UserWorkspace Second = TestData.Workspace(
        s => s with { Owner = new WorkspaceOwner { Issuer = TestData.Issuer, Subject = "43" } }, "ws-two");

    private static readonly Dictionary<string, FlowEnd> Ends = new()
    {
        ["one"] = PodOf(First, "10.244.1.10"),
        ["two"] = PodOf(Second, "10.244.1.11"),
        ["edge"] = Pod("10.244.2.2", "berth", BerthLabels, ("app.kubernetes.io/name", "berth-edge")),
        ["false edge"] = Pod("10.244.2.3", "evil", [], ("app.kubernetes.io/name", "berth-edge")),
        ["traefik"] = Pod("10.244.2.4", "kube-system", SystemLabels, ("app.kubernetes.io/name", "traefik")),
        ["dns"] = Pod("10.244.0.2", "kube-system", SystemLabels, ("k8s-app", "kube-dns")),
        ["database"] = Pod("10.244.3.3", "shop", [], ("app", "postgres")),
        ["pod of the namespace"] = Pod("10.244.3.4", TestData.Ns, PeopleLabels, ("app", "other")),
        ["api server"] = new FlowEnd("10.96.0.1"),
        ["public api server"] = new FlowEnd("198.51.100.7"),
        ["node"] = new FlowEnd("192.168.7.1"),
        ["office"] = new FlowEnd("10.20.30.40"),
        ["office v6"] = new FlowEnd("fd12:3456::1"),
        ["internet"] = new FlowEnd("203.0.113.9"),
        ["internet v6"] = new FlowEnd("2001:db8::9"),
        ["carrier"] = new FlowEnd("100.64.1.1"),
        ["aws metadata"] = new FlowEnd("169.254.169.254"),
        ["aws metadata v6"] = new FlowEnd("fd00:ec2::254"),
        ["aws metadata nat64"] = new FlowEnd("64:ff9b::a9fe:a9fe"),
        ["ecs metadata"] = new FlowEnd("169.254.170.2"),
        ["azure metadata"] = new FlowEnd("168.63.129.16"),
        ["azure metadata nat64"] = new FlowEnd("64:ff9b::a83f:8110"),
        ["alibaba metadata"] = new FlowEnd("100.100.100.200"),
        ["google metadata v6"] = new FlowEnd("fd20:ce::254"),
        ["link local"] = new FlowEnd("169.254.1.1"),
        ["link local v6"] = new FlowEnd("fe80::1"),
        ["loopback"] = new FlowEnd("127.0.0.1"),
    };

    private static readonly Dictionary<string, TemplateEgress?> Egress = new()
    {
        ["default"] = null,
        ["Internet"] = new TemplateEgress(),
        ["None"] = new TemplateEgress { Mode = EgressModes.None },
        ["office"] = new TemplateEgress { Mode = EgressModes.Custom, Cidrs = ["10.20.0.0/16", "fd12:3456::/32"] },
        ["all v4"] = new TemplateEgress { Mode = EgressModes.Custom, Cidrs = ["0.0.0.0/0"] },
        ["all named"] = new TemplateEgress
        {
            Mode = EgressModes.Custom,
            Cidrs = ["0.0.0.0/0", "10.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10", "::/0", "fc00::/7", "64:ff9b::/96"],
        },
        ["metadata"] = new TemplateEgress { Mode = EgressModes.Custom, Cidrs = ["169.254.169.254/32", "fd00:ec2::254/128"] },
        ["unreadable"] = new TemplateEgress { Mode = EgressModes.Custom, Cidrs = ["0.0.0.0/0x", "everything", "203.0.113.0/24"] },
        ["unknown mode"] = new TemplateEgress { Mode = "Anything" },
    };

    [Theory]

    // What comes in: the edge and Traefik, on the application's port.
    [InlineData("default", "edge", "one", 8080, "TCP", true)]
    [InlineData("default", "traefik", "one", 8080, "TCP", true)]
    [InlineData("default", "edge", "one", 8081, "TCP", false)]
    [InlineData("default", "edge", "one", 22, "TCP", false)]
    [InlineData("default", "edge", "one", 8080, "UDP", false)]
    [InlineData("default", "false edge", "one", 8080, "TCP", false)]
    [InlineData("default", "two", "one", 8080, "TCP", false)]
    [InlineData("default", "one", "two", 8080, "TCP", false)]
    [InlineData("default", "database", "one", 8080, "TCP", false)]
    [InlineData("default", "pod of the namespace", "one", 8080, "TCP", false)]
    [InlineData("default", "dns", "one", 8080, "TCP", false)]
    [InlineData("default", "node", "one", 8080, "TCP", false)]
    [InlineData("default", "internet", "one", 8080, "TCP", false)]

    // What goes out by default: name servers, the edge's keys, the Internet.
    [InlineData("default", "one", "dns", 53, "UDP", true)]
    [InlineData("default", "one", "dns", 53, "TCP", true)]
    [InlineData("default", "one", "dns", 9153, "TCP", false)]
    [InlineData("default", "one", "edge", 8080, "TCP", true)]
    [InlineData("default", "one", "edge", 9090, "TCP", false)]
    [InlineData("default", "one", "false edge", 8080, "TCP", false)]
    [InlineData("default", "one", "internet", 443, "TCP", true)]
    [InlineData("default", "one", "internet", 22, "TCP", true)]
    [InlineData("default", "one", "internet", 443, "UDP", true)]
    [InlineData("Internet", "one", "internet v6", 443, "TCP", true)]
    [InlineData("Internet", "one", "traefik", 443, "TCP", false)]
    [InlineData("Internet", "one", "database", 5432, "TCP", false)]
    [InlineData("Internet", "one", "pod of the namespace", 80, "TCP", false)]
    [InlineData("Internet", "one", "api server", 443, "TCP", false)]
    [InlineData("Internet", "one", "public api server", 443, "TCP", false)]
    [InlineData("Internet", "one", "node", 10250, "TCP", false)]
    [InlineData("Internet", "one", "office", 443, "TCP", false)]
    [InlineData("Internet", "one", "office v6", 443, "TCP", false)]
    [InlineData("Internet", "one", "carrier", 443, "TCP", false)]
    [InlineData("Internet", "one", "loopback", 80, "TCP", false)]
    [InlineData("Internet", "one", "link local", 80, "TCP", false)]
    [InlineData("Internet", "one", "link local v6", 80, "TCP", false)]
    [InlineData("Internet", "one", "aws metadata", 80, "TCP", false)]
    [InlineData("Internet", "one", "aws metadata v6", 80, "TCP", false)]
    [InlineData("Internet", "one", "aws metadata nat64", 80, "TCP", false)]
    [InlineData("Internet", "one", "ecs metadata", 80, "TCP", false)]
    [InlineData("Internet", "one", "azure metadata", 80, "TCP", false)]
    [InlineData("Internet", "one", "azure metadata nat64", 80, "TCP", false)]
    [InlineData("Internet", "one", "alibaba metadata", 80, "TCP", false)]
    [InlineData("Internet", "one", "google metadata v6", 80, "TCP", false)]

    // None: name servers and the edge's keys, and nothing else.
    [InlineData("None", "one", "dns", 53, "UDP", true)]
    [InlineData("None", "one", "edge", 8080, "TCP", true)]
    [InlineData("None", "one", "internet", 443, "TCP", false)]
    [InlineData("None", "one", "internet v6", 443, "TCP", false)]
    [InlineData("None", "one", "api server", 443, "TCP", false)]
    [InlineData("None", "one", "two", 8080, "TCP", false)]
    [InlineData("None", "edge", "one", 8080, "TCP", true)]

    // Custom: what is named, private or not, and nothing else.
    [InlineData("office", "one", "office", 443, "TCP", true)]
    [InlineData("office", "one", "office v6", 443, "TCP", true)]
    [InlineData("office", "one", "internet", 443, "TCP", false)]
    [InlineData("office", "one", "api server", 443, "TCP", false)]
    [InlineData("office", "one", "dns", 53, "UDP", true)]
    [InlineData("office", "one", "edge", 8080, "TCP", true)]
    [InlineData("all v4", "one", "internet", 443, "TCP", true)]
    [InlineData("all v4", "one", "internet v6", 443, "TCP", false)]
    [InlineData("all v4", "one", "office", 443, "TCP", false)]
    [InlineData("all v4", "one", "public api server", 443, "TCP", false)]
    [InlineData("all v4", "one", "aws metadata", 80, "TCP", false)]
    [InlineData("all v4", "one", "azure metadata", 80, "TCP", false)]
    [InlineData("all named", "one", "office", 443, "TCP", true)]
    [InlineData("all named", "one", "link local", 80, "TCP", true)]
    [InlineData("all named", "one", "aws metadata", 80, "TCP", false)]
    [InlineData("all named", "one", "aws metadata v6", 80, "TCP", false)]
    [InlineData("all named", "one", "aws metadata nat64", 80, "TCP", false)]
    [InlineData("all named", "one", "azure metadata", 80, "TCP", false)]
    [InlineData("all named", "one", "alibaba metadata", 80, "TCP", false)]
    [InlineData("all named", "one", "google metadata v6", 80, "TCP", false)]
    [InlineData("all named", "one", "public api server", 443, "TCP", false)]

    // Even a workspace that may reach every network does not reach another one: that one lets nobody in.
    [InlineData("all named", "one", "two", 8080, "TCP", false)]

    // What cannot be read, or must not be, opens nothing.
    [InlineData("metadata", "one", "aws metadata", 80, "TCP", false)]
    [InlineData("metadata", "one", "internet", 443, "TCP", false)]
    [InlineData("metadata", "one", "dns", 53, "UDP", true)]
    [InlineData("unreadable", "one", "internet", 443, "TCP", true)]
    [InlineData("unreadable", "one", "office", 443, "TCP", false)]
    [InlineData("unknown mode", "one", "internet", 443, "TCP", false)]
    public void Policies_Flow_IsAllowedOnlyWhereItHasTo(string egress, string from, string to, int port, string protocol, bool allowed) =>
        Assert.Equal(allowed, PolicyEvaluator.Allows(Policies(Egress[egress]), Ends[from], Ends[to], port, protocol));

    [Fact]
    public void Policies_BothDirections_AreIsolatedByDefault()
    {
        var policies = Policies(null);
        Assert.All(policies, p => Assert.Equal(["Ingress", "Egress"], p.Spec!.PolicyTypes!));

        // Neither a rule without peers nor one without ports that would let everybody in.
        Assert.All(policies.SelectMany(p => p.Spec!.Ingress!), r => Assert.NotEmpty(r.From!));
        Assert.All(policies.SelectMany(p => p.Spec!.Ingress!), r => Assert.NotEmpty(r.Ports!));
        Assert.All(policies.SelectMany(p => p.Spec!.Egress!), r => Assert.NotEmpty(r.To!));
    }

    [Fact]
    public void Policy_AllowedSources_ReachTheApplicationAndNothingElse()
    {
        var policy = NetworkPolicyPart.Make(First, TestData.Template(), null, TestData.Settings with
        {
            Network = new NetworkSettings { AllowedSources = ["192.168.7.0/24"] },
        });
        Assert.True(PolicyEvaluator.Allows([policy], Ends["node"], Ends["one"], 8080));
        Assert.False(PolicyEvaluator.Allows([policy], Ends["node"], Ends["one"], 8081));
        Assert.False(PolicyEvaluator.Allows([policy], Ends["office"], Ends["one"], 8080));
    }

    [Fact]
    public void Policy_TemplateGone_KeepsWhatWasApplied_ButNotWhatSomebodyMadeOfIt()
    {
        var closed = NetworkPolicyPart.Make(
            First, TestData.Template(s => s with { Egress = Egress["None"] }), null, TestData.Settings);
        var kept = NetworkPolicyPart.Make(First, null, closed, TestData.Settings);
        Assert.False(PolicyEvaluator.LetsOut([kept], Ends["one"], Ends["internet"], 443));

        var open = NetworkPolicyPart.Make(First, TestData.Template(), null, TestData.Settings);
        kept = NetworkPolicyPart.Make(First, null, open, TestData.Settings);
        Assert.True(PolicyEvaluator.LetsOut([kept], Ends["one"], Ends["internet"], 443));

        var widened = closed with { Spec = closed.Spec! with { Egress = [new NetworkPolicyEgressRule()] } };
        Assert.True(PolicyEvaluator.LetsOut([widened], Ends["one"], Ends["office"], 443));
        kept = NetworkPolicyPart.Make(First, null, widened, TestData.Settings);
        Assert.False(PolicyEvaluator.LetsOut([kept], Ends["one"], Ends["office"], 443));
        Assert.False(PolicyEvaluator.LetsOut([kept], Ends["one"], Ends["internet"], 443));
        Assert.True(PolicyEvaluator.LetsOut([kept], Ends["one"], Ends["dns"], 53, "UDP"));

        // Nothing is known of it at all: nothing but name servers and keys.
        var unknown = NetworkPolicyPart.Make(First, null, null, TestData.Settings);
        Assert.False(PolicyEvaluator.LetsOut([unknown], Ends["one"], Ends["internet"], 443));
    }

    [Fact]
    public void Evaluator_PodWithoutPolicy_IsOpen_SoThatTheFlowsProveThePolicies() =>
        Assert.True(PolicyEvaluator.Allows([], Ends["two"], Ends["one"], 22));

    private static readonly BlueprintSettings Settings = TestData.Settings with
    {
        Network = new NetworkSettings { DeniedDestinations = ["198.51.100.7/32"] },
    };

    private static NetworkPolicy[] Policies(TemplateEgress? egress)
    {
        var template = TestData.Template(s => s with { Egress = egress });
        return [NetworkPolicyPart.Make(First, template, null, Settings), NetworkPolicyPart.Make(Second, template, null, Settings)];
    }

    private static FlowEnd PodOf(UserWorkspace workspace, string address) => new(address)
    {
        Namespace = workspace.Metadata.Namespace!,
        NamespaceLabels = PeopleLabels,
        Labels = Children.LabelsOf(workspace),
        NamedPorts = new Dictionary<string, int> { ["http"] = 8080 },
    };

    private static FlowEnd Pod(string address, string ns, Dictionary<string, string> labels, (string Name, string Value) label) =>
        new(address)
        {
            Namespace = ns,
            NamespaceLabels = labels,
            Labels = new Dictionary<string, string> { [label.Name] = label.Value },
            NamedPorts = new Dictionary<string, int> { ["http"] = 8080 },
        };
}
