using Kube.Client.Models;
using Kube.Server.Runner;

namespace Berth.Operator.Tests;

/// <summary>Pods as processes of this machine.</summary>
public sealed class RunningOnKubeServerTests : RunningSuite
{
    private protected override string Image => "studio";

    private protected override string Command => $"dotnet '{Path.Combine(AppContext.BaseDirectory, "Berth.Studio.dll")}'";

    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync(options =>
    {
        var catalogue = Path.Combine(options.DataDirectory, "images.yaml");
        File.WriteAllText(catalogue, "studio: { command: [/bin/sh] }\n"
            + $"berth-operator:dev: {{ command: [dotnet, \"{Path.Combine(AppContext.BaseDirectory, "Berth.Operator.dll")}\"] }}\n");
        return options with { Runner = new PodRunnerOptions { ImageCatalog = catalogue, ShutdownGrace = TimeSpan.FromSeconds(1) } };
    });

    private protected override Task PrepareVolumeAsync(string claim = Name) => Task.CompletedTask;

    // As the edge does outside of a cluster: by the Endpoints of the Service.
    private protected override async Task<string> AskAsync(string path)
    {
        var endpoints = await UntilAsync<Endpoints>(Name, e => e?.Subsets?.Any(s => s.Addresses?.Count > 0) == true);
        var subset = endpoints!.Subsets!.First(s => s.Addresses?.Count > 0);
        using var http = new HttpClient();
        return await http.GetStringAsync(new Uri(
            $"http://{subset.Addresses![0].IP}:{subset.Ports!.Single(p => p.Name == "http").Port}{path}"));
    }
}
