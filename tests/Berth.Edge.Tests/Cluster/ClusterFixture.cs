using System.Text;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Server;
using Kube.Server.Runner;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Edge.Tests.Cluster;

/// <summary>
/// A Kubernetes API with its schemas, versions, watches and a runner of pods, and any number of edges on it. The test does what an operator
/// would: pods, status, addresses.
/// </summary>
internal sealed class ClusterFixture : IAsyncDisposable
{
    // The replicas of one installation have one key.
    internal static readonly string CookieKey = Convert.ToBase64String(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray());

    private readonly DirectoryInfo _folder;
    private readonly KubeServer _server;
    private readonly List<IAsyncDisposable> _started = [];
    private bool _isApiDown;

    private ClusterFixture(DirectoryInfo folder, KubeServer server, FakeProvider provider)
    {
        _folder = folder;
        _server = server;
        Provider = provider;
        Client = NewClient();
    }

    public FakeProvider Provider { get; }

    public IKubeClient Client { get; }

    /// <summary>For edges that are programs of their own.</summary>
    public string Kubeconfig => _server.Kubeconfig;

    public static async Task<ClusterFixture> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("berth-edge-tests-");
        var images = Path.Combine(folder.FullName, "images.yaml");
        await File.WriteAllTextAsync(images, "sh: { command: [sh, -c] }\n");
        var server = await KubeServer.StartAsync(
            new KubeServerOptions
            {
                DataDirectory = folder.FullName,
                FlushToDisk = false,
                Runner = new PodRunnerOptions { ImageCatalog = images, ShutdownGrace = TimeSpan.FromSeconds(1) },
            },
            NullLoggerFactory.Instance,
            TimeProvider.System);
        var fixture = new ClusterFixture(folder, server, await FakeProvider.StartAsync(TimeProvider.System));
        await fixture.InstallAsync();
        return fixture;
    }

    /// <summary>One more replica of the edge, with a client of its own.</summary>
    public async Task<ProductFixture> NewEdgeAsync()
    {
        var edge = await ProductFixture.StartAsync(
            o => o with { Edge = o.Edge with { Session = new SessionOptions { Keys = [CookieKey] } } }, provider: Provider,
                api: NewClient());
        _started.Add(edge);
        return edge;
    }

    public async Task<UserWorkspace?> FindAsync(string name) =>
        await Client.TryGetAsync<UserWorkspace>(ProductFixture.Namespace, name, default);

    /// <summary>Status as an operator writes it.</summary>
    public async Task SetStatusAsync(string name, Func<UserWorkspace, UserWorkspaceStatus> status)
    {
        while (true)
        {
            var now = (await FindAsync(name))!;
            try
            {
                await Client.ReplaceStatusAsync(now with { Status = status(now) }, null, default);
                return;
            }
            catch (KubeException error) when (error.Code == 409)
            {
                // Somebody was faster: look again.
            }
        }
    }

    /// <summary>The workspace listens at a port of this machine.</summary>
    public Task AddressAsync(string name, int port) => Client.CreateAsync(
        new Endpoints
        {
            Metadata = Meta(name),
            Subsets = [new EndpointSubset { Addresses = [new EndpointAddress { IP = "127.0.0.1" }],
                Ports = [new EndpointPort { Name = "http", Port = port }] }],
        },
        null,
        default);

    /// <summary>A pod of the workspace that runs a shell script.</summary>
    public async Task RunAsync(string name, string script)
    {
        await Client.CreateAsync(
            new Pod
            {
                Metadata = Meta(name) with { Labels = new Dictionary<string, string> { [Labels.Workspace] = name } },
                Spec = new PodSpec
                {
                    Containers = [new Container { Name = "workspace", Image = "sh", Args = [script] }],
                    TerminationGracePeriodSeconds = 1
                },
            },
            null,
            default);
        await Until(async () => (await Client.GetAsync<Pod>(ProductFixture.Namespace, name, default)).Status?.Phase == "Running");
    }

    public static async Task Until(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            await Task.Delay(20, limit.Token);
        }
    }

    /// <summary>The API goes away and does not come back.</summary>
    public async Task StopApiAsync()
    {
        if (!_isApiDown)
        {
            _isApiDown = true;
            await _server.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in _started)
        {
            await part.DisposeAsync();
        }

        await Provider.DisposeAsync();
        await StopApiAsync();
        _folder.Delete(recursive: true);
    }

    private static ObjectMeta Meta(string name) => new() { Name = name, Namespace = ProductFixture.Namespace };

    private KubeClient NewClient() => KubeClient.Create(KubeConfig.Parse(_server.Kubeconfig), new KubeClientOptions());

    private async Task InstallAsync()
    {
        await Definitions.InstallAsync(Client);
        await Client.Raw.SendAsync(
            HttpMethod.Post, "/api/v1/namespaces", Encoding.UTF8.GetBytes($$$"""{"metadata":{"name":"{{{ProductFixture.Namespace}}}"}}"""),
            "application/json", default);
        await Client.CreateAsync(ProductFixture.Template(), null, default);
    }
}
