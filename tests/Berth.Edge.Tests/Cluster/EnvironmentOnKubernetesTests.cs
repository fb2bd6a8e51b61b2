using System.Text.Json.Nodes;
using Berth.Operator;
using Berth.Resources;
using Kube.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Berth.Edge.Tests.Cluster;

/// <summary>From a person's preferences to a process that runs: the edge, the operator and a runner on one API.</summary>
public class EnvironmentOnKubernetesTests
{
    [Fact]
    public async Task Preferences_AreInEveryStart_AndAChangeIsTheNextOnes()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        using var host = Operator(cluster.Client);
        await host.StartAsync();
        var edge = await cluster.NewEdgeAsync();
        using var api = edge.Api("user1");
        await TellsItsEnvironmentAsync(cluster);
        var name = edge.NameOf("user1");
        using var put = await AccountPutAsync(api, """{"EDITOR":"vim","PRICE":"$(PORT) $$ 5","OWN":"mine"}""");
        using var created = await api.PostAsync("/api/workspaces", null);
        await LogIsAsync("EDITOR=vim PRICE=$(PORT) $$ 5 OWN=template");

        // Nothing restarts by itself; the person is told that a restart brings the change.
        using var changed = await AccountPutAsync(api, """{"EDITOR":"nano"}""");
        await ClusterFixture.Until(async () => (bool)(await WorkspaceAsync())["pendingRestart"]!);
        Assert.Equal("EDITOR=vim PRICE=$(PORT) $$ 5 OWN=template\n", await api.GetStringAsync($"/api/workspaces/{name}/logs"));
        using var restarted = await api.PostAsync($"/api/workspaces/{name}/restart", null);
        await LogIsAsync("EDITOR=nano PRICE= OWN=template");
        await ClusterFixture.Until(async () => !(bool)(await WorkspaceAsync())["pendingRestart"]!);

        using var stopped = await api.PostAsync($"/api/workspaces/{name}/stop", null);
        await ClusterFixture.Until(async () => (string?)(await WorkspaceAsync())["phase"] == WorkspacePhases.Stopped);
        using var none = await api.DeleteAsync("/api/me/preferences");
        using var started = await api.PostAsync($"/api/workspaces/{name}/start", null);
        await LogIsAsync("EDITOR= PRICE= OWN=template");

        await host.StopAsync();

        async Task<JsonNode> WorkspaceAsync() => JsonNode.Parse(await api.GetStringAsync($"/api/workspaces/{name}"))!;

        Task LogIsAsync(string line) => ClusterFixture.Until(async () =>
        {
            using var answer = await api.GetAsync($"/api/workspaces/{name}/logs");
            return answer.IsSuccessStatusCode && await answer.Content.ReadAsStringAsync() == line + "\n";
        });
    }

    private static Task<HttpResponseMessage> AccountPutAsync(HttpClient api, string environment) =>
        Api.AccountApiTests.PutAsync(api, "/api/me/preferences", $$"""{"environment":{{environment}}}""");

    private static async Task TellsItsEnvironmentAsync(ClusterFixture cluster)
    {
        var template = await cluster.Client.GetAsync<WorkspaceTemplate>(ProductFixture.Namespace, "studio", default);
        await cluster.Client.ReplaceAsync(
            template with
            {
                Spec = template.Spec with
                {
                    Image = "sh",
                    Args = ["echo \"EDITOR=$EDITOR PRICE=$PRICE OWN=$OWN\"; exec sleep 4521"],
                    Env = [new TemplateVariable { Name = "OWN", Value = "template" }],
                    TerminationGracePeriodSeconds = 1,
                },
            },
            null,
            default);
    }

    private static IHost Operator(IKubeClient client) => new HostBuilder()
        .ConfigureServices(services => services.AddLogging().AddBerthOperator(
            new OperatorOptions
            {
                PublicOrigin = ProductFixture.Origin,
                WorkspaceDomain = "localhost",
                Namespace = ProductFixture.Namespace,
                Routing = RoutingMode.None,
                LeaderElection = new ElectionOptions { Enabled = false },
            },
            client,
            ProductFixture.Namespace))
        .Build();
}
