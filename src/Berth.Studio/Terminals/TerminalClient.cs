using System.Threading.Channels;

namespace Berth.Studio.Terminals;

/// <summary>One connection to a terminal: how far it is, and a bell for whoever sends to it.</summary>
/// <remarks>The positions are guarded by the session's lock.</remarks>
/// <param name="replaced">Called, under the session's lock, when another connection takes the terminal over.</param>
internal sealed class TerminalClient(Action replaced)
{
    private readonly Channel<bool> _bell = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    /// <summary>The position in the output from which on nothing was sent yet.</summary>
    public long Sent { get; set; }

    /// <summary>The position up to which the client says that it has taken the output in.</summary>
    public long Acknowledged { get; set; }

    /// <summary>There is something to send, or to find out.</summary>
    public void Ring() => _bell.Writer.TryWrite(true);

    /// <summary>Waits for the bell.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => _bell.Reader.ReadAsync(cancellationToken);

    /// <summary>Another connection takes over.</summary>
    public void Replace() => replaced();
}
