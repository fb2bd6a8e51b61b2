using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Berth.Studio.Tests.Terminals;

/// <summary>What the page does, without a screen.</summary>
internal sealed class TerminalClientForTests(ClientWebSocket socket) : IAsyncDisposable
{
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(30));
    private readonly StringBuilder _text = new();
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly string _name = Guid.NewGuid().ToString("N");
    private int _commands;

    public string Id { get; private set; } = "";

    public bool Resumed { get; private set; }

    public bool Acknowledges { get; set; } = true;

    public long Bytes { get; private set; }

    public string Text => _text.ToString();

    public string? CloseReason => socket.CloseStatusDescription;

    public static async Task<TerminalClientForTests> OpenAsync(StudioServer server, string query = "")
    {
        var client = new TerminalClientForTests(await server.ConnectAsync(query));
        var ready = await client.EventAsync();
        Assert.Equal("ready", (string?)ready["type"]);
        client.Id = (string)ready["id"]!;
        client.Resumed = (bool)ready["resumed"]!;
        return client;
    }

    public Task TypeAsync(string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Binary, true, _limit.Token);

    public Task CommandAsync(string json) => socket.SendAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text, true, _limit.Token);

    /// <summary>Runs a command line and returns what it wrote.</summary>
    public async Task<string> RunAsync(string command)
    {
        // The quotes keep the echo of what is typed from looking like the output.
        var n = $"{_name}{++_commands}";
        await TypeAsync($"echo '<<'{n}; {command}\necho {n}'>>'\n");
        string? found = null;
        await UntilAsync(text =>
        {
            var from = text.LastIndexOf($"<<{n}\r\n", StringComparison.Ordinal);
            var to = from < 0 ? -1 : text.IndexOf($"{n}>>\r\n", from + 1, StringComparison.Ordinal);
            found = to < 0 ? null : text[(from + $"<<{n}\r\n".Length)..to];
            return found is not null;
        });
        return found!.Split("\r\n", StringSplitOptions.RemoveEmptyEntries)
            .Where(l => !l.Contains("'>>'", StringComparison.Ordinal)).FirstOrDefault("").Trim();
    }

    public async Task UntilAsync(Func<string, bool> condition)
    {
        while (!condition(Text))
        {
            if (await ReceiveAsync() is { } other)
            {
                throw new InvalidOperationException($"The terminal said {other} before; it had shown: {Text}");
            }
        }
    }

    public async Task UntilBytesAsync(long more)
    {
        var target = Bytes + more;
        while (Bytes < target)
        {
            await ReceiveAsync();
        }
    }

    public async Task<JsonNode> EventAsync()
    {
        while (true)
        {
            if (await ReceiveAsync() is { } message)
            {
                return message;
            }
        }
    }

    public async Task<WebSocketCloseStatus?> ClosedAsync()
    {
        while (socket.State == WebSocketState.Open)
        {
            await ReceiveAsync();
        }

        return socket.CloseStatus;
    }

    public void Abort() => socket.Abort();

    public async ValueTask DisposeAsync()
    {
        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
        }

        socket.Dispose();
        _limit.Dispose();
    }

    private async Task<JsonNode?> ReceiveAsync()
    {
        var frame = await socket.ReceiveAsync(_buffer.AsMemory(), _limit.Token);
        if (frame.MessageType == WebSocketMessageType.Text)
        {
            return JsonNode.Parse(_buffer.AsSpan(0, frame.Count));
        }

        if (frame.MessageType == WebSocketMessageType.Close)
        {
            return null;
        }

        Bytes += frame.Count;
        var chars = new char[frame.Count];
        _text.Append(chars, 0, _decoder.GetChars(_buffer, 0, frame.Count, chars, 0));
        if (Acknowledges)
        {
            await CommandAsync($$"""{"type":"ack","bytes":{{frame.Count}}}""");
        }

        return null;
    }
}
