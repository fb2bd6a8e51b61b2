using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;
using Berth.Studio.Hosting;

namespace Berth.Studio.Terminals;

/// <summary>
/// GET /api/terminal as a WebSocket. Query: cols, rows, and id to come back to a terminal. Binary frames are what is typed and shown; text
/// frames are <see cref="TerminalCommand"/> and <see cref="TerminalEvent"/>. docs/studio.md describes the protocol.
/// </summary>
/// <remarks>
/// What is wrong with the request itself (identity, origin, role) is answered before the upgrade; what is wrong with the terminal is told
/// after it, in an error frame, because a page cannot read the answer to an upgrade that failed.
/// </remarks>
internal sealed class TerminalEndpoint(TerminalRegistry registry, IHostApplicationLifetime lifetime, TimeProvider time)
{
    /// <summary>Another connection of the same person took the terminal over.</summary>
    public const int CloseReplaced = 4009;

    /// <summary>The terminal does not exist, or cannot be opened; the error frame says why.</summary>
    public const int CloseRefused = 4004;

    /// <summary>What the other side has to answer a close.</summary>
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(2);

    private const int FrameBytes = 16 * 1024;
    private const int MaxCommandBytes = 4 * 1024;

    /// <summary>Answers a request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var person = context.Writer();
        if (!context.WebSockets.IsWebSocketRequest)
        {
            throw new ProblemException(
                426,
                "websocket-required",
                "A terminal is a WebSocket.",
                "Nothing was started.",
                "Open it from the page, or with a WebSocket client."
            );
        }

        var size = new TerminalSize(Dimension(context, "cols", 80), Dimension(context, "rows", 24));
        var id = context.Request.Query["id"].ToString();
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        TerminalSession session;
        try
        {
            session = id.Length > 0 ? registry.Find(id, person) : registry.Open(person, size);
        }
        catch (ProblemException e)
        {
            await SendAsync(
                socket,
                new TerminalEvent
                {
                    Type = "error",
                    Error = e.Problem.Type,
                    Title = e.Problem.Title,
                    Remedy = e.Problem.Remedy,
                },
                stopping.Token
            );
            await CloseAsync(socket, (WebSocketCloseStatus)CloseRefused, "refused");
            return; // Nothing was typed yet that could be unread.
        }

