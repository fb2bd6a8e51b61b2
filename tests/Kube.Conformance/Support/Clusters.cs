using System.Globalization;
using System.Text.Json.Nodes;
using Kube.Client;
using Kube.Server;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Kube.Conformance.Support;

/// <summary>The servers of a test run: the embedded one is started once, the other is found by its kubeconfig.</summary>
public sealed class Clusters : IAsyncLifetime
{
    /// <summary>
    /// Small, so that a test can fall out of the history of the embedded server; a cluster's is found by asking for version 1.
    /// </summary>
    public const int HistoryEvents = 64;

    private readonly Dictionary<string, (KubeClient Client, RawHttp Http, int Minor)> _targets = [];
    private DirectoryInfo? _folder;
    private KubeServer? _server;

    public async Task InitializeAsync()
    {
        _folder = Directory.CreateTempSubdirectory("kube-conformance-");
        var options = new KubeServerOptions
        {
            DataDirectory = _folder.FullName,
            FlushToDisk = false,
            HistoryEvents = HistoryEvents,
            BookmarkInterval = TimeSpan.FromSeconds(1),
        };
        _server = await KubeServer.StartAsync(options, NullLoggerFactory.Instance, TimeProvider.System);
        await AddAsync(TargetsAttribute.Embedded, KubeConfig.Parse(_server.Kubeconfig));
        if (Tools.Kubeconfig is { } path)
        {
            await AddAsync(TargetsAttribute.Cluster, KubeConfig.LoadFile(path));
        }
    }

    public async Task DisposeAsync()
    {
        foreach (var (client, http, _) in _targets.Values)
        {
            client.Dispose();
            http.Dispose();
        }

        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder?.Delete(recursive: true);
    }

    /// <summary>A namespace of its own on a target.</summary>
    public async Task<Scope> OpenAsync(string target)
    {
        Skip.If(target == TargetsAttribute.Cluster && Tools.Kubeconfig is null, "BERTH_TEST_KUBECONFIG is not set.");
        var (client, http, minor) = _targets[target];
        var scope = new Scope(target, client, http, minor);
        await scope.CreateNamespaceAsync();
        return scope;
    }

    private async Task AddAsync(string target, KubeConfig config)
    {
        var client = KubeClient.Create(config, new() { UserAgent = "conformance/1" });
        var http = new RawHttp(config);
        var version = JsonNode.Parse(await client.Raw.SendAsync(HttpMethod.Get, "/version", default, null, default))!;
        var minor = version["minor"]!.GetValue<string>().TrimEnd('+');
        _targets[target] = (client, http, int.Parse(minor, CultureInfo.InvariantCulture));
    }
}

/// <summary>All tests share the servers and run one after another: they look at timing of the server, not at its throughput.</summary>
[CollectionDefinition(Name)]
public sealed class ClusterTests : ICollectionFixture<Clusters>
{
    public const string Name = "clusters";
}
