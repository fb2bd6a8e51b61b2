using System.Buffers.Binary;

namespace Berth.Edge.Tests.Activity;

/// <summary>The reader of RFC 6455 frames: what counts, however the bytes are cut.</summary>
public class ClientFramesTests
{
    private const int Continuation = 0;
    private const int Text = 1;
    private const int Binary = 2;
    private const int Close = 8;
    private const int Ping = 9;
    private const int Pong = 10;

    /// <summary>Name, frames, threshold, messages that count.</summary>
    public static TheoryData<string, byte[], int, int> Streams => new()
    {
        { "text", Frame(Text, 5), 0, 1 },
        { "binary", Frame(Binary, 5), 0, 1 },
        { "empty message", Frame(Text, 0), 0, 1 },
        { "not masked", Frame(Text, 5, masked: false), 0, 1 },
        { "two", [.. Frame(Text, 5), .. Frame(Binary, 6)], 0, 2 },
        { "16-bit length", Frame(Binary, 126), 0, 1 },
        { "16-bit length, longest", Frame(Binary, 65535), 0, 1 },
        { "64-bit length", Frame(Binary, 65536), 0, 1 },
        { "64-bit length that would fit 7 bits", Frame(Binary, 5, lengthBytes: 8), 0, 1 },
        { "compressed (RSV1)", Frame(Text, 5, reserved: 0x40), 0, 1 },
        { "extension (RSV2, RSV3)", Frame(Text, 5, reserved: 0x30), 0, 1 },
        { "ping", Frame(Ping, 5), 0, 0 },
        { "pong", Frame(Pong, 0), 0, 0 },
        { "pings and pongs for ever", Repeat(50, [.. Frame(Ping, 125), .. Frame(Pong, 4)]), 0, 0 },
        { "close", Frame(Close, 2), 0, 0 },
        { "after close nothing counts", [.. Frame(Close, 2), .. Frame(Text, 50)], 0, 0 },
        { "fragments are one message", [.. Part(Text, 5), .. Part(Continuation, 5), .. Frame(Continuation, 5)], 0, 1 },
        { "ping between fragments", [.. Frame(Text, 5, final: false), .. Frame(Ping, 3), .. Frame(Continuation, 5)], 0, 1 },
        { "message after fragments", [.. Frame(Text, 5, final: false), .. Frame(Continuation, 5), .. Frame(Text, 5)], 0, 2 },
        { "too small", Frame(Binary, 13), 14, 0 },
        { "just large enough", Frame(Binary, 14), 14, 1 },
        { "small ones do not add up", Repeat(20, Frame(Binary, 13)), 14, 0 },
        { "fragments of one message do", [.. Part(Binary, 7), .. Part(Continuation, 6), .. Frame(Continuation, 1)], 14, 1 },
        { "fragments that stay small", [.. Frame(Binary, 7, final: false), .. Frame(Continuation, 6)], 14, 0 },
        { "large, then small", [.. Frame(Binary, 200), .. Frame(Binary, 3)], 14, 1 },
        { "empty, with a threshold", Frame(Text, 0), 1, 0 },
    };

