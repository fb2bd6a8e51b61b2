using System.Text;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator.Tests;

/// <summary>
/// The whole operator against an API. No node takes the pods (they ask for more CPU than any node has), so the tests themselves say what a
/// kubelet would; that way the same tests run on the embedded API, on an API without nodes, and on a whole cluster.
/// </summary>
public abstract class OperatorSuite : OperatorTestBase
{
    private protected override bool Elects => true;

    [SkippableFact]
    public async Task Create_Workspace_MakesItsChildren()
    {
        SkipIfThereIsNoApi();
        var workspace = await CreateAsync();
        var pod = await UntilAsync<Pod>(Name, p => p is not null);
        var volume = await Client.GetAsync<PersistentVolumeClaim>(Ns, Name, default);
        var service = await Client.GetAsync<Service>(Ns, Name, default);
        var policy = await Client.GetAsync<NetworkPolicy>(Ns, Name, default);
        Assert.All((IKubeObject[])[pod!, service, policy], o => Assert.True(OwnerReferences.IsControlledBy(o, workspace)));
        Assert.All((IKubeObject[])[pod!, service, policy, volume], o => Assert.Equal(Name, o.Metadata.Labels![Labels.Workspace]));
        Assert.Null(volume.Metadata.OwnerReferences);
        Assert.Equal("1Gi", volume.Spec!.Resources!.Requests!["storage"]);
        Assert.False(pod!.Spec!.AutomountServiceAccountToken);
        Assert.Equal(80, service.Spec!.Ports!.Single().Port);

        var starting = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Starting);
        Assert.Equal($"http://{Name}.localhost:8080", starting!.Status!.Url);
    }

    [SkippableFact]
    public async Task PodReady_WorkspaceRuns_AndItsChildrenCostNoWrite()
    {
        SkipIfThereIsNoApi();
        var workspace = await StartAsync();
        Assert.Null(workspace.Status!.Message);
        Assert.NotNull(workspace.Status.Start!.ReadyAt);
        Assert.All(workspace.Status.Conditions!, c => Assert.Equal("True", c.Status));
        Assert.Equal(workspace.Metadata.Generation, workspace.Status.ObservedGeneration);

        // What the server makes of our writes (defaults, canonical quantities) must not look like a difference: the next looks change
        // nothing.
        var before = await VersionsAsync();
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"owner":{"name":"Ada L."}}}""");
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.ObservedGeneration > workspace.Metadata.Generation);
        Assert.Equal(before, await VersionsAsync());
    }

    [SkippableFact]
    public async Task Stop_RemovesThePod_KeepsTheVolume_AndStartsAgain()
    {
        SkipIfThereIsNoApi();
        await StartAsync();
        var volume = await Client.GetAsync<PersistentVolumeClaim>(Ns, Name, default);
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Stopped","lastRequest":{"by":"user","reason":"Manual"}}}""");
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Stopped);
        Assert.Null(await Client.TryGetAsync<Pod>(Ns, Name, default));
        Assert.Equal(volume.Metadata.Uid, (await Client.GetAsync<PersistentVolumeClaim>(Ns, Name, default)).Metadata.Uid);

        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Running"}}""");
        await UntilAsync<Pod>(Name, p => p is not null);
        Assert.Equal(volume.Metadata.Uid, (await Client.GetAsync<PersistentVolumeClaim>(Ns, Name, default)).Metadata.Uid);
    }

    [SkippableFact]
    public async Task Delete_RemovesAllButTheVolume_WhichIsFoundAgain()
    {
        SkipIfThereIsNoApi();
        await StartAsync();
        var volume = await Client.GetAsync<PersistentVolumeClaim>(Ns, Name, default);
        await Client.DeleteAsync<UserWorkspace>(Ns, Name, null, default);
        await UntilAsync<UserWorkspace>(Name, w => w is null);
        await UntilAsync<Pod>(Name, p => p is null);
        await UntilAsync<Service>(Name, s => s is null);
        await UntilAsync<NetworkPolicy>(Name, p => p is null);

        await CreateAsync();
        await UntilAsync<Pod>(Name, p => p is not null);
        Assert.Equal(volume.Metadata.Uid, (await Client.GetAsync<PersistentVolumeClaim>(Ns, Name, default)).Metadata.Uid);
    }

    [SkippableFact]
    public async Task Delete_WithPolicyDelete_RemovesTheVolumeToo()
    {
        SkipIfThereIsNoApi();
        await CreateAsync(s => s with { Storage = new WorkspaceStorage { DeletionPolicy = DeletionPolicies.Delete } });
        await UntilAsync<Pod>(Name, p => p is not null);
        await UntilAsync<UserWorkspace>(Name, w => w?.Metadata.Finalizers?.Contains(WorkspaceFinalizers.Storage) == true);
        await Client.DeleteAsync<UserWorkspace>(Ns, Name, null, default);
        await UntilAsync<UserWorkspace>(Name, w => w is null);
        await UntilAsync<PersistentVolumeClaim>(Name, v => v is null || v.Metadata.DeletionTimestamp is not null);
    }

    [SkippableFact]
    public async Task UnknownTemplate_IsACondition_ThatNamesTheKnownOnes()
    {
        SkipIfThereIsNoApi();
        await CreateAsync(s => s with { Template = new TemplateReference { Name = "sutdio" } });
        var workspace = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Failed);
        Assert.Contains("'sutdio'", workspace!.Status!.Message, StringComparison.Ordinal);
        Assert.Contains("studio", workspace.Status.Message, StringComparison.Ordinal);
        Assert.Null(await Client.TryGetAsync<Pod>(Ns, Name, default));

        await PatchAsync<UserWorkspace>(Name, """{"spec":{"template":{"name":"studio"}}}""");
        await UntilAsync<Pod>(Name, p => p is not null);
    }

    [SkippableFact]
    public async Task ForeignService_SameName_IsLeftAlone()
    {
        SkipIfThereIsNoApi();
        var foreign = await Client.CreateAsync(
            new Service
            {
                Metadata = new ObjectMeta { Name = Name, Namespace = Ns },
                Spec = new ServiceSpec { Ports = [new ServicePort { Port = 1234 }] },
            },
            null,
            default
        );
        await CreateAsync();
        await UntilAsync<UserWorkspace>(
            Name,
            w => w?.Status?.Conditions?.Any(c => c is { Type: ConditionTypes.RouteReady, Reason: Reasons.NameClash }) == true
        );
        Assert.Equal(foreign.Metadata.ResourceVersion, (await Client.GetAsync<Service>(Ns, Name, default)).Metadata.ResourceVersion);
    }

    [SkippableTheory]
    [InlineData("""{"spec":{"resources":{"storage":"-5Gi"}}}""", "spec.resources.storage")]
    [InlineData("""{"spec":{"desiredState":"Sleeping"}}""", "spec.desiredState")]
    [InlineData("""{"spec":{"lifetime":{"idleTimeoutSeconds":-1}}}""", "spec.lifetime.idleTimeoutSeconds")]
    [InlineData("""{"spec":{"sharing":[{"subject":"a","role":"use"},{"subject":"a","role":"view"}]}}""", "spec.sharing")]
    [InlineData("""{"spec":{"owner":{"subject":""}}}""", "spec.owner.subject")]
    public async Task InvalidSpec_IsRefusedByTheApi_NamingTheField(string patch, string field)
    {
        SkipIfThereIsNoApi();
        await CreateAsync();
        var error = await Assert.ThrowsAsync<KubeException>(() => PatchAsync<UserWorkspace>(Name, patch));
        Assert.Equal(422, error.Code);
        Assert.Contains(field, error.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("""{"spec":{"owner":{"subject":"somebody-else"}}}""", "the owner of a workspace cannot change")]
    [InlineData("""{"spec":{"lifetime":{"idleTimeoutSeconds":5}}}""", "idleTimeoutSeconds is 0 (never) or at least 60")]
    public async Task BrokenRule_IsRefusedByTheApi_InWords(string patch, string message)
    {
        SkipIfThereIsNoApi();
        await SkipWithoutCelAsync();
        await CreateAsync();
        var error = await Assert.ThrowsAsync<KubeException>(() => PatchAsync<UserWorkspace>(Name, patch));
        Assert.Equal(422, error.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task LongParameter_IsRefusedByTheApiOrToldAsACondition()
    {
        SkipIfThereIsNoApi();
        var long300 = new Dictionary<string, string> { ["note"] = new('x', 300) };
        try
        {
            await CreateAsync(s => s with { Parameters = long300 });
        }
        catch (KubeException e) when (e.Code == 422)
        {
            Assert.Contains("at most 256 characters", e.Message, StringComparison.Ordinal);
            return;
        }

        var workspace = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Failed);
        Assert.Equal(Reasons.InvalidParameter, workspace!.Status!.Failure!.Reason);
    }

    [SkippableFact]
    public async Task Route_WhereTraefikIs_LeadsToTheEdgeUntilThePodIsReady()
    {
        SkipIfThereIsNoApi();
        Skip.IfNot(await Client.IsServedAsync(IngressRoute.Descriptor, default), "This API does not serve Traefik's kinds.");
        await CreateAsync();
        var route = await UntilAsync<IngressRoute>(Name, r => r is not null);
        Assert.Equal(["berth-edge"], Backends(route!));
        Assert.All(route!.Spec.Routes, r => Assert.Contains($"Host(`{Name}.localhost`)", r.Match, StringComparison.Ordinal));
        Assert.NotNull(await UntilAsync<Middleware>(Name + "-headers", m => m is not null));
        var auth = await UntilAsync<Middleware>(Name + "-auth", m => m is not null);
        Assert.EndsWith($"/auth/forward/{Name}", auth!.Spec.ForwardAuth!.Address, StringComparison.Ordinal);

        await PodAnswersAsync();
        await UntilAsync<IngressRoute>(Name, r => r is not null && Backends(r).SequenceEqual(["berth-edge", "berth-edge", Name]));
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Stopped"}}""");
        await UntilAsync<IngressRoute>(Name, r => r is not null && Backends(r).SequenceEqual(["berth-edge"]));

        static string[] Backends(IngressRoute route) => [.. route.Spec.Routes.SelectMany(r => r.Services ?? []).Select(s => s.Name)];
    }

    [SkippableFact]
    public async Task SecondOperator_FirstEnds_TakesOver()
    {
        SkipIfThereIsNoApi();
        await CreateAsync();
        await UntilAsync<Pod>(Name, p => p is not null);
        await using var second = Run("two");
        await UntilAsync<Lease>("berth-operator", l => l?.Spec?.HolderIdentity == "one");
        Assert.False(second.Host.IsLeading);

        await StopOperatorAsync();
        await UntilAsync<Lease>("berth-operator", l => l?.Spec?.HolderIdentity == "two");
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Stopped"}}""");
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Stopped);
        await second.StopAsync();
        await UntilAsync<Lease>("berth-operator", l => string.IsNullOrEmpty(l?.Spec?.HolderIdentity));
    }

    private async Task<UserWorkspace> StartAsync()
    {
        await CreateAsync();
        return await PodAnswersAsync();
    }

    /// <summary>Says what a kubelet would once the application answers.</summary>
    private async Task<UserWorkspace> PodAnswersAsync()
    {
        await UntilAsync<Pod>(Name, p => p is not null);
        await AnswersAsync();
        return await PodReadyAsync();
    }

    private async Task<string> VersionsAsync() =>
        string.Join(
            ",",
            (await Client.GetAsync<Service>(Ns, Name, default)).Metadata.ResourceVersion,
            (await Client.GetAsync<NetworkPolicy>(Ns, Name, default)).Metadata.ResourceVersion,
            (await Client.GetAsync<Pod>(Ns, Name, default)).Metadata.ResourceVersion
        );
}
