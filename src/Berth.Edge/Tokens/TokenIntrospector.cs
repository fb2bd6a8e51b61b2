using System.Buffers;
using System.Net;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace Berth.Edge;

/// <summary>Asks the provider about opaque tokens (RFC 7662), where one is configured for that.</summary>
/// <remarks>
/// <code>
/// remembered (by SHA-256, never the token) -> answer
/// else one request per token, whoever waits for it; at most 64 tokens at a time
///   active   -> remembered until exp, at most CacheFor
///   inactive -> remembered for a few seconds
///   no answer, error, nonsense -> <see cref="TokenError.Unverifiable"/>, not remembered; after a handful the provider is let alone for 5 s
/// </code>
/// An opaque token does not say whose it is, so it is shown to the one provider that is configured for it, and a JWT to none.
/// </remarks>
internal sealed class TokenIntrospector : IDisposable
{
    // Made-up tokens cost the provider one request each; so many at once, and no more.
    private const int MostFlights = 64;

    private const int Shortest = 16;
    private const int Longest = 4096;
    private static readonly TimeSpan NegativeLife = TimeSpan.FromSeconds(10);

    // b64token of RFC 6750, 2.1.
    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");

    private readonly IdentityProvider? _provider;
    private readonly OidcBackchannel _backchannel;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly ResiliencePipeline? _pipeline;
    private readonly TokenCache<IntrospectedToken> _known = new(10_000);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<IntrospectedToken>> _flights = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _lifetime = new();

    public TokenIntrospector(
        IdentityProviders providers, OidcBackchannel backchannel, TimeProvider clock, ILogger<TokenIntrospector> logger)
    {
        _provider = providers.All.FirstOrDefault(p => p.Settings.Introspection is not null);
        _backchannel = backchannel;
        _clock = clock;
        _logger = logger;
        if (_provider is null)
        {
            return;
        }

        var failed = new PredicateBuilder().Handle<ProviderUnavailableException>().Handle<TimeoutRejectedException>();
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                ShouldHandle = failed,
                FailureRatio = 0.5,
                MinimumThroughput = 5,
                SamplingDuration = TimeSpan.FromSeconds(30),
                BreakDuration = TimeSpan.FromSeconds(5),
            })
            .AddTimeout(_provider.Settings.Introspection!.Timeout)
            .Build();
    }

    /// <summary>The provider that is asked; null when introspection is off.</summary>
    public IdentityProvider? Provider => _provider;

    /// <summary>Whether a text can be an opaque token that somebody can be asked about; a JWS never is.</summary>
    public bool Takes(string token) => _provider is not null && token.Length is >= Shortest and <= Longest
        && token.AsSpan().IndexOfAnyExcept(Characters) < 0
        && !(token.StartsWith("eyJ", StringComparison.Ordinal) && token.AsSpan().Count('.') == 2);

    /// <summary>Whether a token is good, and its claims.</summary>
    /// <param name="token">A token that <see cref="Takes"/> has taken.</param>
    /// <param name="hash">Its SHA-256.</param>
    /// <param name="cancellationToken">Ends the wait of this caller; the question goes on for the others.</param>
    public async ValueTask<(JwtClaims? Claims, TokenError Error)> AskAsync(string token, string hash, CancellationToken cancellationToken)
    {
        if (_known.Find(hash) is { } known && _clock.GetElapsedTime(known.At) < known.Life)
        {
            return (known.Claims, known.Error);
        }

        Task<IntrospectedToken>? flight;
        lock (_gate)
        {
            if (!_flights.TryGetValue(hash, out flight))
            {
                if (_flights.Count >= MostFlights)
                {
                    return (null, TokenError.Unverifiable);
                }

                // Begins on another thread: nothing of it runs under the lock.
                flight = _flights[hash] = Task.Run(() => RunAsync(token, hash));
            }
        }

        var answer = await flight.WaitAsync(cancellationToken).ConfigureAwait(false);
        return (answer.Claims, answer.Error);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lifetime.Cancel();
        _lifetime.Dispose();
    }

    private async Task<IntrospectedToken> RunAsync(string token, string hash)
    {
        try
        {
            var error = TokenError.Unverifiable;
            JwtClaims? claims = null;
            await _pipeline!.ExecuteAsync(
                async cancellationToken => (error, claims) = await AskProviderAsync(token, cancellationToken).ConfigureAwait(false),
                _lifetime.Token).ConfigureAwait(false);
            var settings = _provider!.Settings.Introspection!;
            var most = claims is null && settings.CacheFor > NegativeLife ? NegativeLife : settings.CacheFor;
            var left = claims is null ? most : claims.ExpiresAt - _clock.GetUtcNow();
            var answer = new IntrospectedToken(claims, error, _clock.GetTimestamp(), left < most ? left : most);
            _known.Add(hash, answer);
            return answer;
        }
        catch (Exception error) when (error is ProviderUnavailableException or TimeoutRejectedException or BrokenCircuitException
            or OperationCanceledException or ObjectDisposedException)
        {
            SignInLog.NotIntrospected(_logger, _provider!.Settings.Issuer, error.Message);
            return new IntrospectedToken(null, TokenError.Unverifiable, _clock.GetTimestamp(), TimeSpan.Zero);
        }
        finally
        {
            lock (_gate)
            {
                _flights.Remove(hash);
            }
        }
    }

    private async Task<(TokenError Error, JwtClaims? Claims)> AskProviderAsync(string token, CancellationToken cancellationToken)
    {
        var metadata = (await _provider!.GetAsync(cancellationToken).ConfigureAwait(false)).Metadata;
        var endpoint = metadata.IntrospectionEndpoint
            ?? throw new ProviderUnavailableException("the discovery document names no introspection_endpoint, or not one of https");
        var form = new List<KeyValuePair<string, string>> { new("token", token), new("token_type_hint", "access_token") };
        var authorization = ClientCredentials.Apply(form, _provider.Settings, metadata.IntrospectionAuthentication);
        var (status, body) = await _backchannel.PostAsync(endpoint, form, authorization, cancellationToken).ConfigureAwait(false);
        if (status != HttpStatusCode.OK)
        {
            // 401 and 403 are about our client, not about the token.
            throw new ProviderUnavailableException($"the introspection endpoint answered {(int)status}");
        }

        var error = IntrospectionAnswer.Read(body, _provider.Settings, _clock.GetUtcNow(), out var claims);
        return error != TokenError.Unverifiable ? (error, claims)
            : throw new ProviderUnavailableException("the introspection endpoint's answer has no active that is true or false");
    }
}

/// <summary>What was learned of an opaque token.</summary>
/// <param name="Claims">Its claims; null when it is not accepted.</param>
/// <param name="Error">Why not.</param>
/// <param name="At">Monotonic time of the answer.</param>
/// <param name="Life">How long the answer counts.</param>
internal sealed record IntrospectedToken(JwtClaims? Claims, TokenError Error, long At, TimeSpan Life);
