using System.Net;
using Berth.Accounts;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Edge.Tests.Api;

public class AuditApiTests
{
    [Theory]
    [InlineData("/api/audit")]
    [InlineData("/api/audit?format=csv")]
    [InlineData("/api/audit/verification")]
    public async Task Audit_ByAnybodyElse_RefusedAndNoted(string path)
    {
        await using var edge = await StartAsync();
        using var api = edge.Api("user1");
        using var answer = await api.GetAsync(path);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains(await edge.Get<IAccountStore>().ListAuditAsync(new(), default),
            e => e is { Outcome: "refused", Actor.Subject: "user1" });
    }

    [Fact]
    public async Task Export_ByAnAdministrator_EventsOfThatTimeInBothForms()
    {
        await using var edge = await StartAsync();
        var store = edge.Get<IAccountStore>();
        store.Audit(new() { At = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), Action = "old.event", Outcome = "allowed" });
        store.Audit(new() { At = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero), Action = "new.event", Target = "=1+1", Outcome = "allowed" });
        using var api = edge.Api("admin");
        using var csv = await api.GetAsync("/api/audit?format=csv&to=2026-01-01T00:00:00Z");
        using var lines = await api.GetAsync("/api/audit?from=2024-01-01T00:00:00%2B01:00&to=2026-01-01T00:00:00Z");

        Assert.Equal("text/csv", csv.Content.Headers.ContentType!.MediaType);
        Assert.Equal("attachment", csv.Content.Headers.ContentDisposition!.DispositionType);
        var rows = (await csv.Content.ReadAsStringAsync()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, rows.Length);
        Assert.Contains(",'=1+1,", rows[2], StringComparison.Ordinal);
        var one = Assert.Single((await lines.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("\"new.event\"", one, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_ByAnAdministrator_WholeAndNotWithAnotherHead()
    {
        await using var edge = await StartAsync();
        edge.Get<IAccountStore>().Audit(new() { At = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero), Action = "a.b", Outcome = "allowed" });
        using var api = edge.Api("admin");
        var found = await AccountApiTests.JsonAsync(await api.GetAsync("/api/audit/verification"));
        var other = await AccountApiTests.JsonAsync(await api.GetAsync($"/api/audit/verification?sequence=1&hash={new string('a', 64)}"));

        Assert.True((bool)found["whole"]!);
        Assert.False((bool)other["whole"]!);
        Assert.Equal(1, (int)other["brokenAt"]!);
    }

    [Theory]
    [InlineData("/api/audit?format=xml")]
    [InlineData("/api/audit?from=2020")]
    [InlineData("/api/audit/verification?sequence=1")]
    [InlineData("/api/audit/verification?sequence=1&hash=zz")]
    public async Task Query_ThatCannotBeRead_400(string path)
    {
        await using var edge = await StartAsync();
        using var api = edge.Api("admin");
        Assert.Equal(HttpStatusCode.BadRequest, (await api.GetAsync(path)).StatusCode);
    }

    [Fact]
    public async Task Export_DatabaseAway_ProblemAndNotHalfAFile()
    {
        var accounts = new BrokenAccounts();
        await using var edge = await StartAsync(accounts);
        using var api = edge.Api("admin");
        accounts.IsDown = true;
        using var answer = await api.GetAsync("/api/audit?format=csv");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    private static async Task<ProductFixture> StartAsync(IAccountStore? accounts = null)
    {
        var provider = await FakeProvider.StartAsync(TimeProvider.System);
        return await ProductFixture.StartAsync(
            o => o with
            {
                Edge = o.Edge with { Administrators = [new() { Issuer = provider.Issuer, Subject = "admin" }] },
            },
            accounts is null ? null : s => s.AddSingleton(accounts),
            provider: provider);
    }
}
