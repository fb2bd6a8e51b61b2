using System.Collections.Concurrent;
using Npgsql;
using NpgsqlTypes;

namespace Berth.Accounts;

/// <summary>People who come with tokens alone, on their way into the database.</summary>
internal sealed partial class AccountsOutbox
{
    // Each is a person whom a provider vouched for; beyond it those who come later are written when they come again.
    private const int MostPeople = 10_000;

    private readonly ConcurrentDictionary<PersonKey, SeenPerson> _seen = new();

    /// <summary>A person was seen.</summary>
    public void See(SeenPerson person)
    {
        if (_seen.Count < MostPeople || _seen.ContainsKey(person.Key))
        {
            _seen[person.Key] = person;
        }
    }

    private async Task WritePeopleAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var seen = _seen.ToArray();
        if (seen.Length == 0)
        {
            return;
        }

        // What a sign-in told stays: a token often says less. One row written in an hour, whichever replicas saw the person.
        const string Sql = """
            INSERT INTO berth.people AS p (id, issuer, subject, email, name, created_at, last_seen_at)
            SELECT s.id, s.issuer, s.subject, s.email, s.name, s.at, s.at
            FROM unnest($1, $2, $3, $4, $5, $6) AS s (id, issuer, subject, email, name, at)
            ON CONFLICT (issuer, subject) DO UPDATE SET
                email = COALESCE(p.email, excluded.email), name = COALESCE(p.name, excluded.name), last_seen_at = excluded.last_seen_at
            WHERE p.last_seen_at < excluded.last_seen_at - interval '1 hour'
            """;
        foreach (var batch in seen.Chunk(Batch))
        {
            await using var command = new NpgsqlCommand(Sql, connection)
            {
                Parameters =
                {
                    Parameter.Array(batch.Select(_ => Guid.CreateVersion7()), NpgsqlDbType.Uuid),
                    Parameter.Array(batch.Select(p => p.Key.Issuer), NpgsqlDbType.Text),
                    Parameter.Array(batch.Select(p => p.Key.Subject), NpgsqlDbType.Text),
                    Parameter.Array(batch.Select(p => p.Value.Email), NpgsqlDbType.Text),
                    Parameter.Array(batch.Select(p => p.Value.Name), NpgsqlDbType.Text),
                    Parameter.Array(batch.Select(p => p.Value.At.UtcDateTime), NpgsqlDbType.TimestampTz),
                },
            };
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            foreach (var written in batch)
            {
                // Only if they were not seen again meanwhile.
                _seen.TryRemove(written);
            }
        }
    }
}
