using System.Net;
using Kube.Server;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Edge.Tests.Cluster;

/// <summary>The suite on the embedded API.</summary>
public sealed class ActivityOnKubeServerTests : ActivitySuite
{
    private protected override IPAddress Address => IPAddress.Loopback;

    private protected override async Task<(string? Kubeconfig, IAsyncDisposable? Server, string? Skip)> OpenAsync()
    {
        var folder = Directory.CreateTempSubdirectory("berth-edge-tests-");
        var options = new KubeServerOptions { DataDirectory = folder.FullName, FlushToDisk = false };
        var server = await KubeServer.StartAsync(options, NullLoggerFactory.Instance, TimeProvider.System);
        return (server.Kubeconfig, new Cleaning(server, folder), null);
    }

    private sealed class Cleaning(KubeServer server, DirectoryInfo folder) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await server.DisposeAsync();
            folder.Delete(recursive: true);
        }
    }
}
