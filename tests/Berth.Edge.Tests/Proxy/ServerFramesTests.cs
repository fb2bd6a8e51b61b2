using Berth.Edge.Tests.Activity;

namespace Berth.Edge.Tests.Proxy;

/// <summary>Where frames of the workspace end, however the bytes are cut: only there may one of the edge's own stand.</summary>
public class ServerFramesTests
{
    public static TheoryData<string, byte[], int[]> Streams => new()
    {
        { "text", Frame(1, 5), [7] },
        { "empty", Frame(2, 0), [2] },
        { "two", [.. Frame(1, 5), .. Frame(2, 6)], [7, 15] },
        { "16-bit length", Frame(2, 126), [130] },
        { "16-bit length, longest", Frame(2, 65535), [65539] },
        { "64-bit length", Frame(2, 65536), [65546] },
        { "64-bit length that would fit 7 bits", Frame(2, 5, lengthBytes: 8), [15] },
        { "masked, as no server should", Frame(1, 5, masked: true), [11] },
        { "compressed", Frame(1, 5, reserved: 0x40), [7] },
        { "fragments with a ping between", [.. Frame(1, 5, final: false), .. Frame(9, 3), .. Frame(0, 5)], [7, 12, 19] },
        { "close is the last", [.. Frame(1, 5), .. Frame(8, 2), .. Frame(1, 5)], [7] },
        { "reserved opcode", [.. Frame(1, 5), .. Frame(3, 5)], [7] },
        { "fragmented ping", [.. Frame(1, 5), .. Frame(9, 5, final: false)], [7] },
        { "long ping", [.. Frame(1, 5), .. Frame(9, 126)], [7] },
        { "length with its highest bit", [0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2], [] },
        { "HTTP", "HTTP/1.1 200 OK\r\n"u8.ToArray(), [] },
    };

    [Theory]
    [MemberData(nameof(Streams))]
    public void Feed_Bytewise_IsBetweenAtTheEndsOnly(string name, byte[] stream, int[] ends)
    {
        Assert.NotEmpty(name);
        var frames = new ServerFrames();
        var between = new List<int>();
        Assert.True(frames.IsBetween);
        for (var i = 0; i < stream.Length; i++)
        {
            frames.Feed(stream.AsSpan(i, 1));
            if (frames.IsBetween)
            {
                between.Add(i + 1);
            }
        }

        Assert.Equal(ends, between);
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void Feed_CutAnywhere_EndsInTheSameState(string name, byte[] stream, int[] ends)
    {
        Assert.NotEmpty(name);
        var whole = new ServerFrames();
        whole.Feed(stream);
        for (var cut = 0; cut <= Math.Min(stream.Length, 200); cut++)
        {
            var frames = new ServerFrames();
            frames.Feed(stream.AsSpan(0, cut));
            frames.Feed(stream.AsSpan(cut));
            Assert.Equal((whole.IsBetween, whole.IsClosed, whole.IsLost), (frames.IsBetween, frames.IsClosed, frames.IsLost));
            Assert.Equal(ends.LastOrDefault() == stream.Length, frames.IsBetween);
        }
    }

    [Fact]
    public void Finish_TakesTheFrameUnderWayAndNoMore()
    {
        byte[] stream = [.. Frame(2, 300), .. Frame(1, 5)];
        for (var cut = 1; cut < 304; cut++)
        {
            var frames = new ServerFrames();
            frames.Feed(stream.AsSpan(0, cut));
            Assert.Equal(304 - cut, frames.Finish(stream.AsSpan(cut)));
            Assert.True(frames.IsBetween);
            Assert.Equal(0, frames.Finish(stream.AsSpan(304)));
        }
    }

    [Fact]
    public void Lose_ThereIsNoPlaceAnyMore()
    {
        var frames = new ServerFrames();
        frames.Lose();
        frames.Feed(Frame(1, 5));

        Assert.Equal((false, true), (frames.IsBetween, frames.IsLost));
    }

    [Fact]
    public void Feed_RandomBytes_NeverThrows()
    {
        var random = new Random(4711);
        for (var round = 0; round < 2000; round++)
        {
            var bytes = new byte[random.Next(1, 200)];
            random.NextBytes(bytes);
            var frames = new ServerFrames();
            for (var at = 0; at < bytes.Length;)
            {
                var part = bytes.AsSpan(at, Math.Min(random.Next(1, 40), bytes.Length - at));
                at += random.Next(2) == 0 ? frames.Finish(part) : part.Length;
                frames.Feed(part);
            }
        }
    }

    private static byte[] Frame(
        int opcode, int length, bool final = true, bool masked = false, int reserved = 0, int? lengthBytes = null) =>
        ClientFramesTests.Frame(opcode, length, final, masked, reserved, lengthBytes);
}
