using System.Globalization;
using System.Text.Json.Nodes;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>What one process sees of the simulated API: every request goes over its wire.</summary>
internal sealed class SimulatedClient(SimulatedApi api, Wire wire) : IKubeClient
{
    public IKubeRawClient Raw => throw new NotSupportedException("The simulation has typed requests only.");

    public Task<T> GetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> =>
        wire.SendAsync(Of<T>("get", ns, name), () => api.Get<T>(new(ns ?? "", name)) ?? throw ApiErrors.NotFound(T.Descriptor, name));

    public Task<T?> TryGetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => wire.SendAsync(Of<T>("get", ns, name), () => api.Get<T>(new(ns ?? "", name)));

    public Task<ResourceList<T>> ListPageAsync<T>(string? ns, ListOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> =>
        wire.SendAsync(Of<T>(options.OmitManagedFields ? "sync" : "list", ns, ""), () =>
        {
            var version = options.ResourceVersion == "0" ? Math.Max(1, api.Version - api.ListLag) : api.Version;
            return new ResourceList<T>(
                [.. api.ListAt(T.Descriptor, version)
                    .Where(r => (ns is null || r.Key.Namespace == ns)
                        && Selectors.Matches(r.Json, options.LabelSelector, options.FieldSelector))
                    .Select(r => r.As<T>())],
                new ListMeta { ResourceVersion = version.ToString(CultureInfo.InvariantCulture) });
        });

    public IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(string? ns, WatchOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => new SimulatedWatch<T>(api, wire, ns, options);

    public Task<T> CreateAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> =>
        wire.SendAsync(Of("create", obj), () => api.Create(T.Descriptor, SimulatedApi.ToJson(obj), Manager(options)).As<T>());

    public Task<T> ReplaceAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> =>
        wire.SendAsync(Of("replace", obj), () => api.Replace(T.Descriptor, SimulatedApi.ToJson(obj), null, Manager(options)).As<T>());

    public Task<T> ReplaceStatusAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> =>
        wire.SendAsync(Of("status", obj), () => api.Replace(T.Descriptor, SimulatedApi.ToJson(obj), "status", Manager(options)).As<T>());

    public Task<T> PatchAsync<T>(
        string? ns, string name, KubePatch patch, WriteOptions? options, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubeResource<T> =>
        wire.SendAsync(
            Of<T>("patch", ns, name),
            () => api.Patch(
                T.Descriptor, new(ns ?? "", name), patch.ContentType, JsonNode.Parse(patch.Body.Span)!, subresource, Manager(options)).As<T>());

    public Task<T> ApplyAsync<T>(T obj, WriteOptions options, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubeResource<T> =>
        wire.SendAsync(
            Of("apply", obj),
            () => api.Apply(T.Descriptor, SimulatedApi.ToJson(obj), options.Force, subresource, options.FieldManager!).As<T>());

    public Task DeleteAsync<T>(string? ns, string name, DeleteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> =>
        wire.SendAsync(Of<T>("delete", ns, name), () =>
        {
            api.Delete(T.Descriptor, new(ns ?? "", name), options);
            return true;
        });

    public Task<Stream> OpenLogAsync(string ns, string pod, LogOptions options, CancellationToken cancellationToken) =>
        throw new NotSupportedException("Simulated pods write no logs.");

    public Task<bool> IsServedAsync(ResourceDescriptor descriptor, CancellationToken cancellationToken) => Task.FromResult(true);

    private static Request Of<T>(string verb, string? ns, string name)
        where T : class, IKubeResource<T> => new(verb, T.Descriptor, new(ns ?? "", name));

    private static Request Of<T>(string verb, T obj)
        where T : class, IKubeResource<T> => new(verb, T.Descriptor, obj.Key());

    private static string Manager(WriteOptions? options) => options?.FieldManager ?? "unnamed";
}
