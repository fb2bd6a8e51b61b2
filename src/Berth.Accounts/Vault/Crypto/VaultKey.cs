using System.Security.Cryptography;

namespace Berth.Accounts;

/// <summary>What a key of the vault may be used for.</summary>
public enum VaultKeyState
{
    /// <summary>Seals and opens. Exactly one key is active.</summary>
    Active,

    /// <summary>Opens what it sealed; the background job moves that to the active key.</summary>
    DecryptOnly,

    /// <summary>Neither. The vault does not start while anything is sealed with it.</summary>
    Retired,
}

/// <summary>A key as it is configured.</summary>
public sealed record VaultKeyOptions
{
    /// <summary>
    /// Name of the key, kept with everything it seals: 1 to 64 of letters, digits, dot, dash and underscore. Never reused.
    /// </summary>
    public string Id { get; init; } = "";

    /// <summary>32 random bytes in base64 (<c>openssl rand -base64 32</c>). Prefer <see cref="File"/>.</summary>
    public string? Key { get; init; }

    /// <summary>File that holds the same, read at start; instead of <see cref="Key"/>.</summary>
    public string? File { get; init; }

    /// <summary>State. The default is active. A retired key needs neither key nor file.</summary>
    public VaultKeyState State { get; init; } = VaultKeyState.Active;
}

/// <summary>A key in memory. Its bytes leave it only into a primitive.</summary>
internal sealed class VaultKey : IDisposable
{
    /// <summary>Length of every key, in bytes.</summary>
    public const int Length = 32;

    private readonly byte[] _bytes;

    public VaultKey(string id, VaultKeyState state, ReadOnlySpan<byte> bytes)
    {
        Id = id;
        State = state;
        _bytes = GC.AllocateUninitializedArray<byte>(Length, pinned: true);
        bytes.CopyTo(_bytes);
    }

    public string Id { get; }

    public VaultKeyState State { get; }

    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Whether a text can be the id of a key.</summary>
    public static bool IsId(string? id) =>
        id is { Length: > 0 and <= 64 } && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);

    public override string ToString() => $"{Id} ({State})";
}
