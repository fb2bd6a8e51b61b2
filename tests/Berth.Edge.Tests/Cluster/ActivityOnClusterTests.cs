using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Kube.Client;
using Testing;

namespace Berth.Edge.Tests.Cluster;

/// <summary>The suite on a real cluster.</summary>
public sealed class ActivityOnClusterTests : ActivitySuite
{
    /// <summary>An address of this machine that pods reach; the loopback's where there is none.</summary>
    internal static IPAddress MachineAddress { get; } = NetworkInterface.GetAllNetworkInterfaces()
        .Where(i => i.OperationalStatus == OperationalStatus.Up && i.NetworkInterfaceType != NetworkInterfaceType.Loopback)
        .SelectMany(i => i.GetIPProperties().UnicastAddresses).Select(a => a.Address)
        .FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork) ?? IPAddress.Loopback;

    // Kubernetes takes no loopback address into Endpoints.
    private protected override IPAddress Address => MachineAddress;

    private protected override async Task<(string? Kubeconfig, IAsyncDisposable? Server, string? Skip)> OpenAsync()
    {
        if (Tools.Kubeconfig is not { } path)
        {
            return (null, null, "BERTH_TEST_KUBECONFIG names no cluster.");
        }

        if (IPAddress.IsLoopback(Address))
        {
            return (null, null, "This machine has no address but the loopback's.");
        }

        var kubeconfig = await File.ReadAllTextAsync(path);
        using var client = KubeClient.Create(KubeConfig.Parse(kubeconfig));
        var version = await client.Raw.SendAsync(HttpMethod.Get, "/version", default, null, default);
        return ClusterGuard.NoCustomResources(version) is { } reason ? (null, null, reason) : (kubeconfig, null, null);
    }
}
