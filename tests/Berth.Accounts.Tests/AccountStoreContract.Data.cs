using System.Text.Json;

namespace Berth.Accounts.Tests;

public abstract partial class AccountStoreContract
{
    private static readonly PersonKey Bob = new("https://idp.example", "bob");
    private static readonly PersonKey OtherAnn = new("https://other.example", "ann");

    [SkippableFact]
    public async Task Preferences_PutAndFind_AsGivenAndOnlyForThatPerson()
    {
        await using var store = await CreateAsync();
        var wish = new PreferenceWish
        {
            Template = "studio",
            Parameters = new Dictionary<string, string> { ["image"] = "a \"quoted\" ü \U0001F600 text", ["B"] = "" },
            Environment = new Dictionary<string, string> { ["LANG"] = "de_DE.UTF-8" },
        };
        var outcome = await store.Preferences.PutAsync(Ann, wish, null, default);

        var found = await store.Preferences.FindAsync(Ann, default);
        Assert.NotNull(found);
        Assert.True(outcome.Written);
        Assert.Equal((outcome.Version, "studio", Start), (found.Version, found.Wish.Template, found.UpdatedAt));
        Assert.Equal(wish.Parameters.OrderBy(p => p.Key), found.Wish.Parameters.OrderBy(p => p.Key));
        Assert.Equal(wish.Environment, found.Wish.Environment);
        Assert.Null(await store.Preferences.FindAsync(Bob, default));
        Assert.Null(await store.Preferences.FindAsync(OtherAnn, default));
    }

    [SkippableFact]
    public async Task Preferences_ExpectedVersion_WritesOnlyOnWhatWasSeen()
    {
        await using var store = await CreateAsync();
        var preferences = store.Preferences;
        Assert.Equal(new WriteOutcome(false, 0), await preferences.PutAsync(Ann, new() { Template = "x" }, 5, default));
        var first = await preferences.PutAsync(Ann, new() { Template = "one" }, 0, default);
        Assert.True(first.Written);
        Assert.Equal(first with { Written = false }, await preferences.PutAsync(Ann, new() { Template = "late" }, 0, default));
        var second = await preferences.PutAsync(Ann, new() { Template = "two" }, first.Version, default);
        Assert.True(second.Written);
        Assert.True(second.Version > first.Version);
        Assert.Equal(second with { Written = false }, await preferences.PutAsync(Ann, new() { Template = "x" }, first.Version, default));
        Assert.Equal(second with { Written = false }, await preferences.DeleteAsync(Ann, first.Version, default));
        Assert.Equal("two", (await preferences.FindAsync(Ann, default))!.Wish.Template);

        Assert.True((await preferences.DeleteAsync(Ann, second.Version, default)).Written);
        Assert.Null(await preferences.FindAsync(Ann, default));
        Assert.True((await preferences.DeleteAsync(Ann, null, default)).Written);
    }

    [SkippableFact]
    public async Task Preferences_ThatBreakARule_RefusedByName()
    {
        await using var store = await CreateAsync();
        var wish = new PreferenceWish { Environment = new Dictionary<string, string> { ["1A"] = "x" } };
        var error = await Assert.ThrowsAsync<ArgumentException>(() => store.Preferences.PutAsync(Ann, wish, null, default));
        Assert.Contains("environment.1A", error.Message, StringComparison.Ordinal);
        Assert.Null(await store.Preferences.FindAsync(Ann, default));
    }

    [SkippableFact]
    public async Task UserData_PutFindListDelete_OnlyThatPersons()
    {
        await using var store = await CreateAsync();
        var data = store.UserData;
        var put = await data.PutAsync(Ann, "app.settings", Json("""{"b":[1,2.5,null,true],"a":"ü\u0041"}"""), null, default);
        await data.PutAsync(Ann, "app-b", Json("1"), null, default);
        await data.PutAsync(Bob, "app.settings", Json("\"bob's\""), null, default);

        var found = await data.FindAsync(Ann, "app.settings", default);
        Assert.NotNull(found);
        Assert.Equal(put, new UserDataOutcome(UserDataResult.Written, found.Version));
        Assert.True(JsonElement.DeepEquals(Json("""{"a":"üA","b":[1,2.5,null,true]}"""), found.Value));
        Assert.Equal(["app-b", "app.settings"], (await data.ListAsync(Ann, default)).Select(d => d.Key));
        Assert.Empty(await data.ListAsync(OtherAnn, default));

        Assert.True((await data.DeleteAsync(Ann, "app.settings", null, default)).Written);
        Assert.Null(await data.FindAsync(Ann, "app.settings", default));
        Assert.Equal("bob's", (await data.FindAsync(Bob, "app.settings", default))!.Value.GetString());
    }

