using Npgsql;

namespace Berth.Accounts;

/// <summary>Writes that may expect a version: one statement decides, a second one tells what there is instead.</summary>
/// <remarks>
/// A write that expects a version and whose answer is lost on the way (the connection broke after the commit) is tried again and finds
/// its own version: the caller reads "conflict", looks, and finds what it wrote.
/// </remarks>
internal static class VersionedWrite
{
    public static async Task<WriteOutcome> RunAsync(AccountsDatabase database, string write, Func<NpgsqlParameter[]> parameters,
        string look, Func<NpgsqlParameter[]> key, CancellationToken cancellationToken)
    {
        var version = await database.FirstAsync(write, parameters, r => r.GetInt64(0), cancellationToken).ConfigureAwait(false);
        return version > 0
            ? new WriteOutcome(true, version)
            : new WriteOutcome(false, await database.FirstAsync(look, key, r => r.GetInt64(0), cancellationToken).ConfigureAwait(false));
    }

    public static async Task<WriteOutcome> DeleteAsync(AccountsDatabase database, string delete, Func<NpgsqlParameter[]> parameters,
        string look, Func<NpgsqlParameter[]> key, long? expected, CancellationToken cancellationToken)
    {
        if (await database.ExecuteAsync(delete, parameters, cancellationToken).ConfigureAwait(false) > 0)
        {
            return new WriteOutcome(true, 0);
        }

        var version = await database.FirstAsync(look, key, r => r.GetInt64(0), cancellationToken).ConfigureAwait(false);
        return new WriteOutcome(version == 0 && expected is null or 0, version);
    }
}
