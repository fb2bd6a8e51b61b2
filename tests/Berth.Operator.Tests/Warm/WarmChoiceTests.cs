using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>Who may take a waiting pod, what such a pod is made from, and which pod is a workspace's.</summary>
public sealed class WarmChoiceTests
{
    private static readonly WorkspaceTemplate Template = TestData.Template(s => s with
    {
        WarmPool = new TemplateWarmPool { Size = 2 },
        Parameters =
        [
            new TemplateParameter { Name = "theme", Env = "THEME", Default = "light" },
            new TemplateParameter { Name = "branch", File = "branch", Default = "main" },
        ],
    });

    public static TheoryData<string, Func<UserWorkspaceSpec, UserWorkspaceSpec>, string?> Wishes => new()
    {
        { "none", s => s, null },
        { "defaults in words", s => s with { Parameters = new Dictionary<string, string> { ["theme"] = "light" } }, null },
        { "another variable", s => s with { Parameters = new Dictionary<string, string> { ["theme"] = "dark" } }, WarmChoice.Choices },
        { "another file", s => s with { Parameters = new Dictionary<string, string> { ["branch"] = "wip" } }, WarmChoice.Choices },
        { "memory", s => s with { Resources = new WorkspaceResources { Memory = "8Gi" } }, WarmChoice.Choices },
        { "storage", s => s with { Resources = new WorkspaceResources { Storage = "9Gi" } }, WarmChoice.Choices },
        { "the same storage", s => s with { Resources = new WorkspaceResources { Storage = "1Gi" } }, null },
        { "a variable of one's own", s => s with { Environment = [new WorkspaceVariable { Name = "EDITOR", Value = "vim" }] }, WarmChoice.Choices },
        { "a variable that the template has", s => s with { Environment = [new WorkspaceVariable { Name = "THEME", Value = "vim" }] }, null },
        { "no variables", s => s with { Environment = [] }, null },
        { "a life time", s => s with { Lifetime = new WorkspaceLifetime { IdleTimeoutSeconds = 60 } }, null },
    };

    [Theory]
    [MemberData(nameof(Wishes))]
    public void Make_WishesOfAPerson_TakeAPodWhereTheyAreTheTemplates(
        string what, Func<UserWorkspaceSpec, UserWorkspaceSpec> change, string? reason)
    {
        Assert.NotEmpty(what);
        Assert.Equal(reason, Choose(TestData.Workspace(change), [Waiting("pool-a")]).Reason);
    }

    [Fact]
    public void Make_OldestReadyFirst_AndOnlyReadyUnclaimedCurrentOnes()
    {
        var now = TestData.Now;
        Pod[] pool =
        [
            Waiting("pool-young", now),
            Waiting("pool-old", now - TimeSpan.FromHours(2)),
            Waiting("pool-starting", now - TimeSpan.FromHours(3)) with { Status = new PodStatus { Phase = "Pending" } },
            Waiting("pool-claimed", now - TimeSpan.FromHours(4), l => l[Labels.Workspace] = "ws-eve"),
            Waiting("pool-former", now - TimeSpan.FromHours(5), revision: "other"),
            Deleting(Waiting("pool-gone", now - TimeSpan.FromHours(6))),
        ];
        Assert.Equal(["pool-old", "pool-young"], Choose(TestData.Workspace(), pool).Candidates.Select(p => p.Metadata.Name));
    }

    [Fact]
    public void Make_WhyNot_IsTold()
    {
        Assert.Equal(WarmChoice.Empty, Choose(TestData.Workspace(), []).Reason);
        Assert.Equal(WarmChoice.Outdated, Choose(TestData.Workspace(), [Waiting("pool-a", revision: "other")]).Reason);
        Assert.Equal(WarmChoice.NotReady,
            Choose(TestData.Workspace(), [Waiting("pool-a") with { Status = new PodStatus { Phase = "Pending" } }]).Reason);
        Assert.Equal(WarmChoice.NoPool, Choose(TestData.Workspace(), [Waiting("pool-a")], TestData.Template()).Reason);
        var retired = Template with { Spec = Template.Spec with { Retired = new TemplateRetirement() } };
        Assert.Equal(WarmChoice.NoPool, Choose(TestData.Workspace(), [Waiting("pool-a")], retired).Reason);

        // Who had a volume once has it still, or has lost it; neither is a reason for an empty one.
        var before = TestData.Workspace() with
        {
            Status = new UserWorkspaceStatus { Storage = new WorkspaceStorageStatus { ClaimName = "ws-former" } },
        };
        Assert.Equal(WarmChoice.HasVolume, Choose(before, [Waiting("pool-a")]).Reason);
    }

    [Theory]
    [InlineData("$(WORKSPACE_URL)/lab", false)]
    [InlineData("--name=$(WORKSPACE_NAME)", false)]
    [InlineData("--port=$(PORT)", true)]
    [InlineData("--audience=$(WORKSPACE_IDENTITY_AUDIENCE)", true)]
    public void Pool_OfATemplateThatRefersToThePerson_CannotBe(string argument, bool possible)
    {
        var (pool, problem) = PoolBlueprint.For(Template with { Spec = Template.Spec with { Args = [argument] } }, TestData.Settings);
        Assert.Equal(possible, pool is not null);
        Assert.Equal(possible, problem is null);
    }