    [SkippableFact]
    public async Task UserData_ExpectedVersion_WritesOnlyOnWhatWasSeenAlsoAfterItWasMadeAnew()
    {
        await using var store = await CreateAsync();
        var data = store.UserData;
        Assert.Equal(new UserDataOutcome(UserDataResult.Conflict, 0), await data.PutAsync(Ann, "k", Json("1"), 7, default));
        var first = await data.PutAsync(Ann, "k", Json("1"), 0, default);
        Assert.Equal(UserDataResult.Written, first.Result);
        Assert.Equal(UserDataResult.Conflict, (await data.PutAsync(Ann, "k", Json("2"), 0, default)).Result);
        Assert.Equal(new WriteOutcome(false, first.Version), await data.DeleteAsync(Ann, "k", first.Version + 1, default));
        await data.DeleteAsync(Ann, "k", first.Version, default);
        var anew = await data.PutAsync(Ann, "k", Json("3"), 0, default);

        Assert.Equal(anew with { Result = UserDataResult.Conflict }, await data.PutAsync(Ann, "k", Json("4"), first.Version, default));
        Assert.Equal(UserDataResult.Written, (await data.PutAsync(Ann, "k", Json("5"), anew.Version, default)).Result);
        Assert.Equal(5, (await data.FindAsync(Ann, "k", default))!.Value.GetInt32());
    }

    [SkippableFact]
    public async Task UserData_MoreKeysThanAllowed_RefusedButKnownOnesCanChange()
    {
        await using var store = await CreateAsync();
        for (var i = 0; i < UserDataRules.MaximumKeys; i++)
        {
            await store.UserData.PutAsync(Ann, $"k{i}", Json("1"), null, default);
        }

        Assert.Equal(UserDataResult.TooMany, (await store.UserData.PutAsync(Ann, "more", Json("1"), null, default)).Result);
        Assert.Equal(UserDataResult.TooMany, (await store.UserData.PutAsync(Ann, "more", Json("1"), 0, default)).Result);
        Assert.Equal(UserDataResult.Written, (await store.UserData.PutAsync(Ann, "k1", Json("2"), null, default)).Result);
        Assert.Equal(UserDataResult.Written, (await store.UserData.PutAsync(Bob, "more", Json("1"), null, default)).Result);
    }

    [SkippableTheory]
    [InlineData("k", "\"a\\u0000b\"")]
    [InlineData("k", "\"\\ud800\"")]
    [InlineData("k", "{\"\\u0000\":1}")]
    [InlineData("k", "1e999")]
    [InlineData("K", "1")]
    [InlineData("", "1")]
    [InlineData("a/b", "1")]
    public async Task UserData_WhatTheDatabaseCannotKeep_RefusedBeforeItIsAsked(string key, string value)
    {
        await using var store = await CreateAsync();
        await Assert.ThrowsAsync<ArgumentException>(() => store.UserData.PutAsync(Ann, key, Json(value), null, default));
        Assert.Empty(await store.UserData.ListAsync(Ann, default));
    }

    [SkippableFact]
    public async Task UserData_LargestAndDeepestAllowed_KeptAndOneMoreRefused()
    {
        await using var store = await CreateAsync();
        var largest = "\"" + new string('x', UserDataRules.MaximumBytes - 2) + "\"";
        var deepest = new string('[', UserDataRules.MaximumDepth) + new string(']', UserDataRules.MaximumDepth);
        await store.UserData.PutAsync(Ann, "large", Json(largest), null, default);
        await store.UserData.PutAsync(Ann, "deep", Json(deepest), null, default);

        Assert.Equal(2, (await store.UserData.ListAsync(Ann, default)).Count);
        await Assert.ThrowsAsync<ArgumentException>(() => store.UserData.PutAsync(Ann, "a", Json("\"y" + largest[1..]), null, default));
        await Assert.ThrowsAsync<ArgumentException>(() => store.UserData.PutAsync(Ann, "a", Json($"[{deepest}]"), null, default));
    }

