using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Berth.Accounts;

/// <summary>
/// A PostgreSQL server for one machine, made from the machine's own programs, with its data below a given folder. It belongs to this
/// process:
/// it stops with it, and is not left behind when the process is killed.
/// </summary>
/// <remarks>
/// <code>
/// folder/data           the cluster; made in data.new and renamed, so that a half-made one is never used
/// folder/password       of the role berth (scram-sha-256), readable by us only
/// folder/postgres.log   what the server says
/// </code>
/// The server listens on 127.0.0.1 on a port that is free at the time; no Unix socket, whose path may not be longer than 107 bytes. It
/// keeps fsync on, so what was committed survives any end. It runs in a session of its own (Ctrl-C at the terminal is not for it) with a
/// parent-death signal where setpriv is there; where it is not, the next start ends what was left behind.
/// </remarks>
public sealed partial class LocalPostgresServer : IAsyncDisposable
{
    // Recovery after a crash replays the log; a minute is generous for a development machine's data.
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly PostgresBinaries _binaries;
    private readonly ServerIdentity _identity;
    private readonly string _data;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private Process? _process;
    private string _errors = "";

    private LocalPostgresServer(PostgresBinaries binaries, ServerIdentity identity, string folder, TimeProvider clock, ILogger logger)
    {
        _binaries = binaries;
        _identity = identity;
        _data = Path.Combine(folder, "data");
        _clock = clock;
        _logger = logger;
    }

    /// <summary>Npgsql connection string of the running server, with its password.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>Starts a server on the data in <paramref name="folder"/>, which is made on first use.</summary>
    /// <param name="folder">Folder of its own.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Where to log.</param>
    /// <param name="cancellationToken">Gives up; nothing is left running.</param>
    /// <returns>The server; or null and one line that says why there is none.</returns>
    public static async Task<(LocalPostgresServer? Server, string? Reason)> TryStartAsync(
        string folder, TimeProvider clock, ILogger logger, CancellationToken cancellationToken)
    {
        if (!PostgresBinaries.TryFind(out var binaries))
        {
            return (null, "initdb, pg_ctl and postgres were not found on PATH or in /usr/lib/postgresql");
        }

        var (identity, reason) = await ServerIdentity.FindAsync(cancellationToken).ConfigureAwait(false);
        if (identity is null)
        {
            return (null, reason);
        }

        var server = new LocalPostgresServer(binaries, identity, Path.GetFullPath(folder), clock, logger);
        try
        {
            await server.StartAsync(Path.GetFullPath(folder), cancellationToken).ConfigureAwait(false);
            return (server, null);
        }
        catch (Exception error) when (
            error is IOException or UnauthorizedAccessException or InvalidOperationException or NpgsqlException or TimeoutException)
        {
            await server.DisposeAsync().ConfigureAwait(false);
            return (null, error.Message);
        }
        catch (OperationCanceledException)
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Stops the server (fast: open transactions are rolled back) and waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is null)
        {
            return;
        }

        if (!_process.HasExited)
        {
            await StopAsync(CancellationToken.None).ConfigureAwait(false);

            // pg_ctl is content when the server has taken its pid file away, which is the last but one thing that it does.
            await _process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }

