using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Operator.Tests;

/// <summary>
/// The whole operator against an API. No node takes the pods (they ask for more CPU than any node has), so the tests themselves say what a
/// kubelet
/// would; that way the same tests run on the embedded API, on an API without nodes, and on a whole cluster.
/// </summary>
public abstract class OperatorSuite : IAsyncLifetime
{
    private const string Name = "ws-one";
    private const int FirstMinorWithCel = 25;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _stop = new();
    private IAsyncDisposable? _server;
    private KubeClient? _client;
    private OperatorHost? _host;
    private Task _running = Task.CompletedTask;
    private string? _skip;

    private string Ns { get; } = "berth-op-" + Guid.NewGuid().ToString("N")[..8];

    private KubeClient Client => _client!;

    /// <summary>The API to test against, or why there is none.</summary>
    private protected abstract Task<(string? Kubeconfig, IAsyncDisposable? Server, string? Skip)> OpenAsync();

    /// <summary>What the operator gets to see of the API.</summary>
    private protected virtual IKubeClient ForOperator(IKubeClient client) => client;

    public async Task InitializeAsync()
    {
        (var kubeconfig, _server, _skip) = await OpenAsync();
        if (kubeconfig is null)
        {
            return;
        }

        _client = KubeClient.Create(KubeConfig.Parse(kubeconfig));
        await InstallAsync();
        await _client.CreateAsync(new Namespace { Metadata = new ObjectMeta { Name = Ns } }, null, default);
        await _client.CreateAsync(Template(Ns), null, default);
        var options = new OperatorOptions
        {
            PublicOrigin = "http://localhost:8080",
            WorkspaceDomain = "localhost",
            Namespace = Ns,
            LeaderElection = new ElectionOptions { Namespace = Ns },
        };
        _host = new OperatorHost(options, ForOperator(_client), Ns, TimeProvider.System, NullLoggerFactory.Instance);
        _running = Task.Run(() => _host.RunAsync(_stop.Token));
    }

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        if (_client is not null)
        {
            await _client.DeleteAsync<Namespace>(null, Ns, new DeleteOptions { PropagationPolicy = "Background" }, default);
            _client.Dispose();
        }

