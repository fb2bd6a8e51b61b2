using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Operator.Tests;

/// <summary>An operator at work against an API, in a namespace of its own.</summary>
public abstract class OperatorTestBase : IAsyncLifetime
{
    private protected const string Name = "ws-one";
    private const int FirstMinorWithCel = 25;

    private readonly CancellationTokenSource _stop = new();
    private IAsyncDisposable? _server;
    private KubeClient? _client;
    private OperatorHost? _host;
    private Task _running = Task.CompletedTask;
    private string? _skip;

    private protected string Ns { get; } = "berth-op-" + Guid.NewGuid().ToString("N")[..8];

    private protected KubeClient Client => _client!;

    /// <summary>How long something may take before it counts as never happening.</summary>
    private protected virtual TimeSpan Deadline => TimeSpan.FromSeconds(60);

    /// <summary>The API to test against.</summary>
    private protected abstract Task<TestedApi> OpenAsync();

    /// <summary>
    /// The template <c>studio</c>, which is there from the start. Its pods ask for more CPU than any node has, so no node takes them, and
    /// the tests say what a kubelet would.
    /// </summary>
    private protected virtual WorkspaceTemplateSpec Studio => new()
    {
        Image = "berth-studio:dev",
        Resources = new TemplateResources { Requests = new ComputeResources { Cpu = "4000" } },
        Storage = new TemplateStorage { Size = "1Gi" },
    };

    /// <summary>
    /// Whether the test installs Traefik's kinds, as narrow as what we write; a cluster has its own, or goes without.
    /// </summary>
    private protected virtual bool InstallsTraefik => false;

    /// <summary>Options of the operator that a suite wants otherwise.</summary>
    private protected virtual OperatorOptions With(OperatorOptions options) => options;

