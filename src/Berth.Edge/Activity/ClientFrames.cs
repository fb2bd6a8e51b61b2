namespace Berth.Edge;

/// <summary>
/// Reads along a WebSocket from the client to the workspace (RFC 6455) and says which bytes belong to messages that count as use. It sees
/// every byte, keeps none, changes none and allocates nothing.
/// </summary>
/// <remarks>
/// <code>
/// First -> Second -> Length (0, 2 or 8 bytes) -> Mask (0 or 4 bytes) -> Payload -> First ...
///    |        '--- a close frame: Closed, nothing counts any more
///    '--- not RFC 6455: Lost, everything counts
/// </code>
/// Ping, pong and close never count: browsers and libraries send them with nobody there. What cannot be understood counts: to keep a
/// workspace running too long is the smaller mistake. Compressed messages (permessage-deflate) are measured as they are sent.
/// </remarks>
/// <param name="ignoreBelow">Messages with fewer bytes of payload do not count; 0 counts every one.</param>
internal sealed class ClientFrames(int ignoreBelow)
{
    private Part _part;
    private int _opcode;
    private bool _isFinal;
    private bool _isMasked;
    private int _wanted;
    private ulong _left;
    private bool _inMessage;
    private ulong _messageSize;
    private bool _counts;

    private enum Part
    {
        First,
        Second,
        Length,
        Mask,
        Payload,
        Closed,
        Lost,
    }

    /// <summary>Whether the client has sent a close frame: nothing that follows counts.</summary>
    public bool IsClosed => _part == Part.Closed;

    /// <summary>Whether the bytes are not RFC 6455: each of them counts from there on.</summary>
    public bool IsLost => _part == Part.Lost;

    /// <summary>Messages that have begun to count.</summary>
    public long Messages { get; private set; }

    /// <summary>Takes the next bytes, however they are cut.</summary>
    /// <returns>True when some of them belong to a message that counts.</returns>
    public bool Feed(ReadOnlySpan<byte> bytes)
    {
        var counts = false;
        while (!bytes.IsEmpty)
        {
            switch (_part)
            {
                case Part.Closed:
                    return counts;
                case Part.Lost:
                    return true;
                case Part.Payload:
                    var taken = (int)Math.Min(_left, (ulong)bytes.Length);
                    _left -= (ulong)taken;
                    bytes = bytes[taken..];
                    counts |= _opcode < 8 && _counts;
                    if (_left == 0)
                    {
                        EndFrame();
                    }

                    break;
                default:
                    counts |= Header(bytes[0]);
                    bytes = bytes[1..];
                    break;
            }
        }

        return counts;
    }

    private bool Header(byte next)
    {
        switch (_part)
        {
            case Part.First:
                return First(next);
            case Part.Second:
                return Second(next);
            case Part.Length:
                _left = (_left << 8) | next;
                return --_wanted == 0 && EndLength();
            default:
                return --_wanted == 0 && BeginPayload();
        }
    }

    private bool First(byte next)
    {
        _isFinal = (next & 0x80) != 0;
        _opcode = next & 0x0F;

        // A message begins with text or binary, goes on with continuations, and may have control frames in between.
        var fits = _opcode switch
        {
            0 => _inMessage,
            1 or 2 => !_inMessage,
            8 or 9 or 10 => _isFinal,
            _ => false,
        };
        _part = fits ? Part.Second : Part.Lost;
        return !fits;
    }

    private bool Second(byte next)
    {
        _isMasked = (next & 0x80) != 0;
        _left = (ulong)(next & 0x7F);
        if (_opcode >= 8 && _left > 125)
        {
            return Lose();
        }

        _wanted = _left switch { 126 => 2, 127 => 8, _ => 0 };
        if (_wanted == 0)
        {
            return EndLength();
        }

        _left = 0;
        _part = Part.Length;
        return false;
    }

    private bool EndLength()
    {
        if (_left > long.MaxValue)
        {
            return Lose();
        }

        if (!_isMasked)
        {
            return BeginPayload();
        }

        _wanted = 4;
        _part = Part.Mask;
        return false;
    }

    private bool BeginPayload()
    {
        if (_opcode == 8)
        {
            _part = Part.Closed;
            return false;
        }

        var isData = _opcode < 8;
        if (isData)
        {
            _inMessage = true;
            _messageSize = _messageSize > ulong.MaxValue - _left ? ulong.MaxValue : _messageSize + _left;
            if (!_counts && _messageSize >= (ulong)ignoreBelow)
            {
                _counts = true;
                Messages++;
            }
        }

        var counts = isData && _counts;
        _part = Part.Payload;
        if (_left == 0)
        {
            EndFrame();
        }

        return counts;
    }

    private void EndFrame()
    {
        _part = Part.First;
        if (_opcode < 8 && _isFinal)
        {
            _inMessage = false;
            _messageSize = 0;
            _counts = false;
        }
    }

    private bool Lose()
    {
        _part = Part.Lost;
        return true;
    }
}