        _host?.Dispose();
        _stop.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task Create_Workspace_MakesItsChildren()
    {
        Skip.IfNot(_skip is null, _skip);
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
        Skip.IfNot(_skip is null, _skip);
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
        Skip.IfNot(_skip is null, _skip);
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
        Skip.IfNot(_skip is null, _skip);
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
        Skip.IfNot(_skip is null, _skip);
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
        Skip.IfNot(_skip is null, _skip);
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
        Skip.IfNot(_skip is null, _skip);
        var foreign = await Client.CreateAsync(
            new Service { Metadata = new ObjectMeta { Name = Name, Namespace = Ns },
                Spec = new ServiceSpec { Ports = [new ServicePort { Port = 1234 }] } }, null, default);
        await CreateAsync();
        await UntilAsync<UserWorkspace>(Name, w =>
            w?.Status?.Conditions?.Any(c => c is { Type: ConditionTypes.RouteReady, Reason: Reasons.NameClash }) == true);
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
        Skip.IfNot(_skip is null, _skip);
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
        Skip.IfNot(_skip is null, _skip);
        await SkipWithoutCelAsync();
        await CreateAsync();
        var error = await Assert.ThrowsAsync<KubeException>(() => PatchAsync<UserWorkspace>(Name, patch));
        Assert.Equal(422, error.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task LongParameter_IsRefusedByTheApiOrToldAsACondition()
    {
        Skip.IfNot(_skip is null, _skip);
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

    private static WorkspaceTemplate Template(string ns) => new()
    {
        Metadata = new ObjectMeta { Name = "studio", Namespace = ns },
        Spec = new WorkspaceTemplateSpec
        {
            Image = "berth-studio:dev",
            Resources = new TemplateResources { Requests = new ComputeResources { Cpu = "4000" } },
            Storage = new TemplateStorage { Size = "1Gi" },
        },
    };

    private async Task InstallAsync()
    {
        // Older servers refuse fields that they do not know when they are applied server-side, and CEL rules are such.
        var cel = await MinorVersionAsync() >= FirstMinorWithCel;
        foreach (var (name, definition) in ((string, JsonObject)[])[
            ("userworkspaces", CrdGenerator.ToJson<UserWorkspace>(celRules: cel)), ("workspacetemplates", CrdGenerator.ToJson<WorkspaceTemplate>(celRules: cel))])
        {
            await Client.Raw.SendAsync(
                HttpMethod.Patch,
                $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}.berth.dev?fieldManager=berth-tests&force=true",
                Encoding.UTF8.GetBytes(definition.ToJsonString()),
                "application/apply-patch+yaml",
                default);
        }

        using var deadline = new CancellationTokenSource(Deadline);
        while (!await Client.IsServedAsync(UserWorkspace.Descriptor, deadline.Token)
            || !await Client.IsServedAsync(WorkspaceTemplate.Descriptor, deadline.Token))
        {
            await Task.Delay(50, deadline.Token);
        }
    }

    private async Task<UserWorkspace> CreateAsync(Func<UserWorkspaceSpec, UserWorkspaceSpec>? change = null)
    {
        var workspace = TestData.Workspace(change, Name);
        return await Client.CreateAsync(workspace with { Metadata = new ObjectMeta { Name = Name, Namespace = Ns } }, null, default);
    }

    private async Task<UserWorkspace> StartAsync()
    {
        await CreateAsync();
        await UntilAsync<Pod>(Name, p => p is not null);
        var now = DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture);
        await PatchAsync<Pod>(
            Name,
            $$$"""
            {"status":{"phase":"Running","podIP":"192.0.2.1","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"{{{now}}}"}],
             "containerStatuses":[{"name":"workspace","ready":true,"restartCount":0,"image":"a","imageID":"","state":{"running":{"startedAt":"{{{now}}}"} } }] } }
            """,
            "status");
        return (await UntilAsync<UserWorkspace>(Name, w =>
            w?.Status?.Conditions?.Any(c => c is { Type: ConditionTypes.PodReady, Status: "True" }) == true))!;
    }

    private async Task PatchAsync<T>(string name, string json, string? subresource = null)
        where T : class, IKubeResource<T> =>
            await Client.PatchAsync<T>(Ns, name, KubePatch.Merge(Encoding.UTF8.GetBytes(json)), null, default, subresource);

    private async Task<string> VersionsAsync() => string.Join(
        ",",
        (await Client.GetAsync<Service>(Ns, Name, default)).Metadata.ResourceVersion,
        (await Client.GetAsync<NetworkPolicy>(Ns, Name, default)).Metadata.ResourceVersion,
        (await Client.GetAsync<Pod>(Ns, Name, default)).Metadata.ResourceVersion);

    private async Task<T?> UntilAsync<T>(string name, Func<T?, bool> condition)
        where T : class, IKubeResource<T>
    {
        using var deadline = new CancellationTokenSource(Deadline);
        T? last = null;
        try
        {
            while (true)
            {
                last = await Client.TryGetAsync<T>(Ns, name, deadline.Token);
                if (condition(last))
                {
                    return last;
                }

                if (_running.IsCompleted)
                {
                    await _running;
                }

                await Task.Delay(50, deadline.Token);
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            var workspace = await Client.TryGetAsync<UserWorkspace>(Ns, Name, default);
            throw new TimeoutException(
                $"{T.Descriptor.Kind} {name} did not come to be as expected. It is {(last is null ? "not there" : JsonSerializer.Serialize(last, T.JsonTypeInfo))}. "
                + $"The workspace: {(workspace is null ? "not there" : JsonSerializer.Serialize(workspace, UserWorkspace.JsonTypeInfo))}");
        }
    }

    private async Task SkipWithoutCelAsync() => Skip.If(
        await MinorVersionAsync() < FirstMinorWithCel, "This server is older than Kubernetes 1.25: it does not know CEL rules.");

    private async Task<int> MinorVersionAsync()
    {
        using var version = JsonDocument.Parse(await Client.Raw.SendAsync(
            HttpMethod.Get, "/version", ReadOnlyMemory<byte>.Empty, null, default));
        return int.Parse(version.RootElement.GetProperty("minor").GetString()!.TrimEnd('+'),
            System.Globalization.CultureInfo.InvariantCulture);
    }
}
