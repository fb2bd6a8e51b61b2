namespace Berth.Operator.Tests;

/// <summary>The suite on a real cluster.</summary>
public sealed class OperatorOnClusterTests : OperatorSuite
{
    private protected override async Task<(string? Kubeconfig, IAsyncDisposable? Server, string? Skip)> OpenAsync() =>
        Environment.GetEnvironmentVariable("BERTH_TEST_KUBECONFIG") is { Length: > 0 } path
            ? (await File.ReadAllTextAsync(path), null, null)
            : (null, null, "BERTH_TEST_KUBECONFIG names no cluster.");
}