        _process.Dispose();
        _process = null;
    }

    internal int? ProcessId => _process?.Id;

    private async Task StartAsync(string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var password = await EnsureClusterAsync(folder, cancellationToken).ConfigureAwait(false);
        await EndLeftoverAsync(cancellationToken).ConfigureAwait(false);
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort();
            await LaunchAsync(port, cancellationToken).ConfigureAwait(false);
            var ready = await WaitUntilReadyAsync(port, cancellationToken).ConfigureAwait(false);
            if (ready)
            {
                ConnectionString = new NpgsqlConnectionStringBuilder
                {
                    Host = "127.0.0.1",
                    Port = port,
                    Username = "berth",
                    Password = password,
                    Database = "postgres",
                    SslMode = SslMode.Disable,
                    GssEncryptionMode = GssEncryptionMode.Disable,
                }.ConnectionString;
                return;
            }

            // Somebody else took the port between our look and the server's bind: another one, twice.
            if (attempt == 3 || !_errors.Contains("could not bind", StringComparison.Ordinal))
            {
                throw new InvalidOperationException($"PostgreSQL did not start: {LastLine(folder)}");
            }
        }
    }

    private async Task<string> EnsureClusterAsync(string folder, CancellationToken cancellationToken)
    {
        var passwordFile = Path.Combine(folder, "password");
        if (File.Exists(Path.Combine(_data, "PG_VERSION")))
        {
            return (await File.ReadAllTextAsync(passwordFile, cancellationToken).ConfigureAwait(false)).Trim();
        }

        var fresh = _data + ".new";
        if (Directory.Exists(fresh))
        {
            Directory.Delete(fresh, recursive: true);
        }

        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        await WritePrivateAsync(passwordFile, password, cancellationToken).ConfigureAwait(false);
        await GiveAwayAsync(folder, cancellationToken).ConfigureAwait(false);

        // --no-sync: a crash of the machine within seconds of the very first start loses nothing that anybody made. The server itself
        // syncs.
        var info = _identity.Describe(
            _binaries.InitDb,
            ["-D", fresh, "-U", "berth", "--auth=scram-sha-256", "--pwfile", passwordFile, "-E", "UTF8", "--locale=C", "--no-sync",
                "--no-instructions"]);
        var (code, output) = await ServerIdentity.RunAsync(info, cancellationToken).ConfigureAwait(false);
        if (code != 0)
        {
            throw new InvalidOperationException($"initdb failed: {LastLineOf(output)}");
        }

        Directory.Move(fresh, _data);
        return password;
    }

    // A server that outlived a kill -9 of its Berth (no setpriv, another system). It is ours: it runs on our folder.
    private async Task EndLeftoverAsync(CancellationToken cancellationToken)
    {
        var pidFile = Path.Combine(_data, "postmaster.pid");
        if (!File.Exists(pidFile))
        {
            return;
        }

        var (code, _) = await ServerIdentity.RunAsync(_identity.Describe(_binaries.PgCtl, ["status", "-D", _data]), cancellationToken)
            .ConfigureAwait(false);
        if (code == 0)
        {
            LogLeftover(_data);
            await StopAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task LaunchAsync(int port, CancellationToken cancellationToken)
    {
        string[] settings =
        [
            "listen_addresses=127.0.0.1", $"port={port}", "unix_socket_directories=", "max_connections=40", "shared_buffers=32MB",
                "jit=off",
            "logging_collector=on", $"log_directory={Path.GetDirectoryName(_data)}", "log_filename=postgres.log", "log_rotation_age=0",
            "log_rotation_size=10MB", "log_truncate_on_rotation=on",
        ];
        var arguments = new List<string> { "-D", _data };
        foreach (var setting in settings)
        {
            arguments.AddRange(["-c", setting]);
        }

        var wrapper = new List<string>();
        if (await ServerIdentity.SucceedsAsync(["setsid", "true"], cancellationToken).ConfigureAwait(false))
        {
            wrapper.Add("setsid");
        }

        if (await ServerIdentity.SucceedsAsync(["setpriv", "--pdeathsig", "INT", "true"], cancellationToken).ConfigureAwait(false))
        {
            wrapper.AddRange(["setpriv", "--pdeathsig", "INT"]);
        }

        var info = _identity.Describe(_binaries.Postgres, arguments, wrapper);
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);

        // The parent-death signal goes by the thread that started the process, and threads of the pool come and go: so one thread stays for
        // it.
        var thread = new Thread(() =>
        {
            try
            {
                var process = Process.Start(info) ?? throw new InvalidOperationException("PostgreSQL was not started.");
                started.SetResult(process);
                process.WaitForExit();
            }
            catch (Exception error) when (!started.Task.IsCompleted)
            {
                started.SetException(new InvalidOperationException($"PostgreSQL could not be started: {error.Message}", error));
            }
            catch (InvalidOperationException)
            {
                // Disposed by its owner meanwhile.
            }
        })
        {
            IsBackground = true,
            Name = "postgres",
        };
        thread.Start();
        _process = await started.Task.ConfigureAwait(false);
        _errors = "";
        _process.ErrorDataReceived += (_, line) => _errors += line.Data is null ? "" : line.Data + "\n";
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        _process.StandardInput.Close();
    }

    // Line 8 of postmaster.pid becomes "ready": the same sign that pg_ctl waits for. Line 4 is the port: a stale file has another one.
    private async Task<bool> WaitUntilReadyAsync(int port, CancellationToken cancellationToken)
    {
        var pidFile = Path.Combine(_data, "postmaster.pid");
        var start = _clock.GetTimestamp();
        while (_clock.GetElapsedTime(start) < StartLimit)
        {
            if (_process!.HasExited)
            {
                return false;
            }

            try
            {
                var lines = await File.ReadAllLinesAsync(pidFile, cancellationToken).ConfigureAwait(false);
                if (lines.Length >= 8 && lines[3].Trim() == port.ToString() && lines[7].StartsWith("ready", StringComparison.Ordinal))
                {
                    return true;
                }
            }
            catch (IOException)
            {
                // Not written yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), _clock, cancellationToken).ConfigureAwait(false);
        }

        throw new TimeoutException(
            $"PostgreSQL was not ready within {StartLimit.TotalSeconds:0} s; see postgres.log in {Path.GetDirectoryName(_data)}.");
    }

    private async Task StopAsync(CancellationToken cancellationToken)
    {
        // pg_ctl waits for the end and reads the pid from the folder, so it works for a leftover as well as for our own.
        var info = _identity.Describe(_binaries.PgCtl, ["stop", "-D", _data, "-m", "fast", "-w", "-t", "20", "-s"]);
        var (code, output) = await ServerIdentity.RunAsync(info, cancellationToken).ConfigureAwait(false);
        if (code != 0)
        {
            LogStopFailed(LastLineOf(output));
            _process?.Kill(entireProcessTree: true);
        }
    }

    private async Task GiveAwayAsync(string folder, CancellationToken cancellationToken)
    {
        if (_identity.ChangesOwner is null)
        {
            return;
        }

        if (!await ServerIdentity.SucceedsAsync(["chown", "-R", _identity.ChangesOwner, folder], cancellationToken).ConfigureAwait(false))
        {
            throw new InvalidOperationException($"{folder} cannot be given to the user that PostgreSQL runs as");
        }
    }

    private static async Task WritePrivateAsync(string path, string text, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var stream = new FileStream(path, options);
        await using var writer = new StreamWriter(stream);
        await writer.WriteAsync(text.AsMemory(), cancellationToken).ConfigureAwait(false);
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private string LastLine(string folder)
    {
        var log = Path.Combine(folder, "postgres.log");
        return _errors.Contains("FATAL", StringComparison.Ordinal) || !File.Exists(log) ? LastLineOf(_errors)
            : LastLineOf(File.ReadAllText(log));
    }

    private static string LastLineOf(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.LastOrDefault(l => l.Contains("FATAL", StringComparison.Ordinal) || l.Contains("error:", StringComparison.Ordinal))
            ?? lines.LastOrDefault() ?? "no message";
    }

    [LoggerMessage(4030, LogLevel.Warning, "A PostgreSQL server left behind by an earlier run on {Folder} is being stopped.")]
    private partial void LogLeftover(string folder);

    [LoggerMessage(4031, LogLevel.Warning, "PostgreSQL did not stop when asked and was ended: {Reason}")]
    private partial void LogStopFailed(string reason);
}
