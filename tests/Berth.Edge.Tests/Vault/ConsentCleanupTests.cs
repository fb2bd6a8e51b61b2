using System.Net;
using Berth.Accounts;
using Microsoft.AspNetCore.Http;
using Npgsql;
using Testing;
using static Berth.Edge.Tests.Vault.VaultFixture;

namespace Berth.Edge.Tests.Vault;

/// <summary>A grant that a provider has made is either stored or revoked there; none is left behind.</summary>
public class ConsentCleanupTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task Callback_ConsentOfAnotherAccount_WhatTheProviderGaveIsRevoked()
    {
        await using var edge = await StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        edge.Provider.OnTokenAnswer = answer => answer["refresh_token"] = "rt-of-bob";
        edge.Provider.Subject = "bob";

        var (status, _) = await ConsentAsync(ann);

        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Equal(["rt-of-bob"], edge.Provider.Revoked);
    }

    [SkippableFact]
    public async Task Callback_DatabaseDoesNotTakeTheToken_WhatTheProviderGaveIsRevoked()
    {
        var database = "";
        await using var edge = await StartAsync(postgres, o =>
        {
            database = o.Database.ConnectionString!;
            return o;
        });
        var ann = await edge.SignedInAsync("ann");
        edge.Provider.OnTokenAnswer = answer =>
        {
            answer["refresh_token"] = "rt-lost";
            using var source = NpgsqlDataSource.Create(database);
            using var hide = source.CreateCommand("ALTER TABLE berth.vault_tokens RENAME TO hidden");
            hide.ExecuteNonQuery();
        };

        var (status, body) = await ConsentAsync(ann);

        Assert.Equal((503, "vault-unavailable"), ((int)status, (string?)body["code"]));
        Assert.Equal(["rt-lost"], edge.Provider.Revoked);
    }

    [SkippableFact]
    public async Task Callback_BrowserGoesAwayDuringTheExchange_TheTokenIsStored()
    {
        await using var edge = await StartAsync(postgres);
        var flow = edge.Get<ConsentFlow>();
        var caller = new Caller
        {
            Kind = CallerKind.Session,
            Issuer = edge.Provider.Issuer,
            Subject = "ann",
            SessionId = "session",
            ExpiresAt = DateTimeOffset.MaxValue,
        };
        var (connection, provider) = flow.Connection("calendar");
        edge.Provider.Subject = "ann";
        var url = await flow.BeginAsync(caller, connection, provider, "", null, default);
        using var consent = await edge.NewBrowser().GetAsync(url);
        using var gone = new CancellationTokenSource();
        edge.Provider.OnTokenAnswer = answer =>
        {
            answer["refresh_token"] = "rt-kept";
            gone.Cancel();
        };

        var context = new DefaultHttpContext { RequestAborted = gone.Token };
        context.Request.QueryString = new QueryString(consent.Headers.Location!.Query);
        await Record.ExceptionAsync(() => flow.CallbackAsync(context, caller));

        Assert.True(gone.IsCancellationRequested);
        Assert.Single(await edge.Get<ITokenVault>().ListAsync(new PersonKey(caller.Issuer, caller.Subject), default));
        Assert.Empty(edge.Provider.Revoked);
    }
}
