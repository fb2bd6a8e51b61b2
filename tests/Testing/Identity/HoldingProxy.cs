using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Testing;

/// <summary>Forwards everything to a provider; counts refreshes, and holds or spoils their answers when a test says so.</summary>
public sealed class HoldingProxy : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly HttpClient _http;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private int _refreshes;

    private HoldingProxy(int upstream)
    {
        var port = LoopbackPort.Free();
        Origin = $"http://127.0.0.1:{port}";
        _listener.Prefixes.Add($"{Origin}/");
        _listener.Start();
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{upstream}"),
        };
        _loop = RunAsync();
    }

    public string Origin { get; }

    /// <summary>Refresh requests that the provider has answered.</summary>
    public int Refreshes => _refreshes;

    /// <summary>Newest refresh token that the provider gave, by the subject of the access token that came with it.</summary>
    public ConcurrentDictionary<string, string> RefreshTokens { get; } = new();

    /// <summary>Awaited after the provider's answer to a refresh and before it is passed on.</summary>
    public Func<Task>? Hold { get; set; }

    /// <summary>Status to answer in the place of the provider's answer to a refresh; null passes it on.</summary>
    public int? Spoil { get; set; }

    internal static HoldingProxy Start(int upstream) => new(upstream);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Abort();
        await _loop;
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                _ = Task.Run(() => ForwardAsync(context));
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }
        }
    }

    private async Task ForwardAsync(HttpListenerContext context)
    {
        try
        {
            var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            var isToken = context.Request.RawUrl == "/token";
            var isRefresh = isToken
                && Encoding.ASCII.GetString(body.ToArray()).Contains("grant_type=refresh_token", StringComparison.Ordinal);
            using var request = new HttpRequestMessage(new HttpMethod(context.Request.HttpMethod), context.Request.RawUrl);
            if (body.Length > 0)
            {
                request.Content = new ByteArrayContent(body.ToArray());
            }

            foreach (var name in context.Request.Headers.AllKeys.OfType<string>())
            {
                var value = context.Request.Headers[name];
                if (!request.Headers.TryAddWithoutValidation(name, value))
                {
                    request.Content?.Headers.TryAddWithoutValidation(name, value);
                }
            }

            using var answer = await _http.SendAsync(request);
            var bytes = await answer.Content.ReadAsByteArrayAsync();
            if (isToken && answer.IsSuccessStatusCode)
            {
                Note(JsonNode.Parse(bytes)!);
            }

            if (isRefresh)
            {
                Interlocked.Increment(ref _refreshes);
                if (Hold is { } hold)
                {
                    await hold();
                }
            }

            var spoiled = isRefresh && Spoil is not null;
            context.Response.StatusCode = spoiled ? Spoil!.Value : (int)answer.StatusCode;
            foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
            {
                if (name is not ("Transfer-Encoding" or "Content-Length" or "Connection" or "Keep-Alive"))
                {
                    context.Response.Headers.Add(name, string.Join(", ", values));
                }
            }

            context.Response.Close(spoiled ? "spoiled"u8.ToArray() : bytes, willBlock: false);
        }
        catch (Exception error) when (error is HttpListenerException or HttpRequestException or IOException or ObjectDisposedException)
        {
            // Whoever asked has gone, or everything ends.
        }
    }

    private void Note(JsonNode answer)
    {
        if ((string?)answer["refresh_token"] is { } refreshToken && (string?)answer["access_token"] is { } accessToken)
        {
            RefreshTokens[ForeignProvider.SubjectOf(accessToken)] = refreshToken;
        }
    }
}
