using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Benchmarks.Edge;

/// <summary>
/// What all proxies lead to: 1 KiB of text for a request, an echo for a WebSocket. It is also the provider of the sign-in figures: stateless, a
/// code is the nonce it was asked with.
/// </summary>
internal static class BenchUpstream
{
    internal const string Command = "edge-upstream";

    /// <summary>Path of a WebSocket that echoes.</summary>
    internal const string EchoPath = "/socket";

    /// <summary>Path of one that only waits, without a buffer: what the server itself needs for a connection.</summary>
    internal const string HoldPath = "/hold";

    /// <summary>Serves until the process ends.</summary>
    internal static async Task<int> RunAsync(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.AddServerHeader = false;
            k.Listen(IPAddress.Loopback, port);
        });
        await using var app = builder.Build();
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
        var body = Encoding.ASCII.GetBytes(new string('x', 1024));
        using var keys = new BenchKeys();
        var issuer = $"http://127.0.0.1:{port}";
        app.Run(async context =>
        {
            if (context.Request.Path == HoldPath)
            {
                await HoldAsync(context);
                return;
            }

            if (context.WebSockets.IsWebSocketRequest)
            {
                await EchoAsync(context);
                return;
            }

            switch (context.Request.Path.Value)
            {
                case "/.well-known/openid-configuration":
                    await context.Response.WriteAsync(Discovery(issuer));
                    break;
                case "/jwks":
                    await context.Response.WriteAsync(keys.Jwks);
                    break;
                case "/token":
                    await TokenAsync(context, keys, issuer);
                    break;
                default:
                    context.Response.ContentType = "text/plain";
                    context.Response.ContentLength = body.Length;
                    await context.Response.Body.WriteAsync(body);
                    break;
            }
        });
        await app.StartAsync();
        Console.WriteLine($"serving {issuer}");
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static async Task HoldAsync(HttpContext context)
    {
        context.Response.Headers["Upgrade"] = "websocket";
        await using var stream = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        while (await stream.ReadAsync(Memory<byte>.Empty, context.RequestAborted) > 0)
        {
            // Nothing can be read into nothing: this ends with the connection.
        }
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[8192];
        try
        {
            while (socket.State == WebSocketState.Open)
            {
                // Without a byte to read no buffer is needed; ten thousand of these wait at once.
                var received = await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
                    break;
                }

                await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
            }
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException)
        {
            // The other side left.
        }
    }

    private static string Discovery(string issuer) => JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["issuer"] = issuer,
        ["authorization_endpoint"] = issuer + "/authorize",
        ["token_endpoint"] = issuer + "/token",
        ["jwks_uri"] = issuer + "/jwks",
        ["code_challenge_methods_supported"] = new[] { "S256" },
        ["response_types_supported"] = new[] { "code" },
    });

    private static async Task TokenAsync(HttpContext context, BenchKeys keys, string issuer)
    {
        var form = await context.Request.ReadFormAsync();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var idToken = keys.SignEs256(new Dictionary<string, object>
        {
            ["iss"] = issuer,
            ["aud"] = "bench",
            ["sub"] = "bench-person",
            ["email"] = "person@bench.example",
            ["name"] = "A person",
            ["nonce"] = form["code"].ToString(),
            ["iat"] = now,
            ["exp"] = now + 300,
        }, "JWT");
        await context.Response.WriteAsync(JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["access_token"] = "bench",
            ["token_type"] = "Bearer",
            ["expires_in"] = 300,
            ["id_token"] = idToken,
        }));
    }
}