    [Theory]
    [MemberData(nameof(Streams))]
    public void Feed_Whole_CountsMessages(string name, byte[] stream, int ignoreBelow, int expected)
    {
        Assert.NotEmpty(name);
        var frames = new ClientFrames(ignoreBelow);

        var counts = frames.Feed(stream);

        Assert.Equal((expected > 0, expected, false), (counts, (int)frames.Messages, frames.IsLost));
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void Feed_CutAtEveryByte_CountsTheSame(string name, byte[] stream, int ignoreBelow, int expected)
    {
        Assert.NotEmpty(name);
        for (var cut = 0; cut <= Math.Min(stream.Length, 300); cut++)
        {
            var frames = new ClientFrames(ignoreBelow);
            var counts = frames.Feed(stream.AsSpan(0, cut)) | frames.Feed(stream.AsSpan(cut));
            Assert.Equal((expected > 0, expected, false), (counts, (int)frames.Messages, frames.IsLost));
        }

        var bytewise = new ClientFrames(ignoreBelow);
        var any = false;
        foreach (var b in stream)
        {
            any |= bytewise.Feed([b]);
        }

        Assert.Equal((expected > 0, expected, false), (any, (int)bytewise.Messages, bytewise.IsLost));
    }

    // A long message is use for as long as it is sent, a control frame in it is not.
    [Fact]
    public void Feed_LongMessage_EachPartCounts()
    {
        var frames = new ClientFrames(0);
        var message = Frame(Binary, 100_000, final: false);

        Assert.True(frames.Feed(message.AsSpan(0, 20)));
        Assert.True(frames.Feed(message.AsSpan(20, 50_000)));
        Assert.True(frames.Feed(message.AsSpan(50_020)));
        Assert.False(frames.Feed(Frame(Ping, 20)));
        Assert.True(frames.Feed(Frame(Continuation, 20)));
        Assert.Equal(1, frames.Messages);
    }

    [Fact]
    public void Feed_PartOfASmallMessage_DoesNotCount()
    {
        var frames = new ClientFrames(100);
        foreach (var b in Frame(Text, 99))
        {
            Assert.False(frames.Feed([b]));
        }
    }

    /// <summary>What is no WebSocket counts byte by byte: the smaller mistake.</summary>
    public static TheoryData<string, byte[]> Garbage => new()
    {
        { "reserved opcode", Frame(3, 5) },
        { "reserved control opcode", Frame(11, 5) },
        { "continuation of nothing", Frame(Continuation, 5) },
        { "message within a message", [.. Frame(Text, 5, final: false), .. Frame(Text, 5)] },
        { "fragmented ping", Frame(Ping, 5, final: false) },
        { "long ping", Frame(Ping, 126) },
        { "length with its highest bit", [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4] },
        { "HTTP", "GET / HTTP/1.1\r\n\r\n"u8.ToArray() },
    };

    [Theory]
    [MemberData(nameof(Garbage))]
    public void Feed_Garbage_IsLostAndCounts(string name, byte[] stream)
    {
        Assert.NotEmpty(name);
        var frames = new ClientFrames(1000);

        Assert.True(frames.Feed(stream));
        Assert.True(frames.IsLost);
        Assert.True(frames.Feed([0]));
    }

    // A message of 2^63 - 1 bytes, twice: sizes are added without overflow.
    [Fact]
    public void Feed_HugeLengths_DoNotOverflow()
    {
        var frames = new ClientFrames(65536);

        Assert.True(frames.Feed([0x02, 0x7F, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3]));
        Assert.False(frames.IsLost);
    }

    [Fact]
    public void Feed_RandomBytes_NeverThrows()
    {
        var random = new Random(4711);
        for (var round = 0; round < 2000; round++)
        {
            var bytes = new byte[random.Next(1, 200)];
            random.NextBytes(bytes);
            var frames = new ClientFrames(random.Next(0, 100));
            for (var at = 0; at < bytes.Length;)
            {
                var length = Math.Min(random.Next(1, 40), bytes.Length - at);
                frames.Feed(bytes.AsSpan(at, length));
                at += length;
            }
        }
    }

    [Fact]
    public void Feed_AllocatesNothing()
    {
        var stream = Repeat(1000, [.. Frame(Text, 40), .. Frame(Ping, 4), .. Frame(Binary, 300)]);
        var frames = new ClientFrames(0);
        frames.Feed(stream);

        var before = GC.GetAllocatedBytesForCurrentThread();
        frames.Feed(stream);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(4000, frames.Messages);
    }

    /// <summary>A frame with a payload of 0xFF, which read as headers would be garbage.</summary>
    internal static byte[] Frame(int opcode, int length, bool final = true, bool masked = true, int reserved = 0, int? lengthBytes = null)
    {
        var size = lengthBytes ?? (length < 126 ? 0 : length < 65536 ? 2 : 8);
        var frame = new byte[2 + size + (masked ? 4 : 0) + length];
        frame.AsSpan().Fill(0xFF);
        frame[0] = (byte)((final ? 0x80 : 0) | reserved | opcode);
        frame[1] = (byte)((masked ? 0x80 : 0) | (size switch { 0 => length, 2 => 126, _ => 127 }));
        if (size == 2)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)length);
        }
        else if (size == 8)
        {
            BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(2), (ulong)length);
        }

        return frame;
    }

    private static byte[] Part(int opcode, int length) => Frame(opcode, length, final: false);

    private static byte[] Repeat(int times, byte[] bytes) => [.. Enumerable.Repeat(bytes, times).SelectMany(b => b)];
}
