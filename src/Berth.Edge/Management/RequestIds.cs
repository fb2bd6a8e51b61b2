using System.Security.Cryptography;

namespace Berth.Edge;

/// <summary>
/// Names requests: <c>REPLICA-NUMBER</c>. What a client calls its request (<c>X-Request-Id</c>) is never taken for it: two requests would
/// have
/// one name, and somebody else would choose what is in our log.
/// </summary>
internal sealed class RequestIds
{
    /// <summary>Header of every answer that has the id.</summary>
    public const string Header = "X-Request-Id";

    private const string Letters = "abcdefghijkmnpqrstuvwxyz23456789";
    private long _last;

    /// <summary>Names the replica after its machine.</summary>
    public RequestIds()
        : this(Environment.MachineName)
    {
    }

    /// <summary>Names the replica.</summary>
    /// <param name="machine">Name of its machine or pod.</param>
    public RequestIds(string machine) => Replica = NameOf(machine) + RandomNumberGenerator.GetString(Letters, 4);

    /// <summary>
    /// The replica: the last part of the pod's name, and four random characters, since a machine may run several and a restart forgets.
    /// </summary>
    public string Replica { get; }

    /// <summary>The next id.</summary>
    public string Next() => $"{Replica}-{Interlocked.Increment(ref _last):x}";

    /// <summary>The replica in an id; null when it is none of ours.</summary>
    public static string? ReplicaOf(string id)
    {
        var dash = id.IndexOf('-');
        return dash is > 0 and <= 16 && id.Length is > 0 and <= 40 && id.Length > dash + 1
            && id.AsSpan(0, dash).IndexOfAnyExceptInRange('0', 'z') < 0 && id[..dash].All(char.IsAsciiLetterOrDigit)
            && id[(dash + 1)..].All(char.IsAsciiHexDigitLower) ? id[..dash] : null;
    }

    private static string NameOf(string machine)
    {
        var last = machine.ToLowerInvariant().Split('-', '.')[^1];
        return new string([.. last.Where(char.IsAsciiLetterOrDigit).Take(8)]);
    }
}
