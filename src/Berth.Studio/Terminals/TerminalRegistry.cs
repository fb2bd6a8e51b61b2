using System.Security.Cryptography;
using Berth.Studio.Hosting;
using Berth.Studio.Identity;

namespace Berth.Studio.Terminals;

/// <summary>All terminals: how many may be, who may come to which, and when they end.</summary>
internal sealed partial class TerminalRegistry(
    StudioOptions options,
    ShellFinder shell,
    ChildReaper reaper,
    TimeProvider time,
    ILogger<TerminalRegistry> logger
) : IHostedService
{
    /// <summary>What a shell gets to write its history after SIGHUP.</summary>
    private static readonly TimeSpan KillAfter = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, TerminalSession> _sessions = new(StringComparer.Ordinal);

    /// <summary>How many terminals there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _sessions.Count;
            }
        }
    }

    /// <summary>Opens a terminal.</summary>
    /// <exception cref="ProblemException">There are too many, or the shell cannot be started.</exception>
    public TerminalSession Open(WorkspaceIdentity person, TerminalSize size)
    {
        lock (_gate)
        {
            if (_sessions.Count >= options.MaxTerminals)
            {
                throw new ProblemException(
                    429,
                    "too-many-terminals",
                    $"There are {_sessions.Count} terminals already, which is the most that may be.",
                    "Those that are open go on.",
                    "Close one that is not needed; one that lost its connection ends by itself after "
                        + $"{options.TerminalGrace.TotalSeconds:0} seconds."
                );
            }

            var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
            try
            {
                var session = TerminalSession.Start(id, person, shell.Describe(size), reaper);
                _sessions[id] = session;
                LogOpened(logger, id[..6], person.Subject);
                return session;
            }
            catch (IOException e)
            {
                LogNotOpened(logger, e.Message);
                throw new ProblemException(
                    500,
                    "no-terminal",
                    "A terminal cannot be opened: " + e.Message,
                    "No file was touched.",
                    "Set SHELL to a shell that the image has; the program's log has the cause.",
                    e
                );
            }
        }
    }

    /// <summary>
    /// The terminal of that id, if it is that person's. Somebody else's is answered as one that does not exist, so that ids cannot be tried
    /// out.
    /// </summary>
    public TerminalSession Find(string id, WorkspaceIdentity person)
    {
        lock (_gate)
        {
            return _sessions.TryGetValue(id, out var session) && session.Owner.IsSamePerson(person)
                ? session
                : throw new ProblemException(
                    404,
                    "no-such-terminal",
                    "This terminal does not exist any more.",
                    "What ran in it has ended.",
                    "Open a new one."
                );
        }
    }

    /// <summary>Connects to it and stops the clock that would end it.</summary>
    public TerminalClient Attach(TerminalSession session, Action replaced)
    {
        lock (_gate)
        {
            session.Grace?.Dispose();
            session.Grace = null;
            return session.Attach(replaced);
        }
    }

    /// <summary>Disconnects from it; unless somebody else is connected, the clock starts.</summary>
    public void Detach(TerminalSession session, TerminalClient client)
    {
        lock (_gate)
        {
            if (session.Detach(client) && _sessions.ContainsKey(session.Id))
            {
                session.Grace = time.CreateTimer(_ => End(session), null, options.TerminalGrace, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Ends it: hang-up to the shell's group, and the terminal is taken away; a shell that stays is killed.</summary>
    public void End(TerminalSession session)
    {
        lock (_gate)
        {
            if (!_sessions.Remove(session.Id))
            {
                return;
            }

            session.Grace?.Dispose();
            session.Grace = session.Ended
                ? null
                : time.CreateTimer(_ => session.Signal(Libc.SigKill), null, KillAfter, Timeout.InfiniteTimeSpan);
        }

        session.Signal(Libc.SigHup);
        session.Close();
        LogEnded(logger, session.Id[..6]);
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Ends all of them, and every process that was started from one, also those that left their session: nothing stays behind.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        List<TerminalSession> all;
        lock (_gate)
        {
            all = [.. _sessions.Values];
        }

        all.ForEach(End);
        await shell.EndDescendantsAsync(time, cancellationToken);
    }

    [LoggerMessage(1301, LogLevel.Information, "Terminal {Terminal} opened for {Subject}")]
    private static partial void LogOpened(ILogger logger, string terminal, string subject);

    [LoggerMessage(1302, LogLevel.Information, "Terminal {Terminal} ended")]
    private static partial void LogEnded(ILogger logger, string terminal);

    [LoggerMessage(1303, LogLevel.Error, "A terminal cannot be opened: {Reason}")]
    private static partial void LogNotOpened(ILogger logger, string reason);
}
