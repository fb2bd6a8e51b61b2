using Kube.Client.Models;

namespace Kube.Runtime;

/// <summary>Keeps events from flooding the API: repeats are counted, look-alikes folded into one, chatty objects silenced. The rules and
/// numbers of client-go.</summary>
/// <remarks>No clock and no lock: time is given, and it belongs to one loop. Memory is bounded by <see cref="MaxEntries"/> per
/// table.</remarks>
internal sealed class EventCorrelator
{
    /// <summary>Entries remembered per table; the least recently used go first.</summary>
    public const int MaxEntries = 4096;

    /// <summary>Events of one source about one object that may come at once, ...</summary>
    public const int Burst = 25;

    /// <summary>... after which one more is let through each 300 s.</summary>
    public static readonly TimeSpan Refill = TimeSpan.FromSeconds(300);

    /// <summary>So many events alike but for the message, no further apart than <see cref="FoldWithin"/>, become one.</summary>
    public const int FoldAfter = 10;

    public static readonly TimeSpan FoldWithin = TimeSpan.FromSeconds(600);

    private readonly LruTable<(string Source, string Object), Bucket> _buckets = new(MaxEntries);
    private readonly LruTable<AlikeKey, Alike> _alike = new(MaxEntries);
    private readonly LruTable<SameKey, CoreEvent> _sent = new(MaxEntries);

    /// <summary>What to send for an event that just happened; null when it is dropped.</summary>
    public CorrelatedEvent? Correlate(CoreEvent e, DateTimeOffset now)
    {
        var alikeKey = new AlikeKey(e.Source?.Component ?? "", ObjectKey(e.InvolvedObject), e.Type ?? "", e.Reason ?? "");
        var alike = _alike.GetOrAdd(alikeKey, () => new Alike());
        if (now - alike.Last > FoldWithin)
        {
            alike.Messages.Clear();
        }

        alike.Last = now;

        // At most FoldAfter messages are kept: from then on everything is folded anyway.
        if (alike.Messages.Count < FoldAfter)
        {
            alike.Messages.Add(e.Message ?? "");
        }

        var folded = alike.Messages.Count >= FoldAfter;
        var key = new SameKey(alikeKey, folded ? "" : e.Message ?? "", folded);
        var send = folded ? e with { Message = "(combined from similar events): " + e.Message } : e;
        var repeated = _sent.TryGet(key, out var first);
        if (repeated)
        {
            send = send with { Metadata = first!.Metadata, FirstTimestamp = first.FirstTimestamp, Count = first.Count + 1 };
        }

        _sent.Set(key, send);
        return _buckets.GetOrAdd((alikeKey.Source, alikeKey.Object), () => new Bucket(now)).TryTake(now)
            ? new CorrelatedEvent(send, repeated, key) : null;
    }

    /// <summary>The API's answer to a creation: its name is what a repeat will patch.</summary>
    public void Sent(CorrelatedEvent e, CoreEvent stored) => _sent.Set(e.Key, e.Event with { Metadata = stored.Metadata });

    private static string ObjectKey(ObjectReference o) => $"{o.ApiVersion}/{o.Kind}/{o.Namespace}/{o.Name}/{o.Uid}";

    internal readonly record struct AlikeKey(string Source, string Object, string Type, string Reason);

    internal readonly record struct SameKey(AlikeKey Alike, string Message, bool Folded);

    private sealed class Alike
    {
        public HashSet<string> Messages { get; } = new(StringComparer.Ordinal);

        public DateTimeOffset Last { get; set; }
    }

    private sealed class Bucket(DateTimeOffset created)
    {
        private double _tokens = Burst;
        private DateTimeOffset _at = created;

        public bool TryTake(DateTimeOffset now)
        {
            _tokens = Math.Min(Burst, _tokens + ((now - _at) / Refill));
            _at = now;
            if (_tokens < 1)
            {
                return false;
            }

            _tokens--;
            return true;
        }
    }
}

/// <summary>An event to send.</summary>
/// <param name="Event">The event, with its count.</param>
/// <param name="Repeated">It was sent before: patch it instead of creating it.</param>
/// <param name="Key">Under which it is remembered.</param>
internal sealed record CorrelatedEvent(CoreEvent Event, bool Repeated, EventCorrelator.SameKey Key);
