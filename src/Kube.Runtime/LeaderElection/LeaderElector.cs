using Kube.Client;
using Kube.Client.Models;
using Microsoft.Extensions.Logging;

namespace Kube.Runtime;

/// <summary>Competes for a Lease, leads once, and makes sure that what it leads stops before anybody else can.</summary>
/// <remarks>
/// <code>
/// renewal sent ├──────────── 10 s RenewDeadline ───────────┤ Token cancelled ├── 5 s ──┤ another may lead (15 s after it saw the renewal)
/// </code>
/// Guarantees: no clock is compared with another machine's (expiry is the local time since the record was last seen to change); the
/// deadline counts
/// from when a renewal was sent, so a slow answer cannot stretch it; after a term ends this elector never leads again. Assumption: clocks
/// run at about the
/// same speed everywhere. Caveat: no lease can stop a request that is already on its way: writes must also carry a resourceVersion or the
/// epoch.
/// </remarks>
public sealed class LeaderElector
{
    private readonly IKubeClient _client;
    private readonly LeaderElectionOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _lease;
    private int _started;

    // Of the loop alone.
    private Lease? _observed;
    private long _observedAt;
    private string? _loggedHolder;

    private long _renewedAt;
    private volatile bool _leads;
    private long _sleeps;

    /// <summary>Creates an elector.</summary>
    /// <exception cref="ArgumentException">The options contradict each other; the message says all that is wrong.</exception>
    public LeaderElector(IKubeClient client, LeaderElectionOptions options, TimeProvider time, ILogger<LeaderElector> logger)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(logger);
        options.Validate();
        _client = client;
        _options = options;
        _time = time;
        _logger = logger;
        _lease = $"{options.Namespace}/{options.Name}";
    }

    /// <summary>For tests: how often it has gone to sleep, so that a test moves the clock only when a timer waits for it.</summary>
    internal long Sleeps => Interlocked.Read(ref _sleeps);

    /// <summary>Whether this candidate leads now.</summary>
    public bool IsLeader => _leads;

    /// <summary>False when it believes to lead but has not renewed for the lease's duration and the tolerance: something keeps it from
    /// noticing its own end.</summary>
    public bool IsHealthy(TimeSpan tolerance) =>
        !_leads || _time.GetElapsedTime(Volatile.Read(ref _renewedAt)) <= _options.LeaseDuration + tolerance;

    /// <summary>Waits until it leads, then runs <paramref name="lead"/> until the term ends. May be called once.</summary>
    /// <param name="lead">What the leader does; must end soon when <see cref="Leadership.Token"/> is cancelled.</param>
    /// <param name="cancellationToken">Stops waiting or leading; the lease is then given back.</param>
    /// <exception cref="LeadershipLostException">The lease was lost. The customary answer is to end the process and let it be started
    /// anew.</exception>
    public async Task RunAsync(Func<Leadership, Task> lead, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lead);
        if (Interlocked.Exchange(ref _started, 1) != 0)
        {
            throw new InvalidOperationException($"The elector for {_lease} has been started before; a term does not come back.");
        }

        LeaderElectionLog.Competing(_logger, _options.Identity, _lease);
        if (!await AcquireAsync(cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        using var deadline = new CancellationTokenSource(Left(), _time);
        using var term = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        _leads = true;
        var leadership = new Leadership(_options.Identity, _observed!.Spec?.LeaseTransitions ?? 0, term.Token);
        LeaderElectionLog.Leads(_logger, _options.Identity, _lease, leadership.Epoch);
        var leading = Task.Run(() => lead(leadership), CancellationToken.None);
        string? lost;
        try
        {
            lost = await RenewAsync(leading, deadline, term.Token, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _leads = false;
            await term.CancelAsync().ConfigureAwait(false);
        }

        if (lost is not null)
        {
            LeaderElectionLog.Lost(_logger, _options.Identity, _lease, lost);
        }

        try
        {
            // Not released before all that was led has ended.
            await leading.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (term.IsCancellationRequested)
        {
            // It ended because it was told to.
        }
        finally
        {
            if (lost is null && _options.ReleaseOnCancel)
            {
                await ReleaseAsync().ConfigureAwait(false);
            }
        }

        if (lost is not null)
        {
            throw new LeadershipLostException($"{_options.Identity} lost the lease {_lease}: {lost}");
        }
    }

    private Task Sleep(TimeSpan period, CancellationToken cancellationToken)
    {
        var sleep = Task.Delay(period, _time, cancellationToken);
        Interlocked.Increment(ref _sleeps);
        return sleep;
    }

    private TimeSpan Left()
    {
        var left = _options.RenewDeadline - _time.GetElapsedTime(Volatile.Read(ref _renewedAt));
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private async Task<bool> AcquireAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (!await TryAsync(cancellationToken).ConfigureAwait(false))
            {
                // Jitter is a matter of spreading load, not of secrets.
#pragma warning disable CA5394
                await Sleep(
                        _options.RetryPeriod * (1 + (Random.Shared.NextDouble() * LeaderElectionOptions.JitterFactor)),
                        cancellationToken
                    )
                    .ConfigureAwait(false);
#pragma warning restore CA5394
            }

            return true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Renews until the term ends; returns why it was lost, or null when it was ended by the caller or by what was led.</summary>
    private async Task<string?> RenewAsync(Task leading, CancellationTokenSource deadline, CancellationToken term, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await Task.WhenAny(leading, Sleep(_options.RetryPeriod, term)).ConfigureAwait(false);
                if (leading.IsCompleted)
                {
                    return null;
                }

                term.ThrowIfCancellationRequested();
                if (await TryAsync(term).ConfigureAwait(false))
                {
                    deadline.CancelAfter(Left());
                }
                else if (_observed?.Spec?.HolderIdentity is { Length: > 0 } holder && holder != _options.Identity)
                {
                    return $"{holder} took it over.";
                }
            }
        }
        catch (OperationCanceledException) when (term.IsCancellationRequested)
        {
            return stop.IsCancellationRequested ? null : $"it could not be renewed for {_options.RenewDeadline}.";
        }
    }

    /// <summary>One attempt to get or keep the lease; false for every failure but the caller's cancellation.</summary>
    private async Task<bool> TryAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_options.RenewDeadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var sent = _time.GetTimestamp();
        try
        {
            if (!await TryFastAsync(either.Token).ConfigureAwait(false) && !await TryFullAsync(either.Token).ConfigureAwait(false))
            {
                return false;
            }

            Volatile.Write(ref _renewedAt, sent);
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LeaderElectionLog.Failed(_logger, _lease, e.Message);
            return false;
        }
    }

    /// <summary>The leader's usual way: one write with the version it remembers.</summary>
    private async Task<bool> TryFastAsync(CancellationToken cancellationToken)
    {
        if (
            !_leads
            || _observed is null
            || LeasePolicy.Decide(_observed.Spec, Expired(), _options, _time.GetUtcNow()) is not { Renews: true } decision
        )
        {
            return false;
        }

        try
        {
            Observe(await _client.ReplaceAsync(_observed with { Spec = decision.Spec }, null, cancellationToken).ConfigureAwait(false));
            return true;
        }
        catch (KubeException)
        {
            // Perhaps only the version is old; the full way tells.
            return false;
        }
    }

    private async Task<bool> TryFullAsync(CancellationToken cancellationToken)
    {
        var lease = await _client.TryGetAsync<Lease>(_options.Namespace, _options.Name, cancellationToken).ConfigureAwait(false);
        if (lease is null)
        {
            Observe(
                await _client
                    .CreateAsync(
                        new Lease
                        {
                            Metadata = new ObjectMeta { Namespace = _options.Namespace, Name = _options.Name },
                            Spec = LeasePolicy.Decide(null, true, _options, _time.GetUtcNow()).Spec,
                        },
                        null,
                        cancellationToken
                    )
                    .ConfigureAwait(false)
            );
            return true;
        }

        Observe(lease);
        var decision = LeasePolicy.Decide(lease.Spec, Expired(), _options, _time.GetUtcNow());
        if (decision.Spec is null)
        {
            var holder = lease.Spec?.HolderIdentity ?? "";
            if (holder != _loggedHolder)
            {
                _loggedHolder = holder;
                LeaderElectionLog.HeldBy(_logger, _lease, holder);
            }

            return false;
        }

        Observe(await _client.ReplaceAsync(lease with { Spec = decision.Spec }, null, cancellationToken).ConfigureAwait(false));
        return true;
    }

    private void Observe(Lease lease)
    {
        // Only a change of the record is a sign of life; its times are the holder's own and say nothing here.
        if (_observed is null || _observed.Spec != lease.Spec)
        {
            _observedAt = _time.GetTimestamp();
        }

        _observed = lease;
    }

    private bool Expired() => _time.GetElapsedTime(_observedAt) >= LeasePolicy.DurationOf(_observed?.Spec, _options);

    private async Task ReleaseAsync()
    {
        using var timeout = new CancellationTokenSource(_options.RenewDeadline, _time);
        try
        {
            var lease = _observed;
            while (lease?.Spec?.HolderIdentity == _options.Identity)
            {
                try
                {
                    await _client
                        .ReplaceAsync(lease with { Spec = LeasePolicy.Released(lease.Spec, _time.GetUtcNow()) }, null, timeout.Token)
                        .ConfigureAwait(false);
                    LeaderElectionLog.Released(_logger, _options.Identity, _lease);
                    return;
                }
                catch (KubeException e) when (e.IsConflict)
                {
                    lease = await _client.TryGetAsync<Lease>(_options.Namespace, _options.Name, timeout.Token).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e)
        {
            // The lease runs out by itself; that only takes longer.
            LeaderElectionLog.Failed(_logger, _lease, e.Message);
        }
    }
}

/// <summary>A leader lost its lease.</summary>
public sealed class LeadershipLostException(string message) : Exception(message);
