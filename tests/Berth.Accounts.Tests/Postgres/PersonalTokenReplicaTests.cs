using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testing;

namespace Berth.Accounts.Tests.Postgres;

/// <summary>What ends a personal token is known on every replica.</summary>
public class PersonalTokenReplicaTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private static readonly PersonKey Ann = new("https://idp.example", "ann");

    [SkippableTheory]
    [InlineData(null)]
    [InlineData("UPDATE berth.personal_tokens SET revoked_at = now() WHERE id = $1")]
    [InlineData("DELETE FROM berth.personal_tokens WHERE id = $1")]
    [InlineData("DELETE FROM berth.people WHERE id = (SELECT person_id FROM berth.personal_tokens WHERE id = $1)")]
    public async Task Revoked_ByAReplicaOrInTheDatabase_TheOtherReplicaHearsOfIt(string? sql)
    {
        var database = Database();
        await using var here = await StartAsync(database);
        await using var there = await StartAsync(database);
        var id = await CreateAsync(here);
        var heard = Hear(there, id);

        if (sql is null)
        {
            Assert.True(await here.PersonalTokens.RevokeAsync(Ann, id, default));
        }
        else
        {
            await using var source = NpgsqlDataSource.Create(database);
            await using var command = source.CreateCommand(sql);
            command.Parameters.Add(new() { Value = id });
            Assert.Equal(1, await command.ExecuteNonQueryAsync());
        }

        await heard.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(there.Revocations.IsTokenRevoked(id));
    }

    [SkippableFact]
    public async Task Revoked_BeforeAReplicaStarts_InItsSnapshot()
    {
        var database = Database();
        await using var here = await StartAsync(database);
        var (gone, live) = (await CreateAsync(here), await CreateAsync(here));
        await here.PersonalTokens.RevokeAsync(Ann, gone, default);

        await using var there = await StartAsync(database);
        Assert.True(there.Revocations.IsTokenRevoked(gone));
        Assert.False(there.Revocations.IsTokenRevoked(live));
    }

    [SkippableFact]
    public async Task Create_ManyAtOnceOnTwoReplicas_NeverAboveTheBound()
    {
        var database = Database();
        await using var here = await StartAsync(database);
        await using var there = await StartAsync(database);
        await CreateAsync(here);
        var made = await Task.WhenAll(Enumerable.Range(0, 70).Select(i => (i % 2 == 0 ? here : there).PersonalTokens.CreateAsync(
            Ann, NewToken(), default)));

        Assert.Equal(49, made.Count(r => r == PersonalTokenResult.Created));
        Assert.Equal(50, (await here.PersonalTokens.ListAsync(Ann, default)).Count);
    }

    private static Task Hear(IAccountStore store, Guid id)
    {
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.Revocations.Revoked += r =>
        {
            if (r.PersonalToken == id)
            {
                heard.TrySetResult();
            }
        };
        return heard.Task;
    }

    private static NewPersonalToken NewToken()
    {
        var now = TimeProvider.System.GetUtcNow();
        return new()
        {
            Id = Guid.CreateVersion7(),
            Name = "t",
            SecretHash = PersonalTokenSecret.Hash(PersonalTokenSecret.New()),
            Scopes = ["api:read"],
            CreatedAt = now,
            ExpiresAt = now.AddDays(90),
        };
    }

    private static async Task<Guid> CreateAsync(IAccountStore store)
    {
        var now = TimeProvider.System.GetUtcNow();
        await store.RecordSignInAsync(
            new() { Person = Ann, SessionId = $"{Guid.NewGuid()}", At = now, ExpiresAt = now.AddDays(1) }, default);
        var token = NewToken();
        await store.PersonalTokens.CreateAsync(Ann, token, default);
        return token.Id;
    }

    private static async Task<IAccountStore> StartAsync(string database)
    {
        var store = new PostgresAccountStore(database, TimeProvider.System, NullLoggerFactory.Instance);
        await store.StartAsync(default);
        return store;
    }

    private string Database()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        return postgres.CreateDatabase();
    }
}
