namespace Berth.Edge;

/// <summary>
/// How long one forwarded request waits for the beginning of its answer. Counts from the moment the whole request has been read.
/// </summary>
internal sealed class ResponseHeaderLimit : IDisposable
{
    private readonly CancellationTokenSource _request;
    private readonly TimeSpan _limit;
    private readonly TimeProvider _clock;
    private readonly Lock _gate = new();
    private ITimer? _timer;
    private bool _isOver;

    /// <summary>Makes one that does not count yet.</summary>
    /// <param name="limit">The time.</param>
    /// <param name="clock">Its clock.</param>
    /// <param name="request">Ends the request, by whomever; lives longer than this.</param>
    public ResponseHeaderLimit(TimeSpan limit, TimeProvider clock, CancellationTokenSource request) =>
        (_limit, _clock, _request) = (limit, clock, request);

    /// <summary>Whether the time ran out.</summary>
    public bool HasRunOut { get; private set; }

    /// <summary>The request has been read whole: the time runs from here.</summary>
    public void RequestRead()
    {
        lock (_gate)
        {
            if (!_isOver)
            {
                _timer ??= _clock.CreateTimer(static s => ((ResponseHeaderLimit)s!).RunOut(), this, _limit, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>The answer has begun: no limit any more.</summary>
    public void AnswerBegan()
    {
        lock (_gate)
        {
            _isOver = true;
            _timer?.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => AnswerBegan();

    private void RunOut()
    {
        lock (_gate)
        {
            if (_isOver)
            {
                return;
            }

            _isOver = true;
            HasRunOut = true;
            _ = _request.CancelAsync();
        }
    }
}

/// <summary>A request's body that tells when its end has been read, and notes that it is being sent.</summary>
internal sealed class EndNotingStream(Stream inner, Action atEnd, UseInProgress? use) : AsyncOnlyStream
{
    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);

        // An empty buffer waits for data to be there (YARP does so to hold no memory meanwhile): 0 then is not the end.
        if (read == 0 && buffer.Length > 0)
        {
            atEnd();
        }
        else if (read > 0)
        {
            use?.Uploaded();
        }

        return read;
    }
}
