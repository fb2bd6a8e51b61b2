namespace Benchmarks.Operator;

/// <summary>What is measured of the operator. <c>BERTH_BENCH_SCALE</c> says with how many workspaces instead of 10,000.</summary>
internal static class OperatorBenchmarks
{
    private const int Scale = 10_000;

    internal static async Task LatencyAsync()
    {
        await using (var process = await ApiProcess.StartAsync())
        await using (var api = await BenchApi.OpenAsync(process.Kubeconfig))
        {
            await LatencyBenchmark.RunAsync(api, "kube-server", perSecond: 50, count: 1000);
        }

        if (await ClusterAsync() is { } cluster)
        {
            await using (cluster)
            {
                await LatencyBenchmark.RunAsync(cluster, "cluster", perSecond: 50, count: 1000);
            }
        }
    }

    internal static async Task WarmAsync()
    {
        await using (var process = await ApiProcess.StartAsync())
        await using (var api = await BenchApi.OpenAsync(process.Kubeconfig))
        {
            await WarmBenchmark.RunAsync(api, "kube-server");
        }

        if (await ClusterAsync() is { } cluster)
        {
            await using (cluster)
            {
                await WarmBenchmark.RunAsync(cluster, "cluster");
            }
        }
    }

    internal static Task ScaleAsync() =>
        ScaleBenchmark.RunAsync(int.TryParse(Environment.GetEnvironmentVariable("BERTH_BENCH_SCALE"), out var count) ? count : Scale);

    internal static async Task ThroughputAsync()
    {
        await using (var process = await ApiProcess.StartAsync())
        await using (var api = await BenchApi.OpenAsync(process.Kubeconfig))
        {
            await ThroughputBenchmark.RunAloneAsync(process, api, "kube-server", 1000);
        }

        if (await ClusterAsync() is { } cluster)
        {
            await using (cluster)
            {
                await ThroughputBenchmark.RunAsync(cluster, 1000);
            }
        }
        else
        {
            await Console.Error.WriteLineAsync(
                "BERTH_TEST_KUBECONFIG names no cluster, so there is no kube-controller-manager to compare with.");
        }
    }

    private static async Task<BenchApi?> ClusterAsync() =>
        Environment.GetEnvironmentVariable("BERTH_TEST_KUBECONFIG") is { Length: > 0 } path
            ? await BenchApi.OpenAsync(await File.ReadAllTextAsync(path))
            : null;
}
