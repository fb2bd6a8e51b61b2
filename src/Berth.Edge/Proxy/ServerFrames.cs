namespace Berth.Edge;

/// <summary>
/// Reads along a WebSocket from the workspace to the client (RFC 6455) and knows where a frame ends: only there may a frame of the edge's
/// own stand. It keeps no byte and allocates nothing.
/// </summary>
/// <remarks>
/// <code>
/// Between -> Second -> Length (0, 2 or 8 bytes) -> Mask (0 or 4 bytes) -> Payload -> Between ...
///    |         '--- and after the payload of a close frame: Closed, nothing may follow
///    '--- not RFC 6455: Lost, there is no place for ever
/// </code>
/// Control frames may stand between the frames of a fragmented message (RFC 6455, 5.4), so messages need not be followed.
/// </remarks>
internal sealed class ServerFrames
{
    private Part _part;
    private int _opcode;
    private bool _isMasked;
    private int _wanted;
    private ulong _left;

    private enum Part
    {
        Between,
        Second,
        Length,
        Mask,
        Payload,
        Closed,
        Lost,
    }

    /// <summary>Whether the next byte begins a frame, so that another frame may be put before it.</summary>
    public bool IsBetween => _part == Part.Between;

    /// <summary>Whether the workspace has sent its close frame: the client knows, and nothing may follow.</summary>
    public bool IsClosed => _part == Part.Closed;

    /// <summary>Whether the bytes are not RFC 6455, or some may have been lost on the way: there is no place any more.</summary>
    public bool IsLost => _part == Part.Lost;

    /// <summary>Takes the next bytes, however they are cut.</summary>
    public void Feed(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && _part is not (Part.Closed or Part.Lost))
        {
            bytes = bytes[Step(bytes)..];
        }
    }

    /// <summary>Takes bytes up to the end of the frame that is under way; none when there is none.</summary>
    /// <returns>How many it took.</returns>
    public int Finish(ReadOnlySpan<byte> bytes)
    {
        var taken = 0;
        while (taken < bytes.Length && _part is not (Part.Between or Part.Closed or Part.Lost))
        {
            taken += Step(bytes[taken..]);
        }

        return taken;
    }

    /// <summary>Bytes may have been lost: where frames end is not known any more.</summary>
    public void Lose() => _part = Part.Lost;

    private int Step(ReadOnlySpan<byte> bytes)
    {
        if (_part == Part.Payload)
        {
            var taken = (int)Math.Min(_left, (ulong)bytes.Length);
            _left -= (ulong)taken;
            EndPayload();
            return taken;
        }

        Header(bytes[0]);
        return 1;
    }

    private void Header(byte next)
    {
        switch (_part)
        {
            case Part.Between:
                _opcode = next & 0x0F;
                var isFinal = (next & 0x80) != 0;
                _part = _opcode is 0 or 1 or 2 || (_opcode is 8 or 9 or 10 && isFinal) ? Part.Second : Part.Lost;
                break;
            case Part.Second:
                Second(next);
                break;
            case Part.Length:
                _left = (_left << 8) | next;
                if (--_wanted == 0)
                {
                    EndLength();
                }

                break;
            default:
                if (--_wanted == 0)
                {
                    BeginPayload();
                }

                break;
        }
    }

    private void Second(byte next)
    {
        _isMasked = (next & 0x80) != 0;
        _left = (ulong)(next & 0x7F);
        if (_opcode >= 8 && _left > 125)
        {
            _part = Part.Lost;
            return;
        }

        _wanted = _left switch { 126 => 2, 127 => 8, _ => 0 };
        if (_wanted == 0)
        {
            EndLength();
            return;
        }

        _left = 0;
        _part = Part.Length;
    }

    private void EndLength()
    {
        if (_left > long.MaxValue)
        {
            _part = Part.Lost;
        }
        else if (_isMasked)
        {
            _wanted = 4;
            _part = Part.Mask;
        }
        else
        {
            BeginPayload();
        }
    }

    private void BeginPayload()
    {
        _part = Part.Payload;
        EndPayload();
    }

    private void EndPayload()
    {
        if (_left == 0)
        {
            _part = _opcode == 8 ? Part.Closed : Part.Between;
        }
    }
}
