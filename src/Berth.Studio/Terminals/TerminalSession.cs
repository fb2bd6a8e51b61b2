using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Berth.Studio.Identity;
using Microsoft.Win32.SafeHandles;

namespace Berth.Studio.Terminals;

/// <summary>
/// One terminal: the process, the last 64 KiB of its output, and at most one connection.
/// <code>
///   process -- pty --> I/O thread --> scrollback --> connection's sender --> browser
///                          ^                             |
///                          +---- stops reading while ----+  too much is unsent or unacknowledged
/// </code>
/// With nobody connected the output is read on, and only its end is kept. So neither `yes` nor a slow browser fills memory: the pty's own
/// buffer fills, and the program waits as it would at a slow screen.
/// </summary>
internal sealed class TerminalSession
{
    /// <summary>Some screens full: what a person sees again after their connection came back.</summary>
    public const int ScrollbackBytes = 64 * 1024;

    /// <summary>
    /// What may be on its way to the browser; enough for a full line speed at 100 ms, small enough that Ctrl-C acts at once.
    /// </summary>
    public const int Window = 128 * 1024;

    /// <summary>A paste larger than this, which the program in the terminal does not read, ends the connection.</summary>
    public const int MaxPendingInput = 8 * 1024 * 1024;

    private const int ReadBytes = 16 * 1024;

    private static readonly ExitStatus HungUp = new(128 + Libc.SigHup, Libc.SigHup);
    private readonly Lock _gate = new();

    /// <summary>
    /// One read more than is ever unsent: a read that had begun when somebody connected must not push out what they are to get.
    /// </summary>
    private readonly Scrollback _output = new(ScrollbackBytes + ReadBytes);
    private readonly ConcurrentQueue<byte[]> _input = new();
    private readonly SafeFileHandle _master;
    private readonly SafeFileHandle _wake;
    private readonly ChildReaper _reaper;
    private int _pid;
    private TerminalClient? _client;
    private ExitStatus? _exit;
    private bool _drained;
    private bool _closed;
    private long _pendingInput;

    private TerminalSession(string id, WorkspaceIdentity owner, SafeFileHandle master, ChildReaper reaper)
    {
        Id = id;
        Owner = owner;
        _master = master;
        _reaper = reaper;
        var wake = Libc.EventFd(0, Libc.OCloexec | Libc.ONonblock);
        _wake = wake >= 0 ? new SafeFileHandle(wake, ownsHandle: true) : throw new IOException("No event descriptor is to be had.");
    }

    /// <summary>What names it to its owner; not to be guessed.</summary>
    public string Id { get; }

    /// <summary>The person who opened it, and the only one who may come back to it.</summary>
    public WorkspaceIdentity Owner { get; }

    /// <summary>The timer that ends it when nobody comes back; the registry's.</summary>
    public ITimer? Grace { get; set; }

    /// <summary>Whether its process has ended and everything that it wrote is in the scrollback.</summary>
    public bool Ended
    {
        get
        {
            lock (_gate)
            {
                return _drained;
            }
        }
    }

    /// <summary>Starts the program in a new terminal.</summary>
    /// <exception cref="IOException">It cannot be started.</exception>
    public static TerminalSession Start(string id, WorkspaceIdentity owner, PtyStart start, ChildReaper reaper)
    {
        var (master, slave) = Pty.Open();
        TerminalSession session;
        try
        {
            session = new TerminalSession(id, owner, master, reaper);
        }
        catch
        {
            master.Dispose();
            throw;
        }

        try
        {
            Pty.Resize(master, start.Size);
            session._pid = reaper.Start(() => Pty.Spawn(slave, start), session.OnExit);
        }
        catch
        {
            session.Close();
            master.Dispose();
            session._wake.Dispose();
            throw;
        }

        // A thread, because a terminal is no socket: poll(2) is the one way to wait for it and for the bell together.
        new Thread(session.Run, 256 * 1024) { IsBackground = true, Name = "terminal " + id[..6] }.Start();
        return session;
    }

    /// <summary>Connects; a connection that is there already is replaced.</summary>
    public TerminalClient Attach(Action replaced)
    {
        lock (_gate)
        {
            _client?.Replace();
            var start = Math.Max(_output.Start, _output.End - ScrollbackBytes);
            if (start > 0)
            {
                Span<byte> head = stackalloc byte[4];
                start += Utf8Boundary.StrayLength(head[.._output.Copy(start, head)]);
            }

            _client = new TerminalClient(replaced) { Sent = start, Acknowledged = start };
            _client.Ring();
            Wake();
            return _client;
        }
    }

    /// <summary>Disconnects.</summary>
    /// <returns>Whether nobody is connected now.</returns>
    public bool Detach(TerminalClient client)
    {
        lock (_gate)
        {
            if (_client != client)
            {
                return false;
            }

            _client = null;
            Wake();
            return true;
        }
    }

    /// <summary>The next output for the connection, cut between characters.</summary>
    /// <returns>Its length, 0 when there is none now; and the exit when everything was taken.</returns>
    public (int Length, ExitStatus? Exit) Take(TerminalClient client, Span<byte> target)
    {
        lock (_gate)
        {
            var allowed = (int)Math.Clamp(Window - (client.Sent - client.Acknowledged), 0, target.Length);
            var length = _output.Copy(client.Sent, target[..allowed]);
            if (!_drained || client.Sent + length < _output.End)
            {
                length = Utf8Boundary.CompleteLength(target[..length]);
            }

            client.Sent += length;
            Wake();
            return (length, length == 0 && _drained && client.Sent == _output.End ? _exit ?? HungUp : null);
        }
    }

