using System.Diagnostics;

namespace Testing;

/// <summary>
/// A PostgreSQL server for tests: made from the machine's own programs in a temporary folder, on a Unix socket, gone with the test run.
/// As an xunit class or collection fixture: <c>Skip.If(postgres.SkipReason is not null, postgres.SkipReason)</c> first in each test.
/// </summary>
/// <remarks>
/// BERTH_TEST_POSTGRES, a connection string without a database, uses a running server instead. fsync is off: tests of durability use the
/// product's own server. It dies with the process that started it (parent-death signal), so a killed test run leaves nothing.
/// </remarks>
public sealed class ThrowawayPostgres : IDisposable
{
    private readonly string? _folder;
    private readonly string _base = "";
    private Process? _server;
    private int _databases;

    public ThrowawayPostgres()
    {
        if (Environment.GetEnvironmentVariable("BERTH_TEST_POSTGRES") is { Length: > 0 } given)
        {
            _base = given;
            return;
        }

        var bin = PostgresPrograms.Find("initdb");
        if (bin is null)
        {
            SkipReason = "no PostgreSQL: initdb is not on PATH nor in /usr/lib/postgresql, and BERTH_TEST_POSTGRES is not set";
            return;
        }

        // Short on purpose: a socket's path may have 107 bytes.
        _folder = Directory.CreateTempSubdirectory("pg").FullName;
        Prepare(_folder);
        var initdb = Run(
            Path.Combine(bin, "initdb"),
            "-D",
            Data,
            "-U",
            "test",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions"
        );
        if (initdb.ExitCode != 0)
        {
            SkipReason = $"no PostgreSQL: initdb failed: {initdb.StandardError.ReadToEnd().Trim()}";
            return;
        }

        Binaries = bin;
        _base = $"Host={_folder};Username=test;Pooling=true";
        Start();
    }

    /// <summary>Why there is no server; null when there is one.</summary>
    public string? SkipReason { get; private set; }

    /// <summary>True when this fixture started the server, so that a test may stop it.</summary>
    public bool IsOwned => _folder is not null && SkipReason is null;

    private string? Binaries { get; }

    private string Data => Path.Combine(_folder!, "d");

    /// <summary>Makes an empty database and returns its connection string.</summary>
    public string CreateDatabase()
    {
        var name = $"t{Environment.ProcessId}_{Interlocked.Increment(ref _databases)}_{Random.Shared.Next():x}";
        var created = IsOwned
            ? Run("createdb", "-h", _folder!, "-U", "test", name)
            : RunAsMe("psql", ToUri(_base), "-c", $"CREATE DATABASE {name}");
        return created.ExitCode == 0
            ? $"{_base};Database={name}"
            : throw new InvalidOperationException($"Cannot make a database: {created.StandardError.ReadToEnd()}");
    }

    /// <summary>Ends the server at once, as a failing machine would; connections break.</summary>
    public void Stop()
    {
        using var stop = Run(Path.Combine(Binaries!, "pg_ctl"), "stop", "-D", Data, "-m", "immediate", "-w", "-s");
        _server?.WaitForExit();
        _server?.Dispose();
        _server = null;
    }

    /// <summary>Starts the server (again).</summary>
    public void Start()
    {
        _server = TiedProcess.Start(
            PostgresPrograms.AsServer([
                "setpriv",
                "--pdeathsig",
                "KILL",
                Path.Combine(Binaries!, "postgres"),
                "-D",
                Data,
                "-c",
                "listen_addresses=",
                "-c",
                $"unix_socket_directories={_folder}",
                "-c",
                "fsync=off",
                "-c",
                "max_connections=60",
                "-c",
                "shared_buffers=16MB",
            ])
        );
        _server.BeginErrorReadLine();
        _server.BeginOutputReadLine();
        if (!PostgresPrograms.WaitUntilReady(_server, Data))
        {
            SkipReason = "no PostgreSQL: the server did not start";
        }
    }

    public void Dispose()
    {
        if (_server is { HasExited: false })
        {
            Stop();
        }

        if (_folder is not null)
        {
            using var remove = Run("rm", "-rf", Data);
            Directory.Delete(_folder, recursive: true);
        }
    }

    private static string ToUri(string connectionString)
    {
        var parts = connectionString
            .Split(';', StringSplitOptions.RemoveEmptyEntries)
            .Select(p => p.Split('=', 2))
            .ToDictionary(p => p[0].Trim().ToLowerInvariant(), p => Uri.EscapeDataString(p[1]));
        return $"postgresql://{parts["username"]}:{parts.GetValueOrDefault("password")}@{parts["host"]}:{parts.GetValueOrDefault("port", "5432")}/postgres";
    }

    // The programs refuse to run as root; the folder is given to the user postgres.
    private static void Prepare(string folder)
    {
        if (Environment.IsPrivilegedProcess)
        {
            using var chown = RunAsMe("chown", "postgres", folder);
        }
    }

    private static Process Run(params string[] command) => Finish(PostgresPrograms.AsServer(command));

    private static Process RunAsMe(params string[] command) => Finish(PostgresPrograms.AsMe(command));

    private static Process Finish(ProcessStartInfo info)
    {
        var process = Process.Start(info)!;
        process.WaitForExit();
        return process;
    }
}
