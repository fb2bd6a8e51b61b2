using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Local.Identity;

/// <summary>What a client was granted when a person signed in.</summary>
internal sealed record Grant(
    DevelopmentAccount Account,
    string SessionId,
    string ClientId,
    string RedirectUri,
    string CodeChallenge,
    string? Nonce,
    string Scope,
    DateTimeOffset AuthTime
)
{
    /// <summary>All tokens that stem from one sign-in: reuse of a spent code or refresh token ends them all (RFC 9700, 4.14).</summary>
    public string Family { get; init; } = Secrets.New();
}

/// <summary>
/// Codes, refresh tokens and sign-in sessions of the development provider. Codes and sessions are in memory: a restart asks people to sign
/// in again, which in development is one redirect. What is to last, refresh tokens, is in a file as well, so that a consent outlives a
/// restart.
/// </summary>
/// <remarks>
/// Every secret is kept as its SHA-256 only, has one use, and a bound on how many live at once keeps a looping client from filling memory.
/// </remarks>
internal sealed class GrantStore
{
    internal const int MaxLive = 10_000;
    internal static readonly TimeSpan CodeLifetime = TimeSpan.FromSeconds(60);
    internal static readonly TimeSpan RefreshLifetime = TimeSpan.FromDays(30);
    internal static readonly TimeSpan SessionLifetime = TimeSpan.FromHours(12);

    // For so long a restart does not forget that a token was used: its second use then still ends the family.
    private static readonly TimeSpan SpentKept = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<string, Entry> _codes = new();
    private readonly ConcurrentDictionary<string, Entry> _refreshTokens = new();
    private readonly ConcurrentDictionary<string, Session> _sessions = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> _endedFamilies = new();
    private readonly Lock _gate = new();
    private readonly TimeProvider _clock;
    private readonly GrantFile? _file;

    /// <summary>Reads what was kept.</summary>
    /// <param name="clock">Time.</param>
    /// <param name="path">File; null keeps nothing.</param>
    /// <exception cref="LocalConfigurationException">The file is damaged.</exception>
    public GrantStore(TimeProvider clock, string? path = null)
    {
        _clock = clock;
        _file = path is null ? null : new GrantFile(path);
        var kept = _file?.Read() ?? GrantFile.Contents.Empty;
        foreach (var token in kept.Tokens)
        {
            if (token.ToGrant() is { } grant)
            {
                _refreshTokens[token.Hash] = new Entry(grant, token.Expires) { Spent = token.Spent };
            }
        }

        foreach (var (family, at) in kept.Ended)
        {
            _endedFamilies[family] = at;
        }
    }

    public string AddSession(DevelopmentAccount account)
    {
        Trim(_sessions, s => s.Expires);
        var id = Secrets.New();
        _sessions[Secrets.Hash(id)] = new Session(account, _clock.GetUtcNow(), _clock.GetUtcNow() + SessionLifetime);
        return id;
    }

    public Session? FindSession(string? id) =>
        id is not null && _sessions.TryGetValue(Secrets.Hash(id), out var session) && session.Expires > _clock.GetUtcNow() ? session : null;

    /// <summary>The <c>sid</c> claim of a session: tells it apart, but does not let anybody into it.</summary>
    public static string SessionIdentifier(string id) => Secrets.Hash("sid:" + id);

    public void EndSession(string id) => _sessions.TryRemove(Secrets.Hash(id), out _);

    public string AddCode(Grant grant) => Add(_codes, grant, CodeLifetime);

    public string AddRefreshToken(Grant grant)
    {
        var token = Add(_refreshTokens, grant, RefreshLifetime);
        Save();
        return token;
    }

    /// <summary>Takes a code. A second use ends everything that stems from the first.</summary>
    public Grant? RedeemCode(string code) => Redeem(_codes, code);

