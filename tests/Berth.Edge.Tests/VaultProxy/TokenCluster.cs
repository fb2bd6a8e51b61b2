using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Accounts;
using Berth.Edge.Tests.ApiProxy;
using Berth.Edge.Tests.Cluster;
using Berth.Operator;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Berth.Edge.Tests.VaultProxy;

/// <summary>
/// A real cluster with a namespace of its own: the operator makes the workspaces' pods, a kubelet runs them and writes their tokens, and an
/// edge with the rights of the documentation has them reviewed by the API server. Pods reach the edge at an address of this machine.
/// </summary>
internal sealed class TokenCluster : IAsyncDisposable
{
    /// <summary>The line of the documentation.</summary>
    public const string Line = """curl -s -H "Authorization: Bearer $(cat "$BERTH_TOKEN_FILE")" "$BERTH_PROXY_URL/api/me" """;

    private static readonly string? Image = Environment.GetEnvironmentVariable("BERTH_TEST_NODE_IMAGE") is { Length: > 0 } image
        ? image : null;

    private readonly List<IAsyncDisposable> _started = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly string _rights;
    private Task _operating = Task.CompletedTask;

    private TokenCluster(KubeClient client, string ns, string rights)
    {
        Client = client;
        Ns = ns;
        _rights = rights;
    }

    public KubeClient Client { get; }

    public string Ns { get; }

    public ProductFixture Edge { get; private set; } = null!;

    public static async Task<TokenCluster> StartAsync()
    {
        Skip.If(Tools.Kubeconfig is null, "BERTH_TEST_KUBECONFIG names no cluster.");
        Skip.If(Image is null, "BERTH_TEST_NODE_IMAGE names no studio image that the cluster's nodes can run.");
        Skip.If(Tools.Kubectl is null, "needs kubectl");
        var address = ActivityOnClusterTests.MachineAddress;
        Skip.If(IPAddress.IsLoopback(address), "This machine has no address but the loopback's.");
        var admin = KubeConfig.Parse(await File.ReadAllTextAsync(Tools.Kubeconfig!));
        var client = KubeClient.Create(admin);
        var version = await client.Raw.SendAsync(HttpMethod.Get, "/version", default, null, default);
        Skip.IfNot(ClusterGuard.NoCustomResources(version) is null, ClusterGuard.NoCustomResources(version));

        var ns = "berth-token-" + Guid.NewGuid().ToString("N")[..8];
        var rights = (await File.ReadAllTextAsync(Checkout.Path("docs/examples/cluster/edge-rights.yaml")))
            .Replace("namespace: berth", "namespace: " + ns, StringComparison.Ordinal)
            .Replace("name: berth\n", $"name: {ns}\n", StringComparison.Ordinal)
            .Replace("name: berth-edge-", $"name: {ns}-", StringComparison.Ordinal);
        var cluster = new TokenCluster(client, ns, rights);
        await Definitions.InstallAsync(client);
        Assert.Equal(0, (await KubectlAsync(rights, "apply", "-f", "-")).Code);
        await cluster.StartAsync(admin, address);
        return cluster;
    }

    /// <summary>A workspace of a person, whose pod runs and whose edge knows it.</summary>
    public async Task<Pod> WorkspaceAsync(string name, string person)
    {
        await Client.CreateAsync(
            new UserWorkspace
            {
                Metadata = new ObjectMeta { Name = name, Namespace = Ns },
                Spec = new UserWorkspaceSpec
                {
                    Owner = new WorkspaceOwner { Issuer = Edge.Provider.Issuer, Subject = person },
                    Template = new TemplateReference { Name = "studio" },
                },
            },
            null,
            default);
        return await PodAsync(name, except: null);
    }

