namespace Berth.Operator.Tests;

/// <summary>The suite on a real cluster.</summary>
public sealed class OperatorOnClusterTests : OperatorSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.ClusterAsync();
}
