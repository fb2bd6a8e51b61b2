using System.Globalization;
using System.Security.Cryptography;
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
    public async Task Run_WithLogin_ARoleThatSignsInAsAnEdgeAndMayDoNothingElse()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        var database = postgres.CreateDatabase();
        var prefix = new NpgsqlConnectionStringBuilder(database).Database!;
        var login = prefix + "_edge_login";
        string[] args = ["--roles", prefix, "--login", login, "--connection", database];

        Assert.True(await RunWithAsync("it's $first", args) == 0, _errors.ToString());
        await using (var source = NpgsqlDataSource.Create(As(database, login, "it's $first")))
        {
            await using var read = source.CreateCommand("SELECT count(*) FROM berth.people");
            Assert.Equal(0L, await read.ExecuteScalarAsync());
            await using var alter = source.CreateCommand("ALTER TABLE berth.people ADD COLUMN x int");
            Assert.Equal(
                PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => alter.ExecuteNonQueryAsync())).SqlState);
        }

        // The server keeps a verifier that is the password's; whether it asks for it is the server's own setting, and these trust everybody.
        var first = await VerifierAsync(database, login);
        Assert.True(IsOf(first, "it's $first"));
        Assert.False(IsOf(first, "another"));
        Assert.Equal(0, await RunWithAsync("second", args));
        Assert.True(IsOf(await VerifierAsync(database, login), "second"));
        Assert.DoesNotContain("second", _output.ToString() + _errors, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Run_WithALoginThatMayDoMore_RefusedAndItsPasswordStays()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        var database = postgres.CreateDatabase();
        var prefix = new NpgsqlConnectionStringBuilder(database).Database!;
        var powerful = prefix + "_powerful";
        await using var source = NpgsqlDataSource.Create(database);
        await using var make = source.CreateCommand($"CREATE ROLE {powerful} LOGIN CREATEDB PASSWORD 'before'");
        await make.ExecuteNonQueryAsync();
        var before = await VerifierAsync(database, powerful);

        Assert.Equal(1, await RunWithAsync("after", "--roles", prefix, "--login", powerful, "--connection", database));

        Assert.Contains("may do more than an edge needs", _errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(before, await VerifierAsync(database, powerful));
    }

    [Theory]
    [InlineData("--login needs --roles", "x", "--login", "a")]
    [InlineData("BERTH_LOGIN_PASSWORD", null, "--login", "a", "--roles", "a")]
    [InlineData("BERTH_LOGIN_PASSWORD", "", "--login", "a", "--roles", "a")]
    public async Task Run_LoginThatCannotBe_TwoAndTheReason(string reason, string? password, params string[] args)
    {
        Assert.Equal(2, await RunWithAsync(password, [.. args, "--connection", "Host=127.0.0.1;Port=1"]));
        Assert.Contains(reason, _errors.ToString(), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("--login cannot be read", "No Name", "x")]
    [InlineData("--login cannot be read", "pg_monitor", "x")]
    [InlineData("BERTH_LOGIN_PASSWORD cannot be read", "a", "pässword")]
    [InlineData("BERTH_LOGIN_PASSWORD cannot be read", "a", "two\nlines")]
    public async Task Run_LoginOrPasswordThatIsNone_TwoAndTheReason(string reason, string login, string password)
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);

        Assert.Equal(2, await RunWithAsync(password, "--roles", "a", "--login", login, "--connection", postgres.CreateDatabase()));
        Assert.Contains(reason, _errors.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(password.Length > 1 ? password : "nothing", _errors.ToString(), StringComparison.Ordinal);
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

    private static string As(string database, string user, string password) =>
        new NpgsqlConnectionStringBuilder(database) { Username = user, Password = password, Pooling = false }.ConnectionString;

    private static async Task<string> VerifierAsync(string database, string role)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand("SELECT rolpassword FROM pg_authid WHERE rolname = $1");
        command.Parameters.AddWithValue(role);
        return (string)(await command.ExecuteScalarAsync())!;
    }

    // RFC 5803, worked out apart from the product's code.
    private static bool IsOf(string verifier, string password)
    {
        var parts = verifier.Split('$', ':');
        Assert.Equal("SCRAM-SHA-256", parts[0]);
        var salted = Rfc2898DeriveBytes.Pbkdf2(
            password, Convert.FromBase64String(parts[2]), int.Parse(parts[1], CultureInfo.InvariantCulture), HashAlgorithmName.SHA256, 32);
        return Convert.ToBase64String(SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8))) == parts[3]
            && Convert.ToBase64String(HMACSHA256.HashData(salted, "Server Key"u8)) == parts[4];
    }

    private Task<int> RunWithAsync(string? password, params string[] args) => MigrateCommand.RunAsync(args, password, _output, _errors, default);

    private Task<int> RunAsync(params string[] args) => RunWithAsync(null, args);

    private static async Task<bool> HasPeopleAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand("SELECT to_regclass('berth.people') IS NOT NULL");
        return (bool)(await command.ExecuteScalarAsync())!;
    }
}
