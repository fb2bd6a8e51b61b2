using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Edge;

/// <summary>What a protected value is for. Each purpose has a key of its own, so that a value of one is noise to the others.</summary>
internal enum ProtectionPurpose
{
    /// <summary>Session cookie of the edge origin.</summary>
    EdgeSession,

    /// <summary>Session cookie of one workspace host.</summary>
    WorkspaceSession,

    /// <summary>Cookie of one sign-in flow.</summary>
    SignInFlow,

    /// <summary>Ticket that carries a session from the edge origin to a workspace host.</summary>
    WorkspaceTicket,
}

/// <summary>Authenticated encryption of everything that the edge hands out and wants back unchanged.</summary>
/// <remarks>
/// <code>
/// base64url( version 1 | key id 4 | nonce 12 | AES-256-GCM ciphertext | tag 16 )
/// key = HKDF-SHA256(configured key, info = "berth-edge/1/" purpose)
/// AAD = version | key id | purpose 0x00 binding          binding: the cookie's name and, for what belongs to a host, the host
/// </code>
/// Nonces are random: 2^32 values of one purpose before a key should be replaced (NIST SP 800-38D, 8.3).
/// </remarks>
internal sealed class CookieProtector
{
    /// <summary>Bytes added to the plaintext, before base64url.</summary>
    public const int Overhead = 1 + KeyIdSize + NonceSize + TagSize;

    /// <summary>Longest text that is tried; browsers keep 4 KiB of cookie.</summary>
    public const int MaximumLength = 4096;

    private const byte Version = 1;
    private const int KeyIdSize = 4;
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private readonly ImmutableArray<ProtectionKey> _keys;

    /// <summary>Makes a protector from keys of 32 bytes; the first protects.</summary>
    public CookieProtector(ImmutableArray<ImmutableArray<byte>> keys) => _keys = [.. keys.Select(k => new ProtectionKey(k.AsSpan()))];

    /// <summary>The name of a key, which every value protected with it has in clear.</summary>
    public static byte[] KeyIdOf(ReadOnlySpan<byte> key) => ProtectionKey.Derive(key.ToArray(), "id", KeyIdSize);

    /// <summary>Protects a value.</summary>
    public string Protect(ProtectionPurpose purpose, string binding, ReadOnlySpan<byte> plaintext)
    {
        var key = _keys[0];
        var result = new byte[Overhead + plaintext.Length];
        var envelope = result.AsSpan();
        envelope[0] = Version;
        key.Id.AsSpan().CopyTo(envelope[1..]);
        var nonce = envelope.Slice(1 + KeyIdSize, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key.For(purpose), TagSize);
        aes.Encrypt(nonce, plaintext, envelope[(1 + KeyIdSize + NonceSize)..^TagSize], envelope[^TagSize..],
            AssociatedData(key, purpose, binding));
        return StrictBase64Url.Encode(result);
    }

    /// <summary>Opens a value; null for anything that this edge did not protect for this very purpose and binding.</summary>
    public byte[]? Unprotect(ProtectionPurpose purpose, string binding, string text)
    {
        if (text.Length > MaximumLength || StrictBase64Url.Decode(text) is not { } bytes || bytes.Length < Overhead || bytes[0] != Version)
        {
            return null;
        }

        var envelope = bytes.AsSpan();
        foreach (var key in _keys)
        {
            if (!envelope.Slice(1, KeyIdSize).SequenceEqual(key.Id))
            {
                continue;
            }

            var plaintext = new byte[bytes.Length - Overhead];
            using var aes = new AesGcm(key.For(purpose), TagSize);
            try
            {
                aes.Decrypt(
                    envelope.Slice(1 + KeyIdSize, NonceSize),
                    envelope[(1 + KeyIdSize + NonceSize)..^TagSize],
                    envelope[^TagSize..],
                    plaintext,
                    AssociatedData(key, purpose, binding));
                return plaintext;
            }
            catch (AuthenticationTagMismatchException)
            {
                return null;
            }
        }

        return null;
    }

    private static byte[] AssociatedData(ProtectionKey key, ProtectionPurpose purpose, string binding) =>
        [Version, .. key.Id, .. Encoding.UTF8.GetBytes($"{purpose}\0{binding}")];

    private sealed class ProtectionKey
    {
        private readonly byte[][] _byPurpose;

        public ProtectionKey(ReadOnlySpan<byte> master)
        {
            var secret = master.ToArray();
            Id = KeyIdOf(secret);
            _byPurpose = [.. Enum.GetValues<ProtectionPurpose>().Select(p => Derive(secret, p.ToString(), 32))];
        }

        public byte[] Id { get; }

        public byte[] For(ProtectionPurpose purpose) => _byPurpose[(int)purpose];

        internal static byte[] Derive(byte[] master, string label, int size) =>
            HKDF.DeriveKey(HashAlgorithmName.SHA256, master, size, info: Encoding.ASCII.GetBytes("berth-edge/1/" + label));
    }
}
