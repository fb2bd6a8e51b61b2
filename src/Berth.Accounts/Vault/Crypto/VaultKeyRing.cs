using System.Security.Cryptography;

namespace Berth.Accounts;

/// <summary>The vault's keys: those that seal, and those that fingerprints are made with. Immutable; a rotation is a restart.</summary>
internal sealed class VaultKeyRing : IDisposable
{
    private readonly Dictionary<string, VaultKey> _sealing;
    private readonly Dictionary<string, VaultKey> _fingerprinting;

    private VaultKeyRing(
        VaultKey active, Dictionary<string, VaultKey> sealing, VaultKey fingerprint, Dictionary<string, VaultKey> fingerprinting)
    {
        Active = active;
        _sealing = sealing;
        Fingerprint = fingerprint;
        _fingerprinting = fingerprinting;
    }

    /// <summary>The key that seals.</summary>
    public VaultKey Active { get; }

    /// <summary>The key that new fingerprints are made with.</summary>
    public VaultKey Fingerprint { get; }

    /// <summary>All sealing keys with their bytes; retired ones are not among them.</summary>
    public IEnumerable<VaultKey> Sealing => _sealing.Values;

    /// <summary>All fingerprint keys.</summary>
    public IEnumerable<VaultKey> Fingerprinting => _fingerprinting.Values;

    /// <summary>A key that may open, or null: not configured, or retired.</summary>
    public VaultKey? Find(string id) => _sealing.GetValueOrDefault(id);

    /// <summary>Reads the configured keys.</summary>
    /// <param name="options">What was configured.</param>
    /// <param name="readFile">Reads a key's file.</param>
    /// <param name="problem">Told the option (below the vault's section) and what is wrong with it.</param>
    /// <returns>The keys; null when there was a problem.</returns>
    public static VaultKeyRing? Create(VaultOptions options, Func<string, string> readFile, Action<string, string> problem)
    {
        var failed = false;
        void Fail(string name, string text)
        {
            failed = true;
            problem(name, text);
        }

        var sealing = Read(options.Keys, "Keys", readFile, Fail);
        var fingerprinting = Read(options.FingerprintKeys, "FingerprintKeys", readFile, Fail);
        One(options.Keys, "Keys", Fail);
        One(options.FingerprintKeys, "FingerprintKeys", Fail);
        var all = sealing.Values.Concat(fingerprinting.Values).ToList();
        var twin = all.Where((k, i) => all.Take(i).Any(o => CryptographicOperations.FixedTimeEquals(o.Bytes, k.Bytes))).FirstOrDefault();
        if (twin is not null)
        {
            Fail("Keys", $"and FingerprintKeys hold the key of '{twin.Id}' twice; every key is its own: openssl rand -base64 32");
        }

        if (!failed)
        {
            return new VaultKeyRing(
                sealing.Values.Single(k => k.State == VaultKeyState.Active), sealing,
                fingerprinting.Values.Single(k => k.State == VaultKeyState.Active), fingerprinting);
        }

        all.ForEach(k => k.Dispose());
        return null;
    }

    public void Dispose()
    {
        foreach (var key in Sealing.Concat(Fingerprinting))
        {
            key.Dispose();
        }
    }

    private static void One(IList<VaultKeyOptions> options, string name, Action<string, string> fail)
    {
        var active = options.Count(k => k.State == VaultKeyState.Active);
        if (active != 1)
        {
            fail(name, $"has {active} keys in state Active; exactly one seals, the others are DecryptOnly or Retired");
        }
    }

    private static Dictionary<string, VaultKey> Read(
        IList<VaultKeyOptions> options, string list, Func<string, string> readFile, Action<string, string> fail)
    {
        var result = new Dictionary<string, VaultKey>(StringComparer.Ordinal);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < options.Count; i++)
        {
            var (name, option) = ($"{list}:{i}", options[i]);
            if (!VaultKey.IsId(option.Id))
            {
                fail($"{name}:Id", $"is '{option.Id}'; give 1 to 64 letters, digits, dots, dashes or underscores, such as 2026-01");
            }
            else if (!ids.Add(option.Id))
            {
                fail($"{name}:Id", $"is '{option.Id}', which is another key's; an id is never used twice");
            }
            else if (option.State != VaultKeyState.Retired && ReadBytes(name, option, readFile, fail) is { } bytes)
            {
                result[option.Id] = new VaultKey(option.Id, option.State, bytes);
                CryptographicOperations.ZeroMemory(bytes);
            }
        }

        return result;
    }

    private static byte[]? ReadBytes(string name, VaultKeyOptions option, Func<string, string> readFile, Action<string, string> fail)
    {
        if (string.IsNullOrEmpty(option.Key) == string.IsNullOrEmpty(option.File))
        {
            fail(name, "needs Key or File, and not both; File names a file with 32 random bytes in base64 (openssl rand -base64 32)");
            return null;
        }

        string text;
        try
        {
            text = option.Key is { Length: > 0 } given ? given : readFile(option.File!);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            fail($"{name}:File", $"names '{option.File}', which cannot be read ({error.Message}); check the path and its permissions");
            return null;
        }

        var bytes = new byte[64];
        if (!Convert.TryFromBase64String(text.Trim(), bytes, out var length) || length != VaultKey.Length)
        {
            fail(name, "is not 32 bytes in base64; make one with: openssl rand -base64 32");
            return null;
        }

        if (bytes.AsSpan(0, VaultKey.Length).IndexOfAnyExcept(bytes[0]) < 0)
        {
            fail(name, "is one byte repeated; make a random one with: openssl rand -base64 32");
            return null;
        }

        return bytes[..VaultKey.Length];
    }
}
