using System.Text.Json;
using Npgsql;

namespace Berth.Accounts;

/// <summary>People's data in PostgreSQL.</summary>
internal sealed class PostgresUserData(AccountsDatabase database, TimeProvider clock) : IUserData
{
    private const string VersionOf = "SELECT version FROM berth.user_data WHERE issuer = $1 AND subject = $2 AND key = $3";

    /// <inheritdoc/>
    public async Task<IReadOnlyList<UserDatumHead>> ListAsync(PersonKey person, CancellationToken cancellationToken) =>
        await database.ListAsync(
            "SELECT key, version, updated_at FROM berth.user_data WHERE issuer = $1 AND subject = $2 ORDER BY key COLLATE \"C\"",
            () => [Parameter.Text(person.Issuer), Parameter.Text(person.Subject)],
            r => new UserDatumHead(r.GetString(0), r.GetInt64(1), r.GetFieldValue<DateTimeOffset>(2)),
            cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public Task<UserDatum?> FindAsync(PersonKey person, string key, CancellationToken cancellationToken) =>
        !UserDataRules.IsKey(key) ? Task.FromResult<UserDatum?>(null) : database.FirstAsync(
            "SELECT value, version, updated_at FROM berth.user_data WHERE issuer = $1 AND subject = $2 AND key = $3",
            () => Of(person, key),
            r => new UserDatum(key, Parse(r.GetString(0)), r.GetInt64(1), r.GetFieldValue<DateTimeOffset>(2)),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<UserDataOutcome> PutAsync(
        PersonKey person, string key, JsonElement value, long? expected, CancellationToken cancellationToken)
    {
        UserDataRules.ThrowIfBroken(key, value);

        // Two new keys at the same moment may end one above the bound: it guards the size of the table, not a licence.
        const string Insert = """
            INSERT INTO berth.user_data (issuer, subject, key, value, version, updated_at)
            SELECT $1, $2, $3, $4, nextval('berth.versions'), $5
            WHERE EXISTS (SELECT FROM berth.user_data WHERE issuer = $1 AND subject = $2 AND key = $3)
                OR (SELECT count(*) FROM berth.user_data WHERE issuer = $1 AND subject = $2) < $6
            ON CONFLICT (issuer, subject, key)
            """;
        const string Change = "SET value = $4, version = nextval('berth.versions'), updated_at = $5";
        var sql = expected switch
        {
            null => $"{Insert} DO UPDATE {Change} RETURNING version",
            0 => $"{Insert} DO NOTHING RETURNING version",
            _ => $"UPDATE berth.user_data {Change} WHERE issuer = $1 AND subject = $2 AND key = $3 AND version = $6 RETURNING version",
        };
        var text = UserDataJson.Compact(value);
        WriteOutcome outcome;
        try
        {
            outcome = await VersionedWrite.RunAsync(
                database,
                sql,
                () => [.. Of(person, key), Parameter.Jsonb(text), Parameter.Time(clock.GetUtcNow()),
                    Parameter.Long(expected is > 0 ? expected : UserDataRules.MaximumKeys)],
                VersionOf,
                () => Of(person, key),
                cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.CheckViolation)
        {
            // jsonb writes 1e300 out with all its zeros: a short text can be a long value.
            throw new ArgumentException("The value is too large once its numbers are written out.", nameof(value), error);
        }

        var result = outcome.Written ? UserDataResult.Written
            : outcome.Version == 0 && expected is null or 0 ? UserDataResult.TooMany
            : UserDataResult.Conflict;
        return new UserDataOutcome(result, outcome.Version);
    }

    /// <inheritdoc/>
    public Task<WriteOutcome> DeleteAsync(PersonKey person, string key, long? expected, CancellationToken cancellationToken)
    {
        UserDataRules.ThrowIfNoKey(key);
        return VersionedWrite.DeleteAsync(
            database,
            "DELETE FROM berth.user_data WHERE issuer = $1 AND subject = $2 AND key = $3 AND ($4 IS NULL OR version = $4)",
            () => [.. Of(person, key), Parameter.Long(expected)],
            VersionOf,
            () => Of(person, key),
            expected,
            cancellationToken);
    }

    private static NpgsqlParameter[] Of(PersonKey person, string key) =>
        [Parameter.Text(person.Issuer), Parameter.Text(person.Subject), Parameter.Text(key)];

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
