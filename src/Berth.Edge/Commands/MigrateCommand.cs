using System.Globalization;
using Berth.Accounts;
using Npgsql;

namespace Berth.Edge;

/// <summary>
/// <c>Berth.Edge migrate</c>: brings the account database to a version, for a step of the deployment with more rights than the edge has.
/// </summary>
internal static class MigrateCommand
{
    /// <summary>The environment variable with the password of <c>--login</c>: arguments can be read by everybody on the machine.</summary>
    internal const string LoginPassword = "BERTH_LOGIN_PASSWORD";

    private const string Usage = """
        Usage: Berth.Edge migrate [--to VERSION] [--roles PREFIX [--login ROLE]] [--connection STRING] [--config FILE]
          --to          schema version to end at, lower ones take back (what those kept is lost); default: the newest
          --roles       make the roles PREFIX_edge and PREFIX_reader and give them the rights they need
          --login       make a role that signs in with the rights of PREFIX_edge alone, or give the one that is there a new password:
                        that of the environment variable BERTH_LOGIN_PASSWORD
          --connection  PostgreSQL as Npgsql reads it; default: Berth:Edge:Database:ConnectionString of file or environment
          --config      file with settings
        """;

    /// <summary>Runs the command.</summary>
    /// <param name="args">What stands after <c>migrate</c>.</param>
    /// <param name="loginPassword">Password of the role that <c>--login</c> names.</param>
    /// <param name="output">Where the result is written.</param>
    /// <param name="errors">Where problems are written, one line each.</param>
    /// <param name="cancellationToken">Gives up between scripts.</param>
    /// <returns>0 when the database is at the version; 1 when the database refused; 2 when the command cannot be understood.</returns>
    public static async Task<int> RunAsync(
        string[] args, string? loginPassword, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Length; i += 2)
        {
            if (args[i] is not ("--to" or "--roles" or "--login" or "--connection" or "--config") || i + 1 >= args.Length
                || !values.TryAdd(args[i], args[i + 1]))
            {
                await errors.WriteLineAsync(Usage).ConfigureAwait(false);
                return 2;
            }
        }

        var login = values.TryGetValue("--login", out var role) ? (role, loginPassword ?? "") : default((string, string)?);
        if (login is not null && !values.ContainsKey("--roles"))
        {
            await errors.WriteLineAsync("--login needs --roles: it is a member of the role that is made for edges.").ConfigureAwait(false);
            return 2;
        }

        if (login is (_, ""))
        {
            await errors.WriteLineAsync($"--login needs the password of the role in the environment variable {LoginPassword}.")
                .ConfigureAwait(false);
            return 2;
        }

        int? target = null;
        if (values.GetValueOrDefault("--to") is { } to)
        {
            if (!int.TryParse(to, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || number > AccountsMigrator.LatestVersion)
            {
                await errors.WriteLineAsync($"--to takes a version from 0 to {AccountsMigrator.LatestVersion}.").ConfigureAwait(false);
                return 2;
            }

            target = number;
        }

        if ((values.GetValueOrDefault("--connection") ?? Configured(values.GetValueOrDefault("--config")))
            is not { Length: > 0 } connection)
        {
            await errors.WriteLineAsync("No database: give --connection, or set Berth__Edge__Database__ConnectionString.")
                .ConfigureAwait(false);
            return 2;
        }

        try
        {
            await using var database = NpgsqlDataSource.Create(AccountsConnection.Read(connection));
            using var loggers = LoggerFactory.Create(b => { });
            var migrator = new AccountsMigrator(database, loggers.CreateLogger<AccountsMigrator>());
            var ran = await migrator.MigrateAsync(target, cancellationToken).ConfigureAwait(false);
            if (values.GetValueOrDefault("--roles") is { } prefix)
            {
                await migrator.GrantAsync(prefix, login, cancellationToken).ConfigureAwait(false);
            }

            await output.WriteLineAsync($"The account database is at version {target ?? AccountsMigrator.LatestVersion}; {ran} "
                + $"{(ran == 1 ? "script" : "scripts")} ran.").ConfigureAwait(false);
            return 0;
        }
        catch (ArgumentException error)
        {
            // The message names the keyword, never a value: the password stays out of it.
            var option = error.ParamName switch
            {
                "prefix" => "--roles",
                "login" => "--login",
                "password" => LoginPassword,
                _ => "--connection",
            };
            await errors.WriteLineAsync($"{option} cannot be read: {error.Message}").ConfigureAwait(false);
            return 2;
        }
        catch (OutOfMemoryException)
        {
            // Npgsql takes whatever it reads for the length of a message.
            await errors.WriteLineAsync("Not migrated: what answers at the address of --connection is no PostgreSQL.")
                .ConfigureAwait(false);
            return 1;
        }
        catch (Exception error) when (error is NpgsqlException or InvalidOperationException or TimeoutException)
        {
            await errors.WriteLineAsync($"Not migrated: {error.Message}").ConfigureAwait(false);
            return 1;
        }
    }

    private static string? Configured(string? file)
    {
        var configuration = new ConfigurationBuilder();
        if (file is not null)
        {
            configuration.AddJsonFile(Path.GetFullPath(file), optional: false);
        }

        return configuration.AddEnvironmentVariables().Build()["Berth:Edge:Database:ConnectionString"];
    }
}
