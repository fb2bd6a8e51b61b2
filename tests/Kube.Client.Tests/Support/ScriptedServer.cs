using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Kube.Client.Tests.Support;

/// <summary>One request as it came over the wire.</summary>
public sealed record ScriptedRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string? Header(string name) => Headers.GetValueOrDefault(name);
}

/// <summary>An API server that answers each request with the bytes of a script: for the failures that a real server will not make.</summary>
public sealed class ScriptedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<ScriptedRequest, Connection, Task> _script;
    private readonly X509Certificate2? _certificate;
    private readonly Task _accepting;
    private int _connections;

    public ScriptedServer(Func<ScriptedRequest, Connection, Task> script, X509Certificate2? certificate = null)
    {
        _script = script;
        _certificate = certificate;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public ConcurrentQueue<ScriptedRequest> Requests { get; } = [];

    public ConcurrentQueue<string?> ServerNames { get; } = [];

    public ConcurrentQueue<string?> ClientNames { get; } = [];

    public int Connections => _connections;

    public KubeConfig Config => new() { Server = new Uri($"{(_certificate is null ? "http" : "https")}://127.0.0.1:{Port}") };

    /// <summary>A server that answers the n-th request with the n-th answer, and the last one for ever.</summary>
    public static ScriptedServer Answers(params string[] answers)
    {
        var next = 0;
        return new((_, connection) => connection.WriteAsync(answers[Math.Min(Interlocked.Increment(ref next) - 1, answers.Length - 1)]));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        Interlocked.Increment(ref _connections);
        using (client)
        {
            try
            {
                client.NoDelay = true;
                Stream stream = client.GetStream();
                if (_certificate is not null)
                {
                    var tls = new SslStream(stream);
                    var options = new SslServerAuthenticationOptions
                    {
                        ClientCertificateRequired = true,
#pragma warning disable CA5359 // A test's server looks at the client's certificate, and lets anybody in.
                        RemoteCertificateValidationCallback = (_, client, _, _) =>
                        {
                            ClientNames.Enqueue(client?.Subject);
                            return true;
                        },
#pragma warning restore CA5359
                        ServerCertificateSelectionCallback = (_, name) =>
                        {
                            ServerNames.Enqueue(name);
                            return _certificate;
                        },
                    };
                    await tls.AuthenticateAsServerAsync(options, _stop.Token);
                    stream = tls;
                }

                while (await ReadAsync(stream) is { } request)
                {
                    Requests.Enqueue(request);
                    await _script(request, new Connection(stream, client, _stop.Token));
                }
            }
            catch (Exception e)
                when (e
                        is IOException
                            or SocketException
                            or OperationCanceledException
                            or ObjectDisposedException
                            or System.Security.Authentication.AuthenticationException
                )
            {
                // The client went away, or the script closed the connection: the test looks at the client's side.
            }
        }
    }

    private async Task<ScriptedRequest?> ReadAsync(Stream stream)
    {
        List<byte> head = [];
        var one = new byte[1];
        while (!head.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
            {
                return null;
            }

            head.Add(one[0]);
        }

        var lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var first = lines[0].Split(' ');
        var headers = lines.Skip(1).Select(l => l.Split(": ", 2)).ToDictionary(p => p[0], p => p[1], StringComparer.OrdinalIgnoreCase);
        var body = new byte[headers.TryGetValue("Content-Length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0];
        await stream.ReadExactlyAsync(body, _stop.Token);
        return new(first[0], first[1], headers, body);
    }
}

/// <summary>The server's end of a connection.</summary>
public sealed class Connection(Stream stream, TcpClient client, CancellationToken stopped)
{
    public CancellationToken Stopped => stopped;

    public async Task WriteAsync(string text)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text), stopped);
        await stream.FlushAsync(stopped);
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        await stream.WriteAsync(bytes, stopped);
        await stream.FlushAsync(stopped);
    }

    public Task WriteChunkAsync(string text) => WriteAsync($"{Encoding.UTF8.GetByteCount(text):x}\r\n{text}\r\n");

    /// <summary>Cuts the connection without a word.</summary>
    public void Reset()
    {
        client.Client.LingerState = new LingerOption(true, 0);
        client.Close();
    }

    /// <summary>Says nothing more until the server stops.</summary>
    public Task SilenceAsync() => Task.Delay(Timeout.Infinite, stopped);
}

/// <summary>Answers as text.</summary>
public static class Answer
{
    public const string WatchHead = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

    public static string Json(string body, int code = 200, string headers = "") =>
        $"HTTP/1.1 {code} X\r\nContent-Type: application/json\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    public static string Text(string body, int code) =>
        $"HTTP/1.1 {code} X\r\nContent-Type: text/plain\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    public static string Status(int code, string reason, string message, string details = "{}", string headers = "") =>
        Json(
            $$"""{"kind":"Status","apiVersion":"v1","status":"Failure","message":"{{message}}","reason":"{{reason}}","details":{{details}},"code":{{code}}}""",
            code,
            headers
        );

    public static string ConfigMap(string name, string version = "1") =>
        $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}","namespace":"a","resourceVersion":"{{{version}}}"},"data":{"k":"v"}}""";

    public static string Event(string type, string obj) => $$"""{"type":"{{type}}","object":{{obj}}}""" + "\n";
}
