using System.Text;
using System.Text.Json.Nodes;
using Kube.Client;
using Kube.Server;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Chart.Tests;

/// <summary>
/// An API server takes everything that is rendered, and no field is one that it does not know. Traefik's kinds are held against Traefik's
/// own
/// definitions, where BERTH_TEST_TRAEFIK_CRDS names a folder that has them (a subfolder for each version, such as v3.0.0).
/// </summary>
public sealed class ApiTests : IAsyncLifetime
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("berth-chart-tests-api-");
    private KubeServer? _server;
    private KubeClient? _client;

    private IKubeRawClient Api => _client!.Raw;

    public static TheoryData<string, string> SetsAndVersions
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (var set in ValueSets.All.Keys)
            {
                all.Add(set, "v3.0.0");
                all.Add(set, "v3.7.9");
            }

            return all;
        }
    }

    public async Task InitializeAsync()
    {
        _server = await KubeServer.StartAsync(
            new KubeServerOptions { DataDirectory = _data.FullName, FlushToDisk = false }, NullLoggerFactory.Instance, TimeProvider.System);
        _client = KubeClient.Create(KubeConfig.Parse(_server.Kubeconfig));
    }

    public async Task DisposeAsync()
    {
        _client!.Dispose();
        await _server!.DisposeAsync();
        _data.Delete(recursive: true);
    }

    [SkippableTheory]
    [MemberData(nameof(SetsAndVersions))]
    public async Task Objects_AreTakenByAnApi_WithNoFieldItDoesNotKnow(string set, string traefik)
    {
        var manifests = ValueSets.Render(set);
        await DefineAsync(Directory.GetFiles(Path.Combine(Chart.Folder, "crds")));
        if (Environment.GetEnvironmentVariable("BERTH_TEST_TRAEFIK_CRDS") is { Length: > 0 } folder)
        {
            string[] kinds = ["ingressroutes", "middlewares", "tlsoptions"];
            await DefineAsync(kinds.Select(k => Path.Combine(folder, traefik, $"traefik.io_{k}.yaml")));
        }

        var served = await ServedAsync();
        var taken = new HashSet<string>();
        var ns = YamlJson.ReadOne($"{{apiVersion: v1, kind: Namespace, metadata: {{name: {Chart.Namespace}}}}}");
        await PostAsync(served["v1/Namespace"], ns);
        foreach (var manifest in manifests.All.OrderBy(m => m.Kind() == "Namespace" ? 0 : 1))
        {
            if (served.TryGetValue($"{manifest["apiVersion"]}/{manifest.Kind()}", out var path))
            {
                await PostAsync(path, manifest);
                taken.Add(manifest.Kind());
            }
        }

        Assert.Superset(new HashSet<string> { "Job", "Service", "WorkspaceTemplate", "NetworkPolicy" }, taken);
    }

    // Or the rest would show nothing.
    [Fact]
    public async Task AFieldThatNobodyKnows_IsRefused()
    {
        var served = await ServedAsync();
        var wrong = YamlJson.ReadOne(
            "{apiVersion: v1, kind: Service, metadata: {name: x, namespace: default}, spec: {ports: [{port: 1}], typ: x}}");
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => PostAsync(served["v1/Service"], wrong));
        Assert.Contains("typ", refusal.Message, StringComparison.Ordinal);
    }

    private async Task DefineAsync(IEnumerable<string> files)
    {
        foreach (var file in files)
        {
            await Api.SendAsync(HttpMethod.Post, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                await File.ReadAllBytesAsync(file),
                "application/yaml", default);
            var definition = YamlJson.ReadOne(await File.ReadAllTextAsync(file))["spec"]!;
            var kind = new ResourceDescriptor((string)definition["group"]!, (string)definition["versions"]![0]!["name"]!,
                (string)definition["names"]!["kind"]!, (string)definition["names"]!["plural"]!);
            while (!await _client!.IsServedAsync(kind, default))
            {
                await Task.Yield();
            }
        }
    }

    // Version and kind to the path of their list, with {0} for a namespace.
    private async Task<Dictionary<string, string>> ServedAsync()
    {
        var versions = new List<(string Version, string Path)> { ("v1", "/api/v1") };
        foreach (var group in (await GetAsync("/apis"))["groups"]!.AsArray())
        {
            versions.AddRange(group!["versions"]!.AsArray().Select(v => ((string)v!["groupVersion"]!, $"/apis/{v["groupVersion"]}")));
        }

        var served = new Dictionary<string, string>();
        foreach (var (version, path) in versions)
        {
            foreach (var resource in (await GetAsync(path))["resources"]!.AsArray()
                .Where(r => !((string)r!["name"]!).Contains('/', StringComparison.Ordinal)))
            {
                served[$"{version}/{resource!["kind"]}"] = (bool)resource["namespaced"]! ? $"{path}/namespaces/{{0}}/{resource["name"]}"
                    : $"{path}/{resource["name"]}";
            }
        }

        return served;
    }

    private async Task<JsonNode> GetAsync(string path) =>
        JsonNode.Parse(await Api.SendAsync(HttpMethod.Get, path, default, null, default))!;

    private async Task PostAsync(string path, JsonNode manifest)
    {
        try
        {
            var target = path.Replace("{0}", manifest.NamespaceOf(), StringComparison.Ordinal);
            await Api.SendAsync(HttpMethod.Post, $"{target}?fieldValidation=Strict", Encoding.UTF8.GetBytes(manifest.ToJsonString()),
                "application/json", default);
        }
        catch (KubeException error)
        {
            throw new InvalidOperationException($"{manifest.Id()} is refused: {error.Message}", error);
        }
    }
}
