namespace Berth.Edge;

/// <summary>Remembers ids that have been used, until they would be refused for their age anyway. Bounded; full means no.</summary>
/// <remarks>
/// Of this replica only: another replica would take the same id once more within its short life. What it guards is bound to a browser
/// besides.
/// </remarks>
internal sealed class OneTimeIds(TimeProvider clock, TimeSpan lifetime, int capacity)
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly Queue<(DateTimeOffset Until, string Id)> _byAge = [];

    /// <summary>True the first time an id is shown, false ever after (and when the memory is full).</summary>
    public bool TryUse(string id)
    {
        var now = clock.GetUtcNow();
        lock (_gate)
        {
            while (_byAge.TryPeek(out var oldest) && oldest.Until < now)
            {
                _used.Remove(_byAge.Dequeue().Id);
            }

            if (_used.Count >= capacity || !_used.Add(id))
            {
                return false;
            }

            _byAge.Enqueue((now + lifetime, id));
            return true;
        }
    }

    /// <summary>Lets an id be used once more: what it was used for did not happen.</summary>
    public void Forget(string id)
    {
        lock (_gate)
        {
            _used.Remove(id);
        }
    }
}
