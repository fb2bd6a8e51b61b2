using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Berth.Edge.Tests;

/// <summary>What a workspace runs: notes every request, echoes WebSockets, streams events.</summary>
internal sealed class Upstream : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Upstream(WebApplication app) => _app = app;

    public int Port { get; private set; }

    public ConcurrentQueue<Received> Requests { get; } = new();

    /// <summary>Extra response headers for the next answers.</summary>
    public List<(string Name, string Value)> Answer { get; } = [];

    /// <summary>Completed by a test to let the event stream say its second event.</summary>
    public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What it answers to GET /activity, with 200.</summary>
    public string Activity { get; set; } = "{}";

    public static async Task<Upstream> StartAsync(IPAddress? address = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.Listen(address ?? IPAddress.Loopback, 0);
            k.Limits.MaxRequestBodySize = null;
        });
        var app = builder.Build();
        var upstream = new Upstream(app);
        app.UseWebSockets();
        app.Run(upstream.HandleAsync);
        await app.StartAsync();
        upstream.Port = new Uri(app.Urls.Single()).Port;
        return upstream;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task HandleAsync(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var length = 0L;
        if (!context.WebSockets.IsWebSocketRequest)
        {
            var buffer = new byte[64 * 1024];
            int read;
            while ((read = await context.Request.Body.ReadAsync(buffer)) > 0)
            {
                length += read;
            }
        }

        Requests.Enqueue(new Received(target,
            context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToArray()!, StringComparer.OrdinalIgnoreCase)!, length));
        foreach (var (name, value) in Answer)
        {
            context.Response.Headers.Append(name, value);
        }

        if (context.WebSockets.IsWebSocketRequest)
        {
            await EchoAsync(await context.WebSockets.AcceptWebSocketAsync());
        }
        else if (target == "/events")
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync("data: one\n\n");
            await context.Response.Body.FlushAsync();
            await Gate.Task.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync("data: two\n\n");
        }
        else if (target == "/activity")
        {
            await context.Response.WriteAsync(Activity);
        }
        else if (target == "/slow")
        {
            await Gate.Task.WaitAsync(context.RequestAborted);
        }
        else
        {
            await context.Response.WriteAsync("from the workspace");
        }
    }

    private static async Task EchoAsync(WebSocket socket)
    {
        var buffer = new byte[1024];
        try
        {
            while (true)
            {
                var message = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (message.MessageType == WebSocketMessageType.Close)
                {
                    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                    return;
                }

                await socket.SendAsync(Encoding.UTF8.GetBytes("echo " + Encoding.UTF8.GetString(buffer, 0, message.Count)),
                    WebSocketMessageType.Text, true, CancellationToken.None);
            }
        }
        catch (WebSocketException)
        {
            // Cut.
        }
    }
}

/// <summary>One request as it arrived.</summary>
internal sealed record Received(string Target, Dictionary<string, string[]> Headers, long BodyLength);
