using System.IO.Pipelines;
using Berth.Edge.Tests.Activity;
using Testing;

namespace Berth.Edge.Tests.Proxy;

/// <summary>The edge's own frames in a WebSocket: between frames, never within one.</summary>
public class ClientSocketTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly Pipe _fromClient = new();
    private readonly Pipe _toClient = new(new PipeOptions(pauseWriterThreshold: 1_000_000, resumeWriterThreshold: 500_000));
    private readonly ClientSocket _socket;

    public ClientSocketTests() =>
        _socket = new ClientSocket(new DuplexStream(_fromClient.Reader, _toClient.Writer), null, null, TimeSpan.FromSeconds(30), _clock);

    [Theory]
    [InlineData(nameof(EndReason.SignedOut), 4001, "signed out")]
    [InlineData(nameof(EndReason.SessionEnded), 4001, "session ended")]
    [InlineData(nameof(EndReason.AccessEnded), 1008, "access ended")]
    [InlineData(nameof(EndReason.WorkspaceStopped), 4002, "workspace stopped")]
    [InlineData(nameof(EndReason.GoingAway), 1001, "going away")]
    public async Task End_BetweenFrames_SendsCodeAndReason(string reason, int code, string text)
    {
        await _socket.WriteAsync(Frame(10));

        var ending = _socket.EndAsync(Enum.Parse<EndReason>(reason));

        var sent = await SentAsync(12 + 4 + text.Length);
        Assert.Equal(Frame(10), sent[..12]);
        byte[] close = [0x88, (byte)(2 + text.Length), (byte)(code >> 8), (byte)code, .. System.Text.Encoding.ASCII.GetBytes(text)];
        Assert.Equal(close, sent[12..]);
        await AnswerAsync();
        await ending;
    }

    [Fact]
    public async Task End_WithinAFrame_FinishesItFirstAndDropsTheRest()
    {
        byte[] stream = [.. Frame(100), .. Frame(5)];
        await _socket.WriteAsync(stream.AsMemory(0, 40));

        var ending = _socket.EndAsync(EndReason.GoingAway);
        Assert.Equal(40, (await SentAsync(40)).Length);
        await _socket.WriteAsync(stream.AsMemory(40, 30));
        await _socket.WriteAsync(stream.AsMemory(70));

        var sent = await SentAsync(62 + EdgeFrames.Close(EndReason.GoingAway).Length);
        Assert.Equal([.. stream[40..102], .. EdgeFrames.Close(EndReason.GoingAway).ToArray()], sent);
        await _socket.WriteAsync(Frame(5));
        await AnswerAsync();
        await ending;
        Assert.False(_toClient.Reader.TryRead(out _));
    }

    [Fact]
    public async Task End_FrameDoesNotEnd_IsOverWithoutOne()
    {
        await _socket.WriteAsync(Frame(100).AsMemory(0, 40));

        var ending = _socket.EndAsync(EndReason.SignedOut);
        Assert.False(ending.IsCompleted);
        _clock.Advance(ClientSocket.FrameLimit);
        await ending;

        Assert.Equal(40, (await SentAsync(40)).Length);
    }

    [Fact]
    public async Task End_ClientDoesNotAnswer_IsOverAfterItsTime()
    {
        var ending = _socket.EndAsync(EndReason.SignedOut);
        await SentAsync(EdgeFrames.Close(EndReason.SignedOut).Length);
        Assert.False(ending.IsCompleted);

        await ProductFixture.Until(() =>
        {
            _clock.Advance(ClientSocket.AnswerLimit);
            return ending.IsCompleted;
        });
    }

    [Fact]
    public async Task End_NotWebSocketFrames_SendsNothing()
    {
        await _socket.WriteAsync("SSH-2.0-OpenSSH\r\n"u8.ToArray());

        var ending = _socket.EndAsync(EndReason.SignedOut);
        _clock.Advance(ClientSocket.FrameLimit);
        await ending;

        Assert.Equal(17, (await SentAsync(17)).Length);
        Assert.False(_toClient.Reader.TryRead(out _));
    }

    [Fact]
    public async Task End_WorkspaceClosedFirst_AddsNothing()
    {
        var close = ClientFramesTests.Frame(8, 2, masked: false);
        await _socket.WriteAsync(close);

        var ending = _socket.EndAsync(EndReason.WorkspaceStopped);
        await AnswerAsync();
        await ending;

        Assert.Equal(close, await SentAsync(close.Length));
        Assert.False(_toClient.Reader.TryRead(out _));
    }

    // Whoever is signed out must not get one more command into their terminal.
    [Fact]
    public async Task End_WhatTheClientSendsThen_DoesNotPass()
    {
        var buffer = new byte[100];
        await _fromClient.Writer.WriteAsync(ClientFramesTests.Frame(1, 5));
        Assert.Equal(11, await _socket.ReadAsync(buffer));
        var reading = _socket.ReadAsync(buffer).AsTask();

        var ending = _socket.EndAsync(EndReason.SignedOut);
        await _fromClient.Writer.WriteAsync(ClientFramesTests.Frame(1, 5));
        await _fromClient.Writer.WriteAsync(ClientFramesTests.Frame(8, 2));
        await ending;
        await _fromClient.Writer.CompleteAsync();

        Assert.Equal(0, await reading);
    }

    [Fact]
    public async Task Ping_EachInterval_BetweenFramesOnly()
    {
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal([0x89, 0], await SentAsync(2));

        await _socket.WriteAsync(Frame(10).AsMemory(0, 5));
        await SentAsync(5);
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.False(_toClient.Reader.TryRead(out _));

        await _socket.WriteAsync(Frame(10).AsMemory(5));
        await SentAsync(7);
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal([0x89, 0], await SentAsync(2));
        await _socket.DisposeAsync();
        Assert.Equal(0, _clock.ArmedTimers);
    }

    [Fact]
    public async Task Dispose_EndsAnEnd()
    {
        await _socket.WriteAsync(Frame(100).AsMemory(0, 40));
        var ending = _socket.EndAsync(EndReason.SignedOut);

        await _socket.DisposeAsync();

        await ending;
    }

    private static byte[] Frame(int length) => ClientFramesTests.Frame(2, length, masked: false);

    private async Task<byte[]> SentAsync(int length)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var result = await _toClient.Reader.ReadAtLeastAsync(length, limit.Token);
        var bytes = System.Buffers.BuffersExtensions.ToArray(result.Buffer);
        _toClient.Reader.AdvanceTo(result.Buffer.End);
        return bytes;
    }

    private async Task AnswerAsync()
    {
        var reading = _socket.ReadAsync(new byte[100]).AsTask();
        await _fromClient.Writer.WriteAsync(ClientFramesTests.Frame(8, 2));
        await _fromClient.Writer.CompleteAsync();
        Assert.Equal(0, await reading);
    }

    /// <summary>Both directions of a connection as one stream.</summary>
    private sealed class DuplexStream(PipeReader input, PipeWriter output) : Stream
    {
        private readonly Stream _input = input.AsStream();
        private readonly Stream _output = output.AsStream();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _input.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            _output.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

        public override void Flush() => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
