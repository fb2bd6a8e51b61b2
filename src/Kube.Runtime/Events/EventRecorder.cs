using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Kube.Client;
using Kube.Client.Models;
using Microsoft.Extensions.Logging;

namespace Kube.Runtime;

/// <summary>Writes core/v1 events in the background. Recording never waits and never fails: events are a courtesy, losing one must not stop
/// the work.</summary>
/// <remarks>Run it with <see cref="RunAsync"/>; what is recorded before that waits. At most 1000 wait (client-go), further ones are dropped
/// with a log line.</remarks>
public sealed class EventRecorder : IEventRecorder
{
    private const int QueueLength = 1000;
    private const int MaxTries = 12;
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(10);

    private readonly IKubeClient _client;
    private readonly string _component;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly EventCorrelator _correlator = new();
    private readonly Channel<CoreEvent> _queue = Channel.CreateBounded<CoreEvent>(
        new BoundedChannelOptions(QueueLength) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private long _lastStamp;

    /// <summary>Creates a recorder.</summary>
    /// <param name="client">Where the events go.</param>
    /// <param name="component">Who reports, such as <c>berth-operator</c>.</param>
    /// <param name="time">Clock of the events.</param>
    /// <param name="logger">Where it is told what got lost.</param>
    public EventRecorder(IKubeClient client, string component, TimeProvider time, ILogger<EventRecorder> logger)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentException.ThrowIfNullOrEmpty(component);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(logger);
        _client = client;
        _component = component;
        _time = time;
        _logger = logger;
    }

    /// <inheritdoc/>
    public void Normal(IKubeObject about, string reason, string message) => Record(about, "Normal", reason, message);

    /// <inheritdoc/>
    public void Warning(IKubeObject about, string reason, string message) => Record(about, "Warning", reason, message);

    /// <summary>Sends what is recorded until cancelled; then tries once, for at most <paramref name="flush"/>, to send what still
    /// waits.</summary>
    /// <param name="cancellationToken">Ends the recorder.</param>
    /// <param name="flush">Default 2 s: the last events often say why a process ends.</param>
    public async Task RunAsync(CancellationToken cancellationToken, TimeSpan? flush = null)
    {
        try
        {
            await foreach (var e in _queue.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                await SendAsync(e, MaxTries, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            using var timeout = new CancellationTokenSource(flush ?? TimeSpan.FromSeconds(2), _time);
            try
            {
                while (_queue.Reader.TryRead(out var e))
                {
                    await SendAsync(e, 1, timeout.Token).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (timeout.IsCancellationRequested)
            {
                // What is left is lost, as announced.
            }
        }
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..(length - 1)] + "…";

    private void Record(IKubeObject about, string type, string reason, string message)
    {
        ArgumentNullException.ThrowIfNull(about);
        ArgumentException.ThrowIfNullOrEmpty(reason);
        ArgumentNullException.ThrowIfNull(message);
        var now = _time.GetUtcNow();
        var meta = about.Metadata;
        var e = new CoreEvent
        {
            Metadata = new ObjectMeta
            {
                // Events about cluster-scoped objects live in "default", where kubectl looks for them.
                Namespace = string.IsNullOrEmpty(meta.Namespace) ? "default" : meta.Namespace,
                Name = NameFor(meta.Name ?? "", now),
            },
            InvolvedObject = new ObjectReference
            {
                ApiVersion = about.ApiVersion,
                Kind = about.Kind,
                Namespace = meta.Namespace,
                Name = meta.Name,
                Uid = meta.Uid,
                ResourceVersion = meta.ResourceVersion,
            },
            Type = type,
            Reason = Cut(reason, 128),
            Message = Cut(message, 1024),
            Source = new EventSource { Component = _component },
            ReportingComponent = _component,
            FirstTimestamp = now,
            LastTimestamp = now,
            Count = 1,
        };
        if (!_queue.Writer.TryWrite(e))
        {
            EventLog.QueueFull(_logger, reason, about.Kind, meta.Name ?? "", _queue.Reader.Count);
        }
    }

    /// <summary>The object's name and a stamp no other event of this recorder has.</summary>
    private string NameFor(string name, DateTimeOffset now)
    {
        long last, next;
        do
        {
            last = Volatile.Read(ref _lastStamp);
            next = Math.Max(now.UtcTicks, last + 1);
        }
        while (Interlocked.CompareExchange(ref _lastStamp, next, last) != last);
        return string.Create(CultureInfo.InvariantCulture, $"{(name.Length > 230 ? name[..230].TrimEnd('-', '.') : name)}.{next:x}");
    }

    private async Task SendAsync(CoreEvent e, int tries, CancellationToken cancellationToken)
    {
        if (_correlator.Correlate(e, _time.GetUtcNow()) is not { } send)
        {
            return;
        }

        var what = e.InvolvedObject;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                _correlator.Sent(send, await SendOnceAsync(send, cancellationToken).ConfigureAwait(false));
                return;
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                if (error is KubeException { IsAlreadyExists: true })
                {
                    return;
                }

                // What the API refuses (a namespace that is going away, a forbidden write) it will refuse again.
                if (attempt >= tries || error is KubeException { IsTransient: false })
                {
                    EventLog.Refused(_logger, e.Reason!, what.Kind!, what.Name ?? "", error.Message);
                    return;
                }

                EventLog.Retrying(_logger, e.Reason!, what.Kind!, what.Name ?? "", error.Message);
                await Task.Delay(BetweenTries, _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<CoreEvent> SendOnceAsync(CorrelatedEvent send, CancellationToken cancellationToken)
    {
        var e = send.Event;
        if (send.Repeated)
        {
            try
            {
                return await _client.PatchAsync<CoreEvent>(e.Metadata.Namespace, e.Metadata.Name!, KubePatch.Merge(CountPatch(e)), null,
                    cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (KubeException error) when (error.IsNotFound)
            {
                // Events live an hour; the count goes on in a new one.
                e = e with
                {
                    Metadata = new ObjectMeta
                    {
                        Namespace = e.Metadata.Namespace,
                        Name = NameFor(e.InvolvedObject.Name ?? "", _time.GetUtcNow())
                    }
                };
            }
        }

        return await _client.CreateAsync(e, null, cancellationToken).ConfigureAwait(false);
    }

    private static ReadOnlyMemory<byte> CountPatch(CoreEvent e)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("count", e.Count ?? 1);
            json.WriteString("lastTimestamp",
                (e.LastTimestamp ?? default).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
            json.WriteString("message", e.Message);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }
}
