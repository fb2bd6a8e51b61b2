using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Accounts;

/// <summary>
/// Fingerprints of tokens, to find the same token again without opening anything: HMAC-SHA-256 under keys of their own. Without the key a
/// fingerprint neither confirms a guess nor matches one of another database; with issuer and client in it, none of another provider.
/// </summary>
internal static class Fingerprints
{
    /// <summary>The fingerprint of a token.</summary>
    public static byte[] Of(VaultKey key, string issuer, string clientId, ReadOnlySpan<byte> token)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key.Bytes);
        Append(hmac, "berth/vault/fingerprint/1"u8);
        Append(hmac, Encoding.UTF8.GetBytes(issuer));
        Append(hmac, Encoding.UTF8.GetBytes(clientId));
        Append(hmac, token);
        return hmac.GetHashAndReset();
    }

    /// <summary>What tells whether a fingerprint key is the one that a database knows.</summary>
    public static byte[] Canary(VaultKey key)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key.Bytes);
        Append(hmac, "berth/vault/fingerprint-canary/1"u8);
        Append(hmac, Encoding.UTF8.GetBytes(key.Id));
        return hmac.GetHashAndReset();
    }

    private static void Append(IncrementalHash hmac, ReadOnlySpan<byte> field)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, field.Length);
        hmac.AppendData(length);
        hmac.AppendData(field);
    }
}
