using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

public sealed class PodPartTests
{
    private static readonly TemplateContainer Clone = new()
    {
        Name = "clone",
        Image = "alpine/git:2.45.2",
        Command = ["/bin/sh", "-c"],
        Args = ["git clone \"$REPOSITORY\" \"$WORKSPACE_ROOT/src\""],
        Env = [new TemplateVariable { Name = "HOME", Value = "/tmp" }, new TemplateVariable { Name = "DEPTH", Value = "1" }],
        Resources = new TemplateContainerResources
        {
            Requests = new ComputeResources { Cpu = "2", Memory = "64Mi" },
            Limits = new ComputeResources { Cpu = "1" },
        },
    };

    private static readonly TemplateContainer Proxy = new() { Name = "proxy", MountVolume = false };

    private static WorkspaceTemplate Full { get; } = TestData.Template(s => s with
    {
        ImagePullPolicy = "IfNotPresent",
        InitContainers = [Clone, new TemplateContainer { Name = "dotfiles" }],
        Sidecars = [Proxy],
        Env = [new TemplateVariable { Name = "HOME", Value = "$(WORKSPACE_ROOT)" }, new TemplateVariable { Name = "DEPTH", Value = "0" }],
        SecurityContext = new TemplateSecurity { RunAsUser = 1001, ReadOnlyRootFilesystem = true },
        Scheduling = new TemplateScheduling
        {
            NodeSelector = new Dictionary<string, string> { ["pool"] = "spot" },
            Tolerations = [new Toleration { Key = "spot", Operator = "Exists", Effect = "NoSchedule" }],
            PriorityClassName = "low",
            RuntimeClassName = "gvisor",
        },
        ImagePullSecrets = [new SecretReference { Name = "registry" }],
        ServiceAccountName = "people",
        Resources = new TemplateResources
        {
            Limits = new ComputeResources { Cpu = "2" },
            Gpu = new TemplateGpu { Count = 1, Ceiling = 4 },
        },
        Parameters =
        [
            new TemplateParameter { Name = "repository", Env = "REPOSITORY", File = "repository.txt", Default = "none" },
            new TemplateParameter { Name = "key", File = "key" },
        ],
    });

    [Fact]
    public void Pod_AllFields_MeetsTheRestrictedStandard_InEveryContainer()
    {
        var pod = PodOf(Full);
        Assert.Equal(4, pod.Spec!.Containers.Count + pod.Spec.InitContainers!.Count);
        Assert.Empty(RestrictedStandard.Violations(pod));

        // The check finds what is missing, in whichever container.
        Assert.NotEmpty(RestrictedStandard.Violations(pod with { Spec = pod.Spec with { InitContainers = [Bare(pod.Spec.InitContainers[1])] } }));
        Assert.NotEmpty(RestrictedStandard.Violations(pod with { Spec = pod.Spec with { Containers = [Bare(pod.Spec.Containers[1])] } }));
        Assert.NotEmpty(RestrictedStandard.Violations(pod with { Spec = pod.Spec with { SecurityContext = null } }));

        static Container Bare(Container container) => container with { SecurityContext = null };
    }

    [Fact]
    public void Pod_FurtherContainers_AreInOrder_WithTheApplicationsEnvironmentAndVolume()
    {
        var spec = PodOf(Full).Spec!;
        Assert.Equal(["clone", "dotfiles"], spec.InitContainers!.Select(c => c.Name));
        Assert.Equal([Blueprint.ContainerName, "proxy"], spec.Containers.Select(c => c.Name));
        var application = spec.Containers[0];
        var dotfiles = spec.InitContainers![1];
        Assert.Equal("berth-studio:dev", dotfiles.Image);
        Assert.Equal("IfNotPresent", dotfiles.ImagePullPolicy);
        Assert.Equal(application.Env!, dotfiles.Env!);
        Assert.Equal(application.VolumeMounts!, dotfiles.VolumeMounts!);
        Assert.Null(dotfiles.Ports);
        Assert.Null(dotfiles.ReadinessProbe);

        var clone = spec.InitContainers[0];
        Assert.Equal("alpine/git:2.45.2", clone.Image);
        Assert.Equal("/tmp", clone.Env!.Single(e => e.Name == "HOME").Value);
        Assert.Equal("1", clone.Env!.Single(e => e.Name == "DEPTH").Value);
        Assert.Equal(clone.Env!.Select(e => e.Name).Order(), application.Env!.Select(e => e.Name).Order());
        Assert.Equal("1", clone.Resources!.Limits!["cpu"]);
        Assert.Equal("1", clone.Resources.Requests!["cpu"]);
        Assert.Equal("64Mi", clone.Resources.Requests["memory"]);

        var proxy = spec.Containers[1];
        Assert.DoesNotContain(proxy.VolumeMounts!, m => m.MountPath == "/workspace");
        Assert.Contains(proxy.VolumeMounts!, m => m.MountPath == "/tmp");
        Assert.All(spec.InitContainers.Concat(spec.Containers), c => Assert.True(c.SecurityContext!.ReadOnlyRootFilesystem));
    }

