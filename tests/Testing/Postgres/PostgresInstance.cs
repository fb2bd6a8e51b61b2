using System.Diagnostics;

namespace Testing;

/// <summary>
/// A PostgreSQL server on 127.0.0.1 that a test does things to: settings of its own, standbys, restores. Its programs run as the user
/// postgres where the test runs as root; everything is below one folder that goes with it.
/// </summary>
public sealed class PostgresInstance : IDisposable
{
    private readonly string _bin;
    private readonly bool _ownsFolder;
    private Process? _server;

    private PostgresInstance(string bin, string folder, string data, bool ownsFolder)
    {
        _bin = bin;
        Folder = folder;
        Data = data;
        _ownsFolder = ownsFolder;
        Port = LoopbackPort.Free();
    }

    /// <summary>Folder for everything; the server's user may write there.</summary>
    public string Folder { get; }

    /// <summary>Data folder.</summary>
    public string Data { get; }

    /// <summary>Port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Connection string without a database.</summary>
    public string ConnectionString => $"Host=127.0.0.1;Port={Port};Username=test";

    /// <summary>Makes a server; null and a reason where the machine has no PostgreSQL.</summary>
    public static PostgresInstance? Create(out string? reason)
    {
        string[] programs = ["initdb", "postgres", "pg_ctl", "pg_dump", "pg_restore", "pg_basebackup", "pg_verifybackup"];
        var bin = PostgresPrograms.Find(programs);
        if (bin is null)
        {
            reason = $"no PostgreSQL with {string.Join(", ", programs)} on PATH or in /usr/lib/postgresql";
            return null;
        }

        var folder = Directory.CreateTempSubdirectory("pgi").FullName;
        if (Environment.IsPrivilegedProcess)
        {
            using var chown = Process.Start("chown", ["postgres", folder]);
            chown.WaitForExit();
        }

        var made = new PostgresInstance(bin, folder, Path.Combine(folder, "data"), ownsFolder: true);
        var (code, output) = made.Run("initdb", "-D", made.Data, "-U", "test", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync",
            "--no-instructions");
        reason = code == 0 ? null : $"no PostgreSQL: initdb failed: {output.Trim()}";
        return code == 0 ? made : null;
    }

    /// <summary>Another server of the same programs on a data folder that is there.</summary>
    public PostgresInstance Beside(string data) => new(_bin, Folder, data, ownsFolder: false);

    /// <summary>Starts it; the settings are <c>name=value</c>.</summary>
    public void Start(params string[] settings)
    {
        var words = new List<string> { "setpriv", "--pdeathsig", "KILL", Path.Combine(_bin, "postgres"), "-D", Data };
        foreach (var setting in (string[])["listen_addresses=127.0.0.1", $"port={Port}", "unix_socket_directories=", "fsync=off",
            "shared_buffers=16MB", "max_connections=40", .. settings])
        {
            words.AddRange(["-c", setting]);
        }

        var log = Data + ".log";
        _server = TiedProcess.Start(PostgresPrograms.AsServer([.. words]));
        _server.ErrorDataReceived += (_, line) => AppendLine(log, line.Data);
        _server.BeginErrorReadLine();
        _server.BeginOutputReadLine();
        if (!PostgresPrograms.WaitUntilReady(_server, Data))
        {
            throw new InvalidOperationException($"The server did not start: {(File.Exists(log) ? File.ReadAllText(log) : "no message")}");
        }
    }

    /// <summary>Ends it; <c>immediate</c> as a failing machine would, <c>fast</c> in order.</summary>
    public void Stop(string mode)
    {
        Run("pg_ctl", "stop", "-D", Data, "-m", mode, "-w", "-s");
        _server?.WaitForExit();
        _server?.Dispose();
        _server = null;
    }

    /// <summary>Runs one of PostgreSQL's programs, or a script by its full path, as the server's user.</summary>
    public (int Code, string Output) Run(string program, params string[] arguments) => Run(program, "postgres", arguments);

    /// <summary>The same with a database in libpq's variables.</summary>
    public (int Code, string Output) Run(string program, string database, string[] arguments) =>
        Run(PostgresPrograms.AsServer([Path.IsPathRooted(program) ? program : Path.Combine(_bin, program), .. arguments]), database);

    /// <summary>Runs a script by its full path as whoever runs the test, with a database in libpq's variables.</summary>
    public (int Code, string Output) RunAsMe(string script, string database, string[] arguments, params (string Name, string Value)[] environment)
    {
        var info = PostgresPrograms.AsMe([script, .. arguments]);
        foreach (var (name, value) in environment)
        {
            info.Environment[name] = value;
        }

        return Run(info, database);
    }

    private (int Code, string Output) Run(ProcessStartInfo info, string database)
    {
        info.Environment["PATH"] = $"{_bin}:{Environment.GetEnvironmentVariable("PATH")}";
        info.Environment["PGHOST"] = "127.0.0.1";
        info.Environment["PGPORT"] = Port.ToString();
        info.Environment["PGUSER"] = "test";
        info.Environment["PGDATABASE"] = database;
        using var process = Process.Start(info)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.GetAwaiter().GetResult());
    }

    public void Dispose()
    {
        if (_server is { HasExited: false })
        {
            Stop("immediate");
        }

        if (_ownsFolder)
        {
            using var remove = Process.Start("rm", ["-rf", Folder]);
            remove.WaitForExit();
        }
    }

    private static void AppendLine(string file, string? line)
    {
        if (line is not null)
        {
            lock (typeof(PostgresInstance))
            {
                File.AppendAllText(file, line + "\n");
            }
        }
    }
}
