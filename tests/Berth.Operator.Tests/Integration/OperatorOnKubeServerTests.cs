using Kube.Client;
using Kube.Server;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Operator.Tests;

/// <summary>
/// The suite on the embedded API, where every other write fails: before it is done, or after it is done and with its answer lost.
/// </summary>
public sealed class OperatorWithFaultsTests : OperatorOnKubeServer
{
    private protected override IKubeClient ForOperator(IKubeClient client) => new FaultyClient(client);
}

/// <summary>The suite on the embedded API.</summary>
public sealed class OperatorOnKubeServerTests : OperatorOnKubeServer;

/// <summary>Opens the embedded API.</summary>
public abstract class OperatorOnKubeServer : OperatorSuite
{
    private protected override async Task<(string? Kubeconfig, IAsyncDisposable? Server, string? Skip)> OpenAsync()
    {
        var folder = Directory.CreateTempSubdirectory("berth-operator-tests-");
        var server = await KubeServer.StartAsync(
            new KubeServerOptions { DataDirectory = folder.FullName, FlushToDisk = false }, NullLoggerFactory.Instance,
                TimeProvider.System);
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
