namespace Berth.Edge;

/// <summary>
/// Bounds how many requests are sent once more: a part of all requests of this replica, and a few besides so that a quiet replica may too.
/// </summary>
/// <param name="percent">Repeats a hundred requests pay for.</param>
internal sealed class RetryBudget(int percent)
{
    /// <summary>Repeats that can be saved up. It begins with as many.</summary>
    public const int Reserve = 10;

    private const int Price = 100;
    private int _saved = percent == 0 ? 0 : Reserve * Price;

    /// <summary>A request is sent for the first time.</summary>
    public void Earn()
    {
        int saved;
        do
        {
            saved = Volatile.Read(ref _saved);
            if (saved >= Reserve * Price)
            {
                return;
            }
        }
        while (Interlocked.CompareExchange(ref _saved, Math.Min(saved + percent, Reserve * Price), saved) != saved);
    }

    /// <summary>Pays for one repeat.</summary>
    /// <returns>False when too little is saved: it is not made.</returns>
    public bool TrySpend()
    {
        int saved;
        do
        {
            saved = Volatile.Read(ref _saved);
            if (saved < Price)
            {
                return false;
            }
        }
        while (Interlocked.CompareExchange(ref _saved, saved - Price, saved) != saved);
        return true;
    }
}
