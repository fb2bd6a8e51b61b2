using System.Net;
using System.Net.Http.Headers;

namespace Berth.Edge;

/// <summary>A request to a provider failed. The message is for the log; it may hold text of the provider.</summary>
internal sealed class ProviderUnavailableException : Exception
{
    /// <summary>Whether it answered, and refused our client: configuration.</summary>
    public bool IsAboutUs { get; init; }

    public ProviderUnavailableException()
        : this("The provider cannot be reached.")
    {
    }

    public ProviderUnavailableException(string message)
        : base(message)
    {
    }

    public ProviderUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>HTTP to providers: no redirects, no cookies, small answers, short waits.</summary>
internal sealed class OidcBackchannel : IDisposable
{
    // Discovery documents and key sets are a few KiB; 256 KiB is a bound on what a broken provider can make us read.
    private const int MaximumAnswer = 256 * 1024;

    private readonly HttpClient _http;

    /// <summary>Makes the client; one per process.</summary>
    public OidcBackchannel()
        : this(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
    {
    }

    /// <summary>Makes the client over another way to reach providers.</summary>
    internal OidcBackchannel(HttpMessageHandler handler)
    {
        _http = new HttpClient(handler)
        {
            Timeout = TimeSpan.FromSeconds(10),
            MaxResponseContentBufferSize = MaximumAnswer,
        };
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    /// <summary>Gets a document.</summary>
    /// <exception cref="ProviderUnavailableException">No answer, or not 200.</exception>
    public async Task<byte[]> GetAsync(Uri uri, string? bearer, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        request.Headers.Authorization = bearer is null ? null : new AuthenticationHeaderValue("Bearer", bearer);
        var (status, body) = await SendAsync(request, cancellationToken);
        return status == HttpStatusCode.OK ? body : throw new ProviderUnavailableException($"GET {uri} answered {(int)status}.");
    }

    /// <summary>Posts a form; the answer may be an error of the protocol.</summary>
    /// <exception cref="ProviderUnavailableException">No answer.</exception>
    public async Task<(HttpStatusCode Status, byte[] Body)> PostAsync(
        Uri uri, IEnumerable<KeyValuePair<string, string>> form, AuthenticationHeaderValue? authorization,
            CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, uri) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Authorization = authorization;
        return await SendAsync(request, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<(HttpStatusCode Status, byte[] Body)> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.SendAsync(request, cancellationToken);
            return (response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        catch (Exception e) when (e is HttpRequestException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ProviderUnavailableException($"{request.Method} {request.RequestUri} failed: {e.Message}", e);
        }
    }
}
