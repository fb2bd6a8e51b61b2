using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Accounts;

/// <summary>Token and revocation requests over HTTP: no redirects, no cookies, small answers; bodies with tokens are zeroed.</summary>
internal sealed class OAuthProvider : IVaultProvider, IDisposable
{
    // Discovery and token answers are a few KiB; a bound on what a broken provider can make us read.
    private const int MaximumAnswer = 256 * 1024;

    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan DiscoveryLife = TimeSpan.FromMinutes(10);
    private readonly ConcurrentDictionary<string, Discovered> _discovered = new(StringComparer.Ordinal);
    private readonly HttpClient _http;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _timeout;

    public OAuthProvider(TimeSpan timeout, TimeProvider clock, HttpMessageHandler? handler = null)
    {
        _clock = clock;
        _timeout = timeout;
        _http = new HttpClient(handler ?? new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),

            // The provider's view of our calls is not its business, and a header with an id of a person's request even less.
            ActivityHeadersPropagator = null,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = MaximumAnswer,
        };
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    public async Task<TokenAnswer> RefreshAsync(VaultConnection connection, Secret refreshToken, CancellationToken cancellationToken)
    {
        using var form = new SecretForm();
        form.Add("grant_type", "refresh_token").Add("refresh_token", refreshToken.Bytes);

        // Scopes are left out: the same as before, and some providers refuse even the same ones in another order.
        AddResource(form, connection);
        return await AskAsync(connection, form, cancellationToken).ConfigureAwait(false);
    }

    public async Task<TokenAnswer> RedeemAsync(
        VaultConnection connection, string code, string verifier, string redirectUri, CancellationToken cancellationToken)
    {
        using var form = new SecretForm();
        form.Add("grant_type", "authorization_code").Add("code", code).Add("redirect_uri", redirectUri).Add("code_verifier", verifier);
        AddResource(form, connection);
        return await AskAsync(connection, form, cancellationToken).ConfigureAwait(false);
    }

    public async Task<RevocationAnswer> RevokeAsync(
        VaultConnection connection, Secret refreshToken, CancellationToken cancellationToken)
    {
        using var form = new SecretForm();
        form.Add("token", refreshToken.Bytes).Add("token_type_hint", "refresh_token");
        var (endpoints, _) = await DiscoverAsync(connection.Issuer, cancellationToken).ConfigureAwait(false);
        if (endpoints is null)
        {
            return RevocationAnswer.Failed;
        }

        if (endpoints.Revocation is null)
        {
            return RevocationAnswer.Impossible;
        }

        var (status, body, _, _) = await PostAsync(endpoints.Revocation, connection, endpoints, form, cancellationToken)
            .ConfigureAwait(false);
        CryptographicOperations.ZeroMemory(body);
        return status switch
        {
            >= 200 and < 300 => RevocationAnswer.Done,

            // RFC 7009, 2.2: 400 for a kind of token that cannot be revoked; a wrong client may be corrected.
            400 => RevocationAnswer.Impossible,
            _ => RevocationAnswer.Failed,
        };
    }

    public void Dispose() => _http.Dispose();

    private static void AddResource(SecretForm form, VaultConnection connection)
    {
        if (connection.Resource is { } resource)
        {
            form.Add("resource", resource);
        }
    }

    private async Task<TokenAnswer> AskAsync(VaultConnection connection, SecretForm form, CancellationToken cancellationToken)
    {
        var (endpoints, problem) = await DiscoverAsync(connection.Issuer, cancellationToken).ConfigureAwait(false);
        if (endpoints is null)
        {
            return TokenAnswer.Failed(TokenAnswerKind.NotDone, problem!);
        }

        var (status, body, retryAfter, failure) = await PostAsync(endpoints.Token, connection, endpoints, form, cancellationToken)
            .ConfigureAwait(false);
        if (status is null)
        {
            return failure!;
        }

        try
        {
            return TokenAnswerParser.Parse(status.Value, body, retryAfter);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(body);
        }
    }

    private async Task<(int? Status, byte[] Body, TimeSpan? RetryAfter, TokenAnswer? Failure)> PostAsync(
        Uri uri, VaultConnection connection, ProviderEndpoints endpoints, SecretForm form, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, uri);
        if (connection.ClientSecret is { } secret && !endpoints.UsesPost)
        {
            // RFC 6749, 2.3.1: both halves are form-encoded before they are joined.
            var pair = $"{WebUtility.UrlEncode(connection.ClientId)}:{WebUtility.UrlEncode(secret)}";
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
        }
        else
        {
            form.Add("client_id", connection.ClientId);
            if (connection.ClientSecret is not null)
            {
                form.Add("client_secret", connection.ClientSecret);
            }
        }

        request.Content = form.ToContent();
        using var limit = new CancellationTokenSource(_timeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var response = await _http.SendAsync(request, either.Token).ConfigureAwait(false);
            var body = await response.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false);
            return ((int)response.StatusCode, body, RetryAfter(response), null);
        }
        catch (HttpRequestException error)
        {
            // Only what failed before a byte was sent is certain not to have been done.
            var before = error.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError;
            return (null, [], null, TokenAnswer.Failed(
                before ? TokenAnswerKind.NotDone : TokenAnswerKind.Unknown, before ? "it cannot be reached" : "it broke off"));
        }
        catch (OperationCanceledException)
        {
            return (null, [], null, TokenAnswer.Failed(TokenAnswerKind.Unknown, "it did not answer in time"));
        }
    }

    private async Task<(ProviderEndpoints? Endpoints, string? Problem)> DiscoverAsync(string issuer, CancellationToken cancellationToken)
    {
        var known = _discovered.GetValueOrDefault(issuer);
        if (known is not null && _clock.GetElapsedTime(known.At) < DiscoveryLife)
        {
            return (known.Endpoints, null);
        }

        var (endpoints, problem) = await FetchAsync(issuer, cancellationToken).ConfigureAwait(false);
        if (endpoints is not null)
        {
            _discovered[issuer] = new Discovered(endpoints, _clock.GetTimestamp());
            return (endpoints, null);
        }

        // What was known stays in use while the provider's discovery is away.
        return (known?.Endpoints, problem);
    }

    private async Task<(ProviderEndpoints? Endpoints, string? Problem)> FetchAsync(string issuer, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_timeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var uri = new Uri(issuer.TrimEnd('/') + "/.well-known/openid-configuration");
            using var response = await _http.GetAsync(uri, either.Token).ConfigureAwait(false);
            return response.StatusCode == HttpStatusCode.OK
                ? ProviderEndpoints.Parse(await response.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false), issuer)
                : (null, $"its discovery document answered {(int)response.StatusCode}");
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
        {
            return (null, "it cannot be reached");
        }
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        // A date is the provider's clock, so it is compared with the provider's own Date.
        var header = response.Headers.RetryAfter;
        var wait = header?.Delta ?? (header?.Date - (response.Headers.Date ?? _clock.GetUtcNow()));
        return wait is null ? null : wait < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1)
            : wait > LongestRetryAfter ? LongestRetryAfter : wait;
    }

    private sealed record Discovered(ProviderEndpoints Endpoints, long At);
}
