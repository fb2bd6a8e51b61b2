namespace Berth.Edge;

/// <summary>
/// Remembers what was learned of tokens, by a key: for tokens of others their SHA-256, never the tokens themselves. Two generations keep it
/// bounded at no cost per entry.
/// </summary>
internal sealed class TokenCache<T>(int capacity)
    where T : class
{
    private readonly Lock _gate = new();
    private Dictionary<string, T> _young = new(StringComparer.Ordinal);
    private Dictionary<string, T> _old = new(StringComparer.Ordinal);

    /// <summary>Finds a token, and keeps it young.</summary>
    public T? Find(ReadOnlySpan<char> key)
    {
        lock (_gate)
        {
            if (_young.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key, out var token))
            {
                return token;
            }

            if (!_old.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key, out token))
            {
                return null;
            }

            Put(key.ToString(), token);
            return token;
        }
    }

    /// <summary>Adds a token.</summary>
    public void Add(string key, T token)
    {
        lock (_gate)
        {
            Put(key, token);
        }
    }

    private void Put(string key, T token)
    {
        if (_young.Count >= capacity / 2)
        {
            _old = _young;
            _young = new Dictionary<string, T>(StringComparer.Ordinal);
        }

        _young[key] = token;
    }
}
