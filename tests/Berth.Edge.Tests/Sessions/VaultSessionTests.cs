using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Berth.Accounts;
using Berth.Edge.Tests.Vault;
using Testing;

namespace Berth.Edge.Tests;

/// <summary>Refresh tokens of sessions in the vault: out of everybody's sight, and gone with the session.</summary>
public class VaultSessionTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task SignIn_RefreshToken_IsInTheVaultAndNowhereElse()
    {
        await using var edge = await StartAsync();
        var browser = await edge.SignedInAsync("user1");
        var cookie = browser.Cookies[("localhost", "berth")];
        var session = SessionCodec.Read(edge.Get<CookieProtector>().Unprotect(ProtectionPurpose.EdgeSession, "berth", cookie)!)!;
        var id = new Guid(StrictBase64Url.Decode(session.Id)!);
        var owner = new PersonKey(edge.Provider.Issuer, "user1");
        var vault = edge.Get<ITokenVault>();
        var kept = await edge.Get<ISessionTokens>().FindHintAsync(session, default);
        Assert.Equal(3, kept!.Split('.').Length);

        // As a connection of the person it does not exist: it is not shown, not given out and not to be revoked.
        Assert.Empty(await vault.ListAsync(owner, default));
        Assert.Null(await vault.GetAsync(id, owner, default));
        Assert.Null(await vault.RevokeAsync(id, owner, dryRun: false, default));
        var got = await vault.GetAccessTokenAsync(id, owner, default, default);
        Assert.Equal(AccessTokenOutcome.NotFound, got.Outcome);
        Assert.Null(got.Token);
        Assert.True(cookie.Length < 1024);

        // Nor for anybody else under the id.
        Assert.Null(await edge.Get<ISessionTokens>().FindHintAsync(session with { Subject = "user2" }, default));

        using var answer = await browser.SendAsync(
            ProductFixture.Origin + "/logout", HttpMethod.Post, headers: [("Origin", ProductFixture.Origin)]);
        Assert.Contains($"id_token_hint={kept}", answer.Headers.GetValues("Refresh").Single(), StringComparison.Ordinal);
        await ProductFixture.Until(() => edge.Provider.Revoked.Count == 1);
        Assert.StartsWith("rt-", edge.Provider.Revoked.Single(), StringComparison.Ordinal);
        Assert.Null(await edge.Get<ISessionTokens>().FindHintAsync(session, default));
    }

    [SkippableFact]
    public async Task SignIn_AuditLog_HasNoNoiseOfTheVault()
    {
        await using var edge = await StartAsync();
        await edge.SignedInAsync("user1");
        await edge.Get<IAccountStore>().FlushAsync(default);

        var audited = await edge.Get<IAccountStore>().ListAuditAsync(new AuditQuery(), default);

        Assert.Equal(["session.begin"], audited.Select(e => e.Action));
    }

    [SkippableFact]
    public async Task Bearer_PersonWhoNeverSignsIn_HasARowAndCanBeDisabled()
    {
        await using var edge = await VaultFixture.StartAsync(postgres);
        var accounts = edge.Get<IAccountStore>();
        var key = new PersonKey(edge.Provider.Issuer, "robot");
        using var api = edge.Api("robot");
        Assert.Null(await accounts.FindPersonAsync(key, default));

        for (var i = 0; i < 3; i++)
        {
            using var answer = await api.GetAsync("/api/me");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        await accounts.FlushAsync(default);
        Assert.NotNull(await accounts.FindPersonAsync(key, default));
        Assert.True(await accounts.SetDisabledAsync(key, disabled: true, default));
        using var refused = await api.GetAsync("/api/me");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [SkippableFact]
    public async Task SeePerson_WhoSignedInBefore_LosesNothing()
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        await using var store = new PostgresAccountStore(
            postgres.CreateDatabase(), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance);
        await store.StartAsync(default);
        var now = TimeProvider.System.GetUtcNow();
        var key = new PersonKey("https://idp.example.test", "ann");
        await store.RecordSignInAsync(
            new SignIn { Person = key, Email = "ann@example.test", SessionId = "s", At = now.AddHours(-3), ExpiresAt = now.AddDays(1) },
            default);

        store.SeePerson(new SeenPerson(key, "other@example.test", "Ann", now));
        store.SeePerson(new SeenPerson(key with { Subject = "bob" }, null, null, now));
        await store.FlushAsync(default);
        store.SeePerson(new SeenPerson(key, null, null, now.AddMinutes(1)));
        await store.FlushAsync(default);

        var ann = (await store.FindPersonAsync(key, default))!;
        Assert.Equal(("ann@example.test", "Ann"), (ann.Email, ann.Name));
        Assert.InRange(ann.LastSeenAt, now.AddSeconds(-1), now.AddSeconds(1));
        Assert.NotNull(await store.FindPersonAsync(key with { Subject = "bob" }, default));
    }

    private Task<ProductFixture> StartAsync() => VaultFixture.StartAsync(postgres, o => o with
    {
        Edge = o.Edge with { Issuers = [o.Edge.Issuers[0] with { RefreshSessions = true }] },
    });
}
