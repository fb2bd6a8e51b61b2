using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Testing;

namespace Berth.Edge.Tests.Processes;

/// <summary>
/// An edge of the version before, the real program, beside one of this version while the schema goes forward, back and forward below both.
/// </summary>
/// <remarks>
/// BERTH_TEST_PREVIOUS_EDGE is the Berth.Edge.dll of a commit whose schema is version 1. The suite of Berth.Accounts shows the same with
/// that version's statements, without the program.
/// </remarks>
public class PreviousEdgeTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task Migrate_ForwardBackForwardBelowBothEdges_NobodyIsTurnedAway()
    {
        var program = Environment.GetEnvironmentVariable("BERTH_TEST_PREVIOUS_EDGE");
        Skip.If(string.IsNullOrEmpty(program), "needs an edge of schema version 1 (BERTH_TEST_PREVIOUS_EDGE=its Berth.Edge.dll)");
        await using var berth = await EdgeInstallation.CreateAsync(postgres);
        var old = await berth.NewEdgeAsync(program);
        await berth.ExecuteAsync("INSERT INTO berth.people SELECT gen_random_uuid(), 'https://idp.example', 'p' || i, NULL, NULL, now(), "
            + "now(), NULL, 0 FROM generate_series(1, 2000) AS i");
        await berth.ExecuteAsync("INSERT INTO berth.audit_events SELECT gen_random_uuid(), now() - i * interval '1 s', 'i', 's', 'a.b', "
            + "'o/' || i, 'allowed', NULL FROM generate_series(1, 5000) AS i");
        berth.SignIn.Subject = "ann";
        using var ann = await SignedInAsync(old);
        using var stop = new CancellationTokenSource();
        var signIns = SignInAgainAndAgainAsync(old, stop.Token);

        var edge = await berth.NewEdgeAsync();
        using var here = edge.Client();
        here.DefaultRequestHeaders.Add("Cookie", ann.DefaultRequestHeaders.GetValues("Cookie"));
        here.DefaultRequestHeaders.Add("Origin", ProductFixture.Origin);
        await IsAsync(HttpStatusCode.OK, here.GetAsync("/api/me"));
        await IsAsync(HttpStatusCode.OK, here.PutAsJsonAsync("/api/me/preferences", new { template = "studio" }));

        await MigrateAsync(berth, "--to", "1");
        await IsAsync(HttpStatusCode.OK, here.GetAsync("/api/me"));
        await IsAsync(HttpStatusCode.OK, here.GetAsync("/api/workspaces"));
        await IsAsync(HttpStatusCode.ServiceUnavailable, here.GetAsync("/api/me/preferences"));

        await MigrateAsync(berth);
        await IsAsync(HttpStatusCode.OK, here.GetAsync("/api/me/preferences"));
        using var anew = await SignedInAsync(edge);
        await stop.CancelAsync();
        Assert.True(await signIns > 0);
        await IsAsync(HttpStatusCode.OK, ann.GetAsync("/api/workspaces"));
        await using var people = berth.Source.CreateCommand("SELECT count(*) FROM berth.people WHERE subject LIKE 'p%'");
        Assert.Equal(2000L, await people.ExecuteScalarAsync());
        await using var events = berth.Source.CreateCommand("SELECT count(*) FROM berth.audit_events WHERE action = 'a.b'");
        Assert.Equal(5000L, await events.ExecuteScalarAsync());
    }

    // Each is a row of the database: none may fail, whatever the schema below does.
    private static async Task<int> SignInAgainAndAgainAsync(EdgeProcess edge, CancellationToken cancellationToken)
    {
        var count = 0;
        for (; !cancellationToken.IsCancellationRequested; count++)
        {
            using var client = await SignedInAsync(edge);
            await IsAsync(HttpStatusCode.OK, client.GetAsync("/api/workspaces", CancellationToken.None));
        }

        return count;
    }

    private static async Task<HttpClient> SignedInAsync(EdgeProcess edge)
    {
        var browser = new Browser(Loopback.Handler(edge.Port));
        using var answer = await browser.FollowAsync($"{ProductFixture.Origin}/login?return=%2Ftos");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var client = edge.Client();
        client.DefaultRequestHeaders.Add("Cookie", browser.CookieHeader("localhost"));
        return client;
    }

    private static async Task IsAsync(HttpStatusCode expected, Task<HttpResponseMessage> call)
    {
        using var answer = await call;
        Assert.True(
            answer.StatusCode == expected,
            $"{answer.RequestMessage!.RequestUri} answered {answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
    }

    private static async Task MigrateAsync(EdgeInstallation berth, params string[] arguments)
    {
        using var migrate = Process.Start(
            "dotnet", ["exec", EdgeProcess.Shipped, "migrate", "--connection", berth.Database, .. arguments]);
        await migrate.WaitForExitAsync();
        Assert.Equal(0, migrate.ExitCode);
    }
}
