using Berth.Accounts;
using Npgsql;
using Testing;

namespace Berth.Edge.Tests.Commands;

public class MigrateCommandTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();

    [SkippableFact]
    public async Task Run_ForwardThenBack_SchemaMadeAndTakenBack()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        var database = postgres.CreateDatabase();

        Assert.Equal(0, await RunAsync("--connection", database));
        Assert.Contains($"at version {AccountsMigrator.LatestVersion}", _output.ToString(), StringComparison.Ordinal);
        Assert.True(await HasPeopleAsync(database));

        Assert.Equal(0, await RunAsync("--to", "0", "--connection", database));
        Assert.Contains("at version 0", _output.ToString(), StringComparison.Ordinal);
        Assert.False(await HasPeopleAsync(database));
        Assert.Equal("", _errors.ToString());
    }

    [SkippableFact]
    public async Task Run_WithRoles_MadeAndAPrefixThatIsNoneRefused()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        var database = postgres.CreateDatabase();
        var prefix = new NpgsqlConnectionStringBuilder(database).Database!;

        Assert.Equal(0, await RunAsync("--roles", prefix, "--connection", database));
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand($"SELECT has_table_privilege('{prefix}_edge', 'berth.people', 'UPDATE')");
        Assert.Equal(true, await command.ExecuteScalarAsync());

        Assert.Equal(2, await RunAsync("--roles", "No Prefix", "--connection", database));
        Assert.Contains("--roles", _errors.ToString(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Run_ScriptThatRanWithOtherContents_OneWithTheReason()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        var database = postgres.CreateDatabase();
        await RunAsync("--connection", database);
        await using var source = NpgsqlDataSource.Create(database);
        await using var change = source.CreateCommand("UPDATE berth.schema_versions SET checksum = 'x' WHERE version = 1");
        await change.ExecuteNonQueryAsync();

        Assert.Equal(1, await RunAsync("--connection", database));
        Assert.Contains("0001_accounts", _errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ServerThatIsNotThere_OneWithoutThePassword()
    {
        Assert.Equal(1, await RunAsync("--connection", "Host=127.0.0.1;Port=1;Username=u;Password=verysecret;Timeout=1"));
        Assert.StartsWith("Not migrated:", _errors.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("verysecret", _errors.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Usage", "--what", "1")]
    [InlineData("Usage", "--to")]
    [InlineData("Usage", "--to", "1", "--to", "1")]
    [InlineData("--to takes", "--to", "-1")]
    [InlineData("--to takes", "--to", "9999")]
    [InlineData("--to takes", "--to", "1.0")]
    [InlineData("cannot be read", "--connection", "Hostess=secretvalue")]
    public async Task Run_ArgumentsThatAreWrong_TwoAndTheReason(string reason, params string[] args)
    {
        Assert.Equal(2, await RunAsync(args));
        Assert.Contains(reason, _errors.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secretvalue", _errors.ToString(), StringComparison.Ordinal);
        Assert.Equal("", _output.ToString());
    }

    private Task<int> RunAsync(params string[] args) => MigrateCommand.RunAsync(args, _output, _errors, default);

    private static async Task<bool> HasPeopleAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand("SELECT to_regclass('berth.people') IS NOT NULL");
        return (bool)(await command.ExecuteScalarAsync())!;
    }
}
