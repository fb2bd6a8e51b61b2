using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator.Tests;

/// <summary>
/// Templates with all their fields, redirects, egress and damaged labels, against an API. No node takes the pods: they ask for more CPU than
/// any has.
/// </summary>
public abstract class TemplateSuite : OperatorTestBase
{
    [SkippableFact]
    public async Task Template_AllFields_TheApiTakesThePodAsItIsMeant()
    {
        SkipIfThereIsNoApi();
        await ChangeAsync("studio", s => s with
        {
            InitContainers = [new TemplateContainer { Name = "clone", Command = ["/bin/sh", "-c", "true"] }],
            Sidecars = [new TemplateContainer { Name = "proxy", Image = "proxy:1", MountVolume = false }],
            SecurityContext = new TemplateSecurity { ReadOnlyRootFilesystem = true },
            Scheduling = new TemplateScheduling
            {
                NodeSelector = new Dictionary<string, string> { ["berth.dev/pool"] = "spot" },
                Tolerations = [new Toleration { Key = "spot", Operator = "Exists", Effect = "NoSchedule" }],
            },
            ImagePullSecrets = [new SecretReference { Name = "registry" }],
            Resources = new TemplateResources
            {
                Requests = new ComputeResources { Cpu = "4000" },
                Gpu = new TemplateGpu { Count = 1, Ceiling = 2 },
            },
            Parameters =
            [
                new TemplateParameter { Name = "repository", Env = "REPOSITORY", File = "repository" },
                new TemplateParameter { Name = "key", File = "Key_1.pem" },
            ],
        });
        var hostile = "$(PORT) $$ \"'`\n{}: #日本";
        await CreateAsync(s => s with
        {
            Parameters = new Dictionary<string, string> { ["repository"] = hostile, ["key"] = "k" },
            Resources = new WorkspaceResources { Gpu = 2 },
        });
        var pod = (await UntilAsync<Pod>(Name, p => p is not null))!;
        Assert.Empty(RestrictedStandard.Violations(pod));
        Assert.Equal("clone", Assert.Single(pod.Spec!.InitContainers!).Name);
        Assert.Equal(2, pod.Spec.Containers.Count);
        Assert.Equal("2", pod.Spec.Containers[0].Resources!.Limits!["nvidia.com/gpu"]);
        Assert.Equal("spot", pod.Spec.NodeSelector!["berth.dev/pool"]);
        Assert.Contains(pod.Spec.Tolerations!, t => t.Key == "spot");
        Assert.Equal("registry", Assert.Single(pod.Spec.ImagePullSecrets!).Name);
        Assert.False(pod.Spec.AutomountServiceAccountToken);
        Assert.Equal(hostile, pod.Metadata.Annotations![Annotations.ParameterPrefix + "repository"]);
        var files = Assert.Single(pod.Spec.Volumes!, v => v.DownwardAPI is not null).DownwardAPI!.Items!;
        Assert.Equal(["Key_1.pem", "repository"], files.Select(f => f.Path));
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Conditions?.Any(c =>
            c is { Type: ConditionTypes.TemplateResolved, Status: "True" }) == true);
    }

    [SkippableFact]
    public async Task Retired_SuccessorComesChangesAndGoes_WorkspacesAreWoken_AndThePodStays()
    {
        SkipIfThereIsNoApi();
        await CreateAsync();
        var pod = await RunningPodAsync();
        await ChangeAsync("studio", s => s with { Retired = new TemplateRetirement { Successor = "second" } });
        var told = await UntilAsync<UserWorkspace>(Name, w => Resolved(w)?.Status == "False");
        Assert.Contains("no template 'second'", told!.Status!.Message, StringComparison.Ordinal);

        // Neither names the workspace: it is woken by what leads there.
        await CreateTemplateAsync("second", Studio with { Retired = new TemplateRetirement { Successor = "third" } });
        await CreateTemplateAsync("third", Studio with { Image = "berth-studio:3" });
        told = await UntilAsync<UserWorkspace>(Name, w => Resolved(w)?.Reason == Reasons.Redirected);
        Assert.Equal("second third", string.Join(' ', told!.Status!.TemplateRevision!.Redirects!));
        Assert.True(told.Status.TemplateRevision.PendingRestart);

        await ChangeAsync("third", s => s with { Retired = new TemplateRetirement { Successor = "studio" } });
        told = await UntilAsync<UserWorkspace>(Name, w => Resolved(w)?.Status == "False");
        Assert.Contains("lead back to 'studio'", told!.Status!.Message, StringComparison.Ordinal);
        Assert.Equal(pod.Metadata.Uid, (await Client.GetAsync<Pod>(Ns, Name, default)).Metadata.Uid);

        await ChangeAsync("third", s => s with { Retired = null });
        await UntilAsync<UserWorkspace>(Name, w => Resolved(w)?.Reason == Reasons.Redirected);
        await PatchAsync<UserWorkspace>(Name, """{"metadata":{"annotations":{"berth.dev/restartedAt":"2030-01-01T00:00:00Z"}}}""");
        var second = await UntilAsync<Pod>(Name, p => p is not null && p.Metadata.Uid != pod.Metadata.Uid);
        Assert.Equal("berth-studio:3", second!.Spec!.Containers[0].Image);
        Assert.Equal("third", second.Metadata.Labels![Labels.Template]);
    }

    [SkippableFact]
    public async Task Retired_WithoutSuccessor_NewWorkspaceIsRefusedUntilItTakesAnother()
    {
        SkipIfThereIsNoApi();
        // It comes to be retired: one that changed might reach the operator after the workspace, which would then have the old one.
        await CreateTemplateAsync("old", Studio with { Retired = new TemplateRetirement { Message = "Too old." } });
        await CreateAsync(w => w with { Template = new TemplateReference { Name = "old" } });
        var refused = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Failure?.Reason == Reasons.TemplateRetired);
        Assert.Equal(FailureClasses.User, refused!.Status!.Failure!.Class);
        Assert.Contains("to another one: studio.", refused.Status.Message, StringComparison.Ordinal);
        Assert.Null(await Client.TryGetAsync<PersistentVolumeClaim>(Ns, Name, default));

        await PatchAsync<UserWorkspace>(Name, """{"spec":{"template":{"name":"studio"}}}""");
        await UntilAsync<Pod>(Name, p => p is not null);
    }

    [SkippableFact]
    public async Task Egress_Tightened_ReachesThePolicyOfARunningWorkspace_AndStaysWhenTheTemplateGoes()
    {
        SkipIfThereIsNoApi();
        await CreateAsync();
        var pod = await RunningPodAsync();
        Assert.True(LetsOut(await UntilAsync<NetworkPolicy>(Name, p => p is not null), "203.0.113.9"));
        await ChangeAsync("studio", s => s with
        {
            Egress = new TemplateEgress { Mode = EgressModes.Custom, Cidrs = ["198.51.100.0/24", "fd00::/8"] },
        });
        var policy = await UntilAsync<NetworkPolicy>(Name, p => !LetsOut(p, "203.0.113.9"));
        Assert.True(LetsOut(policy, "198.51.100.1"));
        Assert.True(LetsOut(policy, "fd12::1"));
        Assert.False(LetsOut(policy, "fd00:ec2::254"));
        Assert.Equal(pod.Metadata.Uid, (await Client.GetAsync<Pod>(Ns, Name, default)).Metadata.Uid);
        Assert.NotEqual(true, (await Client.GetAsync<UserWorkspace>(Ns, Name, default)).Status?.TemplateRevision?.PendingRestart);

        await Client.DeleteAsync<WorkspaceTemplate>(Ns, "studio", null, default);
        await UntilAsync<UserWorkspace>(Name, w => Resolved(w)?.Reason == Reasons.TemplateNotFound);
        await PatchAsync<NetworkPolicy>(Name, """{"metadata":{"labels":{"berth.dev/owner":"x"}}}""");
        var after = await UntilAsync<NetworkPolicy>(Name, p => p?.Metadata.Labels?[Labels.Owner] != "x");
        Assert.False(LetsOut(after, "203.0.113.9"));
        Assert.True(LetsOut(after, "198.51.100.1"));
    }

    [SkippableTheory]
    [InlineData("""{"metadata":{"labels":{"berth.dev/workspace":null}}}""")]
    [InlineData("""{"metadata":{"labels":{"berth.dev/workspace":"ws-other"}}}""")]
    [InlineData("""{"metadata":{"labels":{"app.kubernetes.io/managed-by":null,"berth.dev/owner":"x"}}}""")]
    [InlineData("""{"metadata":{"ownerReferences":null}}""")]
    public async Task Children_LabelsOrOwnersDamaged_AreRepairedAndReported_AndNoSecondPodIsMade(string damage)
    {
        SkipIfThereIsNoApi();
        var workspace = await CreateAsync();
        var pod = (await UntilAsync<Pod>(Name, p => p is not null))!;
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.PodName == Name);
        var volume = await Client.GetAsync<PersistentVolumeClaim>(Ns, Name, default);
        await PatchAsync<Pod>(Name, damage);
        await UntilAsync<Pod>(Name, p => Right(p, workspace));
        await PatchAsync<Service>(Name, damage);
        await UntilAsync<Service>(Name, s => Right(s, workspace));
        await PatchAsync<NetworkPolicy>(Name, damage);
        await UntilAsync<NetworkPolicy>(Name, p => Right(p, workspace));
        await PatchAsync<PersistentVolumeClaim>(Name, damage);
        await UntilAsync<PersistentVolumeClaim>(Name, v => Labelled(v));

        Assert.Equal(pod.Metadata.Uid, (await Client.GetAsync<Pod>(Ns, Name, default)).Metadata.Uid);
        Assert.Equal(volume.Metadata.Uid, (await Client.GetAsync<PersistentVolumeClaim>(Ns, Name, default)).Metadata.Uid);
        Assert.Single((await Client.ListPageAsync<Pod>(Ns, new ListOptions(), default)).Items);
        await WarningAsync(workspace);
    }

    [SkippableFact]
    public async Task Workspace_OwnerLabelChanged_IsPutBackAndReported()
    {
        SkipIfThereIsNoApi();
        var workspace = await CreateAsync();
        await UntilAsync<UserWorkspace>(Name, w => Labelled(w) && w?.Status?.Conditions is not null);
        await PatchAsync<UserWorkspace>(Name, """{"metadata":{"labels":{"berth.dev/owner":"somebody-else"}}}""");
        await UntilAsync<UserWorkspace>(Name, w => Labelled(w));
        await WarningAsync(workspace);
    }

    [SkippableFact]
    public async Task Pod_LostItsLabels_AndTheWorkspaceIsStopped_DoesNotRunOnUnseen()
    {
        SkipIfThereIsNoApi();
        await CreateAsync();
        await UntilAsync<Pod>(Name, p => p is not null);
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.PodName == Name);
        await StopOperatorAsync();
        await PatchAsync<Pod>(Name, """{"metadata":{"labels":null}}""");
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Stopped"}}""");
        await using var second = Run("two");
        await UntilAsync<Pod>(Name, p => p is null);
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Stopped);
    }

    // What a kubelet would say: a pod that never ran may be replaced by a better one at once.
    private async Task<Pod> RunningPodAsync()
    {
        await UntilAsync<Pod>(Name, p => p is not null);
        await AnswersAsync();
        await PodReadyAsync();
        return await Client.GetAsync<Pod>(Ns, Name, default);
    }

    private static Condition? Resolved(UserWorkspace? workspace) =>
        workspace?.Status?.Conditions?.FirstOrDefault(c => c.Type == ConditionTypes.TemplateResolved);

    private bool LetsOut(NetworkPolicy? policy, string address) => policy is not null && PolicyEvaluator.LetsOut(
        [policy], new FlowEnd("10.0.0.1") { Namespace = Ns, Labels = new Dictionary<string, string> { [Labels.Workspace] = Name } },
        new FlowEnd(address), 443);

    private static bool Right(IKubeObject? child, UserWorkspace workspace) =>
        Labelled(child) && OwnerReferences.IsControlledBy(child!, workspace);

    private static bool Labelled(IKubeObject? child) =>
        child?.Metadata.Labels is { } labels
        && labels.GetValueOrDefault(Labels.Owner) == WorkspaceNames.OwnerHash(TestData.Issuer, TestData.Subject)
        && (child is UserWorkspace
            || (labels.GetValueOrDefault(Labels.Workspace) == Name && labels.GetValueOrDefault(Labels.ManagedBy) == Labels.ManagedByValue));

    private async Task WarningAsync(UserWorkspace workspace)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            var page = await Client.ListPageAsync<CoreEvent>(
                Ns, new ListOptions { FieldSelector = $"involvedObject.uid={workspace.Metadata.Uid}" }, deadline.Token);
            if (page.Items.Any(e => e is { Type: "Warning", Reason: Reasons.LabelsRepaired }))
            {
                return;
            }

            await Task.Delay(50, deadline.Token);
        }
    }

    private Task<WorkspaceTemplate> CreateTemplateAsync(string name, WorkspaceTemplateSpec spec) => Client.CreateAsync(
        new WorkspaceTemplate { Metadata = new ObjectMeta { Name = name, Namespace = Ns }, Spec = spec }, null, default);

    private async Task ChangeAsync(string name, Func<WorkspaceTemplateSpec, WorkspaceTemplateSpec> change)
    {
        var template = await Client.GetAsync<WorkspaceTemplate>(Ns, name, default);
        await Client.ReplaceAsync(template with { Spec = change(template.Spec) }, null, default);
    }
}

/// <summary>The suite on the embedded API.</summary>
public sealed class TemplateOnKubeServerTests : TemplateSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync();
}

/// <summary>The suite on a real cluster.</summary>
public sealed class TemplateOnClusterTests : TemplateSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.ClusterAsync();
}