    [SkippableFact]
    public async Task WorkspaceRecords_SameEventFromSeveralReplicas_KeptOnceNewestFirstForTheOwner()
    {
        await using var store = await CreateAsync();
        var start = NewRecord("start", "start", Start);
        foreach (var record in (WorkspaceRecord[])[start, NewRecord("stop", "stop", Start.AddHours(1)) with { Reason = "Idle\0" }, start,
            start with { WorkspaceUid = "other", Workspace = "ws-b" }, NewRecord("bob", "start", Start) with { Owner = Bob }])
        {
            store.WorkspaceRecords.Record(record);
        }

        await store.FlushAsync(default);
        store.WorkspaceRecords.Record(start with { Reason = "told again" });
        await store.FlushAsync(default);

        var mine = await store.WorkspaceRecords.ListAsync(Ann, new(), default);
        Assert.Equal(["stop", "start", "start"], mine.Select(r => r.Kind));
        Assert.Equal(start, Assert.Single(mine, r => r is { Kind: "start", Workspace: "ws-a" }));
        Assert.Equal(["ws-b"], (await store.WorkspaceRecords.ListAsync(Ann, new() { Workspace = "ws-b" }, default)).Select(r => r.Workspace));
        Assert.Equal(2, (await store.WorkspaceRecords.ListAsync(Ann, new() { Before = Start.AddHours(1) }, default)).Count);
        Assert.Single(await store.WorkspaceRecords.ListAsync(Ann, new() { Limit = 1 }, default));
        Assert.Equal(Bob, Assert.Single(await store.WorkspaceRecords.ListAsync(Bob, new(), default)).Owner);
    }

    [SkippableFact]
    public async Task Usage_SeenAgainAndAgain_LongestCountsOncePerRun()
    {
        await using var store = await CreateAsync();
        var day = DateOnly.FromDateTime(Start.UtcDateTime);
        foreach (var minutes in (int[])[10, 30, 20])
        {
            foreach (var slice in UsageSlice.Of("u1", Ann, "ws-a", Start, Start.AddMinutes(minutes)))
            {
                store.Usage.Record(slice);
            }

            await store.FlushAsync(default);
        }

        store.Usage.Record(new("u1", "later", day, Ann, "ws-a", 60));
        store.Usage.Record(new("u2", "r", day.AddDays(1), Ann, "ws-b", 5));
        store.Usage.Record(new("u3", "r", day, Bob, "ws-bob", 7));
        await store.FlushAsync(default);

        Assert.Equal([new UsageDay(day, "ws-a", 1860, 2), new UsageDay(day.AddDays(1), "ws-b", 5, 1)],
            await store.Usage.ListAsync(Ann, day, day.AddDays(1), default));
        Assert.Equal([new UsageDay(day.AddDays(1), "ws-b", 5, 1)], await store.Usage.ListAsync(Ann, day.AddDays(1), day.AddDays(9), default));
        Assert.Equal([new UsageDay(day, "ws-bob", 7, 1)], await store.Usage.ListAsync(Bob, day, day, default));
    }

    [SkippableFact]
    public async Task TouchAndEnter_Session_TimesCountAndWorkspaceInTheList()
    {
        await using var store = await CreateAsync();
        await store.RecordSignInAsync(NewSignIn("s1") with { IdleExpiresAt = Start.AddHours(8) }, default);
        store.TouchSession("s1", Start.AddHours(1), Start.AddHours(9));
        store.TouchSession("s1", Start.AddHours(2), Start.AddHours(10));
        store.EnterWorkspace("s1", "ws-a", Start.AddHours(3));
        store.TouchSession("unknown", Start, Start);
        await store.FlushAsync(default);

        var session = Assert.Single(await store.ListSessionsAsync(Ann, default));
        Assert.Equal((2, "ws-a", Start.AddHours(10)), (session.RefreshCount, session.Workspace, session.IdleExpiresAt));
        Assert.Equal(Start.AddHours(3), session.LastSeenAt);
        Assert.NotNull(session.StartedAt);
    }

    [SkippableFact]
    public async Task EnterWorkspace_Alone_TheIdleEndStays()
    {
        await using var store = await CreateAsync();
        await store.RecordSignInAsync(NewSignIn("s1") with { IdleExpiresAt = Start.AddHours(8) }, default);
        store.EnterWorkspace("s1", "ws-a", Start.AddHours(1));
        await store.FlushAsync(default);

        Assert.Equal(Start.AddHours(8), Assert.Single(await store.ListSessionsAsync(Ann, default)).IdleExpiresAt);
    }