    /// <summary>
    /// Takes a refresh token, to be followed by a new one. A second use ends everything that stems from the same sign-in.
    /// </summary>
    public Grant? RedeemRefreshToken(string token)
    {
        var grant = Redeem(_refreshTokens, token);
        Save();
        return grant;
    }

    /// <summary>Whether the tokens of a sign-in were ended.</summary>
    public bool IsEnded(string family) => _endedFamilies.ContainsKey(family);

    /// <summary>Ends the refresh token and its family (RFC 7009); an unknown token, or another client's, is no error.</summary>
    public void Revoke(string token, string clientId)
    {
        if (_refreshTokens.TryGetValue(Secrets.Hash(token), out var entry) && entry.Grant.ClientId == clientId)
        {
            End(entry.Grant.Family);
            Save();
        }
    }

    private void Save()
    {
        if (_file is null)
        {
            return;
        }

        // One at a time, and what is true when its turn comes: the last one written is the newest.
        lock (_file)
        {
            var now = _clock.GetUtcNow();
            _file.Write(new GrantFile.Contents(
                [.. _refreshTokens
                    .Where(t => t.Value.Expires > now && !IsEnded(t.Value.Grant.Family)
                        && (!t.Value.Spent || t.Value.Expires > now + RefreshLifetime - SpentKept))
                    .Select(t => GrantFile.Token.From(t.Key, t.Value.Grant, t.Value.Expires, t.Value.Spent))],
                _endedFamilies.Where(f => f.Value + RefreshLifetime > now).ToDictionary(f => f.Key, f => f.Value)));
        }
    }

    private string Add(ConcurrentDictionary<string, Entry> entries, Grant grant, TimeSpan lifetime)
    {
        Trim(entries, e => e.Expires);
        var secret = Secrets.New();
        entries[Secrets.Hash(secret)] = new Entry(grant, _clock.GetUtcNow() + lifetime);
        return secret;
    }

    private Grant? Redeem(ConcurrentDictionary<string, Entry> entries, string secret)
    {
        // One lock for look-up and mark: two clients that race with the same secret must not both win.
        lock (_gate)
        {
            if (
                !entries.TryGetValue(Secrets.Hash(secret), out var entry)
                || entry.Expires <= _clock.GetUtcNow()
                || IsEnded(entry.Grant.Family)
            )
            {
                return null;
            }

            if (entry.Spent)
            {
                End(entry.Grant.Family);
                return null;
            }

            entry.Spent = true;
            return entry.Grant;
        }
    }

    private void End(string family)
    {
        Trim(_endedFamilies, ended => ended + RefreshLifetime);
        _endedFamilies[family] = _clock.GetUtcNow();
    }

    private void Trim<T>(ConcurrentDictionary<string, T> entries, Func<T, DateTimeOffset> expires)
    {
        if (entries.Count < MaxLive)
        {
            return;
        }

        var now = _clock.GetUtcNow();
        foreach (var (key, _) in entries.Where(e => expires(e.Value) <= now).ToList())
        {
            entries.TryRemove(key, out _);
        }

        foreach (var (key, _) in entries.OrderBy(e => expires(e.Value)).Take(entries.Count - MaxLive + 1).ToList())
        {
            entries.TryRemove(key, out _);
        }
    }

    internal sealed record Session(DevelopmentAccount Account, DateTimeOffset AuthTime, DateTimeOffset Expires);

    private sealed class Entry(Grant grant, DateTimeOffset expires)
    {
        public Grant Grant { get; } = grant;

        public DateTimeOffset Expires { get; } = expires;

        public bool Spent { get; set; }
    }
}

/// <summary>Random secrets, and what is kept of them.</summary>
internal static class Secrets
{
    /// <summary>256 random bits, URL-safe.</summary>
    public static string New() => System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>SHA-256 of a secret, URL-safe.</summary>
    public static string Hash(string secret) =>
        System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>Compares without telling by its duration where two strings differ.</summary>
    public static bool Same(string a, string b) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(a), Encoding.UTF8.GetBytes(b));
}
