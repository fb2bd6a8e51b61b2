namespace Kube.Runtime;

/// <summary>Whether a watch works. Thread-safe.</summary>
/// <remarks>
/// A watch that is opened anew says nothing until something changes, so silence is no sign. Failures are: one that fails for good fails
/// again within the longest pause between tries. So it is broken from the first failure on after which more came, each within
/// <see cref="Streak"/> of the one before, and nothing came through.
/// </remarks>
internal sealed class WatchHealth(TimeProvider time)
{
    /// <summary>Longer than the longest pause between two tries (30 s) and the time-out of one.</summary>
    internal static readonly TimeSpan Streak = TimeSpan.FromSeconds(90);

    private readonly Lock _gate = new();
    private DateTimeOffset? _heard;
    private DateTimeOffset? _since;
    private DateTimeOffset _last;

    /// <summary>When something came through last; null: nothing yet.</summary>
    internal DateTimeOffset? LastHeard
    {
        get
        {
            lock (_gate)
            {
                return _heard;
            }
        }
    }

    internal TimeSpan BrokenFor
    {
        get
        {
            lock (_gate)
            {
                var now = time.GetUtcNow();
                return _since is { } since && now - _last < Streak ? now - since : TimeSpan.Zero;
            }
        }
    }

    internal void Heard()
    {
        lock (_gate)
        {
            _heard = time.GetUtcNow();
            _since = null;
        }
    }

    internal void Failed()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            _since = _since is null || now - _last >= Streak ? now : _since;
            _last = now;
        }
    }
}
