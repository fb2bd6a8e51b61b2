using System.Net;
using Testing;
using static Berth.Edge.Tests.Vault.VaultFixture;
using static Berth.Edge.Tests.VaultProxy.VaultProxyFixture;

namespace Berth.Edge.Tests.VaultProxy;

/// <summary>From consent to the API's answer, with the real vault, somebody else's provider and an API that verifies tokens.</summary>
public class VaultProxyTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task Call_AfterConsent_CarriesThatPersonsToken()
    {
        await using var world = await VaultProxyFixture.StartAsync(postgres);
        using var ann = world.One.Api("ann");

        var before = await CallAsync(ann);
        await world.ConnectAsync("ann");
        using var answer = await ann.GetAsync(Call);

        Assert.Equal(409, before.Status);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("ann", (string?)(await JsonAsync(answer))["sub"]);
        Assert.Equal("upstream", answer.Headers.GetValues("Berth-Answer").Single());

        // The vault kept the access token that came with the consent: no refresh was needed.
        Assert.Equal(0, world.Provider.Proxy.Refreshes);
        Assert.Equal("ann", Jwt.Claims(Assert.Single(world.Api.Tokens)).GetProperty("sub").GetString());
    }

    [SkippableFact]
    public async Task Call_TokenExpires_IsAnsweredAllTheTimeWithNewerTokens()
    {
        await using var world = await VaultProxyFixture.StartAsync(postgres, accessSeconds: 2);
        await world.ConnectAsync("ann");
        using var ann = world.One.Api("ann");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (world.Api.Tokens.Distinct().Count() < 3)
        {
            // A token that had expired would be refused by the API, and the refresh forced by that counted as below.
            Assert.Equal(200, (await CallAsync(ann)).Status);
            await Task.Delay(50, limit.Token);
        }

        Assert.Equal(world.Api.Tokens.Distinct().Count() - 1, world.Provider.Proxy.Refreshes);
    }

    [SkippableFact]
    public async Task Call_ApiRefusesTheToken_OneRefreshAndTheCallIsMadeAgain()
    {
        await using var world = await VaultProxyFixture.StartAsync(postgres);
        await world.ConnectAsync("ann");
        using var ann = world.One.Api("ann");
        Assert.Equal(200, (await CallAsync(ann)).Status);
        var first = Assert.Single(world.Api.Tokens);
        world.Api.Refused[first] = true;

        var (status, body) = await CallAsync(ann);
        var after = await CallAsync(ann);

        Assert.Equal((200, "ann"), (status, (string?)body["sub"]));
        Assert.Equal(200, after.Status);
        Assert.Equal(1, world.Provider.Proxy.Refreshes);
        Assert.Equal([first, first, world.Api.Tokens.Last(), world.Api.Tokens.Last()], world.Api.Tokens);
    }

    [SkippableFact]
    public async Task Call_WithdrawnAtTheProvider_SaysSoAndTheWayItTellsWorks()
    {
        await using var world = await VaultProxyFixture.StartAsync(postgres);
        var id = await world.ConnectAsync("ann");
        using var ann = world.One.Api("ann");
        Assert.Equal(200, (await CallAsync(ann)).Status);
        await world.Provider.WithdrawAsync("ann");
        world.Api.Refused[world.Api.Tokens.Last()] = true;

        var (status, body) = await CallAsync(ann);
        using var byId = await ann.PostAsync(Manager + $"access-token?persistent_token_id={id}", null);
        var asked = world.Provider.Proxy.Refreshes;
        var again = await CallAsync(ann);

        Assert.Equal((409, "refused"), (status, (string?)body["details"]!["cause"]));
        Assert.Equal(HttpStatusCode.Conflict, byId.StatusCode);
        Assert.Equal((409, asked), (again.Status, world.Provider.Proxy.Refreshes));

        // And the way on: the connection is consented to anew, under the same id, on either edge.
        Assert.Equal(id, await world.ConnectAsync("ann"));
        using var elsewhere = world.Two.Api("ann");
        Assert.Equal(200, (await CallAsync(ann)).Status);
        Assert.Equal(200, (await CallAsync(elsewhere)).Status);
    }

    [SkippableFact]
    public async Task Call_DeletedId_IsToldAndTheProviderEndsTheToken()
    {
        await using var world = await VaultProxyFixture.StartAsync(postgres);
        var id = await world.ConnectAsync("ann");
        using var ann = world.One.Api("ann");
        Assert.Equal(200, (await CallAsync(ann)).Status);
        var granted = world.Provider.Proxy.RefreshTokens["ann"];
        Assert.True(await world.Provider.IsActiveAsync(granted));

        using var deleted = await ann.DeleteAsync(Manager + $"offline-token-id?id={id}");
        var (status, body) = await CallAsync(ann);
        using var byId = await ann.PostAsync(Manager + $"access-token?persistent_token_id={id}", null);

        Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        Assert.Equal(409, status);
        Assert.StartsWith(ProductFixture.Origin, (string?)body["details"]!["consentUrl"], StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Gone, byId.StatusCode);
        Assert.Single(world.Api.Tokens);
        await UntilAsync(async () => !await world.Provider.IsActiveAsync(granted));
    }

    [SkippableFact]
    public async Task Call_TwoPeople_EachGetsTheirOwnAndNeverTheOthers()
    {
        await using var world = await VaultProxyFixture.StartAsync(postgres);
        var annsId = await world.ConnectAsync("ann");
        using var ann = world.One.Api("ann");
        using var bob = world.One.Api("bob");
        Assert.Equal(200, (await CallAsync(ann)).Status);

        var before = await CallAsync(bob);
        using var foreign = await bob.PostAsync(Manager + $"access-token?persistent_token_id={annsId}", null);
        using var foreignDelete = await bob.DeleteAsync(Manager + $"offline-token-id?id={annsId}");
        await world.ConnectAsync("bob");
        var people = Enumerable.Range(0, 40).Select(i => i % 2 == 0 ? ("ann", ann) : ("bob", bob));
        var answers = await Task.WhenAll(people.Select(async p => (p.Item1, (string?)(await CallAsync(p.Item2)).Body["sub"])));

        Assert.Equal(409, before.Status);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (foreign.StatusCode, foreignDelete.StatusCode));
        Assert.All(answers, a => Assert.Equal(a.Item1, a.Item2));
    }

    [SkippableFact]
    public async Task Call_DeletedOnOneEdge_IsRefusedByTheOtherWithinFiveSeconds()
    {
        await using var world = await VaultProxyFixture.StartAsync(postgres);
        var id = await world.ConnectAsync("ann");
        using var one = world.One.Api("ann");
        using var two = world.Two.Api("ann");
        Assert.Equal(200, (await CallAsync(one)).Status);
        Assert.Equal(200, (await CallAsync(two)).Status);

        using var deleted = await one.DeleteAsync(Manager + $"offline-token-id?id={id}");
        Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);

        // What is promised, and what is waited for at most.
        await UntilAsync(async () => (await CallAsync(two)).Status == 409, seconds: 5);
        using var byId = await two.PostAsync(Manager + $"access-token?persistent_token_id={id}", null);
        Assert.Equal(HttpStatusCode.Gone, byId.StatusCode);

        // A new consent, on the first, works on the second as well.
        await world.ConnectAsync("ann");
        await UntilAsync(async () => (await CallAsync(two)).Status == 200, seconds: 5);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, int seconds = 30)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        while (!await condition())
        {
            await Task.Delay(50, limit.Token);
        }
    }
}
