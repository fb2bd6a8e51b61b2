using System.Text;
using Yarp.ReverseProxy.Forwarder;

namespace Berth.Edge;

/// <summary>
/// Requests that went well, in memory that is taken once: what lives no longer than a request is copied, and only what lives on anyway
/// (the workspace's entry, the session's caller) is held.
/// </summary>
internal sealed class SuccessRing
{
    // Ids are at most 40 characters, hosts 253; all of it is ASCII by the rules of the canonical request.
    private const int MaximumId = 40;
    private const int MaximumHost = 253;
    private const int Width = MaximumId + MaximumHost + RequestRecord.MaximumText;

    // Lengths of texts that are not there: nothing was given, or the entry of the workspace has it.
    private const int None = -1;
    private const int HostOfWorkspace = -2;

    private readonly Slot[] _slots;
    private readonly byte[] _texts;
    private readonly Lock[] _gates = [.. Enumerable.Range(0, 16).Select(_ => new Lock())];
    private long _last = -1;

    /// <summary>Makes one.</summary>
    /// <param name="size">How many it holds; each takes less than a kilobyte.</param>
    public SuccessRing(int size) => (_slots, _texts) = (new Slot[size], new byte[size * Width]);

    /// <summary>Enters a request.</summary>
    public void Add(RequestRecord record)
    {
        var index = (int)(Interlocked.Increment(ref _last) % _slots.Length);
        var text = _texts.AsSpan(index * Width, Width);
        var entry = record.Access?.Workspace;
        var path = record.Path;
        lock (_gates[index % _gates.Length])
        {
            ref var slot = ref _slots[index];

            // One after the other: most of them then touch a line or two of the cache.
            slot.Id = Put(ref text, record.Id, MaximumId);
            slot.Path = path is null ? None : Put(ref text, path, RequestRecord.MaximumText);
            slot.Host = entry is not null && entry.Host == record.Host ? HostOfWorkspace
                : record.Host is null ? None : Put(ref text, record.Host, MaximumHost);
            slot.PathIsCut = path is { Length: > RequestRecord.MaximumText };
            (slot.At, slot.Duration, slot.Status) = (record.At, record.Duration, record.Status);
            (slot.Method, slot.Route, slot.HostKind) = (record.Method, record.Route, record.HostKind);
            (slot.Caller, slot.Workspace, slot.Role, slot.Forwarding) = (record.Caller, entry, record.Access?.Role, record.Forwarding);
        }
    }

    /// <summary>Looks one up; null when it is forgotten or never was.</summary>
    public RequestRecord? Find(string id)
    {
        for (var index = 0; index < _slots.Length; index++)
        {
            var text = _texts.AsSpan(index * Width, Width);
            lock (_gates[index % _gates.Length])
            {
                ref readonly var slot = ref _slots[index];
                if (slot.Method is not null && Ascii.Equals(text[..slot.Id], id))
                {
                    return Read(slot, text);
                }
            }
        }

        return null;
    }

    private static int Put(ref Span<byte> rest, string value, int most)
    {
        var length = Math.Min(value.Length, most);
        Encoding.ASCII.GetBytes(value.AsSpan(0, length), rest);
        rest = rest[length..];
        return length;
    }

    private static RequestRecord Read(in Slot slot, ReadOnlySpan<byte> text) => new()
    {
        Id = Encoding.ASCII.GetString(text[..slot.Id]),
        At = slot.At,
        Duration = slot.Duration,
        Method = slot.Method!,
        Host = slot.Host switch
        {
            None => null,
            HostOfWorkspace => slot.Workspace!.Host,
            var length => Encoding.ASCII.GetString(text.Slice(slot.Id + Math.Max(slot.Path, 0), length)),
        },
        HostKind = slot.HostKind,
        Path = slot.Path == None ? null
            : Encoding.ASCII.GetString(text.Slice(slot.Id, slot.Path)) + (slot.PathIsCut ? "…" : ""),
        Route = slot.Route!,
        Status = slot.Status,
        Caller = slot.Caller,
        Access = slot.Workspace is { } workspace ? new WorkspaceAccess(workspace, slot.Caller!, slot.Role!) : null,
        Forwarding = slot.Forwarding,
    };

    private struct Slot
    {
        public DateTimeOffset At;
        public TimeSpan Duration;
        public string? Method;
        public string? Route;
        public string? Role;
        public Caller? Caller;
        public WorkspaceEntry? Workspace;
        public ForwarderError? Forwarding;
        public HostKind? HostKind;
        public int Status;
        public int Id;
        public int Host;
        public int Path;
        public bool PathIsCut;
    }
}
