using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Kube.Server.Storage;

internal enum RecordType : byte
{
    Put = 1,
    Delete = 2,

    /// <summary>Last record of a snapshot; its version is the store's, its key the number of records before it.</summary>
    SnapshotEnd = 3,
}

/// <summary>
/// One change. A delete carries the object's last state (with the version of the deletion) so that watches can be fed from the journal.
/// </summary>
internal readonly record struct JournalRecord(RecordType Type, long ResourceVersion, GroupResource Resource, string Key, byte[] Utf8);

/// <summary>
/// The file format, of journal and snapshot alike: records of
/// <c>length u32 | crc32c u32 | payload</c>, payload = <c>type u8 | version i64 | group | plural | key | body</c>, strings as <c>length u16
/// | UTF-8</c>, little endian.
/// </summary>
internal static class RecordCodec
{
    public const int HeaderSize = 8;
    public const int MaxPayload = 64 * 1024 * 1024;

    public static void Write(IBufferWriter<byte> output, in JournalRecord record)
    {
        var size = 1 + 8 + StringSize(record.Resource.Group) + StringSize(record.Resource.Plural) + StringSize(record.Key)
            + record.Utf8.Length;
        var span = output.GetSpan(HeaderSize + size)[..(HeaderSize + size)];
        var payload = span[HeaderSize..];
        payload[0] = (byte)record.Type;
        BinaryPrimitives.WriteInt64LittleEndian(payload[1..], record.ResourceVersion);
        var at = 9;
        at += WriteString(payload[at..], record.Resource.Group);
        at += WriteString(payload[at..], record.Resource.Plural);
        at += WriteString(payload[at..], record.Key);
        record.Utf8.CopyTo(payload[at..]);
        BinaryPrimitives.WriteUInt32LittleEndian(span, (uint)size);
        BinaryPrimitives.WriteUInt32LittleEndian(span[4..], Crc(payload));
        output.Advance(span.Length);
    }

    /// <summary>Reads the record at the start of the span. False: nothing whole and sound stands there.</summary>
    public static bool TryRead(ReadOnlySpan<byte> data, out JournalRecord record, out int consumed)
    {
        record = default;
        consumed = 0;
        if (data.Length < HeaderSize)
        {
            return false;
        }
        var size = BinaryPrimitives.ReadUInt32LittleEndian(data);
        if (size is < 15 or > MaxPayload || data.Length - HeaderSize < size)
        {
            return false;
        }
        var payload = data.Slice(HeaderSize, (int)size);
        if (Crc(payload) != BinaryPrimitives.ReadUInt32LittleEndian(data[4..]))
        {
            return false;
        }
        var at = 9;
        if (!ReadString(payload, ref at, out var group) || !ReadString(payload, ref at, out var plural)
            || !ReadString(payload, ref at, out var key))
        {
            return false;
        }
        record = new JournalRecord(
            (RecordType)payload[0], BinaryPrimitives.ReadInt64LittleEndian(payload[1..]), new GroupResource(group, plural), key,
            payload[at..].ToArray());
        consumed = HeaderSize + (int)size;
        return true;
    }

    public static uint Crc(ReadOnlySpan<byte> data)
    {
        var crc = ~0u;
        while (data.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[8..];
        }
        foreach (var b in data)
        {
            crc = BitOperations.Crc32C(crc, b);
        }
        return ~crc;
    }

    private static int StringSize(string text) => 2 + Encoding.UTF8.GetByteCount(text);

    private static int WriteString(Span<byte> target, string text)
    {
        var count = Encoding.UTF8.GetBytes(text, target[2..]);
        BinaryPrimitives.WriteUInt16LittleEndian(target, checked((ushort)count));
        return 2 + count;
    }

    private static bool ReadString(ReadOnlySpan<byte> payload, ref int at, out string text)
    {
        text = "";
        if (payload.Length - at < 2)
        {
            return false;
        }
        int size = BinaryPrimitives.ReadUInt16LittleEndian(payload[at..]);
        at += 2;
        if (payload.Length - at < size)
        {
            return false;
        }
        text = Encoding.UTF8.GetString(payload.Slice(at, size));
        at += size;
        return true;
    }
}
