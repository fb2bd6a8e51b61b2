using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Accounts;

/// <summary>The form of personal access tokens.</summary>
/// <remarks>
/// <code>
/// berth_pat_ | 43 random characters of 0-9A-Za-z | 6 characters of the same: checksum
/// </code>
/// 43 characters of 62 are 256 bits. The checksum is the first 32 bits of the SHA-256 of all that stands before it, in base 62: a scanner
/// of source code, and the edge, tell a token from a text that only looks like one without asking anybody. The form has no separator that a
/// double click stops at.
/// </remarks>
public static class PersonalTokenSecret
{
    /// <summary>What every token begins with.</summary>
    public const string Prefix = "berth_pat_";

    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int RandomLength = 43;
    private const int ChecksumLength = 6;
    private static readonly SearchValues<char> Characters = SearchValues.Create(Alphabet);

    /// <summary>Makes a token.</summary>
    public static string New()
    {
        var text = Prefix + RandomNumberGenerator.GetString(Alphabet, RandomLength);
        return text + Checksum(text);
    }

    /// <summary>Whether a text claims to be a token; it may be none.</summary>
    public static bool Claims(ReadOnlySpan<char> text) => text.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>
    /// Whether a text can be a token: length, characters and checksum. Whether there is such a token is another question.
    /// </summary>
    public static bool IsWellFormed(string text) => text.Length == Prefix.Length + RandomLength + ChecksumLength && Claims(text)
        && text.AsSpan(Prefix.Length).IndexOfAnyExcept(Characters) < 0
        && text.AsSpan(Prefix.Length + RandomLength).SequenceEqual(Checksum(text[..^ChecksumLength]));

    /// <summary>What is kept of a token and what it is found by.</summary>
    /// <remarks>
    /// A fast hash is right here: slow ones are for passwords, which can be guessed. Of 2^256 tokens nobody guesses one, however fast the
    /// guesses are. Looking up the hash takes no longer for a token that is nearly right, for its hash is another one altogether; so there
    /// is nothing to be measured either.
    /// </remarks>
    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private static string Checksum(string text)
    {
        Span<char> digits = stackalloc char[ChecksumLength];
        var value = BinaryPrimitives.ReadUInt32BigEndian(Hash(text));
        for (var i = ChecksumLength - 1; i >= 0; i--)
        {
            (value, var digit) = Math.DivRem(value, (uint)Alphabet.Length);
            digits[i] = Alphabet[(int)digit];
        }

        return new string(digits);
    }
}
