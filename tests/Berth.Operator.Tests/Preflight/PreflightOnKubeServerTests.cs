using System.Text;
using System.Text.Json.Nodes;
using Berth.Operator.Preflight;
using Kube.Client;
using Kube.Server;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Berth.Operator.Tests.Preflight;

/// <summary>The whole command against an API that holds what a test puts there.</summary>
public sealed class PreflightOnKubeServerTests : IAsyncLifetime
{
    private const string Values = """
        publicOrigin: https://berth.example.com
        workspaceDomain: workspaces.example.dev
        issuers: [{ issuer: "https://idp.example.com/", clientSecretRef: { name: oidc, key: secret } }]
        workspaces: { namespace: berth-workspaces }
        templates: { studio: { image: "berth-studio:dev" } }
        traefik: { enabled: true }
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("berth-preflight-");
    private readonly FakeNetwork _network = new(TimeProvider.System.GetUtcNow());
    private KubeServer _server = null!;
    private KubeClient _client = null!;
    private string? _deployments;

    public async Task InitializeAsync()
    {
        _server = await KubeServer.StartAsync(
            new KubeServerOptions { DataDirectory = _folder.FullName, FlushToDisk = false }, NullLoggerFactory.Instance, TimeProvider.System);
        _client = KubeClient.Create(KubeConfig.Parse(_server.Kubeconfig));
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Run_EmptyCluster_NamesWhatIsMissingAndWhatToDo()
    {
        var (code, report) = await RunAsync(Values);

        Assert.Equal(1, code);
        Assert.Equal("fail", Result(report, "traefik-kinds"));
        Assert.Contains("ingressroutes.traefik.io, middlewares.traefik.io, tlsoptions.traefik.io", Came(report, "traefik-kinds"), StringComparison.Ordinal);
        Assert.Equal("warn", Result(report, "traefik"));
        Assert.Equal("fail", Result(report, "secrets"));
        Assert.Contains("berth/oidc (issuers[0].clientSecretRef) is not there", Came(report, "secrets"), StringComparison.Ordinal);
        Assert.Equal("pass", Result(report, "definitions"));
        Assert.Equal("pass", Result(report, "rights"));
        Assert.Equal("pass", Result(report, "clock"));
        Assert.Equal("pass", Result(report, "dns"));
        Assert.Equal("pass", Result(report, "issuer https://idp.example.com/"));
        Assert.All(report["checks"]!.AsArray().Where(c => (string?)c!["result"] == "fail"), c => Assert.NotNull((string?)c!["remedy"]));
    }

    [Fact]
    public async Task Run_ClusterThatHasAll_Passes()
    {
        await PostAsync("/api/v1/namespaces", """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"berth"}}""");
        await PostAsync("/api/v1/namespaces/berth/secrets", """{"apiVersion":"v1","kind":"Secret","metadata":{"name":"oidc"},"stringData":{"secret":"x"}}""");
        await StorageClassAsync(isDefault: true);
        foreach (var (plural, kind) in new[] { ("ingressroutes", "IngressRoute"), ("middlewares", "Middleware"), ("tlsoptions", "TLSOption") })
        {
            await DefinitionAsync(plural, kind, "traefik.io", "v1alpha1");
        }

        Traefik("traefik:v3.3.1", "--providers.kubernetescrd.allowCrossNamespace=true");

        var (code, report) = await RunAsync(Values);

        Assert.Equal(0, code);
        Assert.All(["cluster", "clock", "rights", "definitions", "traefik-kinds", "traefik", "storage", "secrets", "dns"], c => Assert.Equal("pass", Result(report, c)));
    }

    [Theory]
    [InlineData("traefik:v2.11.0", "--providers.kubernetescrd.allowCrossNamespace=true", "fail")]
    [InlineData("registry.example.org:5000/traefik:v3.1@sha256:00", "--providers.kubernetescrd.allowCrossNamespace", "pass")]
    [InlineData("traefik:v3.3.1", "--providers.kubernetescrd", "warn")]
    [InlineData("traefik:latest", "--providers.kubernetescrd.allowCrossNamespace=true", "warn")]
    public async Task Run_Traefik_ItsVersionAndArgumentCount(string image, string argument, string expected)
    {
        Traefik(image, argument);

        Assert.Equal(expected, Result((await RunAsync(Values)).Report, "traefik"));
    }

    [Fact]
    public async Task Run_StorageClassThatIsNotTheDefault_Fails()
    {
        await StorageClassAsync(isDefault: false);

        var (_, report) = await RunAsync(Values);

        Assert.Equal("fail", Result(report, "storage"));
        Assert.Contains("there is fast", Came(report, "storage"), StringComparison.Ordinal);
        Assert.Equal("pass", Result((await RunAsync(Values.Replace("\"berth-studio:dev\"", "x, storage: { storageClassName: fast }", StringComparison.Ordinal))).Report, "storage"));
    }

    [Fact]
    public async Task Run_DefinitionsOfAnotherVersion_Fails()
    {
        await DefinitionAsync("userworkspaces", "UserWorkspace", "berth.dev", "v9");

        var (_, report) = await RunAsync(Values);

        Assert.Equal("fail", Result(report, "definitions"));
        Assert.Contains("serves v9 and not v1alpha1", Came(report, "definitions"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, "pass")]
    [InlineData(10, "warn")]
    [InlineData(-45, "fail")]
    public async Task Run_ClockOfTheCluster_IsCompared(int seconds, string expected)
    {
        _network.ClusterAhead = TimeSpan.FromSeconds(seconds);

        Assert.Equal(expected, Result((await RunAsync(Values)).Report, "clock"));
    }

    [Fact]
    public async Task Run_NoWildcard_Fails()
    {
        _network.Names.Remove("*.workspaces.example.dev");

        var (_, report) = await RunAsync(Values);

        Assert.Equal("fail", Result(report, "dns"));
        Assert.Contains("no name below workspaces.example.dev", Came(report, "dns"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://idp.example.com", "RS256", "https", "calls itself https://idp.example.com")]
    [InlineData("https://idp.example.com/", "HS256", "https", "signs with HS256")]
    [InlineData("https://idp.example.com/", "RS256", "http", "authorization_endpoint is http://")]
    public async Task Run_ProviderThatDoesNotFit_Fails(string issuer, string algorithm, string scheme, string expected)
    {
        _network.Answers[FakeNetwork.Issuer + ".well-known/openid-configuration"] = FakeNetwork.Discovery(issuer, algorithm, scheme);

        var (_, report) = await RunAsync(Values);

        Assert.Equal("fail", Result(report, "issuer https://idp.example.com/"));
        Assert.Contains(expected, Came(report, "issuer https://idp.example.com/"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("""{"keys":[]}""")]
    public async Task Run_ProviderWithoutKeys_Fails(string keys)
    {
        _network.Answers[FakeNetwork.Issuer + "keys"] = keys;

        Assert.Equal("fail", Result((await RunAsync(Values)).Report, "issuer https://idp.example.com/"));
    }

    [Fact]
    public async Task Run_ClusterThatDoesNotAnswer_StillLooksAtTheRest()
    {
        await _server.DisposeAsync();

        var (code, report) = await RunAsync(Values);

        Assert.Equal(1, code);
        Assert.Equal("fail", Result(report, "cluster"));
        Assert.Equal("pass", Result(report, "dns"));
        Assert.DoesNotContain(report["checks"]!.AsArray(), c => (string?)c!["name"] == "storage");
    }

    [Theory]
    [InlineData("--values is missing")]
    [InlineData("'--nonsense' is no option", "--nonsense")]
    [InlineData("--namespace needs a value", "--namespace")]
    public async Task Run_WrongArguments_ExplainsItself(string expected, params string[] args)
    {
        using var errors = new StringWriter();

        var code = await PreflightCommand.RunAsync(args, () => throw new InvalidOperationException(), _network, TextWriter.Null, errors, TimeProvider.System, default);

        Assert.Equal(2, code);
        Assert.Contains(expected, errors.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"waiting":{"reason":"ImagePullBackOff","message":"not found"}}""", "Fail")]
    [InlineData("""{"waiting":{"reason":"RunContainerError"}}""", "Pass")]
    [InlineData("""{"terminated":{"exitCode":128}}""", "Pass")]
    [InlineData("""{"waiting":{"reason":"ContainerCreating"}}""", null)]
    public void Verdict_StateOfAContainer_TellsWhetherItsImageWasPulled(string state, string? expected)
    {
        var pod = JsonNode.Parse($$$"""{"status":{"containerStatuses":[{"state":{{{state}}}}]}}""");

        Assert.Equal(expected, ImageChecks.Verdict("x:1", pod)?.Outcome.ToString());
    }

    [Fact]
    public async Task Run_Pull_MakesPodsAndRemovesThem()
    {
        await PostAsync("/api/v1/namespaces", """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"berth"}}""");
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var answering = AnswerAsync(stop.Token);

        var (_, report) = await RunAsync(Values, "--pull");
        await answering;

        Assert.Equal("fail", Result(report, "image berth-studio:dev"));
        var left = JsonNode.Parse(await _client.Raw.SendAsync(HttpMethod.Get, "/api/v1/namespaces/berth/pods", default, null, default))!;
        Assert.Empty(left["items"]!.AsArray());
    }

    // What a kubelet would say.
    private async Task AnswerAsync(CancellationToken cancellationToken)
    {
        await foreach (var change in _client.WatchAsync<Kube.Client.Models.Pod>("berth", new WatchOptions(), cancellationToken))
        {
            if (change is WatchEvent<Kube.Client.Models.Pod>.Added added && added.Object.Metadata.Name is { } name)
            {
                await _client.Raw.SendAsync(HttpMethod.Patch, $"/api/v1/namespaces/berth/pods/{name}/status",
                    """{"status":{"containerStatuses":[{"name":"image","image":"x","imageID":"","ready":false,"restartCount":0,"state":{"waiting":{"reason":"ErrImagePull","message":"no such image"}}}]}}"""u8.ToArray(),
                    "application/merge-patch+json", cancellationToken);
                return;
            }
        }
    }

    private async Task<(int Code, JsonNode Report)> RunAsync(string values, params string[] more)
    {
        var file = Path.Combine(_folder.FullName, "values.yaml");
        await File.WriteAllTextAsync(file, values);
        using var output = new StringWriter();
        using var client = KubeClient.Create(KubeConfig.Parse(_server.Kubeconfig));
        var code = await PreflightCommand.RunAsync(
            ["--values", file, "--json", .. more], () => (new WithDeployments(client, () => _deployments), KubeConfig.Parse(_server.Kubeconfig).Server), _network, output, TextWriter.Null, TimeProvider.System, default);
        return (code, JsonNode.Parse(output.ToString())!);
    }

    private static string? Result(JsonNode report, string check) => (string?)Find(report, check)["result"];

    private static string Came(JsonNode report, string check) => (string)Find(report, check)["came"]!;

    private static JsonNode Find(JsonNode report, string check) => report["checks"]!.AsArray().Single(c => (string?)c!["name"] == check)!;

    private Task StorageClassAsync(bool isDefault) => PostAsync("/apis/storage.k8s.io/v1/storageclasses",
        $$"""
        {"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"fast","annotations":
         {"storageclass.kubernetes.io/is-default-class":"{{(isDefault ? "true" : "false")}}" } },"provisioner":"x","allowVolumeExpansion":true}
        """);

    private void Traefik(string image, string argument) => _deployments =
        $$"""
        {"items":[{"metadata":{"name":"traefik","labels":{"app.kubernetes.io/name":"traefik"} },
         "spec":{"template":{"spec":{"containers":[{"name":"traefik","image":"{{image}}","args":["{{argument}}"]}]} } } }]}
        """;

    private async Task DefinitionAsync(string plural, string kind, string group, string version)
    {
        await PostAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", Definition(plural, kind, group, version));
        while (!await _client.IsServedAsync(new ResourceDescriptor(group, version, kind, plural), default))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    private static string Definition(string plural, string kind, string group, string version) =>
        $$"""
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"{{plural}}.{{group}}" },
         "spec":{"group":"{{group}}","scope":"Namespaced","names":{"plural":"{{plural}}","singular":"{{kind.ToLowerInvariant()}}","kind":"{{kind}}","listKind":"{{kind}}List" },
         "versions":[{"name":"{{version}}","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true } } } ] } }
        """;

    private async Task PostAsync(string path, string json) =>
        await _client.Raw.SendAsync(HttpMethod.Post, path, Encoding.UTF8.GetBytes(json), "application/json", default);

    // Kube.Server has no kinds of the group apps.
    private sealed class WithDeployments(IKubeClient inner, Func<string?> list) : DelegatingKubeClient(inner), IKubeClient, IKubeRawClient
    {
        IKubeRawClient IKubeClient.Raw => this;

        public Task<byte[]> SendAsync(
            HttpMethod method, string pathAndQuery, ReadOnlyMemory<byte> body, string? contentType, CancellationToken cancellationToken) =>
            pathAndQuery.StartsWith("/apis/apps/v1/deployments?", StringComparison.Ordinal) && list() is { } deployments
                ? Task.FromResult(Encoding.UTF8.GetBytes(deployments))
                : Inner.Raw.SendAsync(method, pathAndQuery, body, contentType, cancellationToken);
    }
}
