using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Accounts;

/// <summary>Why a record does not open.</summary>
internal enum EnvelopeError
{
    /// <summary>It opened.</summary>
    None,

    /// <summary>It is not of the form.</summary>
    Malformed,

    /// <summary>Its key is not configured, or retired.</summary>
    UnknownKey,

    /// <summary>It was changed, or belongs to another row, person or version.</summary>
    Tampered,
}

/// <summary>Sealed records: a random key for each, which the vault's key wraps (envelope encryption), both with AES-256-GCM.</summary>
/// <remarks>
/// <code>
/// byte      0 | 1   | 2 | 3 ..    | 12         32      16       | 12    | ...        | 16
///         ver | alg | n | kek_id  | nonce   wrapped    tag      | nonce | ciphertext | tag
///                                 '------- wrapped DEK --------'
/// </code>
/// The body's additional data are ver, alg and the <see cref="RecordContext"/>; those of the wrapped key are the same and the id of the key
/// that wraps. So a new key is put around a record without opening its body, and neither part can be taken elsewhere. Nonces are random: a
/// record's key seals one body, and a wrapping key stays far below the 2^32 messages after which 96 random bits would be too few.
/// </remarks>
internal static class Envelope
{
    /// <summary>Longest plaintext, in bytes: four times a large token.</summary>
    public const int MaximumPlaintext = 64 * 1024;

    private const byte Version = 1;
    private const byte Aes256Gcm = 1;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int WrappedLength = NonceLength + VaultKey.Length + TagLength;

    private static ReadOnlySpan<byte> BodyLabel => "berth/vault/body"u8;

    private static ReadOnlySpan<byte> KeyLabel => "berth/vault/dek"u8;

    /// <summary>Seals a text.</summary>
    public static byte[] Seal(ReadOnlySpan<byte> plaintext, VaultKey key, in RecordContext context)
    {
        Span<byte> random = stackalloc byte[VaultKey.Length + NonceLength + NonceLength];
        RandomNumberGenerator.Fill(random);
        try
        {
            return Seal(plaintext, key, context, random);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(random);
        }
    }

    /// <summary>
    /// Seals with given random bytes (record key, nonce of the wrapping, nonce of the body): for tests of known answers alone.
    /// </summary>
    internal static byte[] Seal(ReadOnlySpan<byte> plaintext, VaultKey key, in RecordContext context, ReadOnlySpan<byte> random)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(plaintext.Length, MaximumPlaintext);
        var header = 3 + key.Id.Length;
        var record = new byte[header + WrappedLength + NonceLength + plaintext.Length + TagLength];
        record[0] = Version;
        record[1] = Aes256Gcm;
        record[2] = (byte)key.Id.Length;
        Encoding.ASCII.GetBytes(key.Id, record.AsSpan(3));

