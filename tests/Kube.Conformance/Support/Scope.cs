using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Kube.Client;
using Kube.Client.Models;
using Testing;

namespace Kube.Conformance.Support;

/// <summary>One test on one target: a namespace of its own, deleted afterwards.</summary>
public sealed class Scope(string target, KubeClient client, RawHttp http, int minor) : IAsyncDisposable
{
    private readonly List<string> _cleanup = [];

    public string Target { get; } = target;

    public KubeClient Client { get; } = client;

    /// <summary>Minor version of Kubernetes that the server says it is.</summary>
    public int Minor { get; } = minor;

    public string Suffix { get; } = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture)[..8];

    public string Ns => $"conformance-{Suffix}";

    public string Maps => $"/api/v1/namespaces/{Ns}/configmaps";

    public string Pods => $"/api/v1/namespaces/{Ns}/pods";

    public CancellationToken Limit { get; } = new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token;

    /// <summary>Skips on servers that are too old for what is tested.</summary>
    public void Needs(int minor, string what) => Skip.If(Minor < minor, $"{what} needs Kubernetes 1.{minor}; the {Target} is 1.{Minor}.");

    public async Task CreateNamespaceAsync()
    {
        _cleanup.Add($"/api/v1/namespaces/{Ns}");
        var reply = await http.SendAsync("POST", "/api/v1/namespaces", $$$"""{"metadata":{"name":"{{{Ns}}}"}}""");
        Assert.True(reply.Code == 201, reply.ToString());
    }

    /// <summary>Deletes a cluster-scoped object after the test.</summary>
    public void CleanUp(string path) => _cleanup.Add(path);

    public Task<Reply> GetAsync(string path, string accept = "application/json") => http.SendAsync("GET", path, accept: accept);

    public Task<Reply> AnonymousAsync(string path) => http.SendAsync("GET", path, anonymous: true);

    public Task<Reply> PostAsync(string path, string body, string? contentType = null) => http.SendAsync("POST", path, body, contentType);

    public Task<Reply> PutAsync(string path, string body) => http.SendAsync("PUT", path, body);

    public Task<Reply> DeleteAsync(string path, string? body = null) => http.SendAsync("DELETE", path, body);

    public Task<Reply> MergeAsync(string path, string body) => http.SendAsync("PATCH", path, body, "application/merge-patch+json");

    public Task<Reply> JsonPatchAsync(string path, string body) => http.SendAsync("PATCH", path, body, "application/json-patch+json");

    public Task<Reply> StrategicAsync(string path, string body) =>
        http.SendAsync("PATCH", path, body, "application/strategic-merge-patch+json");

    public Task<Reply> ApplyAsync(string path, string manager, string body, bool force = false) =>
        http.SendAsync("PATCH",
            $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}fieldManager={manager}{(force ? "&force=true" : "")}", body,
            "application/apply-patch+yaml");

    public Task<Reply> SendAsync(string method, string path, string? body = null, string? contentType = null) =>
        http.SendAsync(method, path, body, contentType);

    /// <summary>Creates a ConfigMap and gives it back.</summary>
    public async Task<Reply> MapAsync(string name, string data = "{}", string metadata = "")
    {
        var reply = await PostAsync(Maps, $$$"""
            {"metadata":{"name":"{{{name}}}"{{{(metadata.Length == 0 ? "" : "," + metadata)}}}},"data":{{{data}}}}
            """);
        Assert.True(reply.Code == 201, reply.ToString());
        return reply;
    }

    /// <summary>Waits until a condition holds.</summary>
#pragma warning disable CA1822 // Reads better as what a scope does.
    public async Task EventuallyAsync(string what, Func<Task<bool>> condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            if (limit.IsCancellationRequested)
            {
                Assert.Fail($"Not within 60 s: {what}");
            }

            await Task.Delay(100, CancellationToken.None);
        }
    }