    [Fact]
    public void Pool_OfATemplateWithARequiredParameter_CannotBe()
    {
        var (pool, problem) = PoolBlueprint.For(
            TestData.Template(s => s with { Parameters = [new TemplateParameter { Name = "repo", Env = "REPO", Required = true }] }),
            TestData.Settings);
        Assert.Null(pool);
        Assert.Contains("'repo' is required", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Pod_OfAPool_SaysNothingOfAnybody_AndHasAnAudienceOfItsOwn()
    {
        var (pool, _) = PoolBlueprint.For(Template, TestData.Settings);
        var pod = pool!.MakePod("pool-studio-x", Template);
        var variables = pod.Spec!.Containers[0].Env!.ToDictionary(e => e.Name, e => e.Value);
        Assert.DoesNotContain("WORKSPACE_NAME", variables.Keys);
        Assert.DoesNotContain("WORKSPACE_URL", variables.Keys);
        Assert.Equal($"urn:berth:pod:{TestData.Ns}:pool-studio-x", variables["WORKSPACE_IDENTITY_AUDIENCE"]);
        Assert.Equal(variables["WORKSPACE_IDENTITY_AUDIENCE"], pod.Metadata.Annotations![Annotations.IdentityAudience]);
        Assert.Equal(WorkspaceInfo.Folder, variables[WorkspaceInfo.Variable]);
        Assert.DoesNotContain(Labels.Workspace, pod.Metadata.Labels!.Keys);
        Assert.DoesNotContain(Labels.Owner, pod.Metadata.Labels.Keys);
        Assert.DoesNotContain(Annotations.WorkspaceUrl, pod.Metadata.Annotations.Keys);
        Assert.Equal("pool-studio-x", PodForm.ClaimOf(pod));
        Assert.Null(pool.MakeClaim("pool-studio-x").Metadata.OwnerReferences);
    }

    [Theory]
    [InlineData("studio")]
    [InlineData("a.template.with.dots")]
    [InlineData("a-template-whose-name-is-as-long-as-a-label-can-be-which-is-63")]
    [InlineData("a-template-with-a-dash-where-the-name-has-to-be---------------c")]
    public void NewName_OfAnyTemplate_IsALabel_AndNeverTheSame(string template)
    {
        var name = PoolBlueprint.NewName(template);
        Assert.True(WorkspaceNames.IsValid(name), name);
        Assert.StartsWith("pool-", name, StringComparison.Ordinal);
        Assert.NotEqual(name, PoolBlueprint.NewName(template));
    }

    // Pods by owner (own, former, other's), claim and name; what is chosen, and what is surplus.
    [Theory]
    [InlineData("", null, null, "")]
    [InlineData("own:vol:a", "vol", "a", "")]
    [InlineData("own:other:a own:vol:b", "vol", "b", "a")]
    [InlineData("own:vol:b own:other:a", "other", "a", "b")]
    [InlineData("former:vol:a own:vol:b", "vol", "b", "")]
    [InlineData("former:vol:a", "vol", "a", "")]
    [InlineData("own:x:a own:y:b", null, "a", "b")]
    public void Choose_SeveralPods_TheOneWithTheVolumeIsKept(string pods, string? claim, string? chosen, string surplus)
    {
        var workspace = TestData.Workspace();
        var labelled = pods.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split(':')).Select(p => new Pod
        {
            Metadata = new ObjectMeta
            {
                Name = p[2],
                Labels = Children.LabelsOf(workspace),
                OwnerReferences =
                [
                    new OwnerReference
                    {
                        Kind = "UserWorkspace",
                        Name = workspace.Metadata.Name!,
                        Uid = p[0] == "own" ? workspace.Metadata.Uid! : "uid-former",
                        Controller = true,
                    },
                ],
            },
            Spec = new PodSpec
            {
                Volumes = [new Volume { PersistentVolumeClaim = new PersistentVolumeClaimVolumeSource { ClaimName = p[1] } }],
            },
        });
        var (pod, rest) = PodLookup.Choose(workspace, labelled, null, claim);
        Assert.Equal(chosen, pod?.Metadata.Name);
        Assert.Equal(surplus, string.Concat(rest.Select(p => p.Metadata.Name)));
    }

    private static WarmChoice Choose(UserWorkspace workspace, Pod[] pool, WorkspaceTemplate? template = null)
    {
        template ??= Template;
        var seen = new Observation { Workspace = workspace, Template = template, Now = TestData.Now };
        var blueprint = Blueprint.For(workspace, template, TestData.Settings, new BlueprintFacts());
        Assert.Empty(blueprint.Problems);
        return WarmChoice.Make(
            seen, blueprint.Pod!, blueprint.Volume, pool, () => PoolBlueprint.For(template, TestData.Settings).Pool?.Revision);
    }

    private static Pod Waiting(
        string name, DateTimeOffset? made = null, Action<Dictionary<string, string>>? labels = null, string? revision = null)
    {
        var (pool, _) = PoolBlueprint.For(Template, TestData.Settings);
        var pod = pool!.MakePod(name, Template);
        var own = new Dictionary<string, string>(pod.Metadata.Labels!);
        labels?.Invoke(own);
        var annotations = new Dictionary<string, string>(pod.Metadata.Annotations!);
        annotations[Annotations.PoolRevision] = revision ?? annotations[Annotations.PoolRevision];
        return pod with
        {
            Metadata = pod.Metadata with { CreationTimestamp = made ?? TestData.Now, Labels = own, Annotations = annotations },
            Status = PoolPlanTests.StatusOf('r'),
        };
    }

    private static Pod Deleting(Pod pod) => pod with { Metadata = pod.Metadata with { DeletionTimestamp = TestData.Now } };
}
