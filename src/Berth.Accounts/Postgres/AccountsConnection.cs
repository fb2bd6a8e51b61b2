using Npgsql;

namespace Berth.Accounts;

/// <summary>How a connection string of the account database is read.</summary>
public static class AccountsConnection
{
    /// <summary>
    /// Reads a connection string. Kerberos is not tried unless the string says so (<c>GSS Encryption Mode</c>): Npgsql would load the
    /// system's library for it, and in an image that has none, as Berth's have not, the runtime complains of that beside the log at each
    /// start.
    /// </summary>
    /// <exception cref="ArgumentException">The string cannot be read; the message names the keyword.</exception>
    public static NpgsqlConnectionStringBuilder Read(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        if (!PostgresAccountStore.Says(connectionString, "GSS Encryption Mode"))
        {
            settings.GssEncryptionMode = GssEncryptionMode.Disable;
        }

        return settings;
    }
}
