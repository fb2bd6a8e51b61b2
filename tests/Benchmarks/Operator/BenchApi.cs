using System.Text;
using System.Text.Json.Nodes;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Benchmarks.Operator;

/// <summary>An API to measure on: with Berth's definitions, and namespaces of its own that go when it is done.</summary>
internal sealed class BenchApi : IAsyncDisposable
{
    internal const string Template = "bench";
    private const string Issuer = "https://id.example.com";
    private const int FirstMinorWithCel = 25;

    private readonly string _kubeconfig;
    private readonly List<string> _namespaces = [];

    private BenchApi(string kubeconfig)
    {
        _kubeconfig = kubeconfig;
        Client = NewClient();
    }

    internal KubeClient Client { get; }

    internal static async Task<BenchApi> OpenAsync(string kubeconfig)
    {
        var api = new BenchApi(kubeconfig);
        var cel = await api.MinorVersionAsync() >= FirstMinorWithCel;
        await api.DefineAsync(UserWorkspace.Descriptor, CrdGenerator.ToJson<UserWorkspace>(cel));
        await api.DefineAsync(WorkspaceTemplate.Descriptor, CrdGenerator.ToJson<WorkspaceTemplate>(cel));
        await api.DefineAsync(BerthPolicy.Descriptor, CrdGenerator.ToJson<BerthPolicy>(cel));
        return api;
    }

    internal KubeClient NewClient(TimeProvider? time = null) => KubeClient.Create(
        KubeConfig.Parse(_kubeconfig), new KubeClientOptions { TimeProvider = time ?? TimeProvider.System });

    /// <summary>A namespace with a template whose pods no node of a real cluster takes: what is measured is the way to the pod, not the pod.</summary>
    internal async Task<string> NamespaceAsync(Func<WorkspaceTemplateSpec, WorkspaceTemplateSpec>? change = null)
    {
        var ns = "berth-bench-" + Guid.NewGuid().ToString("N")[..8];
        _namespaces.Add(ns);
        await Client.CreateAsync(new Namespace { Metadata = new ObjectMeta { Name = ns } }, null, default);
        var spec = new WorkspaceTemplateSpec
        {
            Image = "berth-studio:dev",
            Scheduling = new TemplateScheduling { NodeSelector = NowhereSelector },
            Resources = new TemplateResources { Limits = new ComputeResources { Cpu = "1", Memory = "1Gi" } },
        };
        await Client.CreateAsync(
            new WorkspaceTemplate { Metadata = new ObjectMeta { Name = Template, Namespace = ns }, Spec = change?.Invoke(spec) ?? spec }, null, default);
        return ns;
    }

    internal static Dictionary<string, string> NowhereSelector { get; } = new() { ["berth.dev/bench"] = "nowhere" };

    /// <summary>Creates one as the edge does, with the label of its owner.</summary>
    internal Task<UserWorkspace> CreateAsync(string ns, string name) => Client.CreateAsync(
        new UserWorkspace
        {
            Metadata = new ObjectMeta
            {
                Name = name,
                Namespace = ns,
                Labels = new Dictionary<string, string> { [Labels.Owner] = WorkspaceNames.OwnerHash(Issuer, name) },
            },
            Spec = new UserWorkspaceSpec
            {
                Owner = new WorkspaceOwner { Issuer = Issuer, Subject = name },
                Template = new TemplateReference { Name = Template },
            },
        },
        null,
        default);

    /// <summary>Creates many at a time, as many people do.</summary>
    internal Task CreateManyAsync(string ns, int count) => Parallel.ForEachAsync(
        Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) => await CreateAsync(ns, $"ws-{i:d5}"));

    /// <summary>How many objects of a kind a namespace has, counted by the API.</summary>
    internal async Task<int> CountAsync(ResourceDescriptor kind, string ns)
    {
        var answer = JsonNode.Parse(await Client.Raw.SendAsync(HttpMethod.Get, $"{kind.CollectionPath(ns)}?limit=1", default, null, default))!;
        return answer["items"]!.AsArray().Count + (int)(answer["metadata"]!["remainingItemCount"]?.GetValue<long>() ?? 0);
    }

    internal async Task UntilCountAsync(ResourceDescriptor kind, string ns, int count, TimeSpan deadline)
    {
        using var stop = new CancellationTokenSource(deadline);
        while (await CountAsync(kind, ns) < count)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stop.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var ns in _namespaces)
        {
            await Client.DeleteAsync<Namespace>(null, ns, new DeleteOptions { PropagationPolicy = "Background" }, default);
        }

        Client.Dispose();
    }

    private async Task DefineAsync(ResourceDescriptor kind, JsonObject definition)
    {
        await Client.Raw.SendAsync(
            HttpMethod.Patch,
            $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind.Plural}.{kind.Group}?fieldManager=berth-bench&force=true",
            Encoding.UTF8.GetBytes(definition.ToJsonString()),
            "application/apply-patch+yaml",
            default);
        while (!await Client.IsServedAsync(kind, default))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    private async Task<int> MinorVersionAsync()
    {
        var version = JsonNode.Parse(await Client.Raw.SendAsync(HttpMethod.Get, "/version", default, null, default))!;
        return int.Parse(version["minor"]!.GetValue<string>().TrimEnd('+'), System.Globalization.CultureInfo.InvariantCulture);
    }
}
