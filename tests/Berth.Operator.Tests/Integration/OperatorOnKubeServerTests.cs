using Kube.Client;

namespace Berth.Operator.Tests;

/// <summary>
/// The suite on the embedded API, where every other write fails: before it is done, or after it is done and with its answer lost.
/// </summary>
public sealed class OperatorWithFaultsTests : OperatorSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync();

    private protected override IKubeClient ForOperator(IKubeClient client) => new FaultyClient(client);
}

/// <summary>The suite on the embedded API.</summary>
public sealed class OperatorOnKubeServerTests : OperatorSuite
{
    private protected override bool InstallsTraefik => true;

    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync();
}
