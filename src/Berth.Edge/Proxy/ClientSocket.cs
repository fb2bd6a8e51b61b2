using System.Runtime.CompilerServices;

namespace Berth.Edge;

/// <summary>
/// The client's side of a WebSocket. Bytes pass unchanged both ways and are looked at: what the client sends may be use, and between the
/// frames it gets, the edge puts pings and in the end a close frame of its own.
/// </summary>
/// <remarks>
/// <code>
/// Open --EndAsync--> Ending: nothing of the client's passes any more; the frame under way to it is finished, then the close frame
///                      |-- answered by the client's close frame or its end, at most a second later: over
///                      '-- the frame does not end within two seconds (the workspace or the client is too slow): over without one
/// </code>
/// RFC 6455 lets whoever closes wait for the answer (7.1.1): a connection that is torn down at once can take the close frame with it.
/// </remarks>
internal sealed class ClientSocket : AsyncOnlyStream
{
    /// <summary>How long the frame under way may take. With <see cref="AnswerLimit"/> an end takes 3 seconds at most.</summary>
    public static readonly TimeSpan FrameLimit = TimeSpan.FromSeconds(2);

    /// <summary>How long the client's answer may take.</summary>
    public static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(1);

    private const int Open = -1;

    private readonly Stream _inner;
    private readonly UseInProgress? _use;
    private readonly SessionUse.Lease? _session;
    private readonly TimeProvider _clock;
    private readonly BodyBytes.Count? _count;
    private readonly ClientFrames _fromClient;
    private readonly ServerFrames _toClient = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly TaskCompletionSource _closeSent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _clientDone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer? _pings;
    private int _ending = Open;
    private bool _isClosed;

    /// <param name="inner">What the server gave for the switched connection.</param>
    /// <param name="use">Where use is noted; null where messages are none.</param>
    /// <param name="session">The session that use renews; null for a token.</param>
    /// <param name="pingEvery">How often the client is sent a ping; zero never.</param>
    /// <param name="clock">Its clock.</param>
    /// <param name="count">Counts what passes; the edge's own frames do not.</param>
    public ClientSocket(Stream inner, UseInProgress? use, SessionUse.Lease? session, TimeSpan pingEvery, TimeProvider clock,
        BodyBytes.Count? count = null)
    {
        (_inner, _use, _session, _clock, _count) = (inner, use, session, clock, count);
        _fromClient = use?.NewFrames() ?? new ClientFrames(0);
        if (pingEvery > TimeSpan.Zero)
        {
            _pings = clock.CreateTimer(static s => _ = ((ClientSocket)s!).PingAsync(), this, pingEvery, pingEvery);
        }
    }

    /// <inheritdoc/>
    public override bool CanRead => _inner.CanRead;

    /// <inheritdoc/>
    public override bool CanWrite => _inner.CanWrite;

    private bool IsEnding => Volatile.Read(ref _ending) != Open;

    /// <summary>Says good-bye: sends a close frame where there is a place for one, and waits for the answer. Never throws.</summary>
    public async Task EndAsync(EndReason reason)
    {
        if (Interlocked.CompareExchange(ref _ending, (int)reason, Open) != Open)
        {
            return;
        }

        try
        {
            using (var limit = new CancellationTokenSource(FrameLimit, _clock))
            {
                await CloseBetweenFramesAsync(limit.Token).ConfigureAwait(false);

                // If there was no place, whoever writes the rest of the frame makes one.
                await _closeSent.Task.WaitAsync(limit.Token).ConfigureAwait(false);
            }

            using var answer = new CancellationTokenSource(AnswerLimit, _clock);
            await _clientDone.Task.WaitAsync(answer.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // Too slow, or gone: it is cut without more words.
        }
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            while (true)
            {
                var read = await _inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    // An empty buffer only waits for data; 0 is no end then.
                    if (buffer.Length > 0)
                    {
                        _clientDone.TrySetResult();
                    }

                    return 0;
                }

                var counts = _fromClient.Feed(buffer.Span[..read]);
                if (!IsEnding)
                {
                    _count?.Receive(read);
                    if (counts && _use is not null)
                    {
                        _use.Message();
                        _session?.Used();
                    }

                    return read;
                }

                if (_fromClient.IsClosed)
                {
                    _clientDone.TrySetResult();
                }
            }
        }
        catch
        {
            _clientDone.TrySetResult();
            throw;
        }
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_isClosed)
            {
                // Nothing may follow a close frame.
                return;
            }

            if (!IsEnding)
            {
                _toClient.Feed(buffer.Span);
                await _inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
                _count?.Send(buffer.Length);
                return;
            }

            var rest = _toClient.Finish(buffer.Span);
            if (rest > 0)
            {
                await _inner.WriteAsync(buffer[..rest], cancellationToken).ConfigureAwait(false);
                _count?.Send(rest);
            }

            await CloseAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            _toClient.Lose();
            throw;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <inheritdoc/>
    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _inner.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        Over();
        await _inner.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Over();
            _inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Over()
    {
        _pings?.Dispose();
        _closeSent.TrySetResult();
        _clientDone.TrySetResult();
    }

    private async Task CloseBetweenFramesAsync(CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await CloseAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    // Whoever calls it may write.
    private async ValueTask CloseAsync(CancellationToken cancellationToken)
    {
        if (_toClient.IsClosed)
        {
            // The workspace was faster: the client has a code, and answers it.
            _closeSent.TrySetResult();
        }
        else if (_toClient.IsBetween && !_isClosed)
        {
            _isClosed = true;
            await _inner.WriteAsync(EdgeFrames.Close((EndReason)_ending), cancellationToken).ConfigureAwait(false);
            await _inner.FlushAsync(cancellationToken).ConfigureAwait(false);
            _closeSent.TrySetResult();
        }
    }

    // A write that waits for a slow client is sign of life enough: no ping stands in line behind it.
    private async Task PingAsync()
    {
        if (IsEnding || !_writing.Wait(0, CancellationToken.None))
        {
            return;
        }

        try
        {
            if (_toClient.IsBetween && !_isClosed)
            {
                await _inner.WriteAsync(EdgeFrames.Ping).ConfigureAwait(false);
                await _inner.FlushAsync().ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // The client is gone; those who copy notice.
            _toClient.Lose();
        }
        finally
        {
            _writing.Release();
        }
    }
}
