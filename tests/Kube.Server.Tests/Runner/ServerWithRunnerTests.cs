using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Kube.Server.Runner;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kube.Server.Tests.Runner;

/// <summary>The whole: a server started with a runner, over its real store and validation, with logs over HTTP.</summary>
public sealed class ServerWithRunnerTests : IAsyncLifetime
{
    private readonly string _data = Directory.CreateTempSubdirectory("server-runner-").FullName;
    private KubeServer _server = null!;

    private IClusterApi Api => _server.Api;

    [Fact]
    public async Task Pod_FromCreationToRemoval_OverTheRealApi()
    {
        await CreateAsync(GroupResource.PersistentVolumeClaims, """
            {"metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}
            """);
        await CreateAsync(GroupResource.Services, """
            {"metadata":{"name":"s"},"spec":{"selector":{"app":"a"},"ports":[{"name":"http","port":80,"targetPort":"http"}]}}
            """);
        await CreateAsync(GroupResource.Pods, """
            {"metadata":{"name":"a","labels":{"app":"a"}},"spec":{
              "volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"c"}}],
              "containers":[{"name":"main","image":"sh","args":["echo hello > $D/f; cat $D/f; exec sleep 1000"],
                "env":[{"name":"D","value":"/d"}],"ports":[{"name":"http","containerPort":8080}],"volumeMounts":[{"name":"v",
                 "mountPath":"/d"}]}]}}
            """);

        var pod = await UntilAsync(GroupResource.Pods, "a", p => p.Object("status").Objects("conditions")
            .Any(c => c.Text("type") == "Ready" && c.Text("status") == "True"));
        Assert.Equal("Running", pod.Object("status").Text("phase"));
        var endpoints = await UntilAsync(GroupResource.Endpoints, "s", e => e.Objects("subsets").Any(s => s.Objects("addresses").Any()));
        Assert.Equal(Kube.Server.Runner.Ports.PortAnnotation.Read(pod)["http"],
            endpoints.Objects("subsets").Single().Objects("ports").Single().Number("port"));
        Assert.Equal("hello\n", await File.ReadAllTextAsync(Path.Combine(_data, "volumes", "default", "c", "f")));
        Assert.Equal("hello\n", await LogAsync("a"));

        await Api.DeleteAsync(GroupResource.Pods, "default", "a", new DeleteOptions { GracePeriodSeconds = 1 });
        await GoneAsync(GroupResource.Pods, "default", "a");
        await Api.DeleteAsync(GroupResource.PersistentVolumeClaims, "default", "c");
        await GoneAsync(GroupResource.PersistentVolumeClaims, "default", "c");
        await UntilAsync(() => !Directory.Exists(Path.Combine(_data, "volumes", "default", "c")));
    }

    [Fact]
    public async Task Owner_Deleted_PodFollows()
    {
        var owner = await CreateAsync(GroupResource.ConfigMaps, """{"metadata":{"name":"owner"}}""");
        await CreateAsync(GroupResource.Pods, $$"""
            {"metadata":{"name":"a","ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"owner",
             "uid":"{{owner.Object("metadata").Text("uid")}}"}]},
             "spec":{"terminationGracePeriodSeconds":1,"containers":[{"name":"main","image":"sh","args":["exec sleep 1000"]}]} }
            """);
        await UntilAsync(GroupResource.Pods, "a", p => p.Object("status").Text("phase") == "Running");

        await Api.DeleteAsync(GroupResource.ConfigMaps, "default", "owner");

        await GoneAsync(GroupResource.Pods, "default", "a");
    }

    [Fact]
    public async Task Job_RunsItsPodToTheEnd_AndItsLastWordsAreKept()
    {
        await CreateAsync(GroupResource.Jobs, """
            {"metadata":{"name":"j"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"main","image":"sh",
             "env":[{"name":"WORDS","value":"/dev/termination-log"}],"args":["printf done > \"$WORDS\""]}]}}}}
            """);
        var job = await UntilAsync(GroupResource.Jobs, "j", j => j.Object("status").Objects("conditions")
            .Any(c => c.Text("type") == "Complete" && c.Text("status") == "True"));
        Assert.Equal(1, job.Object("status").Number("succeeded"));
        var pod = Api.List(GroupResource.Pods, "default").Items.Single(p =>
            p.Object("metadata").Object("labels").Text("job-name") == "j");
        Assert.Equal("done", RunnerFixture.Container(pod).Object("state").Object("terminated").Text("message"));
    }

