using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Kube.Client.Tests.Support;
using Kube.Client.Watching;

namespace Kube.Client.Tests.Watching;

public sealed class FrameReaderTests
{
    private static readonly string[] Lines = ["""{"type":"ADDED"}""", """{"type":"MODIFIED","ü":"日本"}""", "{}"];

    [Fact]
    public async Task ReadAsync_CutAtEveryPairOfPositions_GivesTheSameLines()
    {
        var bytes = Encoding.UTF8.GetBytes(Lines[0] + "\n" + Lines[1] + "\r\n\n  \n" + Lines[2] + "\n");
        for (var first = 0; first <= bytes.Length; first++)
        {
            for (var second = first; second <= bytes.Length; second++)
            {
                var lines = await ReadAsync([bytes[..first], bytes[first..second], bytes[second..]]);
                Assert.Equal(Lines, lines.Select(l => l.TrimEnd('\r')));
            }
        }
    }

    [Fact]
    public async Task ReadAsync_ByteByByte_GivesTheSameLines()
    {
        var bytes = Encoding.UTF8.GetBytes(string.Join('\n', Lines));
        Assert.Equal(Lines, await ReadAsync([.. bytes.Select(b => new[] { b })]));
    }

    [Fact]
    public async Task ReadAsync_LastLineWithoutEnd_IsHandedOutAndMarked()
    {
        var reader = new FrameReader(PipeReader.Create(new ReadOnlySequence<byte>("{}\n{\"a\""u8.ToArray())), 1024);
        await reader.ReadAsync(default);
        Assert.False(reader.Unterminated);
        var last = await reader.ReadAsync(default);
        Assert.Equal("{\"a\"", Encoding.UTF8.GetString(last!.Value.Span));
        Assert.True(reader.Unterminated);
        Assert.Null(await reader.ReadAsync(default));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ReadAsync_LineLargerThanTheBound_IsRefused(bool withEnd)
    {
        var bytes = Encoding.ASCII.GetBytes(new string('x', 1025) + (withEnd ? "\n" : ""));
        using var reader = new FrameReader(PipeReader.Create(new ReadOnlySequence<byte>(bytes)), 1024);
        var error = await Assert.ThrowsAsync<KubeException>(async () => await reader.ReadAsync(default));
        Assert.Contains("1024 bytes", error.Message, StringComparison.Ordinal);
    }

    private static async Task<List<string>> ReadAsync(byte[][] chunks)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: 1));
        using var reader = new FrameReader(pipe.Reader, 1024);
        foreach (var chunk in chunks)
        {
            if (chunk.Length > 0)
            {
                // Each piece in a segment of its own, as reads from a socket give them.
                chunk.CopyTo(pipe.Writer.GetMemory(chunk.Length).Span);
                pipe.Writer.Advance(chunk.Length);
                await pipe.Writer.FlushAsync(Wait.Limit());
            }
        }

        await pipe.Writer.CompleteAsync();
        List<string> lines = [];
        while (await reader.ReadAsync(default) is { } line)
        {
            lines.Add(Encoding.UTF8.GetString(line.Span));
        }

        return lines;
    }
}
