using Kube.Client;
using Kube.Server;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>An API to test against, or why there is none.</summary>
internal sealed record TestedApi(string? Kubeconfig, IAsyncDisposable? Server, string? Skip)
{
    /// <summary>The embedded API, in a folder of its own.</summary>
    internal static async Task<TestedApi> KubeServerAsync(
        Func<KubeServerOptions, KubeServerOptions>? change = null, TimeProvider? time = null)
    {
        var folder = Directory.CreateTempSubdirectory("berth-operator-tests-");
        var options = new KubeServerOptions { DataDirectory = folder.FullName, FlushToDisk = false };
        var server = await KubeServer.StartAsync(change?.Invoke(options) ?? options, NullLoggerFactory.Instance,
            time ?? TimeProvider.System);
        return new(server.Kubeconfig, new Cleaning(server, folder), null);
    }

    /// <summary>The cluster that BERTH_TEST_KUBECONFIG names.</summary>
    internal static async Task<TestedApi> ClusterAsync()
    {
        if (Tools.Kubeconfig is not { } path)
        {
            return new(null, null, "BERTH_TEST_KUBECONFIG names no cluster.");
        }

        var kubeconfig = await File.ReadAllTextAsync(path);
        using var client = KubeClient.Create(KubeConfig.Parse(kubeconfig));
        var version = await client.Raw.SendAsync(HttpMethod.Get, "/version", default, null, default);
        return ClusterGuard.NoCustomResources(version) is { } reason ? new(null, null, reason) : new(kubeconfig, null, null);
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