    /// <summary>The connection has taken in so many bytes more.</summary>
    public void Acknowledge(TerminalClient client, long bytes)
    {
        lock (_gate)
        {
            client.Acknowledged = Math.Min(client.Acknowledged + Math.Max(bytes, 0), client.Sent);
        }

        client.Ring();
    }

    /// <summary>Gives input to the program.</summary>
    /// <returns>False when it does not read what it was given before.</returns>
    public bool Input(ReadOnlySpan<byte> bytes)
    {
        if (Interlocked.Add(ref _pendingInput, bytes.Length) > MaxPendingInput)
        {
            Interlocked.Add(ref _pendingInput, -bytes.Length);
            return false;
        }

        _input.Enqueue(bytes.ToArray());
        lock (_gate)
        {
            Wake();
        }

        return true;
    }

    /// <summary>Changes the window.</summary>
    public void Resize(TerminalSize size)
    {
        lock (_gate)
        {
            if (!_closed)
            {
                Pty.Resize(_master, size);
            }
        }
    }

    /// <summary>Sends a signal to the shell's process group, as long as the shell is there.</summary>
    public void Signal(int signal) => _reaper.SignalGroup(_pid, signal);

    /// <summary>Frees the terminal; the kernel hangs up whatever still has it.</summary>
    public void Close()
    {
        lock (_gate)
        {
            Wake();
            _closed = true;
        }
    }

    private void OnExit(ExitStatus status)
    {
        lock (_gate)
        {
            _exit = status;
            Wake();
        }
    }

    /// <summary>Rings the I/O thread's bell. Under the lock, because the descriptor must not be closed in between.</summary>
    private void Wake()
    {
        if (!_closed)
        {
            ReadOnlySpan<byte> one = [1, 0, 0, 0, 0, 0, 0, 0];
            _ = Libc.Write(_wake, one, one.Length);
        }
    }

    private void Run()
    {
        var buffer = new byte[ReadBytes];
        ReadOnlyMemory<byte> unwritten = default;
        var endOfOutput = false;
        while (true)
        {
            bool read;
            bool exited;
            lock (_gate)
            {
                if (_closed)
                {
                    break;
                }

                exited = _exit is not null;

                // Never over what the connection has not got: the scrollback must keep everything that is unsent.
                read = !endOfOutput && (_client is null || _output.End - _client.Sent <= ScrollbackBytes);
            }

            if (unwritten.IsEmpty && _input.TryDequeue(out var next))
            {
                unwritten = next;
            }

            if (exited && endOfOutput)
            {
                break;
            }

            var ready = Poll(read, write: !unwritten.IsEmpty && !endOfOutput, wait: !(exited && read));
            if (exited && read && (ready & Libc.PollIn) == 0)
            {
                // The shell has ended and what it wrote is read. Processes that it left behind may hold the terminal; nobody waits for
                // them.
                break;
            }

            if ((ready & Libc.PollOut) != 0)
            {
                unwritten = WriteSome(unwritten);
            }

            if ((ready & ~Libc.PollOut) == 0)
            {
                continue;
            }

            if (read)
            {
                endOfOutput = !ReadSome(buffer);
            }
            else
            {
                // Hung up while the connection is behind: what was typed has no reader any more.
                unwritten = default;
            }
        }

        Finish();
    }

    private void Finish()
    {
        lock (_gate)
        {
            _drained = true;
            _closed = true;
            _master.Dispose();
            _wake.Dispose();
            _client?.Ring();
        }
    }

    private short Poll(bool read, bool write, bool wait)
    {
        var events = (short)((read ? Libc.PollIn : 0) | (write ? Libc.PollOut : 0));
        Span<Libc.PollFd> files =
        [
            // A hang-up is reported whether asked for or not; a negative descriptor keeps it from waking a thread that may not read.
            new() { Fd = events == 0 ? -1 : (int)_master.DangerousGetHandle(), Events = events },
            new() { Fd = (int)_wake.DangerousGetHandle(), Events = Libc.PollIn },
        ];
        if (Libc.Poll(files, 2, wait ? -1 : 0) < 0)
        {
            return 0;
        }

        if (files[1].Revents != 0)
        {
            Span<byte> count = stackalloc byte[8];
            _ = Libc.Read(_wake, count, count.Length);
        }

        return files[0].Revents;
    }

    private bool ReadSome(byte[] buffer)
    {
        var length = Libc.Read(_master, buffer, buffer.Length);
        if (length <= 0)
        {
            // EIO: the last process that had the terminal has closed it.
            return length < 0 && Marshal.GetLastPInvokeError() is Libc.EAgain or Libc.EIntr;
        }

        lock (_gate)
        {
            _output.Append(buffer.AsSpan(0, (int)length));
            _client?.Ring();
        }

        return true;
    }

    private ReadOnlyMemory<byte> WriteSome(ReadOnlyMemory<byte> bytes)
    {
        var written = Libc.Write(_master, bytes.Span, bytes.Length);
        if (written < 0)
        {
            if (Marshal.GetLastPInvokeError() is Libc.EAgain or Libc.EIntr)
            {
                return bytes;
            }

            // Nobody will read it.
            written = bytes.Length;
        }

        Interlocked.Add(ref _pendingInput, -written);
        return bytes[(int)written..];
    }
}
