using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testing;

namespace Berth.Accounts.Tests.Postgres;

/// <summary>The scripts of docs/examples/backup, as they stand there, on a real server.</summary>
public class BackupTests
{
    private static readonly PersonKey Ann = new("https://idp.example", "ann");
    private static readonly DateTimeOffset Start = TimeProvider.System.GetUtcNow();

    [SkippableFact]
    public async Task BackupAndRestore_IntoAnEmptyDatabase_EverythingIsThereAndTheChainHolds()
    {
        using var server = Create();
        server.Start();
        await FillAsync(server.ConnectionString + ";Database=postgres");
        var file = Path.Combine(server.Folder, "accounts.dump");

        Assert.Equal(0, Script(server, "backup.sh", "postgres", file).Code);
        Assert.Equal(0, server.Run("createdb", "restored").Code);
        var (code, output) = Script(server, "restore.sh", "restored", file);
        Assert.True(code == 0, output);
        Assert.Contains("Restored: 1 people", output, StringComparison.Ordinal);

        await CheckAsync(server.ConnectionString + ";Database=restored");
        await using var one = NpgsqlDataSource.Create(server.ConnectionString + ";Database=postgres");
        await using var two = NpgsqlDataSource.Create(server.ConnectionString + ";Database=restored");
        Assert.Equal(await MigrationTests.ShapeAsync(one), await MigrationTests.ShapeAsync(two));
    }

    [SkippableFact]
    public async Task Restore_OverAccountsThatAreThere_RefusedAndNothingChanged()
    {
        using var server = Create();
        server.Start();
        var database = server.ConnectionString + ";Database=postgres";
        await FillAsync(database);
        var file = Path.Combine(server.Folder, "accounts.dump");
        Script(server, "backup.sh", "postgres", file);

        var (code, output) = Script(server, "restore.sh", "postgres", file);
        Assert.Equal(1, code);
        Assert.Contains("already", output, StringComparison.Ordinal);
        await CheckAsync(database);
    }

    [SkippableFact]
    public async Task Backup_ServerThatIsNotThere_FailsAndLeavesNoFileUnderItsName()
    {
        using var server = Create();
        var file = Path.Combine(server.Folder, "accounts.dump");
        Assert.NotEqual(0, Script(server, "backup.sh", "postgres", file).Code);
        Assert.False(File.Exists(file));
        await Task.CompletedTask;
    }

    [SkippableFact]
    public async Task PointInTime_BeforeAnAccident_WhatWasThenAndNothingOfTheAccident()
    {
        using var server = Create();
        var archive = Path.Combine(server.Folder, "wal");
        Assert.Equal(0, server.Run("/bin/mkdir", archive).Code);
        server.Start("archive_mode=on", $"archive_command={Copy(server, "archive-wal.sh")} %p {archive}/%f");
        var database = server.ConnectionString + ";Database=postgres;Pooling=false";
        await using (var early = new PostgresAccountStore(database, TimeProvider.System, NullLoggerFactory.Instance))
        {
            await early.StartAsync(default);
        }

        var backup = Path.Combine(server.Folder, "base");
        var (code, output) = Script(server, "base-backup.sh", "postgres", backup);
        Assert.True(code == 0, output);
        await FillAsync(database);
        var time = await ScalarAsync(database, "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00'");

        await ScalarAsync(database, "DELETE FROM berth.people");
        await ScalarAsync(database, "SELECT pg_switch_wal()");
        var last = await ScalarAsync(database, "SELECT pg_walfile_name(pg_current_wal_lsn())");
        await Until(async () => string.CompareOrdinal(
            await ScalarAsync(database, "SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver"), last) >= 0
            || Directory.GetFiles(archive).Length > 0 && await ScalarAsync(database,
                "SELECT (last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1))::text FROM pg_stat_archiver") == "true");
        server.Stop("fast");

        var data = Path.Combine(server.Folder, "restored");
        (code, output) = Script(server, "point-in-time.sh", "postgres", backup, archive, data, time);
        Assert.True(code == 0, output);
        using var restored = server.Beside(data);
        restored.Start();
        var then = restored.ConnectionString + ";Database=postgres;Pooling=false";
        await Until(async () => await ScalarAsync(then, "SELECT pg_is_in_recovery()::text") == "false");
        await CheckAsync(then);

        Assert.Equal(1, Script(server, "point-in-time.sh", "postgres", backup, archive, data, time).Code);
        Assert.Equal(2, Script(server, "point-in-time.sh", "postgres", backup, archive, server.Folder + "/x", "now'; x").Code);
    }

    [SkippableFact]
    public void ArchiveWal_SameFileTwiceAndAnotherOfItsName_FirstFineSecondRefused()
    {
        using var server = Create();
        var (from, other, to) = (Path.Combine(server.Folder, "a"), Path.Combine(server.Folder, "b"), Path.Combine(server.Folder, "c"));
        File.WriteAllText(from, "log");
        File.WriteAllText(other, "another");

        Assert.Equal(0, Script(server, "archive-wal.sh", "postgres", from, to).Code);
        Assert.Equal(0, Script(server, "archive-wal.sh", "postgres", from, to).Code);
        Assert.NotEqual(0, Script(server, "archive-wal.sh", "postgres", other, to).Code);
        Assert.Equal("log", File.ReadAllText(to));
    }

    private static async Task FillAsync(string database)
    {
        await using var store = new PostgresAccountStore(database, TimeProvider.System, NullLoggerFactory.Instance);
        await store.StartAsync(default);
        await store.RecordSignInAsync(new() { Person = Ann, SessionId = "s", At = Start, ExpiresAt = Start.AddDays(1) }, default);
        await store.Preferences.PutAsync(Ann, new() { Template = "studio" }, null, default);
        for (var i = 0; i < 50; i++)
        {
            store.Audit(new() { At = Start, Actor = Ann, Action = "a.b", Target = $"t/{i}", Outcome = "allowed" });
        }

        await store.FlushAsync(default);
    }

    private static async Task CheckAsync(string database)
    {
        await using var store = new PostgresAccountStore(database, TimeProvider.System, NullLoggerFactory.Instance);
        await store.StartAsync(default);
        Assert.Equal(["s"], (await store.ListSessionsAsync(Ann, default)).Select(s => s.Id));
        Assert.Equal("studio", (await store.Preferences.FindAsync(Ann, default))!.Wish.Template);
        var chain = await store.AuditLog.VerifyAsync(null, default);
        Assert.Equal((50, null), (chain.Events, chain.Reason));
        store.Audit(new() { At = Start, Action = "after.restore", Outcome = "allowed" });
        await store.FlushAsync(default);
        Assert.Equal((51, null), (await store.AuditLog.VerifyAsync(null, default)) is var v ? (v.Events, v.Reason) : default);
    }

    private static async Task<string> ScalarAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        return (await command.ExecuteScalarAsync())?.ToString() ?? "";
    }

    private static async Task Until(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            await Task.Delay(50, limit.Token);
        }
    }

    private static (int Code, string Output) Script(PostgresInstance server, string name, string database, params string[] arguments) =>
        server.Run(Copy(server, name), database, arguments);

    // The server's user may not be able to read where the sources are.
    private static string Copy(PostgresInstance server, string name)
    {
        var copy = Path.Combine(server.Folder, name);
        if (!File.Exists(copy))
        {
            File.Copy(Checkout.Path("docs", "examples", "backup", name), copy);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(copy, (UnixFileMode)0b111_101_101);
            }
        }

        return copy;
    }

    private static PostgresInstance Create()
    {
        var server = PostgresInstance.Create(out var reason);
        Skip.If(server is null, reason);
        return server;
    }
}