        session.Resize(size);
        await RunAsync(socket, session, resumed: id.Length > 0, stopping.Token);
    }

    private async Task RunAsync(WebSocket socket, TerminalSession session, bool resumed, CancellationToken stopping)
    {
        using var replaced = new CancellationTokenSource();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping, replaced.Token);

        // A receive that is cancelled tears the connection down without a word, so it has a token of its own, for the very end.
        using var tearDown = new CancellationTokenSource();
        var client = registry.Attach(session, replaced.Cancel);
        try
        {
            await SendAsync(
                socket,
                new TerminalEvent
                {
                    Type = "ready",
                    Id = session.Id,
                    Resumed = resumed,
                    Window = TerminalSession.Window,
                },
                ending.Token
            );
            var sending = SendOutputAsync(socket, session, client, ending.Token);
            var receiving = ReceiveAsync(socket, session, client, tearDown.Token);
            await Task.WhenAny(sending, receiving);
            var (status, reason) =
                replaced.IsCancellationRequested ? ((WebSocketCloseStatus)CloseReplaced, "the terminal was opened elsewhere")
                : stopping.IsCancellationRequested ? (WebSocketCloseStatus.EndpointUnavailable, "the workspace stops")
                : receiving.IsCompletedSuccessfully ? await receiving
                : (WebSocketCloseStatus.NormalClosure, "the program has ended");
            await ending.CancelAsync();
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await CloseAsync(socket, status, reason);
            await FinishAsync(receiving, tearDown);
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException)
        {
            // The connection broke: the terminal waits for it to come back.
        }
        finally
        {
            registry.Detach(session, client);
        }
    }

    /// <summary>
    /// Reads on until the other side has closed too: closing over unread frames would reset the connection and lose the last ones sent.
    /// </summary>
    private async Task FinishAsync(Task receiving, CancellationTokenSource tearDown)
    {
        try
        {
            await receiving.WaitAsync(CloseLimit, time);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException or WebSocketException)
        {
            await tearDown.CancelAsync();
        }

        await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task SendOutputAsync(
        WebSocket socket,
        TerminalSession session,
        TerminalClient client,
        CancellationToken cancellationToken
    )
    {
        var buffer = new byte[FrameBytes];
        while (true)
        {
            var (length, exit) = session.Take(client, buffer);
            if (exit is { } status)
            {
                await SendAsync(
                    socket,
                    new TerminalEvent
                    {
                        Type = "exit",
                        Code = status.Code,
                        Signal = status.Signal,
                    },
                    cancellationToken
                );
                registry.End(session);
                return;
            }

            if (length > 0)
            {
                await socket.SendAsync(buffer.AsMemory(0, length), WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);
            }
            else
            {
                await client.WaitAsync(cancellationToken);
            }
        }
    }

    /// <summary>Takes in what the page sends.</summary>
    /// <returns>With which status and reason to close.</returns>
    private async Task<(WebSocketCloseStatus Status, string Reason)> ReceiveAsync(
        WebSocket socket,
        TerminalSession session,
        TerminalClient client,
        CancellationToken cancellationToken
    )
    {
        var buffer = new byte[FrameBytes];
        var held = 0;
        while (true)
        {
            var frame = await socket.ReceiveAsync(buffer.AsMemory(held), cancellationToken);
            if (frame.MessageType == WebSocketMessageType.Close)
            {
                return (WebSocketCloseStatus.NormalClosure, "");
            }

            if (frame.MessageType == WebSocketMessageType.Binary)
            {
                if (!session.Input(buffer.AsSpan(0, frame.Count)))
                {
                    return (WebSocketCloseStatus.MessageTooBig, "the program in the terminal does not read its input");
                }

                continue;
            }

            held += frame.Count;
            if (held > MaxCommandBytes)
            {
                return (WebSocketCloseStatus.MessageTooBig, "a control frame has at most 4096 bytes");
            }

            if (frame.EndOfMessage)
            {
                if (Obey(session, client, buffer.AsSpan(0, held)) is { } reason)
                {
                    return (WebSocketCloseStatus.InvalidPayloadData, reason);
                }

                held = 0;
            }
        }
    }

    private string? Obey(TerminalSession session, TerminalClient client, ReadOnlySpan<byte> json)
    {
        TerminalCommand? command;
        try
        {
            command = JsonSerializer.Deserialize(json, StudioJson.Default.TerminalCommand);
        }
        catch (JsonException)
        {
            return "a control frame is not the JSON that is expected";
        }

        switch (command)
        {
            case { Type: "resize", Cols: >= 1 and <= 1000, Rows: >= 1 and <= 1000 }:
                session.Resize(new TerminalSize((ushort)command.Cols, (ushort)command.Rows));
                return null;
            case { Type: "ack" }:
                session.Acknowledge(client, command.Bytes);
                return null;
            case { Type: "close" }:
                registry.End(session);
                return null;
            case { Type: "resize" }:
                return "cols and rows go from 1 to 1000";
            default:
                return "a control frame has the type resize, ack or close";
        }
    }

    private static ushort Dimension(HttpContext context, string name, ushort @default)
    {
        var text = context.Request.Query[name].ToString();
        return text.Length == 0 ? @default
            : ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value is >= 1 and <= 1000 ? value
            : throw new ProblemException(400, "bad-size", $"{name} is '{text}'.", "Nothing was started.", "Give a number from 1 to 1000.");
    }

    private static Task SendAsync(WebSocket socket, TerminalEvent message, CancellationToken cancellationToken) =>
        socket.SendAsync(
            JsonSerializer.SerializeToUtf8Bytes(message, StudioJson.Default.TerminalEvent),
            WebSocketMessageType.Text,
            true,
            cancellationToken
        );

    private static async Task CloseAsync(WebSocket socket, WebSocketCloseStatus status, string reason)
    {
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(status, reason, CancellationToken.None);
            }
        }
        catch (WebSocketException)
        {
            // It is closed then.
        }
    }
}
