using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Berth.Accounts.Tests.LocalPostgres;

public sealed class LocalPostgresServerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("berth-pg-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableFact]
    public async Task TryStart_TwiceOnOneFolder_DataIsThereAndNothingIsLeft()
    {
        int pid;
        await using (var first = await StartAsync())
        {
            pid = first.ProcessId!.Value;
            await ExecuteAsync(first.ConnectionString, "CREATE TABLE kept AS SELECT 42 AS x");
            await ExecuteAsync(first.ConnectionString, "SELECT 1 FROM pg_settings WHERE name = 'fsync' AND setting = 'on'", 1);
        }

        Assert.Throws<ArgumentException>(() => Process.GetProcessById(pid));
        await using var second = await StartAsync();
        await ExecuteAsync(second.ConnectionString, "SELECT x FROM kept", 42);
    }

    [SkippableFact]
    public async Task TryStart_WrongPassword_Refused()
    {
        await using var server = await StartAsync();
        var wrong = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "guess", Pooling = false };
        var error = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(wrong.ConnectionString, "SELECT 1"));
        Assert.Equal("28P01", error.SqlState);
    }

    [SkippableFact]
    public async Task TryStart_LeftoverServerOfAKilledRun_EndedAndReplaced()
    {
        // The leftover is a server whose owner forgot it: the first starter is not disposed.
        var leftover = await StartAsync();
        await ExecuteAsync(leftover.ConnectionString, "CREATE TABLE kept AS SELECT 42 AS x");

        await using var next = await StartAsync();
        await ExecuteAsync(next.ConnectionString, "SELECT x FROM kept", 42);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ExecuteAsync(leftover.ConnectionString + ";Pooling=false", "SELECT 1"));
    }

    [SkippableFact]
    public async Task TryStart_ServerKilledWithCommittedData_Recovers()
    {
        var killed = await StartAsync();
        await ExecuteAsync(killed.ConnectionString, "CREATE TABLE kept AS SELECT 42 AS x");
        using (var process = Process.GetProcessById(killed.ProcessId!.Value))
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        await using var next = await StartAsync();
        await ExecuteAsync(next.ConnectionString, "SELECT x FROM kept", 42);
    }

    [SkippableFact]
    public async Task TryStart_FolderThatIsAFile_ReasonInOneLine()
    {
        Skip.IfNot(PostgresBinaries.TryFind(out _), "no PostgreSQL on this machine");
        var file = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(file, "x");
        var (server, reason) = await LocalPostgresServer.TryStartAsync(file, TimeProvider.System, NullLogger.Instance, default);

        Assert.Null(server);
        Assert.NotNull(reason);
        Assert.DoesNotContain('\n', reason);
    }

    private async Task<LocalPostgresServer> StartAsync()
    {
        Skip.IfNot(PostgresBinaries.TryFind(out _), "no PostgreSQL on this machine");
        var (server, reason) = await LocalPostgresServer.TryStartAsync(_folder, TimeProvider.System, NullLogger.Instance, default);
        Assert.True(server is not null, reason);
        return server;
    }

    private static async Task ExecuteAsync(string connectionString, string sql, object? expected = null)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        var result = await command.ExecuteScalarAsync();
        if (expected is not null)
        {
            Assert.Equal(expected, result);
        }
    }
}