#pragma warning restore CA1822

    public Task GoneAsync(string path) => EventuallyAsync($"{path} is gone", async () => (await GetAsync(path)).Code == 404);

    /// <summary>Waits for the default service account, without which a cluster refuses pods.</summary>
    public async Task ReadyForPodsAsync()
    {
        if (Target == TargetsAttribute.Cluster)
        {
            await EventuallyAsync("the default service account and its token", async () =>
                (await PostAsync($"{Pods}?dryRun=All", PodTests.Pod("probe"))).Code == 201);
        }
    }

    /// <summary>Creates a CRD of a kind Widget in a group of its own; gives the path of its collection.</summary>
    public async Task<string> WidgetsAsync(string schema, string more = "", bool clusterScoped = false)
    {
        await SkipWhereCustomResourcesKillAsync();
        var group = $"g{Suffix}.example.com";
        var crd = $$$"""
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"widgets.{{{group}}}"},
             "spec":{"group":"{{{group}}}","scope":"{{{(clusterScoped ? "Cluster" : "Namespaced")}}}",
              "names":{"plural":"widgets","singular":"widget","kind":"Widget","listKind":"WidgetList","shortNames":["wd"],
               "categories":["all"]},
              "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{{{schema}}}},
               "subresources":{"status":{}}{{{more}}}}]}}
            """;
        var reply = await PostAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd);
        Assert.True(reply.Code == 201, reply.ToString());
        var path = $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}";
        CleanUp(path);
        await EventuallyAsync("the CRD is established", async () =>
            (await GetAsync(path))["status"]?["conditions"]?.AsArray()
                .Any(c => (string?)c!["type"] == "Established" && (string?)c["status"] == "True") == true);
        var collection = clusterScoped ? $"/apis/{group}/v1/widgets" : $"/apis/{group}/v1/namespaces/{Ns}/widgets";
        await EventuallyAsync("the kind is served", async () => (await GetAsync(collection)).Code == 200);
        return collection;
    }

    private async Task SkipWhereCustomResourcesKillAsync()
    {
        if (Target == TargetsAttribute.Cluster)
        {
            var reason = ClusterGuard.NoCustomResources(Encoding.UTF8.GetBytes((await GetAsync("/version")).Text));
            Skip.If(reason is not null, reason);
        }
    }

    /// <summary>A widget as JSON.</summary>
    public string Widget(string name, string spec, string metadata = "", string more = "") =>
        $$$"""
            {"apiVersion":"g{{{Suffix}}}.example.com/v1","kind":"Widget",
             "metadata":{"name":"{{{name}}}"{{{(metadata.Length == 0 ? "" : "," + metadata)}}}},"spec":{{{spec}}}{{{more}}}}
            """;

    public async ValueTask DisposeAsync()
    {
        foreach (var path in _cleanup.AsEnumerable().Reverse())
        {
            await DeleteAsync(path);
        }
    }
}

/// <summary>Short forms for assertions.</summary>
public static class Check
{
    public static void Refused(this Reply reply, int code, string reason, string? message = null)
    {
        ArgumentNullException.ThrowIfNull(reply);
        Assert.True(reply.Code == code, reply.ToString());
        Assert.Equal(("Status", "v1", "Failure", code),
            ((string?)reply["kind"], (string?)reply["apiVersion"], (string?)reply["status"], (int?)reply["code"]));
        Assert.Equal(reason, reply.Reason);
        if (message is not null)
        {
            Assert.Equal(message, reply.Message);
        }
    }

    public static Reply Ok(this Reply reply, int code = 200)
    {
        ArgumentNullException.ThrowIfNull(reply);
        Assert.True(reply.Code == code, reply.ToString());
        return reply;
    }

    public static void Same(string expected, JsonNode? actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), actual),
            $"expected {expected}, was {actual?.ToJsonString() ?? "nothing"}");

    public static string? NameOf<T>(WatchEvent<T> e)
        where T : class, IKubeResource<T> => e switch
        {
            WatchEvent<T>.Added a => $"ADDED {a.Object.Metadata.Name}",
            WatchEvent<T>.Modified m => $"MODIFIED {m.Object.Metadata.Name}",
            WatchEvent<T>.Deleted d => $"DELETED {d.Object.Metadata.Name}",
            _ => "BOOKMARK",
        };
}
