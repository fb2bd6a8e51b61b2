using System.Text.Json;
using Kube.Client.Http;
using Kube.Client.Json;
using Kube.Client.Models;
using Kube.Client.Watching;
using Microsoft.Extensions.Logging;

namespace Kube.Client;

/// <summary>The client of one cluster as one user. Safe for use by many threads; make one and keep it.</summary>
public sealed class KubeClient : IKubeClient, IKubeRawClient, IDisposable
{
    private readonly KubeClientOptions _options;
    private readonly KubeTransport _transport;
    private readonly PooledReading _pooled = new();
    private readonly ILogger _log;

    private KubeClient(KubeConfig config, KubeClientOptions options)
    {
        _options = options;
        _log = options.LoggerFactory.CreateLogger("Kube.Client");
        _transport = new(config, options);
    }

    /// <inheritdoc/>
    public IKubeRawClient Raw => this;

    /// <summary>Makes a client; nothing is sent yet.</summary>
    public static KubeClient Create(KubeConfig config, KubeClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        return new(config, options ?? new());
    }

    /// <inheritdoc/>
    public Task<T> GetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => SendAsync<T>(new(HttpMethod.Get, T.Descriptor.ObjectPath(ns, name)), cancellationToken);

    /// <inheritdoc/>
    public async Task<T?> TryGetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        try
        {
            return await GetAsync<T>(ns, name, cancellationToken);
        }
        catch (KubeException e) when (e.IsNotFound && e.Status.Details?.Name == name)
        {
            // A 404 that does not name the object means that the kind is not served; that is no "not found" to be passed over.
            return null;
        }
    }

    /// <inheritdoc/>
    public async Task<ResourceList<T>> ListPageAsync<T>(string? ns, ListOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        ArgumentNullException.ThrowIfNull(options);
        var version = string.IsNullOrEmpty(options.ResourceVersion) ? null : options.ResourceVersion;
        var query = new QueryText(T.Descriptor.CollectionPath(ns))
            .Add("labelSelector", options.LabelSelector)
            .Add("fieldSelector", options.FieldSelector)
            .Add("limit", options.Limit)
            .Add("continue", options.Continue)
            .Add("resourceVersion", version)
            // Without it a limit makes the server take the version for exactly that one (Kubernetes API concepts, "resource versions"):
            // a list asked for after a 410 would then bring the very picture that is too old, again and again.
            .Add("resourceVersionMatch", version is null or "0" ? null : "NotOlderThan");
        return await ReadAsync(
            new(HttpMethod.Get, query.ToString()),
            async (response, token) =>
            {
                await using var stream = await response.Content.ReadAsStreamAsync(token);
                return await ListReader.ReadAsync(stream, _pooled.Of<T>(), options.OmitManagedFields, token);
            },
            T.Descriptor,
            cancellationToken
        );
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(string? ns, WatchOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        ArgumentNullException.ThrowIfNull(options);
        var query = new QueryText(T.Descriptor.CollectionPath(ns))
            .Add("watch", "true")
            .Flag("allowWatchBookmarks", options.AllowBookmarks || options.SendInitialEvents)
            .Add("timeoutSeconds", Math.Max(1, (long)Math.Ceiling(options.Timeout.TotalSeconds)))
            .Add("resourceVersion", options.ResourceVersion)
            .Flag("sendInitialEvents", options.SendInitialEvents)
            .Add("resourceVersionMatch", options.SendInitialEvents ? "NotOlderThan" : null)
            .Add("labelSelector", options.LabelSelector)
            .Add("fieldSelector", options.FieldSelector);
        return WatchStream.OpenAsync(_transport, query.ToString(), _pooled.Of<T>(), options, _options, _log, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<T> CreateAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        ArgumentNullException.ThrowIfNull(obj);
        var path = T.Descriptor.CollectionPath(NamespaceOf(obj));
        return SendAsync<T>(Json(HttpMethod.Post, Write(path, options), obj), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<T> ReplaceAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => SendAsync<T>(Json(HttpMethod.Put, Write(PathOf(obj, null), options), obj), cancellationToken);

    /// <inheritdoc/>
    public Task<T> ReplaceStatusAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> =>
        SendAsync<T>(Json(HttpMethod.Put, Write(PathOf(obj, "status"), options), obj), cancellationToken);

    /// <inheritdoc/>
    public Task<T> PatchAsync<T>(
        string? ns,
        string name,
        KubePatch patch,
        WriteOptions? options,
        CancellationToken cancellationToken,
        string? subresource = null
    )
        where T : class, IKubeResource<T>
    {
        ArgumentNullException.ThrowIfNull(patch);
        var path = Write(T.Descriptor.ObjectPath(ns, name, subresource), options);
        return SendAsync<T>(new(HttpMethod.Patch, path) { Body = patch.Body, ContentType = patch.ContentType }, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<T> ApplyAsync<T>(T obj, WriteOptions options, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubeResource<T>
    {
        ArgumentNullException.ThrowIfNull(options);
        if (string.IsNullOrEmpty(options.FieldManager))
        {
            throw new ArgumentException("Server-side apply needs a field manager.", nameof(options));
        }

        var request = Json(HttpMethod.Patch, Write(PathOf(obj, subresource), options), obj);
        return SendAsync<T>(
            request with { ContentType = "application/apply-patch+yaml", Versioned = obj.Metadata.ResourceVersion is not null },
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task DeleteAsync<T>(string? ns, string name, DeleteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        var body = options is null
            ? default
            : (ReadOnlyMemory<byte>)
                JsonSerializer.SerializeToUtf8Bytes(
                    new DeleteBody
                    {
                        PropagationPolicy = options.PropagationPolicy,
                        GracePeriodSeconds = options.GracePeriodSeconds,
                        Preconditions =
                            options.Uid is null && options.ResourceVersion is null ? null : new(options.Uid, options.ResourceVersion),
                    },
                    WireJson.Default.DeleteBody
                );
        using var response = await _transport.SendAsync(
            new(HttpMethod.Delete, T.Descriptor.ObjectPath(ns, name))
            {
                Body = body,
                ContentType = body.IsEmpty ? null : "application/json",
            },
            cancellationToken
        );
    }

    /// <inheritdoc/>
    public async Task<Stream> OpenLogAsync(string ns, string pod, LogOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var query = new QueryText(Pod.Descriptor.ObjectPath(ns, pod, "log"))
            .Add("container", options.Container)
            .Flag("follow", options.Follow)
            .Flag("previous", options.Previous)
            .Add("tailLines", options.TailLines)
            .Flag("timestamps", options.Timestamps);
        // Logs are text, but errors are Status objects and must be asked for.
        var response = await _transport.SendAsync(
            new(HttpMethod.Get, query.ToString()) { LongRunning = true, Accept = "*/*" },
            cancellationToken
        );
        try
        {
            return new ResponseStream(response, await response.Content.ReadAsStreamAsync(cancellationToken));
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<bool> IsServedAsync(ResourceDescriptor descriptor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        var path = descriptor.Group.Length == 0 ? $"/api/{descriptor.Version}" : $"/apis/{descriptor.Group}/{descriptor.Version}";
        try
        {
            var body = await Raw.SendAsync(HttpMethod.Get, path, default, null, cancellationToken);
            var list = JsonSerializer.Deserialize(body, WireJson.Default.ApiResourceList);
            return list?.Resources?.Any(r => r.Name == descriptor.Plural && r.Kind == descriptor.Kind) == true;
        }
        catch (KubeException e) when (e.IsNotFound)
        {
            return false;
        }
        catch (JsonException e)
        {
            throw new KubeException($"The server's discovery at {path} is not an APIResourceList: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public Task<byte[]> SendAsync(
        HttpMethod method,
        string pathAndQuery,
        ReadOnlyMemory<byte> body,
        string? contentType,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(pathAndQuery);
        var request = new KubeRequest(method, pathAndQuery)
        {
            Body = body,
            ContentType = contentType,
            Accept = "application/json, */*;q=0.5",
        };
        return ReadAsync(
            request,
            (response, token) => BodyReading.ReadAllAsync(response, _options.MaxResponseBytes, token),
            null,
            cancellationToken
        );
    }

    /// <summary>Closes the connections; watches end.</summary>
    public void Dispose() => _transport.Dispose();

    private Task<T> SendAsync<T>(KubeRequest request, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> =>
        ReadAsync(
            request,
            async (response, token) =>
                ObjectReading.Read(await BodyReading.ReadAllAsync(response, _options.MaxResponseBytes, token), T.JsonTypeInfo),
            T.Descriptor,
            cancellationToken
        );

    private async Task<TResult> ReadAsync<TResult>(
        KubeRequest request,
        Func<HttpResponseMessage, CancellationToken, Task<TResult>> read,
        ResourceDescriptor? expected,
        CancellationToken cancellationToken
    )
    {
        using var response = await _transport.SendAsync(request, cancellationToken);
        using var limit = new CancellationTokenSource(_options.RequestTimeout, _options.TimeProvider);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await read(response, both.Token);
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new KubeException(
                $"The answer to {request.Method} {request.PathAndQuery} did not arrive within {_options.RequestTimeout.TotalSeconds:0} s.",
                e
            );
        }
        catch (JsonException e)
        {
            throw new KubeException(
                $"The answer to {request.Method} {request.PathAndQuery} is not the {expected?.Kind ?? "JSON"} that was expected: "
                    + $"{e.Message}",
                e
            );
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new KubeException($"The answer to {request.Method} {request.PathAndQuery} was cut off: {e.Message}", e);
        }
    }

    private static KubeRequest Json<T>(HttpMethod method, string path, T obj)
        where T : class, IKubeResource<T> =>
        new(method, path) { Body = JsonSerializer.SerializeToUtf8Bytes(obj, T.JsonTypeInfo), ContentType = "application/json" };

    private static string Write(string path, WriteOptions? options) =>
        options is null
            ? path
            : new QueryText(path)
                .Add("fieldManager", options.FieldManager)
                .Flag("force", options.Force)
                .Add("dryRun", options.DryRun ? "All" : null)
                .ToString();

    private static string PathOf<T>(T obj, string? subresource)
        where T : class, IKubeResource<T>
    {
        ArgumentNullException.ThrowIfNull(obj);
        return string.IsNullOrEmpty(obj.Metadata.Name)
            ? throw new ArgumentException($"The {T.Descriptor.Kind} has no metadata.name.", nameof(obj))
            : T.Descriptor.ObjectPath(NamespaceOf(obj), obj.Metadata.Name, subresource);
    }

    private static string? NamespaceOf<T>(T obj)
        where T : class, IKubeResource<T> =>
        !T.Descriptor.Namespaced ? null
        : string.IsNullOrEmpty(obj.Metadata.Namespace)
            ? throw new ArgumentException($"The {T.Descriptor.Kind} \"{obj.Metadata.Name}\" has no metadata.namespace.", nameof(obj))
        : obj.Metadata.Namespace;
}
