namespace Berth.Accounts.Tests;

public abstract partial class AccountStoreContract
{
    [SkippableFact]
    public async Task PersonalToken_Created_FoundByItsHashOnlyAndListedForItsPerson()
    {
        await using var store = await WithPeopleAsync();
        var token = NewToken("one", out var secret);
        Assert.Equal(PersonalTokenResult.Created, await store.PersonalTokens.CreateAsync(Ann, token, default));
        NewToken("other", out var other);

        var found = await store.PersonalTokens.FindAsync(PersonalTokenSecret.Hash(secret), default);
        Assert.NotNull(found);
        Assert.Equal((token.Id, Ann, "one", Start, Start.AddDays(90), false),
            (found.Id, found.Person, found.Name, found.CreatedAt, found.ExpiresAt, found.PersonDisabled));
        Assert.Equal(["a:read", "b"], found.Scopes);
        Assert.Equal("ann@example.com", found.PersonEmail);
        Assert.Null(found.LastUsedAt);
        Assert.Equal(PersonalTokenState.Active, found.StateAt(Start.AddDays(90).AddTicks(-1)));
        Assert.Equal(PersonalTokenState.Expired, found.StateAt(Start.AddDays(90)));
        Assert.Null(await store.PersonalTokens.FindAsync(PersonalTokenSecret.Hash(other), default));
        Assert.Equal(["one"], (await store.PersonalTokens.ListAsync(Ann, default)).Select(t => t.Name));
        Assert.Empty(await store.PersonalTokens.ListAsync(Bob, default));
    }

    [SkippableFact]
    public async Task PersonalToken_Revoked_EndedOnlyByItsPersonAndOnlyOnce()
    {
        await using var store = await WithPeopleAsync();
        var told = new List<Revocation>();
        store.Revocations.Revoked += told.Add;
        var token = NewToken("one", out var secret);
        await store.PersonalTokens.CreateAsync(Ann, token, default);

        Assert.False(await store.PersonalTokens.RevokeAsync(Bob, token.Id, default));
        Assert.False(store.Revocations.IsTokenRevoked(token.Id));
        Assert.True(await store.PersonalTokens.RevokeAsync(Ann, token.Id, default));
        Assert.False(await store.PersonalTokens.RevokeAsync(Ann, token.Id, default));

        Assert.True(store.Revocations.IsTokenRevoked(token.Id));
        Assert.Equal([new Revocation(null, null, token.Id)], told);
        Assert.Equal(PersonalTokenState.Revoked,
            (await store.PersonalTokens.FindAsync(PersonalTokenSecret.Hash(secret), default))!.StateAt(Start));
        Assert.Empty(await store.PersonalTokens.ListAsync(Ann, default));
    }

    [SkippableFact]
    public async Task PersonalToken_PersonDisabled_NotUsableAndNoneCanBeMade()
    {
        await using var store = await WithPeopleAsync();
        await store.PersonalTokens.CreateAsync(Ann, NewToken("one", out var secret), default);
        await store.SetDisabledAsync(Ann, true, default);

        Assert.Equal(PersonalTokenState.Disabled,
            (await store.PersonalTokens.FindAsync(PersonalTokenSecret.Hash(secret), default))!.StateAt(Start));
        Assert.Equal(PersonalTokenResult.NoSuchPerson, await store.PersonalTokens.CreateAsync(Ann, NewToken("two", out _), default));
        Assert.Equal(PersonalTokenResult.NoSuchPerson, await store.PersonalTokens.CreateAsync(
            new PersonKey("https://idp.example", "nobody"), NewToken("three", out _), default));

        await store.SetDisabledAsync(Ann, false, default);
        Assert.Equal(PersonalTokenState.Active,
            (await store.PersonalTokens.FindAsync(PersonalTokenSecret.Hash(secret), default))!.StateAt(Start));
    }

    [SkippableFact]
    public async Task PersonalToken_SignedOutEverywhere_GoesOnUntilAllAreRevoked()
    {
        await using var store = await WithPeopleAsync();
        var (one, two) = (NewToken("one", out var secret), NewToken("two", out _));
        await store.PersonalTokens.CreateAsync(Ann, one, default);
        await store.PersonalTokens.CreateAsync(Ann, two, default);
        await store.PersonalTokens.CreateAsync(Bob, NewToken("his", out _), default);
        await store.RevokeAllSessionsAsync(Ann, default);
        Assert.Equal(PersonalTokenState.Active,
            (await store.PersonalTokens.FindAsync(PersonalTokenSecret.Hash(secret), default))!.StateAt(Start));

        Assert.Equal(2, await store.PersonalTokens.RevokeAllAsync(Ann, default));
        Assert.True(store.Revocations.IsTokenRevoked(one.Id) && store.Revocations.IsTokenRevoked(two.Id));
        Assert.Single(await store.PersonalTokens.ListAsync(Bob, default));
    }

