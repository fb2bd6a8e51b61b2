namespace Berth.Edge.Tests;

/// <summary>The ways a request about a workspace reaches the edge. What holds for one has to hold for all.</summary>
public enum Way
{
    /// <summary>A request that the edge forwards.</summary>
    Plain,

    /// <summary>A WebSocket handshake that the edge forwards.</summary>
    Upgrade,

    /// <summary>A request that a proxy asks about.</summary>
    Question,

    /// <summary>A handshake that a proxy asks about: it drops Upgrade, and the marks of WebSockets stay.</summary>
    UpgradeQuestion,
}

/// <summary>Requests as bytes, so that no client library puts anything right.</summary>
internal static class Ways
{
    /// <summary>Sends a request for user1's workspace; the edge has to trust 127.0.0.1 for the questions.</summary>
    /// <param name="edge">The edge.</param>
    /// <param name="way">How.</param>
    /// <param name="lines">Further header lines.</param>
    /// <param name="target">Path and query.</param>
    /// <param name="method">Method.</param>
    public static async Task<RawAnswer> AskAsync(
        this EdgeFixture edge, Way way, IEnumerable<string> lines, string target = "/", string method = "GET")
    {
        const string WebSocket = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        var head = way switch
        {
            Way.Plain => $"{method} {target} HTTP/1.1\r\nHost: ws-one.localhost:8080\r\nConnection: close\r\n",
            Way.Upgrade => $"{method} {target} HTTP/1.1\r\nHost: ws-one.localhost:8080\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + WebSocket,
            _ => $"GET /auth/forward/ws-one HTTP/1.1\r\nHost: berth-edge.test\r\nConnection: close\r\nX-Forwarded-Method: {method}\r\n"
                + $"X-Forwarded-Proto: http\r\nX-Forwarded-Host: ws-one.localhost:8080\r\nX-Forwarded-Uri: {target}\r\n"
                + (way == Way.UpgradeQuestion ? WebSocket : ""),
        };
        var body = method is "POST" or "PUT" && way is Way.Plain ? "Content-Length: 0\r\n" : "";
        return RawAnswer.Read(
            await edge.RawAsync($"{head}{string.Concat(lines.Select(l => l + "\r\n"))}{body}\r\n", headersOnly: way == Way.Upgrade));
    }

    /// <summary>Options with the proxies' questions answered.</summary>
    public static EdgeOptions Trusting(EdgeOptions options) => options with { TrustedProxies = ["127.0.0.1/32"] };

    /// <summary>The status of success: the handshake's own where it is one that is forwarded.</summary>
    public static int Success(this Way way) => way == Way.Upgrade ? 101 : 200;

    /// <summary>Whether it opens a stream.</summary>
    public static bool IsUpgrade(this Way way) => way is Way.Upgrade or Way.UpgradeQuestion;
}

/// <summary>An answer as it came.</summary>
internal sealed record RawAnswer(int Status, ILookup<string, string> Headers, string Text)
{
    public string? this[string header] => Headers[header].SingleOrDefault();

    public static RawAnswer Read(string text)
    {
        var lines = text.Split("\r\n\r\n")[0].Split("\r\n");
        var status = lines[0].StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(lines[0].Split(' ')[1]) : 0;
        return new RawAnswer(status, lines.Skip(1).Where(l => l.Contains(':', StringComparison.Ordinal))
            .ToLookup(l => l.Split(':', 2)[0], l => l.Split(':', 2)[1].Trim(), StringComparer.OrdinalIgnoreCase), text);
    }
}
