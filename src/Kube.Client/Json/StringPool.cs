using System.Runtime.InteropServices;
using System.Text;

namespace Kube.Client.Json;

/// <summary>
/// Short texts that objects of a cluster have in common - names of variables, labels, conditions, images - kept once. Lists and watches
/// read the same ones again and again, and a cache of ten thousand pods would hold each ten thousand times.
/// </summary>
/// <remarks>
/// A table of fixed size without locks: a slot holds the last text that hashed to it, so what is frequent stays and what is unique passes
/// through. A race between two threads costs a second copy at most. What a hostile server sends can fill the table, not make it grow.
/// </remarks>
internal sealed class StringPool
{
    /// <summary>Longer texts are hardly ever equal.</summary>
    internal const int MaxBytes = 192;

    // 16,384 slots: the few hundred texts that recur stay although each object brings some of its own. 128 KiB of references.
    private const int SlotBits = 14;

    private readonly string?[] _slots = new string?[1 << SlotBits];

    /// <summary>
    /// The text of the bytes, the same object as before if it is still known; null for what is long or not ASCII, which is not pooled.
    /// </summary>
    internal string? Get(ReadOnlySpan<byte> ascii)
    {
        if (ascii.Length > MaxBytes)
        {
            return null;
        }

        ref var slot = ref _slots[Hash(ascii) >> (64 - SlotBits)];
        var known = slot;
        if (known is not null && known.Length == ascii.Length && Ascii.Equals(ascii, known))
        {
            return known;
        }

        if (!Ascii.IsValid(ascii))
        {
            return null;
        }

        var text = Encoding.ASCII.GetString(ascii);
        slot = text;
        return text;
    }

    // Multiplicative hashing of eight bytes at a time (Knuth, TAOCP 6.4; the constant is 2^64 divided by the golden ratio).
    private static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        const ulong factor = 0x9E37_79B9_7F4A_7C15;
        var hash = (ulong)bytes.Length;
        while (bytes.Length >= sizeof(ulong))
        {
            hash = (hash ^ MemoryMarshal.Read<ulong>(bytes)) * factor;
            hash ^= hash >> 32;
            bytes = bytes[sizeof(ulong)..];
        }

        ulong rest = 0;
        foreach (var b in bytes)
        {
            rest = (rest << 8) | b;
        }

        hash = (hash ^ rest) * factor;
        return (hash ^ (hash >> 32)) * factor;
    }
}
