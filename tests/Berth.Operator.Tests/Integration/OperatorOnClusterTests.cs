using Kube.Client;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>The suite on a real cluster.</summary>
public sealed class OperatorOnClusterTests : OperatorSuite
{
    private protected override async Task<(string? Kubeconfig, IAsyncDisposable? Server, string? Skip)> OpenAsync()
    {
        if (Tools.Kubeconfig is not { } path)
        {
            return (null, null, "BERTH_TEST_KUBECONFIG names no cluster.");
        }

        var kubeconfig = await File.ReadAllTextAsync(path);
        using var client = KubeClient.Create(KubeConfig.Parse(kubeconfig));
        var version = await client.Raw.SendAsync(HttpMethod.Get, "/version", default, null, default);
        return ClusterGuard.NoCustomResources(version) is { } reason ? (null, null, reason) : (kubeconfig, null, null);
    }
}
