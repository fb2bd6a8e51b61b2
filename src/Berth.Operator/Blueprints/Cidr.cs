using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Berth.Operator;

/// <summary>A network in CIDR notation. Two of one family are disjoint, or one holds the other.</summary>
/// <remarks>
/// Read strictly: what network plugins read differently (leading zeros, bits behind the prefix, mapped addresses) is refused.
/// </remarks>
internal readonly record struct Cidr
{
    private Cidr(bool v6, UInt128 first, int prefix)
    {
        IsV6 = v6;
        First = first;
        Prefix = prefix;
    }

    internal bool IsV6 { get; }

    /// <summary>Bits of the first address, at the low end of the number.</summary>
    internal UInt128 First { get; private init; }

    internal int Prefix { get; }

    internal int Bits => IsV6 ? 128 : 32;

    private UInt128 Mask => Prefix == 0 ? 0 : UInt128.MaxValue << (Bits - Prefix);

    /// <summary>Reads a network that somebody wrote.</summary>
    /// <param name="text">The text.</param>
    /// <param name="network">The network.</param>
    /// <param name="problem">What is wrong with it, to be put behind the text; null when nothing is.</param>
    internal static bool TryParse(string text, out Cidr network, [NotNullWhen(false)] out string? problem)
    {
        network = default;
        var at = text.IndexOf('/', StringComparison.Ordinal);
        if (at < 0)
        {
            problem = "has no prefix length; write /32 (IPv4) or /128 (IPv6) behind a single address";
            return false;
        }

        if (Address(text[..at]) is not { } address)
        {
            problem = "is no network; write one such as 203.0.113.0/24 or 2001:db8::/32";
            return false;
        }

        var v6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        var length = text[(at + 1)..];
        if (length.Length is 0 or > 3 || !length.All(char.IsAsciiDigit) || (length.Length > 1 && length[0] == '0')
            || int.Parse(length, CultureInfo.InvariantCulture) is var prefix && prefix > (v6 ? 128 : 32))
        {
            problem = $"has no prefix length of 0 to {(v6 ? 128 : 32)}";
            return false;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            problem = "is an IPv4 network in IPv6 notation, which never travels; write it in IPv4 notation";
            return false;
        }

        var bits = Number(address);
        var whole = new Cidr(v6, bits, prefix);
        network = whole with { First = bits & whole.Mask };
        if (network.First != bits)
        {
            problem = $"has bits set behind the prefix; write {network}";
            return false;
        }

        problem = null;
        return true;
    }

    /// <summary>Reads a network that the program itself names.</summary>
    internal static Cidr Parse(string text) =>
        TryParse(text, out var network, out var problem) ? network : throw new FormatException($"'{text}' {problem}.");

    /// <summary>Whether all of the other network lies in this one; also when they are the same.</summary>
    internal bool Holds(Cidr other) => IsV6 == other.IsV6 && Prefix <= other.Prefix && (other.First & Mask) == First;

    public override string ToString() => $"{Text(First)}/{Prefix.ToString(CultureInfo.InvariantCulture)}";

    private static IPAddress? Address(string text)
    {
        // The framework's parser also takes what C libraries do: 10.1, 0x0a.0.0.1, scopes and brackets.
        if (text.Contains(':', StringComparison.Ordinal))
        {
            return text.All(c => char.IsAsciiHexDigit(c) || c is ':' or '.') && IPAddress.TryParse(text, out var v6)
                && v6.AddressFamily == AddressFamily.InterNetworkV6 ? v6 : null;
        }

        var parts = text.Split('.');
        return parts.Length == 4
            && parts.All(p => p.Length is > 0 and <= 3 && p.All(char.IsAsciiDigit) && (p.Length == 1 || p[0] != '0'))
            && IPAddress.TryParse(text, out var v4) ? v4 : null;
    }

    private static UInt128 Number(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return bytes.Length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private string Text(UInt128 address)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, address);
        return new IPAddress(IsV6 ? bytes : bytes[12..]).ToString();
    }
}
