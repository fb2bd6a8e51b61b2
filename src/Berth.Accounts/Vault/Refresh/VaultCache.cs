using System.Security.Cryptography;
using System.Text;

namespace Berth.Accounts;

/// <summary>An access token in memory, encrypted.</summary>
internal sealed record CachedToken
{
    public required Guid Id { get; init; }

    public required PersonKey Owner { get; init; }

    public required string Connection { get; init; }

    public required string TokenType { get; init; }

    public required string Scope { get; init; }

    public required long Version { get; init; }

    public required TimeSpan Lifetime { get; init; }

    /// <summary>Monotonic time of receipt, or of the read from the row.</summary>
    public required long At { get; init; }

    /// <summary>What it had to last yet then.</summary>
    public required TimeSpan RemainingAt { get; init; }

    /// <summary>Time since its refresh, then.</summary>
    public TimeSpan AgeAt { get; init; }

    public required byte[] Sealed { get; init; }

    public TimeSpan Remaining(TimeProvider clock) => RemainingAt - clock.GetElapsedTime(At);

    public TimeSpan Age(TimeProvider clock) => AgeAt + clock.GetElapsedTime(At);
}

/// <summary>
/// Access tokens in memory: bounded, encrypted under a key that this process made, and only as current as the notices from the database:
/// what is newer there than here, or over, is not kept, in whatever order the news and the token arrive.
/// </summary>
internal sealed class VaultCache : IDisposable
{
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private readonly Lock _gate = new();
    private readonly byte[] _key = GC.AllocateUninitializedArray<byte>(VaultKey.Length, pinned: true);
    private readonly Generations<Guid, CachedToken> _tokens;
    private readonly Generations<(string Owner, string Connection), Guid> _byConnection;
    private readonly Generations<Guid, long> _news;
    private long _cleared = long.MinValue;

    public VaultCache(int capacity)
    {
        RandomNumberGenerator.Fill(_key);
        _tokens = new(capacity);
        _byConnection = new(capacity);
        _news = new(capacity);
    }

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _tokens.Count;
            }
        }
    }

    public byte[] Seal(ReadOnlySpan<byte> token, Guid id, PersonKey owner, long version)
    {
        var bytes = new byte[NonceLength + token.Length + TagLength];
        RandomNumberGenerator.Fill(bytes.AsSpan(0, NonceLength));
        using var aes = new AesGcm(_key, TagLength);
        aes.Encrypt(bytes.AsSpan(0, NonceLength), token, bytes.AsSpan(NonceLength, token.Length), bytes.AsSpan(NonceLength + token.Length),
            Context(id, owner, version));
        return bytes;
    }

    public string Open(CachedToken token)
    {
        using var plain = new Secret(token.Sealed.Length - NonceLength - TagLength);
        using var aes = new AesGcm(_key, TagLength);
        aes.Decrypt(token.Sealed.AsSpan(0, NonceLength), token.Sealed.AsSpan(NonceLength, plain.Length),
            token.Sealed.AsSpan(NonceLength + plain.Length), plain.Writable, Context(token.Id, token.Owner, token.Version));
        return plain.Reveal();
    }

    public CachedToken? Find(Guid id)
    {
        lock (_gate)
        {
            return _tokens.Find(id, out var token) ? token : null;
        }
    }

    public Guid? Find(PersonKey owner, string connection)
    {
        lock (_gate)
        {
            return _byConnection.Find((OwnerHash(owner), connection), out var id) ? id : null;
        }
    }

    public void Put(CachedToken token)
    {
        lock (_gate)
        {
            if (token.At < _cleared || (_news.Find(token.Id, out var newest) && newest > token.Version)
                || (_tokens.Find(token.Id, out var known) && known!.Version > token.Version))
            {
                return;
            }

            _tokens.Put(token.Id, token);
        }
    }

    /// <summary>Remembers which token of a person is for a connection.</summary>
    /// <param name="owner">The person.</param>
    /// <param name="connection">The connection.</param>
    /// <param name="id">The token.</param>
    /// <param name="at">Monotonic time at which it began to be looked up.</param>
    public void Put(PersonKey owner, string connection, Guid id, long at)
    {
        lock (_gate)
        {
            if (at >= _cleared)
            {
                _byConnection.Put((OwnerHash(owner), connection), id);
            }
        }
    }

    /// <summary>Learns what the database has now.</summary>
    /// <param name="id">Row.</param>
    /// <param name="version">Its version.</param>
    /// <param name="live">False when it is over: nothing of this version is given out any more either.</param>
    public void Learn(Guid id, long version, bool live)
    {
        lock (_gate)
        {
            var least = live ? version : version + 1;
            if (!_news.Find(id, out var newest) || newest < least)
            {
                _news.Put(id, least);
            }

            if (_tokens.Find(id, out var known) && known!.Version < least)
            {
                _tokens.Remove(id);
            }
        }
    }

    /// <summary>Forgets which token of a person is for which connection.</summary>
    public void Forget(string ownerHash)
    {
        lock (_gate)
        {
            _byConnection.RemoveWhere(k => k.Owner == ownerHash);
        }
    }

    /// <summary>A person as notices name them: SHA-256 in hexadecimal of issuer, line feed, subject.</summary>
    public static string OwnerHash(PersonKey owner) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{owner.Issuer}\n{owner.Subject}")));

    /// <summary>
    /// Forgets everything: news may have been missed. What was read before that moment, and comes only now, is not taken either.
    /// </summary>
    /// <param name="at">Monotonic time.</param>
    public void Clear(long at)
    {
        lock (_gate)
        {
            _cleared = at;
            _tokens.Clear();
            _byConnection.Clear();
        }
    }

    public void Dispose()
    {
        Clear(long.MaxValue);
        CryptographicOperations.ZeroMemory(_key);
    }

    private static byte[] Context(Guid id, PersonKey owner, long version) =>
        Encoding.UTF8.GetBytes($"{id:n}\n{version}\n{owner.Issuer.Length}\n{owner.Issuer}{owner.Subject}");
}

/// <summary>A bounded table of two generations: what was not asked for in a while goes, at no cost per entry. Not thread-safe.</summary>
internal sealed class Generations<TKey, TValue>(int capacity)
    where TKey : notnull
{
    private readonly int _half = Math.Max(1, capacity / 2);
    private Dictionary<TKey, TValue> _young = [];
    private Dictionary<TKey, TValue> _old = [];

    public int Count => _young.Count + _old.Keys.Count(k => !_young.ContainsKey(k));

    public bool Find(TKey key, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out TValue value)
    {
        if (_young.TryGetValue(key, out value))
        {
            return true;
        }

        if (!_old.Remove(key, out value))
        {
            return false;
        }

        Put(key, value);
        return true;
    }

    public void Put(TKey key, TValue value)
    {
        if (_young.Count >= _half && !_young.ContainsKey(key))
        {
            _old = _young;
            _young = [];
        }

        _old.Remove(key);
        _young[key] = value;
    }

    public void Remove(TKey key)
    {
        _young.Remove(key);
        _old.Remove(key);
    }

    public void RemoveWhere(Func<TKey, bool> predicate)
    {
        foreach (var key in _young.Keys.Concat(_old.Keys).Where(predicate).ToList())
        {
            Remove(key);
        }
    }

    public void Clear()
    {
        _young = [];
        _old = [];
    }
}