    // Edges of before, or with longer limits, may say more than the session has.
    [SkippableFact]
    public async Task TouchSession_IdleEndBehindTheAbsoluteOne_IsTheAbsoluteOne()
    {
        await using var store = await CreateAsync();
        var signIn = NewSignIn("s1") with { IdleExpiresAt = Start.AddHours(8) };
        await store.RecordSignInAsync(signIn, default);
        store.TouchSession("s1", Start.AddHours(1), signIn.ExpiresAt.AddHours(1));
        await store.FlushAsync(default);

        Assert.Equal(signIn.ExpiresAt, Assert.Single(await store.ListSessionsAsync(Ann, default)).IdleExpiresAt);
    }

    [SkippableFact]
    public async Task ListSessions_IdleForTooLong_NotAmongThem()
    {
        await using var store = await CreateAsync();
        await store.RecordSignInAsync(NewSignIn("idle", at: Start.AddHours(-9)) with { IdleExpiresAt = Start.AddHours(-1) }, default);
        await store.RecordSignInAsync(NewSignIn("used", at: Start.AddHours(-9)) with { IdleExpiresAt = Start.AddHours(1) }, default);

        Assert.Equal(["used"], (await store.ListSessionsAsync(Ann, default)).Select(s => s.Id));
    }

    [SkippableFact]
    public async Task RevokeProviderSession_EndsWhatBeganInItAndNothingElse()
    {
        await using var store = await CreateAsync();
        var elsewhere = new PersonKey("https://other.example", Ann.Subject);
        var epoch = (await store.RecordSignInAsync(NewSignIn("s1") with { ProviderSessionId = "p1" }, default)).Epoch;
        await store.RecordSignInAsync(NewSignIn("s2") with { ProviderSessionId = "p1" }, default);
        await store.RecordSignInAsync(NewSignIn("s3") with { ProviderSessionId = "p2" }, default);
        await store.RecordSignInAsync(NewSignIn("s4"), default);
        await store.RecordSignInAsync(NewSignIn("s5") with { Person = elsewhere, ProviderSessionId = "p1" }, default);

        Assert.Equal(0, await store.RevokeProviderSessionAsync(Ann.Issuer, "p1", "somebody-else", default));
        Assert.Equal(2, await store.RevokeProviderSessionAsync(Ann.Issuer, "p1", Ann.Subject, default));
        Assert.Equal(0, await store.RevokeProviderSessionAsync(Ann.Issuer, "p1", null, default));

        Assert.Equal(["s3", "s4"], (await store.ListSessionsAsync(Ann, default)).Select(s => s.Id).Order());
        Assert.Equal("s5", Assert.Single(await store.ListSessionsAsync(elsewhere, default)).Id);
        Assert.Equal((SessionState.Revoked, SessionState.Revoked, SessionState.Active),
            (store.Revocations.StandingOf("s1", Ann, epoch), store.Revocations.StandingOf("s2", Ann, epoch),
            store.Revocations.StandingOf("s3", Ann, epoch)));
    }

    [SkippableFact]
    public async Task StandingOf_RevokedSupersededDisabled_EachByItsName()
    {
        await using var store = await CreateAsync();
        var epoch = (await store.RecordSignInAsync(NewSignIn("s1"), default)).Epoch;
        Assert.Equal(SessionState.Active, store.Revocations.StandingOf("s1", Ann, epoch));

        await store.RevokeSessionAsync("s1", Start.AddHours(24), default);
        Assert.Equal(SessionState.Revoked, store.Revocations.StandingOf("s1", Ann, epoch));

        var next = await store.RevokeAllSessionsAsync(Ann, default);
        Assert.Equal(SessionState.Superseded, store.Revocations.StandingOf("s2", Ann, epoch));
        Assert.Equal(SessionState.Active, store.Revocations.StandingOf("s2", Ann, next!.Value));

        await store.SetDisabledAsync(Ann, true, default);
        await store.RevokeAllSessionsAsync(Ann, default);
        Assert.Equal(SessionState.Disabled, store.Revocations.StandingOf("s3", Ann, long.MaxValue));
        Assert.True(store.Revocations.IsDisabled(Ann));
        Assert.False(store.Revocations.IsDisabled(Bob));

        await store.SetDisabledAsync(Ann, false, default);
        Assert.False(store.Revocations.IsDisabled(Ann));
    }

    private static WorkspaceRecord NewRecord(string name, string kind, DateTimeOffset at) => new()
    {
        WorkspaceUid = "u1",
        Event = name,
        Owner = Ann,
        Workspace = "ws-a",
        Template = "studio",
        Kind = kind,
        At = at,
    };

    private static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 100 });
        return document.RootElement.Clone();
    }
}
