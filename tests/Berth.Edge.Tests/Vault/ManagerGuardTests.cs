using System.Net;
using System.Net.Http.Json;
using Berth.Accounts;
using Testing;
using static Berth.Edge.Tests.Vault.VaultFixture;

namespace Berth.Edge.Tests.Vault;

/// <summary>What the token manager does beside answering: the audit log, bounds before the provider is asked, where browsers go.</summary>
public class ManagerGuardTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task AccessToken_AskedForAgainAndAgain_IsAuditedOnceForEachCaller()
    {
        await using var edge = await StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        var id = await StoredAsync(ann);
        using var api = edge.Api("ann");
        for (var i = 0; i < 3; i++)
        {
            using var bySession = await ann.CallAsync(HttpMethod.Post, $"access-token?persistent_token_id={id}");
            using var byToken = await api.PostAsync(Manager + $"access-token?persistent_token_id={id}", null);
            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (bySession.StatusCode, byToken.StatusCode));
        }

        var accounts = edge.Get<IAccountStore>();
        await accounts.FlushAsync(default);
        var events = await accounts.ListAuditAsync(new AuditQuery(), default);

        Assert.Equal([$"tokens/{id}", $"tokens/{id}"], events.Where(e => e.Action == "vault.access").Select(e => e.Target));
    }

    [SkippableFact]
    public async Task NewToken_LongerThanAnyToken_IsRefusedBeforeTheProviderIsAsked()
    {
        await using var edge = await StartAsync(postgres);
        using var ann = edge.Api("ann");
        var before = edge.Provider.TokenRequests;

        using var answer = await ann.PostAsJsonAsync(
            Manager + "offline-token-id", new { refresh_token = new string('x', (16 * 1024) + 1) });

        var body = await JsonAsync(answer);
        Assert.Equal((400, "bad-parameter", "refresh_token"),
            ((int)answer.StatusCode, (string?)body["code"], (string?)body["details"]!["field"]));
        Assert.Equal(before, edge.Provider.TokenRequests);
    }

    [SkippableFact]
    public async Task Callback_BegunWithAForeignPlaceToReturnTo_DoesNotLeadThere()
    {
        await using var edge = await StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        using var begun = await ann.GetAsync(Manager + "offline-token?return=https%3A%2F%2Fevil.example%2Fsteal");
        using var provider = await ann.GetAsync((string)(await JsonAsync(begun))["consent_url"]!);

        using var back = await ann.GetAsync(provider.Headers.Location!.AbsoluteUri);

        Assert.DoesNotContain("evil.example", back.Headers.Location?.ToString() ?? "", StringComparison.Ordinal);
    }
}
