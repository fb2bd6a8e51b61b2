using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Berth.Edge;

/// <summary>
/// Sends the bytes of one check as they are and reads what comes back: no HTTP client would send most of them. Each request names its
/// check in
/// the header <c>Berth-Selfcheck</c>, so that who reads the access log knows what it was.
/// </summary>
internal sealed class SelfCheckProbe(SelfCheckTarget target, string check, TimeProvider clock, CancellationToken cancellationToken)
{
    /// <summary>A host that is nobody's (RFC 2606).</summary>
    public const string Foreign = "selfcheck.invalid";

    private const int MaximumAnswer = 1024 * 1024;

    /// <summary>Which deployment.</summary>
    public SelfCheckTarget Target => target;

    /// <summary>Host header of the edge.</summary>
    public string Host => target.Edge.Authority;

    /// <summary>A GET of the edge's origin, well formed.</summary>
    public async Task<RawAnswer> GetAsync(string path, params (string Name, string Value)[] headers) =>
        One(await SendAsync(target.Edge, Request("GET", path, Host, headers)));

    /// <summary>A well-formed request to the edge's origin, without a body.</summary>
    public async Task<RawAnswer> RequestAsync(string method, string path, params (string Name, string Value)[] headers) =>
        One(await SendAsync(target.Edge, Request(method, path, Host, headers)));

    /// <summary>A well-formed request to the workspace, or to the edge where none is given.</summary>
    public async Task<RawAnswer> WorkspaceAsync(string method, string path, params (string Name, string Value)[] headers)
    {
        var address = target.Workspace ?? target.Edge;
        return One(await SendAsync(address, Request(method, address.AbsolutePath.TrimEnd('/') + path, address.Authority, headers)));
    }

    /// <summary>
    /// Bytes for the edge as they are (Latin-1), behind a request line; <c>@</c> stands for the headers Host and Berth-Selfcheck.
    /// </summary>
    /// <param name="text">The request.</param>
    /// <param name="answers">How many answers end the wait; the end of the connection does always.</param>
    public Task<RawExchange> RawAsync(string text, int answers = 1) =>
        SendAsync(target.Edge, text.Replace("@", $"Host: {Host}\r\n{Marker}", StringComparison.Ordinal), answers);

    /// <summary>Whether all of them are refused; the first that is not is told.</summary>
    public async Task<SelfCheckVerdict> RefusedAsync(params (string What, string Request)[] requests)
    {
        var came = "";
        foreach (var (what, request) in requests)
        {
            var exchange = await RawAsync(request);
            came = $"{exchange.Came} for {what}";
            if (!exchange.IsRefused)
            {
                return SelfCheckVerdict.Of(false, came);
            }
        }

        return SelfCheckVerdict.Of(true, requests.Length == 1 ? came : $"{came}, as for the others");
    }

    /// <summary>The header that names the check.</summary>
    public string Marker => $"Berth-Selfcheck: {check}\r\n";

    private static RawAnswer One(RawExchange exchange) => exchange.Answers.Count > 0 ? exchange.Answers[0]
        : new RawAnswer(0, [], exchange.Came);

    private string Request(string method, string path, string host, (string Name, string Value)[] headers)
    {
        var text = new StringBuilder().Append($"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{Marker}");
        if (!headers.Any(h => h.Name == "Connection"))
        {
            text.Append("Connection: close\r\n");
        }

        foreach (var (name, value) in headers)
        {
            text.Append($"{name}: {value}\r\n");
        }

        return text.Append("\r\n").ToString();
    }

    private async Task<RawExchange> SendAsync(Uri address, string text, int answers = 1)
    {
        using var limit = new CancellationTokenSource(target.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var bytes = new MemoryStream();
        try
        {
            var (host, port) = target.Connect ?? (address.IdnHost, address.Port);
            using var socket = new TcpClient();
            await socket.ConnectAsync(host, port, either.Token);
            await using var stream = await OpenAsync(socket, address, either.Token);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(text), either.Token);
            var buffer = new byte[16 * 1024];
            int read;
            while (bytes.Length < MaximumAnswer && (read = await stream.ReadAsync(buffer, either.Token)) > 0)
            {
                bytes.Write(buffer, 0, read);
                if (RawExchange.HasWhole(bytes.ToArray(), answers))
                {
                    break;
                }
            }

            return RawExchange.Parse(bytes.ToArray(), isClosed: true);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return RawExchange.Parse(bytes.ToArray(), isClosed: false);
        }
        catch (IOException)
        {
            // Reset while it was still being sent: nobody wants to read it.
            return RawExchange.Parse(bytes.ToArray(), isClosed: true);
        }
    }

    private async Task<Stream> OpenAsync(TcpClient socket, Uri address, CancellationToken cancellation)
    {
        if (address.Scheme == "http")
        {
            return socket.GetStream();
        }

        // HTTP/1.1 by ALPN: what is checked are its bytes.
        var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = address.IdnHost,
                ApplicationProtocols = [SslApplicationProtocol.Http11],
                RemoteCertificateValidationCallback = (_, _, _, errors) => errors == SslPolicyErrors.None || target.Insecure,
            },
            cancellation);
        return tls;
    }
}
