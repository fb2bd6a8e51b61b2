namespace Berth.Edge;

/// <summary>The last use of one workspace that this replica has seen. Threads of all its requests write it, without a lock.</summary>
internal sealed class WorkspaceUse(string name, Action<string> whenAnnounced)
{
    private const int SourceBits = 4;

    // Milliseconds since 1970 and the source in one number, so that the later one wins in one step.
    private long _last;
    private long _nextSignal = long.MaxValue;
    private long _signalEvery;

    /// <summary>Name of the workspace.</summary>
    public string Name { get; } = name;

    /// <summary>Time and kind of the last use; null when there was none.</summary>
    public KnownUse? Last => Interlocked.Read(ref _last) is > 0 and var packed
        ? new KnownUse(DateTimeOffset.FromUnixTimeMilliseconds(packed >> SourceBits), (UseSource)(packed & ((1 << SourceBits) - 1)))
        : null;

    /// <summary>It is used now. An earlier time than the one known changes nothing.</summary>
    public void Touch(UseSource source, DateTimeOffset at)
    {
        var now = at.ToUnixTimeMilliseconds();
        var packed = (now << SourceBits) | (long)source;
        var known = Interlocked.Read(ref _last);
        while (packed > known)
        {
            var seen = Interlocked.CompareExchange(ref _last, packed, known);
            if (seen == known)
            {
                break;
            }

            known = seen;
        }

        var due = Interlocked.Read(ref _nextSignal);
        if (now >= due && Interlocked.CompareExchange(ref _nextSignal, now + _signalEvery, due) == due)
        {
            whenAnnounced(Name);
        }
    }

    /// <summary>A stop is announced: from now on each use is told, at most once in a time.</summary>
    public void Announce(TimeSpan atMostEvery)
    {
        Interlocked.Exchange(ref _signalEvery, (long)atMostEvery.TotalMilliseconds);
        Interlocked.CompareExchange(ref _nextSignal, 0, long.MaxValue);
    }

    /// <summary>No stop is announced (any more).</summary>
    public void Withdraw() => Interlocked.Exchange(ref _nextSignal, long.MaxValue);
}

/// <summary>A use and its kind.</summary>
internal readonly record struct KnownUse(DateTimeOffset At, UseSource Source);
