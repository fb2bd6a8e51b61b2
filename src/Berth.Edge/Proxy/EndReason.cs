using System.Buffers.Binary;
using System.Text;

namespace Berth.Edge;

/// <summary>Why the edge ends something that is under way.</summary>
internal enum EndReason
{
    /// <summary>The session or token was revoked, or the person disabled.</summary>
    SignedOut,

    /// <summary>The session's idle or absolute end has come.</summary>
    SessionEnded,

    /// <summary>The workspace is not shared with the person any more, or has another owner.</summary>
    AccessEnded,

    /// <summary>The workspace was stopped or deleted.</summary>
    WorkspaceStopped,

    /// <summary>This replica ends; another one goes on.</summary>
    GoingAway,
}

/// <summary>Control frames of the edge's own (RFC 6455, 5.5), as a server sends them: not masked.</summary>
internal static class EdgeFrames
{
    private static readonly byte[][] Closes = [.. Enum.GetValues<EndReason>().Select(Make)];

    /// <summary>A ping without payload.</summary>
    public static ReadOnlyMemory<byte> Ping { get; } = new byte[] { 0x89, 0x00 };

    /// <summary>A close frame with code and reason.</summary>
    public static ReadOnlyMemory<byte> Close(EndReason reason) => Closes[(int)reason];

    /// <summary>
    /// Code and reason that a browser's script reads. 4000 to 4999 are for applications (RFC 6455, 7.4.2). A stopped workspace is not 1001:
    /// libraries answer that by connecting anew at once, which is right when a replica goes and of no use here.
    /// </summary>
    public static (ushort Code, string Reason) Of(EndReason reason) => reason switch
    {
        EndReason.SignedOut => (4001, "signed out"),
        EndReason.SessionEnded => (4001, "session ended"),
        EndReason.AccessEnded => (1008, "access ended"),
        EndReason.WorkspaceStopped => (4002, "workspace stopped"),
        _ => (1001, "going away"),
    };

    private static byte[] Make(EndReason reason)
    {
        var (code, text) = Of(reason);
        var frame = new byte[4 + text.Length];
        frame[0] = 0x88;
        frame[1] = (byte)(2 + text.Length);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), code);
        Encoding.ASCII.GetBytes(text, frame.AsSpan(4));
        return frame;
    }
}
