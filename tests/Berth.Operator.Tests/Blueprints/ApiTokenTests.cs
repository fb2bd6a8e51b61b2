using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

public sealed class ApiTokenTests
{
    private static readonly BlueprintSettings Settings = TestData.Settings with { ProxyUrl = "http://berth-edge.berth.svc:80/proxy" };

    [Fact]
    public void Pod_TemplateOpensConnections_HasATokenForTheEdgeOnly()
    {
        var pod = Make(s => s with { Connections = ["github"], Sidecars = [new TemplateContainer { Name = "agent" }] }).Pod!;

        var source = Assert.Single(pod.Spec!.Volumes!, v => v.Name == "api-token").Projected!.Sources!.Single().ServiceAccountToken!;
        Assert.Equal(("berth-edge", "token"), (source.Audience, source.Path));
        Assert.InRange(source.ExpirationSeconds!.Value, 600, 3600);
        Assert.False(pod.Spec.AutomountServiceAccountToken);
        Assert.Empty(RestrictedStandard.Violations(pod));
        Assert.All(pod.Spec.Containers, c =>
        {
            var mount = Assert.Single(c.VolumeMounts!, m => m.Name == "api-token");
            Assert.True(mount.ReadOnly);
            Assert.Equal(mount.MountPath + "/token", c.Env!.Single(e => e.Name == "BERTH_TOKEN_FILE").Value);
            Assert.Equal(Settings.ProxyUrl, c.Env!.Single(e => e.Name == "BERTH_PROXY_URL").Value);
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Pod_TemplateOpensNone_HasNoTokenAndAnOldRevision(bool empty)
    {
        var with = Make(s => s with { Connections = empty ? [] : null });
        var pod = with.Pod!;

        Assert.DoesNotContain(pod.Spec!.Volumes!, v => v.Projected?.Sources?.Any(p => p.ServiceAccountToken is not null) == true);
        Assert.DoesNotContain(pod.Spec.Containers[0].Env!, e => e.Name.StartsWith("BERTH_", StringComparison.Ordinal));
        Assert.Equal(Make(s => s).Revision, with.Revision);
    }

    [Theory]
    [InlineData("BERTH_PROXY_URL")]
    [InlineData("BERTH_TOKEN_FILE")]
    public void Template_SetsOneOfTheVariables_IsRefused(string name)
    {
        var problems = Make(s => s with { Env = [new TemplateVariable { Name = name, Value = "http://evil.example" }] }).Problems;

        Assert.Contains(name, Assert.Single(problems).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pool_TemplateOpensConnections_PodsThatWaitHaveTheTokenToo()
    {
        var template = TestData.Template(s => s with { Connections = ["github"] });
        var (pool, problem) = PoolBlueprint.For(template, Settings);
        var blueprint = Blueprint.For(TestData.Workspace(), template, Settings, new BlueprintFacts());

        Assert.Null(problem);
        Assert.Contains(pool!.MakePod("pool-a", template).Spec!.Volumes!, v => v.Name == "api-token");
        Assert.Equal(pool.Revision, PoolBlueprint.Of(blueprint.Pod, blueprint.Volume)!.Revision);
    }

    [Fact]
    public void NetworkPolicy_WithoutAnyEgress_StillReachesTheEdge()
    {
        var policy = Make(s => s with { Connections = ["github"], Egress = new TemplateEgress { Mode = EgressModes.None } }).NetworkPolicy!;

        Assert.Contains(policy.Spec!.Egress!, r => r.Ports!.Any(p => p.Port == Settings.Edge.TargetPort)
            && r.To!.Any(t => t.PodSelector?.MatchLabels?.ContainsKey("app.kubernetes.io/name") == true));
    }

    private static Blueprint Make(Func<WorkspaceTemplateSpec, WorkspaceTemplateSpec> change) =>
        Blueprint.For(TestData.Workspace(), TestData.Template(change), Settings, new BlueprintFacts());
}
