using Kube.Client;

namespace Berth.Operator;

/// <summary>The queue as the workers use it: locked, kept up with the resources, and with words for people.</summary>
/// <remarks>
/// Where the policy sets no ceiling it holds nothing and costs nothing. Otherwise it is filled once from the caches and from then on fed by
/// each look at a workspace, which every change that bears on it brings about.
/// </remarks>
internal sealed class AdmissionLedger(
    Func<EffectivePolicy> policy,
    Func<IEnumerable<Claim>> all,
    Action<ResourceKey> wake,
    TimeProvider time) : IDisposable
{
    /// <summary>How often at most the places of those who wait are written anew.</summary>
    internal static readonly TimeSpan PlacesInterval = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _moved = new(0);
    private AdmissionQueue? _queue;

    /// <summary>Takes what is known of a workspace and says how it stands.</summary>
    internal Admission Ask(Observation seen, BlueprintSettings settings)
    {
        lock (_gate)
        {
            if (Queue() is null)
            {
                return Admission.Open;
            }
        }

        return Ask(ClaimReader.Read(seen, Decider.BlueprintOf(seen, settings)));
    }

    /// <summary>Takes a claim and says how it stands.</summary>
    internal Admission Ask(Claim? claim)
    {
        lock (_gate)
        {
            if (claim is null || Queue() is not { } queue)
            {
                return Admission.Open;
            }

            Wake(queue.Put(claim, Now));
            return AdmissionView.Of(queue, claim);
        }
    }

    /// <summary>A workspace is gone.</summary>
    /// <param name="key">Which one.</param>
    /// <param name="podLeft">Its pod still ends; the end of it wakes the key again.</param>
    internal void Forget(ResourceKey key, bool podLeft)
    {
        lock (_gate)
        {
            if (Queue() is { } queue)
            {
                Wake(podLeft ? queue.Linger(key, Now) : queue.Remove(key, Now));
            }
        }
    }

    /// <summary>
    /// A pod is asked for, or the status says that the workspace has its place: from here on it keeps it, whatever becomes of the ceilings.
    /// </summary>
    internal void Use(ResourceKey key)
    {
        lock (_gate)
        {
            _queue?.Use(key);
        }
    }

    /// <summary>A look at a workspace is over, however it ended.</summary>
    internal void EndLook(ResourceKey key)
    {
        lock (_gate)
        {
            if (_queue is { } queue && queue.EndLook(key, Now) is { Count: > 0 } others)
            {
                Wake(others);
            }
        }
    }

    /// <summary>The API refused what the place was for.</summary>
    internal void Withdraw(ResourceKey key)
    {
        lock (_gate)
        {
            if (Queue() is { } queue)
            {
                Wake(queue.Withdraw(key, Now));
            }
        }
    }

    /// <summary>The policy changed: looks at everything once, and wakes all who wait, because what they are told changes.</summary>
    internal void PolicyChanged()
    {
        lock (_gate)
        {
            var former = _queue;
            var next = CeilingSet.Of(policy().Spec);
            if (former is null || former.Ceilings.Same(next))
            {
                return;
            }

            Wake(former.SetCeilings(next, Now));
            Wake(former.Entries.Where(e => e.Start is not null || e.Growth is not null).Select(e => e.Key));
        }
    }

    /// <summary>Numbers for the metrics.</summary>
    internal IReadOnlyList<(string Ceiling, int Waiting, TimeSpan Longest)> Waiting()
    {
        lock (_gate)
        {
            var now = Now;
            return _queue is null ? [] : [.. _queue.Entries.Select(e => e.Start).OfType<AdmissionItem>()
                .GroupBy(i => i.TooLarge ? "never" : i.Parked ? "person" : "namespace", StringComparer.Ordinal)
                .Select(g => (g.Key, g.Count(), g.Max(i => now - i.Since)))];
        }
    }

    /// <summary>
    /// Wakes those who were told what is no longer so, at a bounded rate, until cancelled. Does nothing while nobody moves.
    /// </summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await _moved.WaitAsync(cancellationToken);
                await Task.Delay(PlacesInterval, time, cancellationToken);
                while (_moved.Wait(0, CancellationToken.None))
                {
                    // One look for all that moved meanwhile.
                }

                WakeMoved();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The way to end.
        }
    }

    /// <summary>Wakes those who were told a place, or a reason, that is no longer theirs.</summary>
    internal void WakeMoved()
    {
        lock (_gate)
        {
            if (_queue is null)
            {
                return;
            }

            foreach (var space in _queue.Spaces.Where(s => s.Moved))
            {
                space.Moved = false;
                WakeMoved(_queue, space.Queues.Values);
            }

            foreach (var person in _queue.Persons.Where(p => p.Moved))
            {
                person.Moved = false;
                WakeMoved(_queue, person.Shares.Values.SelectMany(s => s.Parked.Values));
            }
        }
    }

    private void WakeMoved(AdmissionQueue queue, IEnumerable<RankedSet<AdmissionItem>> queues)
    {
        foreach (var item in queues.SelectMany(q => q.InOrder()))
        {
            if (item.Told != AdmissionView.PlaceOf(queue, item))
            {
                wake(item.Entry.Key);
            }
        }
    }

    /// <summary>Cancel <see cref="RunAsync"/> first.</summary>
    public void Dispose() => _moved.Dispose();

    private DateTimeOffset Now => Times.Seconds(time.GetUtcNow());

    // Filled at the first question under a ceiling: the caches are complete then.
    private AdmissionQueue? Queue()
    {
        if (_queue is null)
        {
            var ceilings = CeilingSet.Of(policy().Spec);
            if (!ceilings.Bounds)
            {
                return null;
            }

            _queue = new AdmissionQueue(ceilings);
            _queue.Load([.. all()], Now);
        }

        return _queue;
    }

    private void Wake(IEnumerable<ResourceKey> keys)
    {
        foreach (var key in keys)
        {
            wake(key);
        }

        if (_moved.CurrentCount == 0)
        {
            _moved.Release();
        }
    }
}