    [Fact]
    public void Pod_Scheduling_IsTheTemplates_AndTheTokenIsNeverMounted()
    {
        var spec = PodOf(Full).Spec!;
        Assert.Equal("spot", spec.NodeSelector!["pool"]);
        Assert.Equal("spot", Assert.Single(spec.Tolerations!).Key);
        Assert.Equal(("low", "gvisor", "people"), (spec.PriorityClassName, spec.RuntimeClassName, spec.ServiceAccountName));
        Assert.Equal("registry", Assert.Single(spec.ImagePullSecrets!).Name);
        Assert.False(spec.AutomountServiceAccountToken);
        Assert.DoesNotContain(spec.Volumes!, v => v.Secret is not null || v.Projected?.Sources!.Any(s => s.DownwardAPI is null) == true);
    }

    [Theory]
    [InlineData(null, "1")]
    [InlineData(0, null)]
    [InlineData(4, "4")]
    public void Pod_Gpus_AreLimitAndRequest(int? wished, string? given)
    {
        var resources = PodOf(Full, s => s with { Resources = new WorkspaceResources { Gpu = wished } }).Spec!.Containers[0].Resources!;
        Assert.Equal(given, resources.Limits!.GetValueOrDefault("nvidia.com/gpu"));
        Assert.Equal(given, resources.Requests?.GetValueOrDefault("nvidia.com/gpu"));
        Assert.Equal("2", resources.Limits!["cpu"]);
    }

    [Fact]
    public void Pod_GpuOfAnotherMaker_IsItsResource()
    {
        var template = TestData.Template(s => s with
        {
            Resources = new TemplateResources { Gpu = new TemplateGpu { ResourceName = "amd.com/gpu", Count = 2 } },
        });
        Assert.Equal("2", PodOf(template).Spec!.Containers[0].Resources!.Limits!["amd.com/gpu"]);
    }

    [Theory]
    [InlineData(1, 4, null, 5, "allows at most 4")]
    [InlineData(1, null, null, 2, "allows at most 1")]
    [InlineData(1, 4, 2, 3, "allows at most 2")]
    [InlineData(0, null, 3, 4, "allows at most 3")]
    [InlineData(1, 4, null, -1, "allows at most 4")]
    [InlineData(null, null, null, 1, "has no GPUs")]
    public void Gpu_WishAboveTheCeiling_IsTheUsersClearProblem(int? count, int? ceiling, int? general, int wished, string problem)
    {
        var template = TestData.Template(s => s with
        {
            Resources = new TemplateResources
            {
                Gpu = count is null ? null : new TemplateGpu { Count = count, Ceiling = ceiling },
                Ceiling = new WorkspaceResources { Gpu = general },
            },
        });
        var told = Assert.Single(Problems(template, s => s with { Resources = new WorkspaceResources { Gpu = wished } }));
        Assert.Equal((FailureClasses.User, Reasons.InvalidResources), (told.Class, told.Reason));
        Assert.Contains(problem, told.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gpu_CountAboveTheCeiling_IsTheTemplatesProblem() =>
        Assert.Equal(FailureClasses.Template, Assert.Single(Problems(TestData.Template(s => s with
        {
            Resources = new TemplateResources { Gpu = new TemplateGpu { Count = 2, Ceiling = 1 } },
        }))).Class);

    [Fact]
    public void Template_SeveralMistakes_AreAllToldAtOnce()
    {
        var problems = Problems(TestData.Template(s => s with
        {
            InitContainers = [Clone, Clone, new TemplateContainer { Name = "workspace" }, new TemplateContainer { Name = "Bad Name" }],
            Sidecars =
            [
                new TemplateContainer { Name = "own", Env = [new TemplateVariable { Name = "WORKSPACE_URL" },
                    new TemplateVariable { Name = "A B" }] },
                new TemplateContainer
                {
                    Name = "big",
                    Resources = new TemplateContainerResources { Limits = new ComputeResources { Memory = "much" } },
                },
            ],
            Storage = new TemplateStorage { MountPath = "/run/berth/parameters" },
            Egress = new TemplateEgress { Mode = EgressModes.Custom },
            Parameters = [new TemplateParameter { Name = "a", File = "same" }, new TemplateParameter { Name = "b", File = "same" }],
        }));
        Assert.All(problems, p => Assert.Equal(FailureClasses.Template, p.Class));
        string[] expected =
        [
            "'/run/berth/parameters'", "two containers named 'clone'", "application's own name", "'Bad Name'",
                "sets WORKSPACE_URL in container 'own'",
            "'A B' in container 'own'", "limits.memory in container 'big'", "file 'same' to two parameters", "names no network",
        ];
        Assert.All(expected, e => Assert.Contains(problems, p => p.Message.Contains(e, StringComparison.Ordinal)));
        Assert.Equal(expected.Length, problems.Length);
    }

    [Theory]
    [InlineData("/run")]
    [InlineData("/run/berthing")]
    public void MountPath_BesideBerthsOwnFolder_IsTaken(string path) =>
        Assert.Empty(Problems(TestData.Template(s => s with { Storage = new TemplateStorage { MountPath = path } })));

    private static Pod PodOf(WorkspaceTemplate template, Func<UserWorkspaceSpec, UserWorkspaceSpec>? change = null)
    {
        var blueprint = Blueprint.For(TestData.Workspace(change), template, TestData.Settings, new BlueprintFacts());
        Assert.Empty(blueprint.Problems);
        return blueprint.Pod!;
    }

    private static BlueprintProblem[] Problems(WorkspaceTemplate template, Func<UserWorkspaceSpec, UserWorkspaceSpec>? change = null) =>
        [.. Blueprint.For(TestData.Workspace(change), template, TestData.Settings, new BlueprintFacts()).Problems];
}
