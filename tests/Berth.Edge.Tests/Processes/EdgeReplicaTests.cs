using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Testing;
using static Berth.Edge.Tests.Processes.EdgeInstallation;

namespace Berth.Edge.Tests.Processes;

/// <summary>Two replicas of the shipped program on one database, in front of a provider that rotates always and forgives nothing.</summary>
public class EdgeReplicaTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task AccessToken_TwentyFiveCallersAtEachOfTwoEdges_OneTokenRequestAndFiftyAnswers()
    {
        await using var berth = await EdgeInstallation.CreateAsync(postgres);
        var token = berth.TokenOf("ann");
        Guid id;
        await using (var first = await berth.NewEdgeAsync())
        {
            using var client = first.Client(token);
            id = await berth.ConnectAsync(client, "ann");
        }

        await berth.ExecuteAsync("UPDATE berth.vault_tokens SET access_token = NULL, access_expires_at = NULL");
        var before = berth.Calendar.Proxy.Refreshes;
        using var one = (await berth.NewEdgeAsync()).Client(token);
        using var two = (await berth.NewEdgeAsync()).Client(token);

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => AccessTokenAsync(i % 2 == 0 ? one : two, id)));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.Status));
        Assert.Equal("ann", ForeignProvider.SubjectOf(Assert.Single(answers.Select(a => a.Token).Distinct())!));
        Assert.Equal(1, berth.Calendar.Proxy.Refreshes - before);
    }

    [SkippableFact]
    public async Task Delete_AtOneEdge_EndsItAtTheOtherAndAtTheProvider()
    {
        await using var berth = await EdgeInstallation.CreateAsync(postgres);
        var token = berth.TokenOf("ann");
        using var one = (await berth.NewEdgeAsync()).Client(token);
        using var two = (await berth.NewEdgeAsync()).Client(token);
        var id = await berth.ConnectAsync(one, "ann");
        var (_, access) = await AccessTokenAsync(two, id);
        using (var proxied = await two.GetAsync(Call))
        {
            Assert.Contains("\"ann\"", await proxied.Content.ReadAsStringAsync());
        }

        using (var revoked = await one.DeleteAsync($"{TokenManager}offline-token-id?id={id}"))
        {
            Assert.Equal(HttpStatusCode.OK, revoked.StatusCode);
        }

        await Cluster.ClusterFixture.Until(async () => (await AccessTokenAsync(two, id)).Status == HttpStatusCode.Gone);
        using var after = await two.GetAsync(Call);
        Assert.False(after.IsSuccessStatusCode);
        Assert.NotNull(access);
    }

    [SkippableFact]
    public async Task Database_HeldWhileHundredsWait_BlocksNoThread()
    {
        await using var berth = await EdgeInstallation.CreateAsync(postgres);
        var token = berth.TokenOf("ann");

        // With four threads in all, four blocked ones are the end of everything.
        using var client = (await berth.NewEdgeAsync(("DOTNET_ThreadPool_ForceMaxWorkerThreads", "4"))).Client(token);
        await berth.ConnectAsync(client, "ann");
        await using var holder = await berth.Source.OpenConnectionAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await using (var hold = holder.CreateCommand())
        {
            hold.CommandText = "LOCK TABLE berth.people, berth.preferences, berth.user_data IN ACCESS EXCLUSIVE MODE";
            await hold.ExecuteNonQueryAsync();
        }

        var waiting = Enumerable.Range(0, 200).Select(async i =>
        {
            using var answer = await client.GetAsync(i % 2 == 0 ? "/api/me/preferences" : $"/api/me/data/key-{i}");
            return answer.StatusCode;
        }).ToList();
        await WaitingForALockAsync(berth);

        for (var i = 0; i < 100; i++)
        {
            using var warm = await client.GetAsync(Call);
            Assert.Contains("\"ann\"", await warm.Content.ReadAsStringAsync());
            using var list = await client.GetAsync("/api/workspaces");
            Assert.Equal(HttpStatusCode.OK, list.StatusCode);
        }

        Assert.DoesNotContain(waiting, w => w.IsCompletedSuccessfully && w.Result == HttpStatusCode.OK);
        await transaction.RollbackAsync();
        Assert.All(
            await Task.WhenAll(waiting),
            status => Assert.True(
                status is HttpStatusCode.OK or HttpStatusCode.NotFound or HttpStatusCode.ServiceUnavailable, $"{status}"));
    }

    private static async Task<(HttpStatusCode Status, string? Token)> AccessTokenAsync(HttpClient client, Guid id)
    {
        using var answer = await client.PostAsync($"{TokenManager}access-token?persistent_token_id={id}", null);
        var body = await answer.Content.ReadFromJsonAsync<JsonObject>();
        return (answer.StatusCode, (string?)body!["access_token"]);
    }

    private static Task WaitingForALockAsync(EdgeInstallation berth) => Cluster.ClusterFixture.Until(async () =>
    {
        await using var count = berth.Source.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
        return await count.ExecuteScalarAsync() is >= 4L;
    });
}
