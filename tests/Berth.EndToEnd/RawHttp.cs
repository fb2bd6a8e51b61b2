using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Berth.EndToEnd;

/// <summary>Requests as bytes: a client library would resolve the host, follow redirects and hide the status of a failed upgrade.</summary>
internal static class RawHttp
{
    /// <summary>Status of a WebSocket upgrade of the workspace's terminal.</summary>
    public static Task<int> UpgradeAsync(string origin, string host, string cookies) =>
        StatusAsync(
            origin,
            $"GET /api/terminal HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                + $"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{(cookies.Length > 0 ? $"Cookie: {cookies}\r\n" : "")}\r\n"
        );

    /// <summary>Sends a request head and returns the status and the head of the answer.</summary>
    public static async Task<(int Status, string Head)> SendAsync(string origin, string request)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(origin).Port);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var head = new StringBuilder();
        while (await reader.ReadLineAsync(limit.Token) is { Length: > 0 } line)
        {
            head.AppendLine(line);
        }

        var text = head.ToString();
        return (int.Parse(text.Split(' ')[1], CultureInfo.InvariantCulture), text);
    }

    private static async Task<int> StatusAsync(string origin, string request) => (await SendAsync(origin, request)).Status;
}