        var recordKey = random[..VaultKey.Length];
        Wrap(recordKey, key, context, random.Slice(VaultKey.Length, NonceLength), record.AsSpan(header, WrappedLength));
        var body = record.AsSpan(header + WrappedLength);
        random[(VaultKey.Length + NonceLength)..].CopyTo(body);
        using var aes = new AesGcm(recordKey, TagLength);
        aes.Encrypt(body[..NonceLength], plaintext, body[NonceLength..^TagLength], body[^TagLength..],
            context.ToBytes(BodyLabel, [Version, Aes256Gcm]));
        return record;
    }

    /// <summary>Opens a record.</summary>
    /// <returns><see cref="EnvelopeError.None"/> and the plaintext, which the caller disposes; or why not.</returns>
    public static EnvelopeError TryOpen(
        ReadOnlySpan<byte> record, VaultKeyRing keys, in RecordContext context, [NotNull] out Secret? plaintext)
    {
        plaintext = Secret.Empty;
        Span<byte> recordKey = stackalloc byte[VaultKey.Length];
        try
        {
            var error = TryUnwrap(record, keys, context, recordKey, out var header);
            if (error != EnvelopeError.None)
            {
                return error;
            }

            var body = record[(header + WrappedLength)..];
            var opened = new Secret(body.Length - NonceLength - TagLength);
            using var aes = new AesGcm(recordKey, TagLength);
            try
            {
                aes.Decrypt(body[..NonceLength], body[NonceLength..^TagLength], body[^TagLength..], opened.Writable,
                    context.ToBytes(BodyLabel, [Version, Aes256Gcm]));
            }
            catch (AuthenticationTagMismatchException)
            {
                opened.Dispose();
                return EnvelopeError.Tampered;
            }

            plaintext = opened;
            return EnvelopeError.None;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(recordKey);
        }
    }

    /// <summary>Puts the active key around a record; the body stays as it is, and closed.</summary>
    public static EnvelopeError TryRewrap(ReadOnlySpan<byte> record, VaultKeyRing keys, in RecordContext context, out byte[] rewrapped)
    {
        rewrapped = [];
        Span<byte> recordKey = stackalloc byte[VaultKey.Length];
        try
        {
            var error = TryUnwrap(record, keys, context, recordKey, out var oldHeader);
            if (error != EnvelopeError.None)
            {
                return error;
            }

            var key = keys.Active;
            var header = 3 + key.Id.Length;
            var body = record[(oldHeader + WrappedLength)..];
            rewrapped = new byte[header + WrappedLength + body.Length];
            rewrapped[0] = Version;
            rewrapped[1] = Aes256Gcm;
            rewrapped[2] = (byte)key.Id.Length;
            Encoding.ASCII.GetBytes(key.Id, rewrapped.AsSpan(3));
            Span<byte> nonce = stackalloc byte[NonceLength];
            RandomNumberGenerator.Fill(nonce);
            Wrap(recordKey, key, context, nonce, rewrapped.AsSpan(header, WrappedLength));
            body.CopyTo(rewrapped.AsSpan(header + WrappedLength));
            return EnvelopeError.None;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(recordKey);
        }
    }

    /// <summary>Id of the key around a record; null when it is no record.</summary>
    public static string? KeyIdOf(ReadOnlySpan<byte> record)
    {
        if (record.Length < 3 || record[0] != Version || record[1] != Aes256Gcm
            || record.Length < 3 + record[2] + WrappedLength + NonceLength + TagLength)
        {
            return null;
        }

        var id = Encoding.ASCII.GetString(record.Slice(3, record[2]));
        return VaultKey.IsId(id) ? id : null;
    }

    private static void Wrap(
        ReadOnlySpan<byte> recordKey, VaultKey key, in RecordContext context, ReadOnlySpan<byte> nonce, Span<byte> target)
    {
        nonce.CopyTo(target);
        using var aes = new AesGcm(key.Bytes, TagLength);
        aes.Encrypt(nonce, recordKey, target[NonceLength..^TagLength], target[^TagLength..], KeyContext(key.Id, context));
    }

    private static EnvelopeError TryUnwrap(
        ReadOnlySpan<byte> record, VaultKeyRing keys, in RecordContext context, Span<byte> recordKey, out int header)
    {
        header = 0;
        if (KeyIdOf(record) is not { } id)
        {
            return EnvelopeError.Malformed;
        }

        if (keys.Find(id) is not { } key)
        {
            return EnvelopeError.UnknownKey;
        }

        header = 3 + id.Length;
        var wrapped = record.Slice(header, WrappedLength);
        using var aes = new AesGcm(key.Bytes, TagLength);
        try
        {
            aes.Decrypt(
                wrapped[..NonceLength], wrapped[NonceLength..^TagLength], wrapped[^TagLength..], recordKey, KeyContext(id, context));
            return EnvelopeError.None;
        }
        catch (AuthenticationTagMismatchException)
        {
            return EnvelopeError.Tampered;
        }
    }

    private static byte[] KeyContext(string id, in RecordContext context) =>
        context.ToBytes(KeyLabel, [Version, Aes256Gcm, .. Encoding.ASCII.GetBytes(id)]);
}
