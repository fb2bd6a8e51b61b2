using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Edge.Tests;

/// <summary>A Kubernetes API in memory, as far as the edge uses one; any call can be made to fail.</summary>
internal sealed class FakeKube : IKubeClient
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Plural, string Name), JsonObject> _objects = [];
    private readonly List<(string Plural, Channel<(string Type, JsonObject Object)> Events)> _watches = [];
    private long _version = 100;

    /// <summary>Verb and plural to the failure of the call; null lets it through.</summary>
    public Func<string, string, KubeException?> Fail { get; set; } = (_, _) => null;

    /// <summary>What it says of a token.</summary>
    public Func<TokenReviewSpec, TokenReviewStatus> Review { get; set; } = _ => new TokenReviewStatus { Authenticated = false };

    /// <summary>Awaited before a token is reviewed.</summary>
    public Func<CancellationToken, Task> BeforeReview { get; set; } = _ => Task.CompletedTask;

    /// <summary>Logs by pod.</summary>
    public ConcurrentDictionary<string, Func<LogOptions, Stream>> Logs { get; } = new();

    /// <summary>Verbs and plurals of the writes that came; the edge's own signs of life, which come at any time, left out.</summary>
    public ConcurrentQueue<string> Writes { get; } = new();

    public IKubeRawClient Raw => throw new NotSupportedException();

    public static KubeException Error(int code, string reason, string message, params (string Field, string Message)[] causes) =>
        new(new Status
        {
            Code = code,
            Reason = reason,
            Message = message,
            Details = new StatusDetails { Causes = [.. causes.Select(c => new StatusCause { Field = c.Field, Message = c.Message })] },
        });

    /// <summary>Changes an object as somebody else would.</summary>
    public void Put<T>(T obj)
        where T : class, IKubeResource<T>
    {
        var json = ToJson(obj);
        Store(T.Descriptor.Plural, json, newGeneration: false);
    }

    public T? Find<T>(string name)
        where T : class, IKubeResource<T>
    {
        lock (_gate)
        {
            return _objects.TryGetValue((T.Descriptor.Plural, name), out var json) ? From<T>(json) : null;
        }
    }

    public void Remove<T>(string name)
        where T : class, IKubeResource<T>
    {
        lock (_gate)
        {
            if (_objects.Remove((T.Descriptor.Plural, name), out var json))
            {
                json["metadata"]!["resourceVersion"] = (++_version).ToString();
                Tell(T.Descriptor.Plural, "DELETED", json);
            }
        }
    }

    /// <summary>Ends the open watches of a kind, as a network does that fails.</summary>
    public void CutWatches(string plural)
    {
        lock (_gate)
        {
            foreach (var (_, events) in _watches.Where(w => w.Plural == plural))
            {
                events.Writer.TryComplete(new IOException("The connection was reset."));
            }

            _watches.RemoveAll(w => w.Plural == plural);
        }
    }

    public Task<T> GetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        Check("get", T.Descriptor.Plural);
        return Task.FromResult(Find<T>(name) ?? throw NotFound(name));
    }

    public Task<T?> TryGetAsync<T>(string? ns, string name, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => Task.FromResult(Find<T>(name));

    public Task<ResourceList<T>> ListPageAsync<T>(string? ns, ListOptions options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        Check("list", T.Descriptor.Plural);
        lock (_gate)
        {
            var selector = options.LabelSelector?.Split('=', 2);
            IReadOnlyList<T> items =
            [
                .. _objects.Where(o => o.Key.Plural == T.Descriptor.Plural).Select(o => From<T>(o.Value))
                    .Where(o => selector is null || o.Metadata.Labels?.GetValueOrDefault(selector[0]) == selector[1]),
            ];
            return Task.FromResult(new ResourceList<T>(items, new ListMeta { ResourceVersion = _version.ToString() }));
        }
    }

    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(string? ns, WatchOptions options,
        [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        Check("watch", T.Descriptor.Plural);
        var channel = Channel.CreateUnbounded<(string Type, JsonObject Object)>();
        var initial = new List<JsonObject>();
        string version;
        lock (_gate)
        {
            version = _version.ToString();
            if (options.SendInitialEvents)
            {
                initial.AddRange(_objects.Where(o => o.Key.Plural == T.Descriptor.Plural).Select(o => (JsonObject)o.Value.DeepClone()));
            }
            else
            {
                // Nothing is missed between the list and the watch: what changed since is sent first.
                var since = long.Parse(options.ResourceVersion ?? "0");
                initial.AddRange(_objects.Where(o => o.Key.Plural == T.Descriptor.Plural
                    && long.Parse((string)o.Value["metadata"]!["resourceVersion"]!) > since)
                    .Select(o => (JsonObject)o.Value.DeepClone()));
            }

            _watches.Add((T.Descriptor.Plural, channel));
        }

        foreach (var json in initial)
        {
            yield return new WatchEvent<T>.Added(From<T>(json));
        }

        if (options.SendInitialEvents)
        {
            yield return new WatchEvent<T>.Bookmark(version, true);
        }

        await foreach (var (type, json) in channel.Reader.ReadAllAsync(cancellationToken))
        {
            yield return type switch
            {
                "ADDED" => new WatchEvent<T>.Added(From<T>(json)),
                "MODIFIED" => new WatchEvent<T>.Modified(From<T>(json)),
                _ => new WatchEvent<T>.Deleted(From<T>(json)),
            };
        }
    }

    public async Task<T> CreateAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        Written("create", T.Descriptor.Plural);
        if (obj is TokenReview review)
        {
            await BeforeReview(cancellationToken);
            return (T)(object)(review with { Status = Review(review.Spec!) });
        }

        lock (_gate)
        {
            if (_objects.ContainsKey((T.Descriptor.Plural, obj.Metadata.Name!)))
            {
                throw Error(409, "AlreadyExists", $"{T.Descriptor.Plural} \"{obj.Metadata.Name}\" already exists");
            }

            var json = ToJson(obj);
            json["metadata"]!["uid"] = Guid.NewGuid().ToString();
            json["metadata"]!["creationTimestamp"] = "2030-01-01T00:00:00Z";
            Store(T.Descriptor.Plural, json, newGeneration: true);
            return From<T>(json);
        }
    }

    public Task<T> PatchAsync<T>(string? ns, string name, KubePatch patch, WriteOptions? options, CancellationToken cancellationToken,
        string? subresource = null)
        where T : class, IKubeResource<T>
    {
        Written("patch", T.Descriptor.Plural);
        lock (_gate)
        {
            if (!_objects.TryGetValue((T.Descriptor.Plural, name), out var known))
            {
                throw NotFound(name);
            }

            var change = (JsonObject)JsonNode.Parse(patch.Body.Span)!;
            if ((string?)change["metadata"]?["resourceVersion"] is { } version && version != (string?)known["metadata"]!["resourceVersion"])
            {
                throw Error(409, "Conflict", "the object has been modified");
            }

            var json = (JsonObject)known.DeepClone();
            Merge(json, change);
            Store(T.Descriptor.Plural, json, newGeneration: !JsonNode.DeepEquals(json["spec"], known["spec"]));
            return Task.FromResult(From<T>(json));
        }
    }

    public Task DeleteAsync<T>(string? ns, string name, DeleteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        Written("delete", T.Descriptor.Plural);
        var known = Find<T>(name) ?? throw NotFound(name);
        if (options?.ResourceVersion is { } version && version != known.Metadata.ResourceVersion)
        {
            throw Error(409, "Conflict", "the object has been modified");
        }

        Remove<T>(name);
        return Task.CompletedTask;
    }

    public Task<Stream> OpenLogAsync(string ns, string pod, LogOptions options, CancellationToken cancellationToken) =>
        Task.FromResult(Logs.TryGetValue(pod, out var log) ? log(options) : new MemoryStream(Encoding.UTF8.GetBytes($"log of {pod}\n")));

    public Task<T> ReplaceAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => throw new NotSupportedException();

    public Task<T> ReplaceStatusAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => throw new NotSupportedException();

    public Task<T> ApplyAsync<T>(T obj, WriteOptions options, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubeResource<T> => throw new NotSupportedException();

    public Task<bool> IsServedAsync(ResourceDescriptor descriptor, CancellationToken cancellationToken) => Task.FromResult(true);

    private static KubeException NotFound(string name) => Error(404, "NotFound", $"\"{name}\" not found");

    private static JsonObject ToJson<T>(T obj)
        where T : class, IKubeResource<T> => (JsonObject)JsonSerializer.SerializeToNode(obj, T.JsonTypeInfo)!;

    private static T From<T>(JsonObject json)
        where T : class, IKubeResource<T> => json.Deserialize(T.JsonTypeInfo)!;

    private static void Merge(JsonObject target, JsonObject change)
    {
        foreach (var (name, value) in change)
        {
            if (value is null)
            {
                target.Remove(name);
            }
            else if (value is JsonObject inner)
            {
                if (target[name] is not JsonObject there)
                {
                    target[name] = there = [];
                }

                Merge(there, inner);
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }
    }

    private void Check(string verb, string plural)
    {
        if (Fail(verb, plural) is { } error)
        {
            throw error;
        }
    }

    private void Written(string verb, string plural)
    {
        if (plural != "leases")
        {
            Writes.Enqueue($"{verb} {plural}");
        }

        Check(verb, plural);
    }

    private void Store(string plural, JsonObject json, bool newGeneration)
    {
        lock (_gate)
        {
            var metadata = json["metadata"]!.AsObject();
            var key = (plural, (string)metadata["name"]!);
            metadata["resourceVersion"] = (++_version).ToString();
            if (newGeneration)
            {
                metadata["generation"] = ((long?)metadata["generation"] ?? 0) + 1;
            }

            var type = _objects.ContainsKey(key) ? "MODIFIED" : "ADDED";
            _objects[key] = json;
            Tell(plural, type, json);
        }
    }

    private void Tell(string plural, string type, JsonObject json)
    {
        foreach (var (watched, events) in _watches)
        {
            if (watched == plural)
            {
                events.Writer.TryWrite((type, (JsonObject)json.DeepClone()));
            }
        }
    }
}
