using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using Kube.Client.Auth;
using Microsoft.Extensions.Logging;

namespace Kube.Client.Http;

/// <summary>Sends requests: credentials, connections, retries, errors.</summary>
/// <remarks>
/// Watches have connections of their own: a hundred of them on the connection of the requests would share its flow control window and its
/// limit of streams, and the ping that finds a dead watch would keep idle request connections open for ever.
/// </remarks>
internal sealed class KubeTransport : IDisposable
{
    private readonly KubeConfig _config;
    private readonly KubeClientOptions _options;
    private readonly CredentialSource _credentials;
    private readonly HttpMessageInvoker _requests;
    private readonly HttpMessageInvoker _watches;
    private readonly ILogger _log;
    private readonly string _prefix;

    public KubeTransport(KubeConfig config, KubeClientOptions options)
    {
        _config = config;
        _options = options;
        _log = options.LoggerFactory.CreateLogger("Kube.Client");
        _credentials = CredentialSource.For(config, options.TimeProvider);
        _prefix = config.Server.AbsolutePath.TrimEnd('/');
        _requests = new(Handler(watches: false));
        _watches = new(Handler(watches: true));
    }

    /// <summary>The answer to a request, successful and with its body unread; the caller disposes it.</summary>
    /// <exception cref="KubeException">The server refused, or could not be reached.</exception>
    public async Task<HttpResponseMessage> SendAsync(KubeRequest request, CancellationToken cancellationToken)
    {
        var refused = false;
        for (var tries = 1; ; tries++)
        {
            var (response, error, outcome) = await TryAsync(request, cancellationToken);
            if (response is not null)
            {
                return response;
            }

            if (error!.Code == 401 && !refused && _credentials.Refused() && request.Idempotent)
            {
                refused = true;
                continue;
            }

            if (RetryPolicy.NextWait(request.Idempotent, tries, outcome, Jitter(), _options) is not { } wait)
            {
                throw error;
            }

            KubeClientLog.Retrying(_log, request.Method.Method, PathOnly(request), tries, wait.TotalMilliseconds, error.Message);
            await Task.Delay(wait, _options.TimeProvider, cancellationToken);
        }
    }

    public void Dispose()
    {
        _requests.Dispose();
        _watches.Dispose();
        (_credentials as IDisposable)?.Dispose();
    }

    private async Task<(HttpResponseMessage? Response, KubeException? Error, TryOutcome Outcome)> TryAsync(
        KubeRequest request,
        CancellationToken cancellationToken
    )
    {
        using var message = await MessageAsync(request, cancellationToken);
        using var limit = new CancellationTokenSource(_options.RequestTimeout, _options.TimeProvider);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var response = await (request.LongRunning ? _watches : _requests).SendAsync(message, both.Token);
            if (response.IsSuccessStatusCode)
            {
                return (response, null, default);
            }

            using (response)
            {
                var error = await StatusReading.ReadAsync(response, _options.TimeProvider.GetUtcNow(), both.Token);
                return (null, error, new(response.StatusCode, error.RetryAfter, false));
            }
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            var error = new KubeException(
                $"The Kubernetes API at {_config.Server} did not answer within {_options.RequestTimeout.TotalSeconds:0} s.",
                e
            );
            return (null, error, new(null, null, Retryable: false));
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return (null, Unreachable(e), new(null, null, e.InnerException is not AuthenticationException));
        }
    }

    private KubeException Unreachable(Exception e)
    {
        var cause = e;
        while (cause.InnerException is { } inner)
        {
            cause = inner;
        }

        return cause is AuthenticationException && cause.Message.StartsWith("The Kubernetes API", StringComparison.Ordinal)
            ? new KubeException(cause.Message, e)
            : new KubeException($"The Kubernetes API at {_config.Server} cannot be reached: {cause.Message}", e);
    }

    private async Task<HttpRequestMessage> MessageAsync(KubeRequest request, CancellationToken cancellationToken)
    {
        var message = new HttpRequestMessage(request.Method, Address(request.PathAndQuery))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        if (request.ContentType is not null || !request.Body.IsEmpty)
        {
            message.Content = new ReadOnlyMemoryContent(request.Body);
            message.Content.Headers.TryAddWithoutValidation("Content-Type", request.ContentType ?? "application/json");
        }

        message.Headers.TryAddWithoutValidation("Accept", request.Accept);
        message.Headers.TryAddWithoutValidation("User-Agent", _options.UserAgent);
        if (_config.TlsServerName is { } name)
        {
            // SocketsHttpHandler takes the name it sends as SNI and checks from the Host header; its own options are overwritten.
            message.Headers.Host = name;
        }

        Impersonate(message.Headers);
        message.Headers.Authorization = await _credentials.GetAsync(cancellationToken);
        return message;
    }

    private void Impersonate(HttpRequestHeaders headers)
    {
        var credentials = _config.Credentials;
        if (credentials.ImpersonateUser is { } user)
        {
            headers.TryAddWithoutValidation("Impersonate-User", user);
            headers.TryAddWithoutValidation("Impersonate-Group", credentials.ImpersonateGroups);
            if (credentials.ImpersonateUid is { } uid)
            {
                headers.TryAddWithoutValidation("Impersonate-Uid", uid);
            }
        }
    }

    private Uri Address(string pathAndQuery)
    {
        if (!pathAndQuery.StartsWith('/') || pathAndQuery.StartsWith("//", StringComparison.Ordinal))
        {
            throw new ArgumentException("A path of the API starts with one slash.", nameof(pathAndQuery));
        }

        return new Uri($"{_config.Server.GetLeftPart(UriPartial.Authority)}{_prefix}{pathAndQuery}");
    }

    private SocketsHttpHandler Handler(bool watches)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = ServerTrust.For(_config, () => _credentials.ClientCertificate),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            EnableMultipleHttp2Connections = true,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            // client-go's numbers (kubernetes/kubernetes#121308): a dead peer is found within 45 s.
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
            KeepAlivePingPolicy = watches ? HttpKeepAlivePingPolicy.Always : HttpKeepAlivePingPolicy.WithActiveRequests,
            // So that a server behind a changing address is found again; a watch would be cut by it.
            PooledConnectionLifetime = watches ? Timeout.InfiniteTimeSpan : TimeSpan.FromMinutes(10),
        };
        if (_config.ProxyUrl is { } proxy)
        {
            handler.Proxy = new WebProxy(proxy);
        }
        else
        {
            // As Go's ProxyFromEnvironment: never for loopback, whatever the environment says.
            handler.UseProxy = !_config.Server.IsLoopback;
        }

        return handler;
    }

#pragma warning disable CA5394 // Spreads load; nothing secret depends on it.
    private static double Jitter() => Random.Shared.NextDouble();
#pragma warning restore CA5394

    private static string PathOnly(KubeRequest request) => request.PathAndQuery.Split('?', 2)[0];
}
