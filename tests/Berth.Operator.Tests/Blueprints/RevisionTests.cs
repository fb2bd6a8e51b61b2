using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>What brings a running workspace a pending restart, and what does not.</summary>
public sealed class RevisionTests
{
    private static readonly Dictionary<string, Func<WorkspaceTemplateSpec, WorkspaceTemplateSpec>> Changes = new()
    {
        ["image"] = s => s with { Image = "other:1" },
        ["imagePullPolicy"] = s => s with { ImagePullPolicy = "Always" },
        ["command"] = s => s with { Command = ["/other"] },
        ["args"] = s => s with { Args = ["--other"] },
        ["env"] = s => s with { Env = [new TemplateVariable { Name = "A", Value = "1" }] },
        ["port"] = s => s with { Port = 9000 },
        ["probes"] = s => s with { Probes = new TemplateProbes { Liveness = new TemplateProbe() } },
        ["limits"] = s => s with { Resources = new TemplateResources { Limits = new ComputeResources { Cpu = "3" } } },
        ["gpu"] = s => s with { Resources = new TemplateResources { Gpu = new TemplateGpu { Count = 1 } } },
        ["mountPath"] = s => s with { Storage = s.Storage! with { MountPath = "/other" } },
        ["securityContext"] = s => s with { SecurityContext = new TemplateSecurity { ReadOnlyRootFilesystem = true } },
        ["parameter default"] = s => s with { Parameters = [new TemplateParameter { Name = "p", Env = "P", Default = "1" }] },
        ["parameter file"] = s => s with { Parameters = [new TemplateParameter { Name = "p", File = "p", Default = "1" }] },
        ["terminationGracePeriodSeconds"] = s => s with { TerminationGracePeriodSeconds = 99 },
        ["initContainers"] = s => s with { InitContainers = [new TemplateContainer { Name = "first" }] },
        ["sidecars"] = s => s with { Sidecars = [new TemplateContainer { Name = "beside" }] },
        ["nodeSelector"] = s => s with
        {
            Scheduling = new TemplateScheduling { NodeSelector = new Dictionary<string, string> { ["a"] = "b" } },
        },
        ["tolerations"] = s => s with { Scheduling = new TemplateScheduling { Tolerations = [new Toleration { Key = "a" }] } },
        ["priorityClassName"] = s => s with { Scheduling = new TemplateScheduling { PriorityClassName = "low" } },
        ["runtimeClassName"] = s => s with { Scheduling = new TemplateScheduling { RuntimeClassName = "kata" } },
        ["imagePullSecrets"] = s => s with { ImagePullSecrets = [new SecretReference { Name = "registry" }] },
        ["serviceAccountName"] = s => s with { ServiceAccountName = "people" },
    };

    private static readonly Dictionary<string, Func<WorkspaceTemplateSpec, WorkspaceTemplateSpec>> NoChanges = new()
    {
        ["displayName"] = s => s with { DisplayName = "Other" },
        ["description"] = s => s with { Description = "Other" },
        ["icon"] = s => s with { Icon = "🐙" },
        ["lifetime"] = s => s with { Lifetime = new TemplateLifetime { IdleTimeoutSeconds = 600 } },
        ["activity"] = s => s with { Activity = new TemplateActivity { Probe = new ActivityProbe { Path = "/", Field = "a" } } },
        ["warmPool"] = s => s with { WarmPool = new TemplateWarmPool { Size = 3 } },
        ["fallbackTemplate"] = s => s with { FallbackTemplate = "other" },
        ["retired"] = s => s with { Retired = new TemplateRetirement { Message = "Too old." } },
        ["egress"] = s => s with { Egress = new TemplateEgress { Mode = EgressModes.None } },
        ["ceiling"] = s => s with { Resources = new TemplateResources { Ceiling = new WorkspaceResources { Cpu = "64" } } },
        ["storage size"] = s => s with { Storage = s.Storage! with { Size = "9Gi" } },
        ["unset parameter"] = s => s with { Parameters = [new TemplateParameter { Name = "p", Env = "P" }] },
    };

    public static TheoryData<string> Names => [.. Changes.Keys];

    public static TheoryData<string> OtherNames => [.. NoChanges.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Template_ChangeOfWhatAPodIsMadeFrom_IsPending_AndNothingRestarts(string field)
    {
        var world = World.Running();
        var pod = world.Seen.Pod;
        world.Seen = world.Seen with { Template = TestData.Template(Changes[field]) };
        Assert.DoesNotContain("DeletePod", world.Settle());
        Assert.Same(pod, world.Seen.Pod);
        Assert.Equal(WorkspacePhases.Running, world.Phase);
        var revision = world.Status.TemplateRevision!;
        Assert.True(revision.PendingRestart);
        Assert.NotEqual(revision.Current, revision.Desired);
        Assert.Null(revision.Redirects);
    }

    [Theory]
    [MemberData(nameof(OtherNames))]
    public void Template_ChangeOfAnythingElse_IsNoRevision(string field)
    {
        var world = World.Running();
        var pod = world.Seen.Pod;
        var before = world.Status.TemplateRevision;
        world.Seen = world.Seen with { Template = TestData.Template(NoChanges[field]) };
        world.Settle();
        Assert.Same(pod, world.Seen.Pod);
        Assert.Equal(before, world.Status.TemplateRevision);
        Assert.Equal(WorkspacePhases.Running, world.Phase);
    }

    [Fact]
    public void Parameter_ThatIsAFile_ChangesTheRevisionByItsValue()
    {
        var template = TestData.Template(s => s with { Parameters = [new TemplateParameter { Name = "p", File = "p" }] });
        Assert.NotEqual(Revision("1"), Revision("2"));
        Assert.Equal(Revision("1"), Revision("1"));

        string? Revision(string value) => Blueprint.For(
            TestData.Workspace(s => s with { Parameters = new Dictionary<string, string> { ["p"] = value } }),
            template, TestData.Settings, new BlueprintFacts()).Revision;
    }
}
