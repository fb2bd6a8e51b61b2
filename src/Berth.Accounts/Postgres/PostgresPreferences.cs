using System.Text.Json;
using Npgsql;

namespace Berth.Accounts;

/// <summary>Preferences in PostgreSQL.</summary>
internal sealed class PostgresPreferences(AccountsDatabase database, TimeProvider clock) : IPreferences
{
    /// <inheritdoc/>
    public Task<Preferences?> FindAsync(PersonKey person, CancellationToken cancellationToken) => database.FirstAsync(
        "SELECT template, parameters, environment, version, updated_at FROM berth.preferences WHERE issuer = $1 AND subject = $2",
        () => Of(person),
        r => new Preferences(
            new PreferenceWish
            {
                Template = r.IsDBNull(0) ? null : r.GetString(0),
                Parameters = ReadMap(r.GetString(1)),
                Environment = ReadMap(r.GetString(2)),
            },
            r.GetInt64(3),
            r.GetFieldValue<DateTimeOffset>(4)),
        cancellationToken);

    /// <inheritdoc/>
    public Task<WriteOutcome> PutAsync(PersonKey person, PreferenceWish wish, long? expected, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(wish);
        PreferenceRules.ThrowIfBroken(wish);
        const string Columns = "(issuer, subject, template, parameters, environment, version, updated_at) "
            + "VALUES ($1, $2, $3, $4, $5, nextval('berth.versions'), $6)";
        const string Change = "template = $3, parameters = $4, environment = $5, version = nextval('berth.versions'), updated_at = $6";
        var sql = expected switch
        {
            null => $"INSERT INTO berth.preferences {Columns} ON CONFLICT (issuer, subject) DO UPDATE SET {Change} RETURNING version",
            0 => $"INSERT INTO berth.preferences {Columns} ON CONFLICT (issuer, subject) DO NOTHING RETURNING version",
            _ => $"UPDATE berth.preferences SET {Change} WHERE issuer = $1 AND subject = $2 AND version = $7 RETURNING version",
        };
        return VersionedWrite.RunAsync(
            database,
            sql,
            () =>
            [
                .. Of(person), Parameter.Text(wish.Template), Parameter.Jsonb(WriteMap(wish.Parameters)),
                Parameter.Jsonb(WriteMap(wish.Environment)), Parameter.Time(clock.GetUtcNow()),
                .. expected is > 0 ? [Parameter.Long(expected)] : Array.Empty<NpgsqlParameter>(),
            ],
            "SELECT version FROM berth.preferences WHERE issuer = $1 AND subject = $2",
            () => Of(person),
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<WriteOutcome> DeleteAsync(PersonKey person, long? expected, CancellationToken cancellationToken) =>
        VersionedWrite.DeleteAsync(
            database,
            "DELETE FROM berth.preferences WHERE issuer = $1 AND subject = $2 AND ($3 IS NULL OR version = $3)",
            () => [.. Of(person), Parameter.Long(expected)],
            "SELECT version FROM berth.preferences WHERE issuer = $1 AND subject = $2",
            () => Of(person),
            expected,
            cancellationToken);

    private static NpgsqlParameter[] Of(PersonKey person) => [Parameter.Text(person.Issuer), Parameter.Text(person.Subject)];

    private static Dictionary<string, string> ReadMap(string json) =>
        JsonSerializer.Deserialize(json, UserDataJson.Default.DictionaryStringString) ?? [];

    private static string WriteMap(IReadOnlyDictionary<string, string> map) =>
        JsonSerializer.Serialize(new Dictionary<string, string>(map, StringComparer.Ordinal), UserDataJson.Default.DictionaryStringString);
}
