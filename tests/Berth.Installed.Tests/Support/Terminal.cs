using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Berth.Installed.Tests;

/// <summary>A terminal of Studio: a WebSocket with a shell behind it (docs/studio.md has the protocol).</summary>
internal sealed class Terminal : IDisposable
{
    private readonly ClientWebSocket _socket;
    private readonly byte[] _buffer = new byte[16 * 1024];
    private readonly StringBuilder _said = new();
    private (string Text, TaskCompletionSource Seen)? _awaited;

    private Terminal(ClientWebSocket socket) => _socket = socket;

    /// <summary>By which it is found again.</summary>
    public string Id { get; private set; } = "";

    /// <summary>Whether it is one that was there before.</summary>
    public bool IsResumed { get; private set; }

    /// <summary>Its end: the code of the close frame, or -1 for a connection that broke.</summary>
    public Task<int> Ended { get; private set; } = Task.FromResult(-1);

    public static async Task<Terminal> BeginAsync(ClientWebSocket socket)
    {
        var terminal = new Terminal(socket);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var first = await socket.ReceiveAsync(terminal._buffer, limit.Token);
        var text = Encoding.UTF8.GetString(terminal._buffer, 0, first.Count);
        if (first.MessageType != WebSocketMessageType.Text || (string?)JsonNode.Parse(text)!["type"] != "ready")
        {
            throw new InvalidOperationException($"The terminal begins with {first.MessageType} {text}");
        }

        terminal.Id = (string)JsonNode.Parse(text)!["id"]!;
        terminal.IsResumed = (bool)JsonNode.Parse(text)!["resumed"]!;
        terminal.Ended = terminal.ReadAsync();
        return terminal;
    }

    /// <summary>Types a line whose answer only a shell can give, and waits for it.</summary>
    public async Task AskAsync(int number)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_said)
        {
            _said.Clear();
            _awaited = ($"berth-{number + 1000000}", seen);
        }

        await TypeAsync($"echo berth-$(({number}+1000000))");
        var first = await Task.WhenAny(seen.Task, Ended).WaitAsync(TimeSpan.FromSeconds(60));
        if (first != seen.Task)
        {
            throw new WebSocketException($"The terminal ended with {await Ended} before it answered.");
        }
    }

    /// <summary>Types a line.</summary>
    public Task TypeAsync(string line) =>
        _socket.SendAsync(Encoding.UTF8.GetBytes(line + "\n"), WebSocketMessageType.Binary, true, CancellationToken.None);

    public void Dispose() => _socket.Dispose();

    private async Task<int> ReadAsync()
    {
        try
        {
            while (true)
            {
                var message = await _socket.ReceiveAsync(_buffer, CancellationToken.None);
                if (message.MessageType == WebSocketMessageType.Close)
                {
                    await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                    return (int)_socket.CloseStatus!.Value;
                }

                if (message.MessageType == WebSocketMessageType.Binary)
                {
                    Note(Encoding.UTF8.GetString(_buffer, 0, message.Count));
                }
            }
        }
        catch (Exception error) when (error is WebSocketException or ObjectDisposedException or OperationCanceledException)
        {
            return -1;
        }
    }

    private void Note(string text)
    {
        lock (_said)
        {
            _said.Append(text);
            if (_awaited is { } awaited && _said.ToString().Contains(awaited.Text, StringComparison.Ordinal))
            {
                awaited.Seen.TrySetResult();
                _awaited = null;
            }
        }
    }
}
