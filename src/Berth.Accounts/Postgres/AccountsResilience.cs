using Npgsql;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace Berth.Accounts;

/// <summary>
/// How the store copes with a database that is slow, restarting or gone: two quick retries for what a failover explains, a time limit for
/// the whole, and a breaker so that a dead database costs the next callers nothing.
/// </summary>
internal sealed class AccountsResilience
{
    private readonly ResiliencePipeline _pipeline;
    private readonly ResiliencePipeline _patient;
    private readonly AccountsMetrics _metrics;

    public AccountsResilience(TimeProvider clock, AccountsMetrics metrics)
    {
        _metrics = metrics;
        var transient = new PredicateBuilder().Handle<Exception>(IsTransient);
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = clock }

            // A person waits for a sign-in: 8 s is as long as a page may reasonably hang before "come back later" is the better answer.
            .AddTimeout(TimeSpan.FromSeconds(8))
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = transient,
                MaxRetryAttempts = 2,
                Delay = TimeSpan.FromMilliseconds(150),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
            })

            // Opens after a handful of failures (three sign-ins with their retries), probes again after 3 s: a restarted server is noticed
            // soon.
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                ShouldHandle = transient,
                FailureRatio = 0.9,
                MinimumThroughput = 8,
                SamplingDuration = TimeSpan.FromSeconds(10),
                BreakDuration = TimeSpan.FromSeconds(3),
                StateProvider = metrics.Circuit,
            })
            .Build();

        // A migration takes the time it takes; a database that is just coming up gets half a minute.
        _patient = new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = transient,
                MaxRetryAttempts = 12,
                Delay = TimeSpan.FromMilliseconds(100),
                MaxDelay = TimeSpan.FromSeconds(5),
                BackoffType = DelayBackoffType.Exponential,
            })
            .Build();
    }

    /// <summary>Runs a database operation that may be repeated and that somebody waits for.</summary>
    /// <exception cref="AccountsUnavailableException">It did not succeed in time.</exception>
    public Task<T> RunAsync<T>(Func<CancellationToken, ValueTask<T>> operation, CancellationToken cancellationToken) =>
        RunAsync(_pipeline, operation, cancellationToken);

    /// <summary>Runs a start-up operation, without a limit of time but the caller's.</summary>
    /// <exception cref="AccountsUnavailableException">The database did not come up.</exception>
    public Task<T> RunPatientlyAsync<T>(Func<CancellationToken, ValueTask<T>> operation, CancellationToken cancellationToken) =>
        RunAsync(_patient, operation, cancellationToken);

    private async Task<T> RunAsync<T>(
        ResiliencePipeline pipeline, Func<CancellationToken, ValueTask<T>> operation, CancellationToken cancellationToken)
    {
        try
        {
            return await pipeline.ExecuteAsync(operation, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (IsUnavailable(error) || error is TimeoutRejectedException or BrokenCircuitException)
        {
            _metrics.Unavailable();
            throw new AccountsUnavailableException($"The account database cannot be used now: {error.Message}", error);
        }
    }

    /// <summary>
    /// Connection trouble, a server that starts, stops or fails over, or resources that ran out; not a statement that is wrong.
    /// </summary>
    /// <remarks>
    /// 53: disk, memory or connections used up; 57P: being shut down or started; 57014: the server's own statement limit; 58: input or
    /// output failed; 25006: a standby, or a database set to read only; 55P03: a lock that somebody else holds; 3D000: not restored yet.
    /// </remarks>
    internal static bool IsTransient(Exception error) => error switch
    {
        PostgresException p => p.IsTransient || p.SqlState.StartsWith("57P", StringComparison.Ordinal)
            || p.SqlState.StartsWith("53", StringComparison.Ordinal) || p.SqlState.StartsWith("58", StringComparison.Ordinal)
            || p.SqlState is "25006" or "3D000" or "57014" or "55P03",
        NpgsqlException => true,
        TimeoutException => true,
        System.Net.Sockets.SocketException => true,

        // Something else answers at the address, as a proxy in front of one that is gone does: Npgsql takes the text for the length of a
        // message.
        OutOfMemoryException => true,
        InvalidOperationException { InnerException: NpgsqlException } => true,
        _ => false,
    };

    /// <summary>
    /// What a caller can only be told to come back for: what passes by itself, and a schema that is behind or was taken back while this
    /// program runs. The second is not tried again at once: a migration takes longer than that.
    /// </summary>
    internal static bool IsUnavailable(Exception error) => IsTransient(error) || error is PostgresException
    {
        SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.UndefinedFunction
            or PostgresErrorCodes.InvalidSchemaName,
    };
}
