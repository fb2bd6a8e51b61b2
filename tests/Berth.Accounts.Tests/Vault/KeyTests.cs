using Testing;

namespace Berth.Accounts.Tests.Vault;

/// <summary>Keys that are missing, wrong or changed in the middle, and rows that somebody moved about in the database.</summary>
public class KeyTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task Start_OtherKeyUnderTheSameName_RefusesAndNamesIt()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        await (await world.StartAsync()).DisposeAsync();

        var error = await Assert.ThrowsAsync<VaultKeyException>(() =>
            world.StartAsync(options: world.Options with { Keys = [TestKeys.Option("k1")] }));

        Assert.Contains("Key 'k1' of Vault:Keys is not the key that this database knows", error.Message, StringComparison.Ordinal);
        Assert.Contains("restore the right one", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Start_OtherFingerprintKeyUnderTheSameName_Refuses()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        await (await world.StartAsync()).DisposeAsync();

        var error = await Assert.ThrowsAsync<VaultKeyException>(() =>
            world.StartAsync(options: world.Options with { FingerprintKeys = [TestKeys.Option("f1")] }));

        Assert.Contains("Key 'f1' of Vault:FingerprintKeys", error.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_KeyOfStoredTokensMissingOrRetired_RefusesWithTheRemedy(bool retired)
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        await vault.StoreAsync(world.Grant(), default);
        await vault.DisposeAsync();
        VaultKeyOptions[] keys = retired
            ? [TestKeys.Option("k2"), new() { Id = "k1", State = VaultKeyState.Retired }] : [TestKeys.Option("k2")];

        var error = await Assert.ThrowsAsync<VaultKeyException>(() => world.StartAsync(options: world.Options with { Keys = keys }));

        Assert.Contains("1 records are sealed with key 'k1'", error.Message, StringComparison.Ordinal);
        Assert.Contains("Id=k1, its file, State=DecryptOnly", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Rewrap_RotationInTheMiddle_OldReplicaNewReplicaAndRetirementWork()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var k1 = world.Options.Keys[0];
        var k2 = TestKeys.Option("k2");
        VaultOptions With(params VaultKeyOptions[] keys) => world.Options with { Keys = keys };

        // First every replica learns to open with the new key, then they begin to seal with it.
        var old = await world.StartAsync(options: With(k1, k2 with { State = VaultKeyState.DecryptOnly }));
        var tokens = new List<StoredToken>();
        for (var i = 0; i < 3; i++)
        {
            tokens.Add(await old.StoreAsync(world.Grant($"p{i}"), default));
        }

        var fresh = await world.StartAsync(options: With(k2, k1 with { State = VaultKeyState.DecryptOnly }));
        await Wait.UntilAsync(async () => await fresh.Jobs.RewrapAsync(default) == 0);

        // What the old replica seals meanwhile is behind again, and found.
        tokens.Add(await old.StoreAsync(world.Grant("p3"), default));
        Assert.Equal(0, await fresh.Jobs.RewrapAsync(default));
        foreach (var vault in (TokenVault[])[old, fresh])
        {
            vault.Cache.Clear(0);
            foreach (var token in tokens)
            {
                Assert.Equal(AccessTokenOutcome.Granted, (await vault.GetAsync(token.Id, token.Owner)).Outcome);
            }
        }

        Assert.Equal(4L, await world.ScalarAsync("SELECT count(*) FROM berth.vault_tokens WHERE kek_id = 'k2'"));
        await old.DisposeAsync();
        await world.StartAsync(options: With(k2, new VaultKeyOptions { Id = "k1", State = VaultKeyState.Retired }));
    }

    [SkippableFact]
    public async Task Rewrap_MovesWrappedKeysOnly()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await vault.StoreAsync(world.Grant(), default);
        var before = (byte[])(await world.ScalarAsync("SELECT refresh_token FROM berth.vault_tokens"))!;

        var rotated = await world.StartAsync(
            options: world.Options with
            {
                Keys = [TestKeys.Option("k2"), world.Options.Keys[0] with { State = VaultKeyState.DecryptOnly }],
            });
        await Wait.UntilAsync(async () => await rotated.Jobs.RewrapAsync(default) == 0);

        var after = (byte[])(await world.ScalarAsync("SELECT refresh_token FROM berth.vault_tokens"))!;
        const int Header = 3 + 2 + 60;
        Assert.NotEqual(before[..Header], after[..Header]);
        Assert.Equal(before[Header..], after[Header..]);
        Assert.Equal(token.Version, (await rotated.GetAsync(token.Id, VaultWorld.Ann, default))!.Version);
    }

    [SkippableFact]
    public async Task Rewrap_RecordThatDoesNotOpen_IsLeftAndCounted()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        await vault.StoreAsync(world.Grant(), default);
        await vault.StoreAsync(world.Grant("bob"), default);
        await world.ExecuteAsync("""
            UPDATE berth.vault_tokens SET refresh_token = set_byte(refresh_token, 20, 255 - get_byte(refresh_token, 20))
            WHERE owner_subject = 'bob'
            """);

        var rotated = await world.StartAsync(
            options: world.Options with
            {
                Keys = [TestKeys.Option("k2"), world.Options.Keys[0] with { State = VaultKeyState.DecryptOnly }],
            });

        await Wait.UntilAsync(async () => await rotated.Jobs.RewrapAsync(default) == 1);
        Assert.Equal(1, await rotated.Jobs.RewrapAsync(default));
    }

    [SkippableFact]
    public async Task Get_RowsSwappedInSql_NeitherPersonGetsTheOthersToken()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var ann = await vault.StoreAsync(world.Grant("ann", accessToken: "of-ann"), default);
        var bob = await vault.StoreAsync(world.Grant("bob", accessToken: "of-bob"), default);
        await world.ExecuteAsync("""
            UPDATE berth.vault_tokens t SET refresh_token = o.refresh_token, access_token = o.access_token, fingerprint = o.fingerprint
            FROM berth.vault_tokens o WHERE o.id <> t.id
            """);
        vault.Cache.Clear(0);

        var forAnn = await vault.GetAsync(ann.Id);
        var forBob = await vault.GetAsync(bob.Id, VaultWorld.Bob);
        var forced = await vault.GetAsync(ann.Id, request: new() { ForceRefresh = true });

        Assert.All([forAnn, forBob, forced], r =>
            Assert.Equal((AccessTokenOutcome.NeedsConsent, ReconsentCause.Unreadable), (r.Outcome, r.Cause)));
        Assert.Equal(0, world.Provider.Requests);

        // Nothing was made worse: swapped back, both work.
        await world.ExecuteAsync("""
            UPDATE berth.vault_tokens t SET refresh_token = o.refresh_token, access_token = o.access_token, fingerprint = o.fingerprint
            FROM berth.vault_tokens o WHERE o.id <> t.id
            """);
        Assert.Equal("of-ann", (await vault.GetAsync(ann.Id)).Token?.Value);
        Assert.Equal("of-bob", (await vault.GetAsync(bob.Id, VaultWorld.Bob)).Token?.Value);
    }

    [SkippableTheory]
    [InlineData("UPDATE berth.vault_tokens SET owner_subject = 'bob'")]
    [InlineData("UPDATE berth.vault_tokens SET version = version - 1")]
    [InlineData("UPDATE berth.vault_tokens SET refresh_token = access_token, access_token = refresh_token")]
    public async Task Get_RowChangedInSql_OpensForNobody(string sql)
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await vault.StoreAsync(world.Grant(), default);
        await world.ExecuteAsync(sql);
        vault.Cache.Clear(0);

        var results = new[] { await vault.GetAsync(token.Id), await vault.GetAsync(token.Id, VaultWorld.Bob) };

        Assert.DoesNotContain(results, r => r.Token is not null);
        Assert.Contains(results, r => r.Cause == ReconsentCause.Unreadable);
    }

    [SkippableFact]
    public async Task Get_OlderRecordPutBack_DoesNotOpen()
    {
        await using var world = await VaultWorld.CreateAsync(postgres);
        var vault = await world.StartAsync();
        var token = await vault.StoreAsync(world.Grant(), default);
        await world.ExecuteAsync("CREATE TABLE kept AS SELECT refresh_token, access_token FROM berth.vault_tokens");
        await vault.StoreAsync(world.Grant(), default);
        await world.ExecuteAsync(
            "UPDATE berth.vault_tokens SET refresh_token = kept.refresh_token, access_token = kept.access_token FROM kept");
        vault.Cache.Clear(0);

        Assert.Equal(ReconsentCause.Unreadable, (await vault.GetAsync(token.Id)).Cause);
    }
}