    [SkippableFact]
    public async Task PersonalToken_FiftyLiveOnes_NoMoreUntilOneEnds()
    {
        await using var store = await WithPeopleAsync();
        var tokens = Enumerable.Range(0, 50).Select(i => NewToken($"t{i}", out _)).ToArray();
        foreach (var token in tokens)
        {
            Assert.Equal(PersonalTokenResult.Created, await store.PersonalTokens.CreateAsync(Ann, token, default));
        }

        var more = NewToken("more", out _);
        Assert.Equal(PersonalTokenResult.TooMany, await store.PersonalTokens.CreateAsync(Ann, more, default));
        Assert.Equal(PersonalTokenResult.Created, await store.PersonalTokens.CreateAsync(Bob, NewToken("his", out _), default));

        // What was repeated because its answer was lost is the same token, not one more.
        Assert.Equal(PersonalTokenResult.Created, await store.PersonalTokens.CreateAsync(Ann, tokens[7], default));
        await store.PersonalTokens.RevokeAsync(Ann, tokens[0].Id, default);
        Assert.Equal(PersonalTokenResult.Created, await store.PersonalTokens.CreateAsync(Ann, more, default));
        Assert.Equal(PersonalTokenResult.Created, await store.PersonalTokens.CreateAsync(Ann,
            NewToken("later", out _) with { CreatedAt = Start.AddDays(91), ExpiresAt = Start.AddDays(92) }, default));
    }

    [SkippableFact]
    public async Task PersonalToken_UsedOften_LastUseMovesOnceAnHour()
    {
        await using var store = await WithPeopleAsync();
        var token = NewToken("one", out _);
        await store.PersonalTokens.CreateAsync(Ann, token, default);
        async Task<DateTimeOffset?> UseAsync(int minutes)
        {
            store.PersonalTokens.Touch(token.Id, Start.AddMinutes(minutes));
            await store.FlushAsync(default);
            return (await store.PersonalTokens.ListAsync(Ann, default)).Single().LastUsedAt;
        }

        Assert.Equal(Start.AddMinutes(1), await UseAsync(1));
        Assert.Equal(Start.AddMinutes(1), await UseAsync(60));
        Assert.Equal(Start.AddMinutes(61), await UseAsync(61));
    }

    [SkippableFact]
    public async Task PersonalToken_ThatCannotBe_Refused()
    {
        await using var store = await WithPeopleAsync();
        var good = NewToken("one", out _);
        foreach (var bad in (NewPersonalToken[])
        [
            good with { Name = "" }, good with { Name = " " }, good with { Name = new string('x', 101) }, good with { Name = "a\nb" },
            good with { Scopes = [] }, good with { SecretHash = new byte[31] }, good with { ExpiresAt = Start },
        ])
        {
            await Assert.ThrowsAsync<ArgumentException>(() => store.PersonalTokens.CreateAsync(Ann, bad, default));
        }
    }

    [SkippableFact]
    public async Task PersonalToken_OverForLong_RemovedByUpkeep()
    {
        await using var store = await WithPeopleAsync();
        await store.PersonalTokens.CreateAsync(Ann, NewToken("live", out _), default);
        await store.PersonalTokens.CreateAsync(Ann, Past("old", 31), default);
        await store.PersonalTokens.CreateAsync(Ann, Past("recent", 29), default);

        Assert.Equal(1, (await store.Upkeep.RunAsync(new(), default)).Tokens);
        Assert.Equal(["live", "recent"], (await store.PersonalTokens.ListAsync(Ann, default)).Select(t => t.Name));

        static NewPersonalToken Past(string name, int days) => NewToken(name, out _) with
        {
            CreatedAt = Start.AddDays(-days - 1),
            ExpiresAt = Start.AddDays(-days),
        };
    }

    protected static NewPersonalToken NewToken(string name, out string secret)
    {
        secret = PersonalTokenSecret.New();
        return new NewPersonalToken
        {
            Id = Guid.CreateVersion7(),
            Name = name,
            SecretHash = PersonalTokenSecret.Hash(secret),
            Scopes = ["a:read", "b"],
            CreatedAt = Start,
            ExpiresAt = Start.AddDays(90),
        };
    }

    private async Task<IAccountStore> WithPeopleAsync()
    {
        var store = await CreateAsync();
        await store.RecordSignInAsync(NewSignIn("ann-1", email: "ann@example.com"), default);
        await store.RecordSignInAsync(NewSignIn("bob-1", Bob), default);
        return store;
    }
}