    [SkippableFact]
    public async Task Kubectl_CreatesWaitsForAndDeletesAJob()
    {
        Skip.If(Testing.Tools.Kubectl is null, "There is no kubectl on the PATH.");
        using var kubectl = new Http.Kubectl(Testing.Tools.Kubectl);
        await kubectl.ConnectAsync(_server);
        await kubectl.RunAsync("create job j --image=sh -- sh -c exit");
        await kubectl.RunAsync("wait --for=condition=Complete --timeout=60s job/j");
        Assert.Matches(@"(?m)^j\s+Complete\s+1/1\s", await kubectl.RunAsync("get job j"));
        await kubectl.RunAsync("logs job/j");
        await kubectl.RunAsync("delete job j");
        await UntilAsync(() => Api.List(GroupResource.Pods, "default").Items.Count == 0);
    }

    [Fact]
    public async Task Namespace_Deleted_IsEmptiedAndGoes()
    {
        await Api.CreateAsync(GroupResource.Namespaces, null, (JsonObject)JsonNode.Parse("""{"metadata":{"name":"extra"}}""")!);
        await Api.CreateAsync(GroupResource.ConfigMaps, "extra", (JsonObject)JsonNode.Parse("""{"metadata":{"name":"x"}}""")!);

        await Api.DeleteAsync(GroupResource.Namespaces, null, "extra");

        await GoneAsync(GroupResource.Namespaces, null, "extra");
        Assert.Empty(Api.List(GroupResource.ConfigMaps, "extra").Items);
    }

    [Fact]
    public async Task Server_Restarted_RunsItsPodsAgain()
    {
        await CreateAsync(GroupResource.Pods, """
            {"metadata":{"name":"a"},"spec":{"containers":[{"name":"main","image":"sh","args":["exec sleep 4399"]}]}}
            """);
        await UntilAsync(GroupResource.Pods, "a", p => p.Object("status").Text("phase") == "Running");

        await _server.DisposeAsync();
        Assert.Empty(Processes.With("sleep 4399"));
        await InitializeAsync();

        await UntilAsync(GroupResource.Pods, "a", p => RunnerFixture.Container(p).Number("restartCount") == 1);
        Assert.Single(Processes.With("sleep 4399"));
    }

    public async Task InitializeAsync()
    {
        var catalog = Path.Combine(_data, "images.yaml");
        await File.WriteAllTextAsync(catalog, "sh: { command: [sh, -c] }\n");
        var runner = new PodRunnerOptions { ImageCatalog = catalog, ShutdownGrace = TimeSpan.FromSeconds(1) };
        _server = await KubeServer.StartAsync(new KubeServerOptions { DataDirectory = _data, Runner = runner }, NullLoggerFactory.Instance,
            TimeProvider.System);
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    private Task<JsonObject> CreateAsync(GroupResource resource, string json) =>
        Api.CreateAsync(resource, "default", (JsonObject)JsonNode.Parse(json)!);

    private async Task<string> LogAsync(string pod)
    {
        using var ca = X509CertificateLoader.LoadCertificate(Convert.FromBase64String(FromKubeconfig("certificate-authority-data")));
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { ca },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        using var http = new HttpClient(handler) { BaseAddress = _server.BaseUri };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", FromKubeconfig("token"));
        return await http.GetStringAsync(new Uri($"/api/v1/namespaces/default/pods/{pod}/log", UriKind.Relative));
    }

    private string FromKubeconfig(string key) => _server.Kubeconfig.Split('\n').Select(l => l.Trim(' ', '-'))
        .First(l => l.StartsWith(key + ":", StringComparison.Ordinal))[(key.Length + 1)..].Trim().Trim('"');

    private async Task<JsonObject> UntilAsync(GroupResource resource, string name, Func<JsonObject, bool> condition)
    {
        JsonObject? last = null;
        await UntilAsync(() => (last = Api.Get(resource, "default", name)) is { } found && condition(found), () => last?.ToJsonString());
        return last!;
    }

    private Task GoneAsync(GroupResource resource, string? ns, string name) =>
        UntilAsync(() => Api.Get(resource, ns, name) is null, () => Api.Get(resource, ns, name)?.ToJsonString());

    private static async Task UntilAsync(Func<bool> condition, Func<string?>? describe = null)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(60), describe?.Invoke());
            await Task.Delay(20);
        }
    }
}
