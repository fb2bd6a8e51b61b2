using System.Diagnostics;
using System.Net;
using Berth.Accounts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testing;

namespace Berth.Edge.Tests.Api;

/// <summary>What requests ask of the database, and what becomes of them when it hangs.</summary>
public class DatabaseShareTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task WarmRequests_ToAWorkspace_NotOneStatement()
    {
        var database = Database();
        await using var edge = await StartAsync(database);
        await using var workspace = await WorkspaceAsync();
        var browser = await OpenAsync(edge, workspace);
        await edge.Get<IAccountStore>().FlushAsync(default);

        const int Requests = 200;
        var (ofRequests, all) = (0, 0);
        var current = edge.Get<CurrentRequest>();
        var name = new NpgsqlConnectionStringBuilder(database).Database;
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = a =>
            {
                if (Equals(a.GetTagItem("db.namespace") ?? a.GetTagItem("db.name"), name))
                {
                    Interlocked.Increment(ref all);
                    if (current.Context is not null)
                    {
                        Interlocked.Increment(ref ofRequests);
                    }
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        for (var i = 0; i < Requests; i++)
        {
            using var answer = await browser.GetAsync($"{edge.HostOf("user1")}/page{i}");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        // What the replica does every now and then by itself, however long this takes, is nobody's request.
        Assert.Equal(0, Volatile.Read(ref ofRequests));
        Assert.InRange(Volatile.Read(ref all), 0, Requests / 4);

        // The counter counts: a page that does ask is seen.
        using var sessions = await browser.GetAsync($"{ProductFixture.Origin}/api/me/sessions");
        Assert.Equal(HttpStatusCode.OK, sessions.StatusCode);
        await ProductFixture.Until(() => Volatile.Read(ref ofRequests) > 0);
    }

    [SkippableFact]
    public async Task DatabaseHangs_CallsThatNeedItGet503_RequestsToWorkspacesGoOn()
    {
        var database = Database();
        await using var edge = await StartAsync(database + ";Maximum Pool Size=5;Timeout=1;Command Timeout=2");
        await using var workspace = await WorkspaceAsync();
        var browser = await OpenAsync(edge, workspace);
        using var api = edge.Api("user1");
        await using var locker = new NpgsqlConnection(database + ";Pooling=false");
        await locker.OpenAsync();
        await using var transaction = await locker.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand("LOCK TABLE berth.people, berth.preferences IN ACCESS EXCLUSIVE MODE", locker);
        await hold.ExecuteNonQueryAsync();

        var hanging = Enumerable.Range(0, 100).Select(_ => api.GetAsync("/api/me/preferences")).ToArray();
        for (var i = 0; i < 50; i++)
        {
            using var answer = await browser.GetAsync($"{edge.HostOf("user1")}/page{i}");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        foreach (var call in hanging)
        {
            using var answer = await call;
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.NotNull(answer.Headers.RetryAfter);
        }

        using var signIn = await edge.NewBrowser().FollowAsync($"{ProductFixture.Origin}/login?return=%2Ftos");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, signIn.StatusCode);
        await transaction.RollbackAsync();
        await Eventually(async () => (await api.GetAsync("/api/me/preferences")).StatusCode == HttpStatusCode.OK);
    }

    [SkippableFact]
    public async Task SignOutEverywhere_OnOneReplica_EndsTheSessionOnTheOther()
    {
        var database = Database();
        await using var one = await StartAsync(database);
        await using var two = await ProductFixture.StartAsync(o => o with { Edge = EdgeFixture.Options(one.Provider.Issuer) },
            s => s.AddSingleton<IAccountStore>(_ => new PostgresAccountStore(database, TimeProvider.System, NullLoggerFactory.Instance)));
        await ReadyAsync(two);
        var browser = await one.SignedInAsync("user1");
        var key = new PersonKey(one.Provider.Issuer, "user1");
        var session = Assert.Single(await two.Get<IAccountStore>().ListSessionsAsync(key, default));
        Assert.Equal(SessionState.Active, two.Get<IAccountStore>().Revocations.StandingOf(session.Id, key, 0));

        using var end = await browser.SendAsync($"{ProductFixture.Origin}/api/me/sessions", HttpMethod.Delete, null,
            ("Origin", ProductFixture.Origin));
        Assert.Equal(HttpStatusCode.NoContent, end.StatusCode);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        while (two.Get<IAccountStore>().Revocations.StandingOf(session.Id, key, 0) != SessionState.Superseded)
        {
            await Task.Delay(5, limit.Token);
        }
    }

    private static async Task<Browser> OpenAsync(ProductFixture edge, WebApplication workspace)
    {
        var browser = await edge.SignedInAsync("user1");
        using var api = edge.Api("user1");
        using var created = await api.PostAsync("/api/workspaces", null);
        edge.MakeReady(edge.NameOf("user1"), new Uri(workspace.Urls.Single()).Port);
        await ProductFixture.Until(() => edge.Get<WorkspaceTable>().TryFindByHost(new Uri(edge.HostOf("user1")).Host, out var e) && e.IsReady);
        using var first = await browser.FollowAsync($"{edge.HostOf("user1")}/");
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        return browser;
    }

    private static async Task<WebApplication> WorkspaceAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.MapGet("/{**rest}", () => "here");
        await app.StartAsync();
        return app;
    }

    private static async Task<ProductFixture> StartAsync(string database)
    {
        var edge = await ProductFixture.StartAsync(services: s => s.AddSingleton<IAccountStore>(
            _ => new PostgresAccountStore(database, TimeProvider.System, NullLoggerFactory.Instance)));
        await ReadyAsync(edge);
        return edge;
    }

    private static Task ReadyAsync(ProductFixture edge) => ProductFixture.Until(() => edge.Get<AccountsService>().IsStarted);

    private static async Task Eventually(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            await Task.Delay(50, limit.Token);
        }
    }

    private string Database()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        return postgres.CreateDatabase();
    }
}
