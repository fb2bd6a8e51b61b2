using System.Text;
using Berth.Studio.Terminals;

namespace Berth.Studio.Tests.Terminals;

public sealed class PiecesTests
{
    [Fact]
    public void Utf8Boundary_AnyCut_JoinsBackWithoutAReplacementCharacter()
    {
        var text = "aäb€c😀d日本";
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            var length = Utf8Boundary.CompleteLength(bytes.AsSpan(0, cut));
            Assert.InRange(length, Math.Max(0, cut - 3), cut);
            Assert.DoesNotContain('\ufffd', Encoding.UTF8.GetString(bytes.AsSpan(0, length)));
            var stray = Utf8Boundary.StrayLength(bytes.AsSpan(cut));
            Assert.DoesNotContain('\ufffd', Encoding.UTF8.GetString(bytes.AsSpan(cut + stray)));
        }
    }

    [Theory]
    [InlineData(new byte[] { 0x80, 0x80, 0x80, 0x80, 0x80 }, 5)]
    [InlineData(new byte[] { 0xff }, 1)]
    [InlineData(new byte[] { 0xc0 }, 1)]
    [InlineData(new byte[] { 0xe2, 0x82 }, 0)]
    [InlineData(new byte[] { 0x41, 0xf0, 0x9f }, 1)]
    public void Utf8Boundary_BytesThatAreNotUtf8_Pass(byte[] bytes, int expected) =>
        Assert.Equal(expected, Utf8Boundary.CompleteLength(bytes));

    [Fact]
    public void Scrollback_RandomAppends_HoldsTheLastBytes()
    {
        var random = new Random(3);
        var scrollback = new Scrollback(100);
        var all = new List<byte>();
        for (var i = 0; i < 2000; i++)
        {
            var bytes = new byte[random.Next(0, 260)];
            random.NextBytes(bytes);
            scrollback.Append(bytes);
            all.AddRange(bytes);
            var target = new byte[100];
            var length = scrollback.Copy(scrollback.Start, target);
            Assert.Equal(Math.Min(100, all.Count), length);
            Assert.Equal(all.TakeLast(length), target.Take(length));
        }
    }

    [Theory]
    [InlineData(0, 0, null)]
    [InlineData(3 << 8, 3, null)]
    [InlineData(9, 137, 9)]
    [InlineData(0x8b, 139, 11)]
    public void ExitStatus_WaitWord_IsRead(int word, int code, int? signal) =>
        Assert.Equal(new ExitStatus(code, signal), ExitStatus.FromWait(word));
}
