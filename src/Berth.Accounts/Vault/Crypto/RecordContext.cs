using System.Buffers.Binary;
using System.Text;

namespace Berth.Accounts;

/// <summary>
/// What a sealed record belongs to. It is authenticated with the record and not stored in it: a record that is moved to another row, given
/// to another person or taken from an older version does not open.
/// </summary>
/// <param name="RecordId">Id of the row.</param>
/// <param name="Owner">Whose it is.</param>
/// <param name="Issuer">Issuer of the provider.</param>
/// <param name="ClientId">Client it was issued to.</param>
/// <param name="TokenType">What it is: one of <see cref="SealedKind"/>.</param>
/// <param name="Version">Version of the row.</param>
internal readonly record struct RecordContext(
    Guid RecordId, PersonKey Owner, string Issuer, string ClientId, string TokenType, long Version)
{
    /// <summary>Every field with its length before it, so that no two contexts have one form.</summary>
    /// <param name="label">Separates the uses of one key.</param>
    /// <param name="more">One field more.</param>
    public byte[] ToBytes(ReadOnlySpan<byte> label, ReadOnlySpan<byte> more)
    {
        string[] texts = [Owner.Issuer, Owner.Subject, Issuer, ClientId, TokenType];
        var length = 4 + label.Length + 4 + more.Length + 4 + 16 + 4 + 8 + texts.Sum(t => 4 + Encoding.UTF8.GetByteCount(t));
        var bytes = new byte[length];
        var rest = Field(Field(bytes, label), more);
        Span<byte> id = stackalloc byte[16];
        RecordId.TryWriteBytes(id, bigEndian: true, out _);
        rest = Field(rest, id);
        foreach (var text in texts)
        {
            BinaryPrimitives.WriteInt32BigEndian(rest, Encoding.UTF8.GetByteCount(text));
            rest = rest[(4 + Encoding.UTF8.GetBytes(text, rest[4..]))..];
        }

        Span<byte> version = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(version, Version);
        Field(rest, version);
        return bytes;
    }

    private static Span<byte> Field(Span<byte> target, scoped ReadOnlySpan<byte> value)
    {
        BinaryPrimitives.WriteInt32BigEndian(target, value.Length);
        value.CopyTo(target[4..]);
        return target[(4 + value.Length)..];
    }
}

/// <summary>Kinds of sealed records.</summary>
internal static class SealedKind
{
    public const string Refresh = "refresh";
    public const string Access = "access";
    public const string Revocation = "revocation";
    public const string Consent = "consent";
    public const string Canary = "canary";
}
