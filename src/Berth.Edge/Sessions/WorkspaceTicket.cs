using System.Security.Cryptography;
using System.Text;

namespace Berth.Edge;

/// <summary>A session on its way from the edge origin to a workspace host.</summary>
/// <param name="Id">Random id, for single use.</param>
/// <param name="ExpiresAt">End of its life.</param>
/// <param name="Hop">Hash of the hop cookie of the browser that may use it.</param>
/// <param name="ReturnPath">Path and query to go to afterwards.</param>
/// <param name="Session">The session.</param>
internal sealed record WorkspaceTicket(string Id, DateTimeOffset ExpiresAt, string Hop, string ReturnPath, EdgeSession Session);

/// <summary>Makes and opens tickets.</summary>
internal sealed class WorkspaceTickets(CookieProtector protector, TimeProvider clock)
{
    /// <summary>30 seconds: two redirects of one browser, and no more.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    // 50,000 hops in 30 seconds is more than one replica can serve; beyond it tickets are refused and the browser starts over.
    private readonly OneTimeIds _used = new(clock, Lifetime, 50_000);

    /// <summary>What goes into the URL for a hop cookie's value.</summary>
    public static string HashOfHop(string hop) => StrictBase64Url.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(hop)));

    /// <summary>A ticket for one host.</summary>
    public string Issue(string host, string hop, string returnPath, EdgeSession session)
    {
        var writer = new CompactWriter()
            .Text(EdgeSession.NewId())
            .Number((clock.GetUtcNow() + Lifetime).ToUnixTimeMilliseconds())
            .Text(hop)
            .Text(returnPath)
            .Text(StrictBase64Url.Encode(SessionCodec.Write(session)));
        return protector.Protect(ProtectionPurpose.WorkspaceTicket, host, writer.ToArray());
    }

    /// <summary>
    /// Opens a ticket shown on a host by the browser that holds a hop cookie; null when it is not good, or not good any more.
    /// </summary>
    public WorkspaceTicket? Redeem(string host, string? hop, string text)
    {
        if (hop is null || protector.Unprotect(ProtectionPurpose.WorkspaceTicket, host, text) is not { } bytes)
        {
            return null;
        }

        var reader = new CompactReader(bytes);
        var id = reader.Text();
        var expires = reader.Number();
        var expectedHop = reader.Text();
        var returnPath = reader.Text();
        var session = StrictBase64Url.Decode(reader.Text() ?? "");
        if (!reader.IsComplete || id is null || expectedHop is null || returnPath is null || session is null
            || clock.GetUtcNow().ToUnixTimeMilliseconds() >= expires
            || !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expectedHop), Encoding.ASCII.GetBytes(HashOfHop(hop)))
            || SessionCodec.Read(session) is not { } opened
            || !_used.TryUse(id))
        {
            return null;
        }

        return new WorkspaceTicket(id, DateTimeOffset.FromUnixTimeMilliseconds(expires), expectedHop, returnPath, opened);
    }
}
