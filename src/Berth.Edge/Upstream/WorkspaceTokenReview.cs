using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Edge;

/// <summary>What the API server says of a token.</summary>
internal enum ReviewOutcome
{
    /// <summary>It is good.</summary>
    Good,

    /// <summary>It is not.</summary>
    Bad,

    /// <summary>The API server does not answer, or was asked too often.</summary>
    Unknown,
}

/// <summary>
/// Asks the API server about workspaces' tokens (TokenReview) and remembers what it said, by the SHA-256 of a token. Whether the workspace
/// still runs is not remembered: that is looked at on each call, in memory.
/// </summary>
internal sealed partial class WorkspaceTokenReview : IDisposable
{
    // A pod that is deleted takes its tokens with it, which the table of endpoints tells sooner than this.
    private static readonly TimeSpan GoodFor = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan BadFor = TimeSpan.FromSeconds(10);
    private const int Capacity = 20_000;

    // An API server that takes longer than this is one that does not answer: the program is told to come back.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, (ReviewOutcome Outcome, DateTimeOffset Until)> _known = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Task<ReviewOutcome>>> _flights = new(StringComparer.Ordinal);
    private readonly IKubeClient _kube;
    private readonly UpstreamMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<WorkspaceTokenReview> _logger;

    // A thousand programs that start at once are served; a program that makes tokens up becomes neither the API server's problem nor that
    // of its neighbours: a pod has few tokens, and a share of its own comes first.
    private readonly PartitionedRateLimiter<string> _limit = PartitionedRateLimiter.CreateChained(
        PartitionedRateLimiter.Create<string, string>(pod => RateLimitPartition.GetTokenBucketLimiter(pod, static _ => Limit(20, 1))),
        PartitionedRateLimiter.Create<string, int>(_ => RateLimitPartition.GetTokenBucketLimiter(0, static _ => Limit(1000, 100))));

    public WorkspaceTokenReview(IKubeClient kube, UpstreamMetrics metrics, TimeProvider clock, ILogger<WorkspaceTokenReview> logger) =>
        (_kube, _metrics, _clock, _logger) = (kube, metrics, clock, logger);

    /// <summary>Finds out whether a token is what it says.</summary>
    public async ValueTask<ReviewOutcome> ReviewAsync(string token, WorkspaceToken says, CancellationToken cancellationToken)
    {
        var hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (_known.TryGetValue(hash, out var known) && _clock.GetUtcNow() < known.Until)
        {
            return known.Outcome;
        }

        // One question, however many calls a program begins with; it goes on when the first of them is given up.
        var flight = _flights.GetOrAdd(hash, _ => new Lazy<Task<ReviewOutcome>>(() => AskOnceAsync(hash, token, says)));
        return await flight.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _limit.Dispose();

    private static TokenBucketRateLimiterOptions Limit(int burst, int perSecond) => new()
    {
        TokenLimit = burst,
        TokensPerPeriod = perSecond,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        QueueLimit = 0,
    };

    private async Task<ReviewOutcome> AskOnceAsync(string hash, string token, WorkspaceToken says)
    {
        try
        {
            return await AskAndRememberAsync(hash, token, says).ConfigureAwait(false);
        }
        finally
        {
            _flights.TryRemove(hash, out _);
        }
    }

    private async Task<ReviewOutcome> AskAndRememberAsync(string hash, string token, WorkspaceToken says)
    {
        using (var lease = _limit.AttemptAcquire(says.PodUid))
        {
            if (!lease.IsAcquired)
            {
                _metrics.Reviewed("limited");
                return ReviewOutcome.Unknown;
            }
        }

        using var limit = new CancellationTokenSource(LongestWait, _clock);
        var outcome = await AskAsync(token, says, limit.Token).ConfigureAwait(false);
        _metrics.Reviewed(outcome.ToString().ToLowerInvariant());
        if (outcome != ReviewOutcome.Unknown)
        {
            var now = _clock.GetUtcNow();
            Remember(hash, outcome, outcome == ReviewOutcome.Good && says.ExpiresAt < now + GoodFor ? says.ExpiresAt
                : now + (outcome == ReviewOutcome.Good ? GoodFor : BadFor));
        }

        return outcome;
    }

    private async Task<ReviewOutcome> AskAsync(string token, WorkspaceToken says, CancellationToken cancellationToken)
    {
        try
        {
            var review = await _kube.CreateAsync(
                new TokenReview { Spec = new TokenReviewSpec { Token = token, Audiences = [ApiAccess.Audience] } }, null, cancellationToken)
                .ConfigureAwait(false);

            // Audiences: a server that knows nothing of them would accept tokens meant for anybody. Pod: what was verified, not what was
            // read.
            var status = review.Status;
            var extra = status?.User?.Extra;
            return status is { Authenticated: true } && status.Audiences?.Contains(ApiAccess.Audience) == true
                && status.User?.Username?.StartsWith($"system:serviceaccount:{says.Namespace}:", StringComparison.Ordinal) == true
                && extra?.GetValueOrDefault("authentication.kubernetes.io/pod-uid") is [var uid] && uid == says.PodUid
                && extra.GetValueOrDefault("authentication.kubernetes.io/pod-name") is [var name] && name == says.PodName
                ? ReviewOutcome.Good
                : ReviewOutcome.Bad;
        }
        catch (Exception error) when (error is KubeException or HttpRequestException or TimeoutException or IOException
            or OperationCanceledException)
        {
            LogFailed(error.Message);
            return ReviewOutcome.Unknown;
        }
    }

    private void Remember(string hash, ReviewOutcome outcome, DateTimeOffset until)
    {
        if (_known.Count >= Capacity)
        {
            // Rare, and costs one question for each token in use.
            _known.Clear();
        }

        _known[hash] = (outcome, until);
    }

    [LoggerMessage(5603, LogLevel.Warning, "The API server did not review a workspace's token: {Reason}")]
    private partial void LogFailed(string reason);
}
