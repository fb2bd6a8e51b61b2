namespace Berth.Studio.Terminals;

/// <summary>What the program tells the page in a text frame; the terminal's output itself goes in binary frames.</summary>
internal sealed record TerminalEvent
{
    /// <summary>ready (first frame), exit (last frame before the close) or error (likewise).</summary>
    public required string Type { get; init; }

    /// <summary>ready: the terminal's id, to come back to it.</summary>
    public string? Id { get; init; }

    /// <summary>ready: whether what follows first is a replay of an older terminal.</summary>
    public bool? Resumed { get; init; }

    /// <summary>ready: how many bytes may be on their way before an ack is due.</summary>
    public int? Window { get; init; }

    /// <summary>exit: the exit code, 128 + signal when a signal ended it.</summary>
    public int? Code { get; init; }

    /// <summary>exit: the signal, if one ended it.</summary>
    public int? Signal { get; init; }

    /// <summary>error: a stable name.</summary>
    public string? Error { get; init; }

    /// <summary>error: what happened.</summary>
    public string? Title { get; init; }

    /// <summary>error: what to do.</summary>
    public string? Remedy { get; init; }
}

/// <summary>What the page tells the program in a text frame; input goes in binary frames.</summary>
internal sealed record TerminalCommand
{
    /// <summary>resize, ack or close.</summary>
    public string? Type { get; init; }

    /// <summary>resize: columns, 1 to 1000.</summary>
    public int Cols { get; init; }

    /// <summary>resize: rows, 1 to 1000.</summary>
    public int Rows { get; init; }

    /// <summary>ack: how many more bytes of output were taken in.</summary>
    public long Bytes { get; init; }
}