    /// <summary>
    /// Whether the operators of the suite elect a leader. On a machine so busy that a lease is not renewed for ten seconds a leader ends,
    /// as it must, and whoever runs it starts it anew; here nobody does.
    /// </summary>
    private protected virtual bool Elects => false;

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
        await _client.CreateAsync(
            new WorkspaceTemplate
            {
                Metadata = new ObjectMeta { Name = "studio", Namespace = Ns },
                Spec = Studio,
            },
            null,
            default
        );
        _host = Operator("one", ForOperator(_client));
        _running = Task.Run(() => _host.RunAsync(_stop.Token));
    }

    public async Task DisposeAsync()
    {
        await StopOperatorAsync();
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

    private protected void SkipIfThereIsNoApi() => Skip.IfNot(_skip is null, _skip);

    /// <summary>Starts a further operator.</summary>
    /// <param name="identity">Its name among those that would lead.</param>
    /// <param name="client">What it sees of the API; null: as the first one.</param>
    private protected RunningOperator Run(string identity, IKubeClient? client = null) =>
        new(Operator(identity, client ?? ForOperator(Client)));

    private OperatorHost Operator(string identity, IKubeClient client) =>
        new(
            With(new OperatorOptions
            {
                PublicOrigin = "http://localhost:8080",
                WorkspaceDomain = "localhost",
                Namespace = Ns,
                PolicyName = Ns,
                LeaderElection = new ElectionOptions { Enabled = Elects, Namespace = Ns, Identity = identity },
            }),
            client,
            Ns,
            Time,
            NullLoggerFactory.Instance
        );

    /// <summary>The operator's clock.</summary>
    private protected virtual TimeProvider Time => TimeProvider.System;

    /// <summary>Ends the operator of the test as SIGTERM would.</summary>
    private protected async Task StopOperatorAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    private protected async Task<UserWorkspace> CreateAsync(Func<UserWorkspaceSpec, UserWorkspaceSpec>? change = null, string name = Name)
    {
        var workspace = TestData.Workspace(change, name);
        return await Client.CreateAsync(
            workspace with
            {
                Metadata = new ObjectMeta { Name = name, Namespace = Ns },
            },
            null,
            default
        );
    }

    private protected async Task PatchAsync<T>(string name, string json, string? subresource = null)
        where T : class, IKubeResource<T> =>
        await Client.PatchAsync<T>(Ns, name, KubePatch.Merge(Encoding.UTF8.GetBytes(json)), null, default, subresource);

    /// <summary>Says of a pod, as a kubelet would, that it runs and is ready.</summary>
    private protected async Task AnswersAsync(string pod = Name, DateTimeOffset? at = null)
    {
        var time = Times.Text(at ?? TimeProvider.System.GetUtcNow());
        await PatchAsync<Pod>(
            pod,
            $$$"""
            {"status":{"phase":"Running","podIP":"192.0.2.1",
             "conditions":[{"type":"Ready","status":"True","lastTransitionTime":"{{{time}}}"}],
             "containerStatuses":[{"name":"workspace","ready":true,"restartCount":0,"image":"a","imageID":"",
              "state":{"running":{"startedAt":"{{{time}}}"} } }] } }
            """,
            "status");
    }

    /// <summary>Waits until the operator says that the pod is ready.</summary>
    private protected async Task<UserWorkspace> PodReadyAsync(string name = Name) =>
        (await UntilAsync<UserWorkspace>(
            name, w => w?.Status?.Conditions?.Any(c => c is { Type: ConditionTypes.PodReady, Status: "True" }) == true))!;

    private protected async Task<T?> UntilAsync<T>(string name, Func<T?, bool> condition)
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

                if (_running.IsFaulted)
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
                    + $"The workspace: {(workspace is null ? "not there" : JsonSerializer.Serialize(workspace, UserWorkspace.JsonTypeInfo))}"
            );
        }
    }

    private async Task InstallAsync()
    {
        // Older servers refuse fields that they do not know when they are applied server-side, and CEL rules are such.
        var cel = await MinorVersionAsync() >= FirstMinorWithCel;
        List<(ResourceDescriptor Kind, JsonObject Definition)> definitions =
        [
            (UserWorkspace.Descriptor, CrdGenerator.ToJson<UserWorkspace>(cel)),
            (WorkspaceTemplate.Descriptor, CrdGenerator.ToJson<WorkspaceTemplate>(cel)),
            (BerthPolicy.Descriptor, CrdGenerator.ToJson<BerthPolicy>(cel)),
        ];
        if (InstallsTraefik)
        {
            definitions.Add((IngressRoute.Descriptor, CrdGenerator.ToJson<IngressRoute>()));
            definitions.Add((Middleware.Descriptor, CrdGenerator.ToJson<Middleware>()));
        }

        foreach (var (kind, definition) in definitions)
        {
            await Client.Raw.SendAsync(
                HttpMethod.Patch,
                $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind.Plural}.{kind.Group}?fieldManager=berth-tests&force=true",
                Encoding.UTF8.GetBytes(definition.ToJsonString()),
                "application/apply-patch+yaml",
                default
            );
        }

        using var deadline = new CancellationTokenSource(Deadline);
        foreach (var (kind, _) in definitions)
        {
            while (!await Client.IsServedAsync(kind, deadline.Token))
            {
                await Task.Delay(50, deadline.Token);
            }
        }
    }

    private protected async Task SkipWithoutCelAsync() =>
        Skip.If(await MinorVersionAsync() < FirstMinorWithCel, "This server is older than Kubernetes 1.25: it does not know CEL rules.");

    private async Task<int> MinorVersionAsync()
    {
        using var version = JsonDocument.Parse(
            await Client.Raw.SendAsync(HttpMethod.Get, "/version", ReadOnlyMemory<byte>.Empty, null, default)
        );
        return int.Parse(
            version.RootElement.GetProperty("minor").GetString()!.TrimEnd('+'),
            System.Globalization.CultureInfo.InvariantCulture
        );
    }
}
