namespace Berth.Edge;

/// <summary>
/// Remembers what was learned of tokens by their SHA-256, never the tokens. Two generations keep it bounded at no cost per entry.
/// </summary>
internal sealed class TokenCache<T>(int capacity)
    where T : class
{
    private readonly Lock _gate = new();
    private Dictionary<string, T> _young = new(StringComparer.Ordinal);
    private Dictionary<string, T> _old = new(StringComparer.Ordinal);

    /// <summary>Finds a token, and keeps it young.</summary>
    public T? Find(string hash)
    {
        lock (_gate)
        {
            if (_young.TryGetValue(hash, out var token))
            {
                return token;
            }

            if (!_old.TryGetValue(hash, out token))
            {
                return null;
            }

            Put(hash, token);
            return token;
        }
    }

    /// <summary>Adds a token.</summary>
    public void Add(string hash, T token)
    {
        lock (_gate)
        {
            Put(hash, token);
        }
    }

    private void Put(string hash, T token)
    {
        if (_young.Count >= capacity / 2)
        {
            _old = _young;
            _young = new Dictionary<string, T>(StringComparer.Ordinal);
        }

        _young[hash] = token;
    }
}
