using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Kube.Client;
using Kube.Client.Models;

namespace Kube.Runtime.Tests.Fakes;

/// <summary>A scripted API: lists and watches are answered from a script, objects are kept in a table with optimistic
/// concurrency.</summary>
internal sealed class FakeKubeClient : IKubeClient
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, Channel<object>> _scripts = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, IKubeObject> _objects = [];
    private int _version = 100;

    /// <summary>What was asked, in order.</summary>
    public Channel<FakeRequest> Requests { get; } = Channel.CreateUnbounded<FakeRequest>();

    /// <summary>Called before each write; may throw or wait.</summary>
    public Func<FakeRequest, CancellationToken, Task> BeforeWrite { get; set; } = (_, _) => Task.CompletedTask;

    public IKubeRawClient Raw => throw new NotSupportedException();

    public async Task<FakeRequest> NextRequestAsync()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        return await Requests.Reader.ReadAsync(timeout.Token);
    }

    /// <summary>The answer of the next list.</summary>
    public void AnswerList<T>(string version, string? next, params T[] items)
        where T : class, IKubeResource<T> =>
        ScriptOf<T>().Writer.TryWrite(new ResourceList<T>(items, new ListMeta { ResourceVersion = version, Continue = next }));

    /// <summary>The next list or opening of a watch of config maps fails.</summary>
    public void AnswerError(Exception error) => ScriptOf<ConfigMap>().Writer.TryWrite(error);

    /// <summary>The next watch; write to it, complete it (with an error) to end it.</summary>
    public ChannelWriter<WatchEvent<T>> AnswerWatch<T>()
        where T : class, IKubeResource<T>
    {
        var stream = Channel.CreateUnbounded<WatchEvent<T>>();
        ScriptOf<T>().Writer.TryWrite(stream);
        return stream.Writer;
    }

    public static KubeException Error(int code, string reason, string message = "no") =>
        new(new Status { Code = code, Reason = reason, Message = message });

    public static KubeException Gone => Error(410, "Expired", "too old resource version");

    public async Task<ResourceList<T>> ListPageAsync<T>(string? ns, ListOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        Requests.Writer.TryWrite(new("LIST", $"{T.Descriptor.Plural}", options.ResourceVersion, options.Continue, options));
        var answer = await ScriptOf<T>().Reader.ReadAsync(cancellationToken);
        return answer is Exception e ? throw e : (ResourceList<T>)answer;
    }

    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(
        string? ns, WatchOptions options, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        Requests.Writer.TryWrite(
            new(options.SendInitialEvents ? "WATCHLIST" : "WATCH", T.Descriptor.Plural, options.ResourceVersion, null, options));
        var answer = await ScriptOf<T>().Reader.ReadAsync(cancellationToken);
        if (answer is Exception e)
        {
            throw e;
        }

        await foreach (var got in ((Channel<WatchEvent<T>>)answer).Reader.ReadAllAsync(cancellationToken))
        {
            yield return got;
        }
    }

    public async Task<T> GetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
        => await TryGetAsync<T>(ns, name, cancellationToken) ?? throw Error(404, "NotFound");

    public Task<T?> TryGetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return Task.FromResult((T?)_objects.GetValueOrDefault(PathOf<T>(ns, name)));
        }
    }

    public Task<T> CreateAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
        => WriteAsync<T>("CREATE", obj.Metadata.Namespace, obj.Metadata.Name!, obj, old =>
            old is null ? obj : throw Error(409, "AlreadyExists"), cancellationToken);

    public Task<T> ReplaceAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
        => WriteAsync<T>(
            "REPLACE",
            obj.Metadata.Namespace,
            obj.Metadata.Name!,
            obj,
            old => old is null ? throw Error(404, "NotFound") : old.Metadata.ResourceVersion == obj.Metadata.ResourceVersion ? obj
                : throw Error(409, "Conflict"),
            cancellationToken);

    public Task<T> ReplaceStatusAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => ReplaceAsync(obj, options, cancellationToken);

    public Task<T> PatchAsync<T>(string? ns, string name, KubePatch patch, WriteOptions? options, CancellationToken cancellationToken,
        string? subresource = null)
        where T : class, IKubeResource<T>
        => WriteAsync<T>("PATCH", ns, name, patch, old =>
            old is null ? throw Error(404, "NotFound") : FakePatch.Apply(old, patch), cancellationToken);

    public Task<T> ApplyAsync<T>(T obj, WriteOptions options, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubeResource<T> =>
            WriteAsync<T>(
                "APPLY",
                obj.Metadata.Namespace,
                obj.Metadata.Name!,
                options,
                old => old is not null && obj.Metadata.ResourceVersion is { } version && version != old.Metadata.ResourceVersion
                    ? throw Error(409, "Conflict") : obj,
                cancellationToken);

    public Task DeleteAsync<T>(string? ns, string name, DeleteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        lock (_gate)
        {
            return _objects.Remove(PathOf<T>(ns, name)) ? Task.CompletedTask : Task.FromException(Error(404, "NotFound"));
        }
    }

    public Task<Stream> OpenLogAsync(string ns, string pod, LogOptions options, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<bool> IsServedAsync(ResourceDescriptor descriptor, CancellationToken cancellationToken) => Task.FromResult(true);

    private Channel<object> ScriptOf<T>()
        where T : class, IKubeResource<T> => _scripts.GetOrAdd(T.Descriptor.Plural, _ => Channel.CreateUnbounded<object>());

    private static string PathOf<T>(string? ns, string name)
        where T : class, IKubeResource<T> => T.Descriptor.ObjectPath(ns, name);

    private async Task<T> WriteAsync<T>(string verb, string? ns, string name, object body, Func<T?, T> change,
        CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        var request = new FakeRequest(verb, PathOf<T>(ns, name), null, null, body);
        Requests.Writer.TryWrite(request);
        await BeforeWrite(request, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            var path = PathOf<T>(ns, name);
            var json = JsonSerializer.SerializeToNode(change((T?)_objects.GetValueOrDefault(path)), T.JsonTypeInfo)!;
            json["metadata"]!["resourceVersion"] = (++_version).ToString(System.Globalization.CultureInfo.InvariantCulture);
            json["metadata"]!["uid"] ??= Guid.NewGuid().ToString();
            var stored = json.Deserialize(T.JsonTypeInfo)!;
            _objects[path] = stored;
            return stored;
        }
    }
}

internal sealed record FakeRequest(string Verb, string Path, string? Version, string? Continue, object Body);

internal static class FakePatch
{
    /// <summary>Merge patches of one level of objects and JSON patches of test and remove by index: what this library sends.</summary>
    public static T Apply<T>(T old, KubePatch patch)
        where T : class, IKubeResource<T>
    {
        var json = JsonSerializer.SerializeToNode(old, T.JsonTypeInfo)!;
        var body = JsonNode.Parse(patch.Body.Span)!;
        if (body is JsonObject merge)
        {
            if (merge["metadata"]?["resourceVersion"] is { } version && version.GetValue<string>() != old.Metadata.ResourceVersion)
            {
                throw FakeKubeClient.Error(409, "Conflict");
            }

            Merge(json.AsObject(), merge);
        }
        else
        {
            foreach (var op in body.AsArray())
            {
                var list = json["metadata"]!["finalizers"]!.AsArray();
                var index = int.Parse(op!["path"]!.GetValue<string>().Split('/')[^1], System.Globalization.CultureInfo.InvariantCulture);
                if (op["op"]!.GetValue<string>() == "test")
                {
                    if (index >= list.Count || list[index]!.GetValue<string>() != op["value"]!.GetValue<string>())
                    {
                        throw FakeKubeClient.Error(422, "Invalid");
                    }
                }
                else
                {
                    list.RemoveAt(index);
                }
            }
        }

        return json.Deserialize(T.JsonTypeInfo)!;
    }

    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (key, value) in patch)
        {
            if (value is JsonObject child && target[key] is JsonObject below)
            {
                Merge(below, child);
            }
            else
            {
                target[key] = value?.DeepClone();
            }
        }
    }
}