    /// <summary>The pod of a workspace, ready and known to the edge; another one than that of the uid given.</summary>
    public async Task<Pod> PodAsync(string name, string? except)
    {
        Pod? pod = null;
        await Until(async () =>
        {
            pod = await Client.TryGetAsync<Pod>(Ns, name, default);
            return pod is { Metadata.DeletionTimestamp: null } && pod.Metadata.Uid != except
                && pod.Status?.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) == true
                && Edge.Get<WorkspaceWatch>().FindByPod(pod.Metadata.Uid!, name) is not null;
        });
        return pod!;
    }

    /// <summary>Runs a shell line in a pod's container.</summary>
    public async Task<string> InPodAsync(string pod, string line)
    {
        var (code, output) = await KubectlAsync(null, "-n", Ns, "exec", pod, "-c", "workspace", "--", "/bin/sh", "-c", line);
        Assert.True(code == 0, output);
        return output;
    }

    /// <summary>A token of the pods' service account, as the API server makes them for whoever may ask (TokenRequest).</summary>
    public async Task<string> RequestAsync(string[] audiences, Pod? pod, string account = "default", int seconds = 1800)
    {
        var spec = new JsonObject
        {
            ["audiences"] = new JsonArray([.. audiences.Select(a => (JsonNode)a)]),
            ["expirationSeconds"] = seconds,
        };
        if (pod is not null)
        {
            spec["boundObjectRef"] = new JsonObject
            {
                ["kind"] = "Pod",
                ["apiVersion"] = "v1",
                ["name"] = pod.Metadata.Name,
                ["uid"] = pod.Metadata.Uid,
            };
        }

        var body = new JsonObject { ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "TokenRequest", ["spec"] = spec };
        var answer = await Client.Raw.SendAsync(
            HttpMethod.Post, $"/api/v1/namespaces/{Ns}/serviceaccounts/{account}/token", Encoding.UTF8.GetBytes(body.ToJsonString()),
            "application/json", default);
        return (string)JsonNode.Parse(answer)!["status"]!["token"]!;
    }

    /// <summary>What the API server itself says of a token for the edge.</summary>
    public async Task<bool> IsAuthenticatedAsync(string token) => (await Client.CreateAsync(
        new TokenReview { Spec = new TokenReviewSpec { Token = token, Audiences = [ApiAccess.Audience] } }, null, default))
        .Status!.Authenticated == true;

    /// <summary>Calls the API through the edge with a token: the status, and what the API answered.</summary>
    public async Task<(int Status, string Body)> CallAsync(string token)
    {
        using var client = new HttpClient(Edge.NewHandler());
        using var request = new HttpRequestMessage(HttpMethod.Get, ProductFixture.Origin + "/proxy/api/me");
        request.Headers.Authorization = new("Bearer", token);
        using var answer = await client.SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public static Task Until(Func<Task<bool>> condition) => ClusterFixture.Until(condition);

    /// <summary>A pod that is none of a workspace, with a token for the edge all the same.</summary>
    public async Task<Pod> StrangerAsync(string name, IReadOnlyDictionary<string, string>? labels = null)
    {
        await Client.CreateAsync(
            new Pod
            {
                Metadata = new ObjectMeta { Name = name, Namespace = Ns, Labels = labels },
                Spec = new PodSpec
                {
                    Containers =
                    [
                        new Container
                        {
                            Name = "workspace",
                            Image = Image,
                            Command = ["/bin/sleep", "3600"],
                            Ports = [new ContainerPort { Name = "http", Port = 8080 }],
                            VolumeMounts = [new VolumeMount { Name = "token", MountPath = "/run/token" }],
                        },
                    ],
                    Volumes =
                    [
                        new Volume
                        {
                            Name = "token",
                            Projected = new ProjectedVolumeSource
                            {
                                Sources =
                                [
                                    new VolumeProjection
                                    {
                                        ServiceAccountToken = new ServiceAccountTokenProjection
                                        {
                                            Audience = ApiAccess.Audience, ExpirationSeconds = 600, Path = "token",
                                        },
                                    },
                                ],
                            },
                        },
                    ],
                    TerminationGracePeriodSeconds = 1,
                },
            },
            null,
            default);
        await Until(async () => (await Client.GetAsync<Pod>(Ns, name, default)).Status?.Phase == "Running");
        return await Client.GetAsync<Pod>(Ns, name, default);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _operating;
        foreach (var part in Enumerable.Reverse(_started))
        {
            await part.DisposeAsync();
        }

        await KubectlAsync(_rights, "delete", "--wait=false", "--ignore-not-found", "-f", "-");
        Client.Dispose();
        _stop.Dispose();
    }

    private static async Task<(int Code, string Output)> KubectlAsync(string? input, params string[] arguments)
    {
        var info = new ProcessStartInfo(Tools.Kubectl!, ["--kubeconfig", Tools.Kubeconfig!, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var kubectl = Process.Start(info)!;
        await kubectl.StandardInput.WriteAsync(input);
        kubectl.StandardInput.Close();
        var error = kubectl.StandardError.ReadToEndAsync();
        var output = await kubectl.StandardOutput.ReadToEndAsync();
        await kubectl.WaitForExitAsync();
        return (kubectl.ExitCode, output + await error);
    }

    private async Task StartAsync(KubeConfig admin, IPAddress address)
    {
        // An API that knows the tokens of the vault: each answers with its person.
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var api = builder.Build();
        api.MapGet("/me", (HttpContext c) => c.Response.WriteAsync(
            c.Request.Headers.Authorization.ToString() is var h && h.StartsWith("Bearer secret-", StringComparison.Ordinal)
                ? $"I am {h.Split('-')[1]}." : "Who are you?"));
        await api.StartAsync();
        _started.Add(api);

        // The edge's own account, with the rights of the documentation and no more.
        var token = await RequestAsync([], null, "berth-edge", 3600);
        var edgeClient = KubeClient.Create(admin with { Credentials = new KubeCredentials { Token = token } });
        Edge = await ProductFixture.StartAsync(
            o => o with
            {
                Workspaces = new WorkspaceOptions { Namespace = Ns },
                Connections = new Dictionary<string, ConnectionOptions>
                {
                    ["api"] = new() { Upstream = new UpstreamOptions { BaseAddress = api.Urls.Single(), AllowedPaths = ["/me"] } },
                },
            },
            s => s.AddSingleton<ITokenVault>(new ScriptedVault()), api: edgeClient, address: IPAddress.Any);
        _started.Add(Edge);
        await Client.CreateAsync(
            new WorkspaceTemplate
            {
                Metadata = new ObjectMeta { Name = "studio", Namespace = Ns },
                Spec = new WorkspaceTemplateSpec
                {
                    Image = Image!,
                    Command = ["/app/Berth.Studio"],
                    Connections = ["api"],
                    Probes = new TemplateProbes
                    {
                        Readiness = new TemplateProbe { Path = "/healthz", PeriodSeconds = 1, TimeoutSeconds = 5, FailureThreshold = 30 },
                    },
                    Storage = new TemplateStorage { Size = "1Gi", MountPath = "/workspace" },
                    SecurityContext = new TemplateSecurity { RunAsUser = 1000, ReadOnlyRootFilesystem = true },
                    TerminationGracePeriodSeconds = 5,
                },
            },
            null,
            default);
        var options = new OperatorOptions
        {
            PublicOrigin = ProductFixture.Origin,
            WorkspaceDomain = "localhost",
            Namespace = Ns,
            PolicyName = Ns,
            LeaderElection = new ElectionOptions { Enabled = false },
            Edge = new Operator.EdgeOptions
            {
                JwksUrl = $"http://{address}:{Edge.Port}/.well-known/workspace-identity/jwks.json",
                ProxyUrl = $"http://{address}:{Edge.Port}/proxy",
            },
        };
        var host = new OperatorHost(options, Client, Ns, TimeProvider.System, NullLoggerFactory.Instance);
        _operating = Task.Run(async () =>
        {
            using (host)
            {
                await host.RunAsync(_stop.Token);
            }
        });
    }
}
