using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Net;
using System.Threading.RateLimiting;

namespace Berth.Edge;

/// <summary>
/// Counts what <see cref="LimitPolicy"/> says, on this replica, and answers 429 where it is too much. Never waits. What nobody uses any
/// more goes by itself; clients' networks share a fixed number of places, so that a flood of addresses costs no more memory than they do.
/// </summary>
internal sealed class RequestLimits : IDisposable
{
    /// <summary>
    /// Places for networks. Two share one by chance, as the hash is another in each process: nobody can choose whom they share with.
    /// </summary>
    internal const int Slots = 65_536;

    private readonly PartitionedRateLimiter<LimitSubject>?[] _limiters;
    private readonly ImmutableArray<IPNetwork> _trustedProxies;
    private readonly IEdgePages _pages;
    private readonly Meter _meter = new(EdgeMetrics.MeterName);
    private readonly Counter<long> _refusals;

    public RequestLimits(EdgeSettings settings, IEdgePages pages)
    {
        _pages = pages;
        _trustedProxies = settings.TrustedProxies;
        _limiters = [.. Enum.GetValues<EdgeLimit>().Select(limit => Make(limit, settings.Limits))];
        _refusals = _meter.CreateCounter<long>("berth.edge.limits.refusals", "{request}",
            "Requests that were answered with 429, by limit.");
    }

    /// <summary>A request arrives.</summary>
    public Admission Arrive(CanonicalRequest request) => Enter(LimitPolicy.OnArrival(request, _trustedProxies));

    /// <summary>A request arrives that cannot be read.</summary>
    public Admission ArriveUnreadable(HttpContext context) =>
        Enter(LimitPolicy.OnUnreadable(context.Connection.RemoteIpAddress ?? IPAddress.Loopback, _trustedProxies));

    /// <summary>The credentials of a request were refused.</summary>
    public Admission RefuseCredential(CanonicalRequest request) => Enter(LimitPolicy.OnRefusedCredential(request, _trustedProxies));

    /// <summary>Whether one more refusal could still be counted; else credentials need not be looked at.</summary>
    public Admission MayTryCredential(CanonicalRequest request) => Enter(LimitPolicy.OnRefusedCredential(request, _trustedProxies), 0);

    /// <summary>The caller of a request to the edge's own origin is known.</summary>
    public Admission Admit(CanonicalRequest request, Caller caller) => Enter(LimitPolicy.OnCaller(request, caller));

    /// <summary>A request is about to be forwarded; dispose the result when that has ended.</summary>
    public Admission Forward(CanonicalRequest request, WorkspaceAccess access, bool byProxy = false) =>
        Enter(LimitPolicy.OnForwarding(request, access, byProxy));

    /// <summary>Answers a request that is too much: 429 with Retry-After, in the form the client can read.</summary>
    public Task WriteAsync(HttpContext context, Admission refused)
    {
        var limit = refused.Refused!.Value;
        _refusals.Add(1, new KeyValuePair<string, object?>("limit", NameOf(limit)));
        context.Response.Headers.RetryAfter = ((long)Math.Ceiling(refused.RetryAfter.TotalSeconds)).ToString();
        return _pages.WriteAsync(context, EdgeMessages.TooMany(limit));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _meter.Dispose();
        foreach (var limiter in _limiters)
        {
            limiter?.Dispose();
        }
    }

    /// <summary>The place a network is counted in.</summary>
    internal static int SlotOf(ulong network) => (int)((uint)HashCode.Combine(network) % Slots);

    private static PartitionedRateLimiter<LimitSubject>? Make(EdgeLimit limit, EdgeLimitOptions options) => limit switch
    {
        EdgeLimit.Address => Rate(options.Address),
        EdgeLimit.SignIn => Rate(options.SignIn),
        EdgeLimit.Person => Rate(options.Person),
        EdgeLimit.Workspace => Rate(options.Workspace),
        EdgeLimit.WorkspaceRequests => Places(options.RequestsPerWorkspace),
        EdgeLimit.PersonWebSockets => Places(options.WebSocketsPerPerson),
        _ => Places(options.WebSocketsPerWorkspace),
    };

    private static PartitionedRateLimiter<LimitSubject>? Rate(RateOptions rate) => rate.Requests == 0 ? null
        : Partitioned(_ => new TokenBucketRateLimiter(TokenBuckets.Options(rate.Requests, rate.Window)));

    private static PartitionedRateLimiter<LimitSubject>? Places(int places) => places == 0 ? null
        : Partitioned(_ => new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = places, QueueLimit = 0 }));

    // One factory for all: this runs for each request.
    private static PartitionedRateLimiter<LimitSubject> Partitioned(Func<LimitSubject, RateLimiter> make) =>
        PartitionedRateLimiter.Create<LimitSubject, LimitSubject>(subject => RateLimitPartition.Get(Key(subject), make));

    private static LimitSubject Key(LimitSubject subject) =>
        subject.First is null ? subject with { Network = (ulong)SlotOf(subject.Network) } : subject;

    private static string NameOf(EdgeLimit limit) => limit switch
    {
        EdgeLimit.Address => "address",
        EdgeLimit.SignIn => "sign-in",
        EdgeLimit.Person => "person",
        EdgeLimit.Workspace => "workspace",
        EdgeLimit.WorkspaceRequests => "workspace-requests",
        EdgeLimit.PersonWebSockets => "person-websockets",
        _ => "workspace-websockets",
    };

    private Admission Enter(ImmutableArray<LimitSubject> subjects, int permits = 1)
    {
        var held = new RateLimitLease?[subjects.Length];
        for (var i = 0; i < subjects.Length; i++)
        {
            held[i] = _limiters[(int)subjects[i].Limit]?.AttemptAcquire(subjects[i], permits);
            if (held[i] is { IsAcquired: false } failed)
            {
                var refused = new Admission(subjects[i].Limit, RetryAfter(failed), []);
                Admission.Release(held);
                return refused;
            }
        }

        return new Admission(null, TimeSpan.Zero, held);
    }

    // A place is free when somebody leaves, and nobody knows when.
    private static TimeSpan RetryAfter(RateLimitLease lease)
    {
        var least = TimeSpan.FromSeconds(1);
        return lease.TryGetMetadata(MetadataName.RetryAfter, out var time) && time > least ? time : least;
    }
}

/// <summary>What became of a request at a limit.</summary>
/// <param name="Refused">The limit that is reached, or null.</param>
/// <param name="RetryAfter">When it may pass again.</param>
/// <param name="Held">Places it has until it is disposed.</param>
internal readonly record struct Admission(EdgeLimit? Refused, TimeSpan RetryAfter, RateLimitLease?[] Held) : IDisposable
{
    /// <summary>Whether it may not pass.</summary>
    public bool IsRefused => Refused is not null;

    /// <inheritdoc/>
    public void Dispose() => Release(Held);

    /// <summary>Gives places back.</summary>
    public static void Release(RateLimitLease?[] held)
    {
        foreach (var lease in held)
        {
            lease?.Dispose();
        }
    }
}
