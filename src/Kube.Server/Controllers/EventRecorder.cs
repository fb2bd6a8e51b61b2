using System.Text.Json.Nodes;
using System.Threading.Channels;
using Kube.Server.Runner;
using Microsoft.Extensions.Logging;

namespace Kube.Server.Controllers;

/// <summary>What an event is about.</summary>
internal sealed record EventSubject(string ApiVersion, string Kind, string? Namespace, string Name, string Uid, string? FieldPath = null)
{
    public static EventSubject Of(JsonObject obj, string apiVersion, string kind, string? fieldPath = null)
    {
        var metadata = obj.Object("metadata");
        return new EventSubject(apiVersion, kind, metadata.Text("namespace"), metadata.Text("name") ?? "", metadata.Text("uid")
            ?? "", fieldPath);
    }
}

/// <summary>Writes events in the background, in order; the same one again raises the count of the first.</summary>
internal sealed partial class EventRecorder : IAsyncDisposable
{
    // Bounded: an event is a courtesy, and must never hold up or outgrow what it tells about.
    private readonly Channel<(EventSubject Subject, string Type, string Reason, string Message, DateTimeOffset At)> _queue =
        Channel.CreateBounded<(EventSubject, string, string, string, DateTimeOffset)>(
            new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly Dictionary<(string, string, string, string, string), (string Name, int Count)> _known = [];
    private readonly IClusterApi _api;
    private readonly string _component;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _loop;

    public EventRecorder(IClusterApi api, string component, TimeProvider time, ILogger logger)
    {
        _api = api;
        _component = component;
        _time = time;
        _logger = logger;
        _loop = Task.Run(LoopAsync);
    }

    public void Normal(EventSubject subject, string reason, string message) => Add(subject, "Normal", reason, message);

    public void Warning(EventSubject subject, string reason, string message) => Add(subject, "Warning", reason, message);

    public void Add(EventSubject subject, string type, string reason, string message) =>
        _queue.Writer.TryWrite((subject, type, reason, message.Length <= 1024 ? message : message[..1024], _time.GetUtcNow()));

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
    }

    private async Task LoopAsync()
    {
        await foreach (var (subject, type, reason, message, at) in _queue.Reader.ReadAllAsync())
        {
            try
            {
                await WriteAsync(subject, type, reason, message, at);
            }
            catch (ApiException error)
            {
                LogRefused(reason, subject.Name, error.Message);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task WriteAsync(EventSubject subject, string type, string reason, string message, DateTimeOffset at)
    {
        var ns = subject.Namespace ?? "default";
        var key = (subject.Uid, subject.FieldPath ?? "", type, reason, message);
        if (_known.TryGetValue(key, out var known))
        {
            var raised = await _api.ModifyAsync(GroupResource.Events, ns, known.Name, e =>
            {
                e["count"] = known.Count + 1;
                e["lastTimestamp"] = JsonReading.Stamp(at);
                return true;
            });
            if (raised is not null)
            {
                _known[key] = (known.Name, known.Count + 1);
                return;
            }
        }

        if (_known.Count > 4096)
        {
            _known.Clear();
        }

        var name = $"{subject.Name}.{Guid.NewGuid().ToString("N")[..16]}";
        var involved = new JsonObject
        {
            ["apiVersion"] = subject.ApiVersion,
            ["kind"] = subject.Kind,
            ["name"] = subject.Name,
            ["uid"] = subject.Uid,
        };
        if (subject.Namespace is not null)
        {
            involved["namespace"] = subject.Namespace;
        }

        if (subject.FieldPath is not null)
        {
            involved["fieldPath"] = subject.FieldPath;
        }

        await _api.CreateAsync(GroupResource.Events, ns, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns },
            ["involvedObject"] = involved,
            ["reason"] = reason,
            ["message"] = message,
            ["type"] = type,
            ["count"] = 1,
            ["firstTimestamp"] = JsonReading.Stamp(at),
            ["lastTimestamp"] = JsonReading.Stamp(at),
            ["source"] = new JsonObject { ["component"] = _component },
            ["reportingComponent"] = _component,
            ["reportingInstance"] = "",
        });
        _known[key] = (name, 1);
    }

    [LoggerMessage(1, LogLevel.Debug, "Event {Reason} of {Name} was not written: {Message}")]
    private partial void LogRefused(string reason, string name, string message);
}
