using System.Collections.Concurrent;

namespace Berth.Edge;

/// <summary>
/// Signed identities that were made a moment ago. What is asked for is every claim that goes into one, so nothing ever has to be taken
/// back: another role, another name, another pod are other questions. Whether somebody is let through is decided before, each time.
/// </summary>
/// <param name="life">How long one is given again; zero for never.</param>
/// <param name="capacity">
/// The most that are kept, 1 to 2 KiB each. The default is 10,000, more people than one replica serves at the same time; when it is full
/// all are forgotten, which costs one signature for each that comes again.
/// </param>
internal sealed class SignedIdentities(TimeSpan life, int capacity = 10_000)
{
    private ConcurrentDictionary<Key, Signed> _known = new();
    private int _added;

    /// <summary>How many are kept.</summary>
    public int Count => _known.Count;

    /// <summary>One that is young enough; a clock that was set back makes none younger.</summary>
    public string? Find(in Key key, DateTimeOffset now) =>
        _known.TryGetValue(key, out var signed) && now >= signed.At && now - signed.At < life ? signed.Token : null;

    /// <summary>Keeps one.</summary>
    public void Add(in Key key, string token, DateTimeOffset now)
    {
        if (life <= TimeSpan.Zero)
        {
            return;
        }

        if (Interlocked.Increment(ref _added) > capacity)
        {
            Volatile.Write(ref _known, new ConcurrentDictionary<Key, Signed>());
            Volatile.Write(ref _added, 1);
        }

        _known[key] = new Signed(token, now);
    }

    /// <summary>All that a signed identity says but times and id.</summary>
    internal readonly record struct Key(
        string Audience, string Workspace, string Origin, string Issuer, string Subject, string Role, string? Email, string? Name)
    {
        /// <summary>What is to be said of a request.</summary>
        public static Key Of(WorkspaceAccess access) => new(access.Workspace.Audience, access.Workspace.Name, access.Workspace.Url,
            access.Caller.Issuer, access.Caller.Subject, access.Role, access.Caller.Email, access.Caller.Name);
    }

    private sealed record Signed(string Token, DateTimeOffset At);
}
