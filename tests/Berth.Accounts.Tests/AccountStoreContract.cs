namespace Berth.Accounts.Tests;

/// <summary>What both stores promise; each store's test class runs all of it.</summary>
public abstract partial class AccountStoreContract
{
    protected static readonly PersonKey Ann = new("https://idp.example", "ann");
    protected static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    protected abstract Task<IAccountStore> CreateAsync();

    protected static SignIn NewSignIn(string session, PersonKey? person = null, DateTimeOffset? at = null, string? email = null) => new()
    {
        Person = person ?? Ann,
        Email = email,
        SessionId = session,
        UserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        At = at ?? Start,
        ExpiresAt = (at ?? Start).AddHours(24),
    };

    [SkippableFact]
    public async Task RecordSignIn_FirstAndSecond_OnePersonWithLatestNamesAndFirstCreation()
    {
        await using var store = await CreateAsync();
        await store.RecordSignInAsync(NewSignIn("s1", email: "a@example.com"), default);
        await store.RecordSignInAsync(NewSignIn("s2", at: Start.AddMinutes(5)) with { Name = "Ann" }, default);

        var person = await store.FindPersonAsync(Ann, default);
        Assert.NotNull(person);
        Assert.Equal(("a@example.com", "Ann", Start, Start.AddMinutes(5)),
            (person.Email, person.Name, person.CreatedAt, person.LastSeenAt));
    }

    [SkippableFact]
    public async Task RecordSignIn_SameSubjectAtAnotherIssuer_AnotherPerson()
    {
        await using var store = await CreateAsync();
        var other = new PersonKey("https://other.example", "ann");
        await store.RecordSignInAsync(NewSignIn("s1", email: "ann@one.example"), default);
        await store.RecordSignInAsync(NewSignIn("s2", other, email: "ann@other.example"), default);

        Assert.Equal("ann@one.example", (await store.FindPersonAsync(Ann, default))!.Email);
        Assert.Equal(["s2"], (await store.ListSessionsAsync(other, default)).Select(s => s.Id));
    }

    [SkippableFact]
    public async Task ListSessions_ExpiredRevokedAndLive_OnlyLiveLastUsedFirst()
    {
        await using var store = await CreateAsync();
        await store.RecordSignInAsync(NewSignIn("old", at: Start.AddHours(-25)), default);
        await store.RecordSignInAsync(NewSignIn("gone"), default);
        await store.RecordSignInAsync(NewSignIn("one"), default);
        await store.RecordSignInAsync(NewSignIn("two", at: Start.AddMinutes(1)), default);
        await store.RevokeSessionAsync("gone", Start.AddHours(24), default);
        store.TouchSession("one", Start.AddMinutes(10));
        await store.FlushAsync(default);

        var sessions = await store.ListSessionsAsync(Ann, default);
        Assert.Equal(["one", "two"], sessions.Select(s => s.Id));
        Assert.Equal(("Firefox on Linux", Start.AddMinutes(10)), (sessions[0].Device, sessions[0].LastSeenAt));
        Assert.True(store.Revocations.IsRevoked("gone", Ann, 0));
    }

    [SkippableFact]
    public async Task RevokeAll_ThenSignIn_OldSessionsOverNewOneLives()
    {
        await using var store = await CreateAsync();
        var before = await store.RecordSignInAsync(NewSignIn("before"), default);
        var epoch = await store.RevokeAllSessionsAsync(Ann, default);
        var after = await store.RecordSignInAsync(NewSignIn("after"), default);

        Assert.Equal(epoch, after.Epoch);
        Assert.True(store.Revocations.IsRevoked("before", Ann, before.Epoch));
        Assert.False(store.Revocations.IsRevoked("after", Ann, after.Epoch));
        Assert.Equal(["after"], (await store.ListSessionsAsync(Ann, default)).Select(s => s.Id));
    }

    [SkippableFact]
    public async Task RevokeAll_UnknownPerson_Null()
    {
        await using var store = await CreateAsync();
        Assert.Null(await store.RevokeAllSessionsAsync(Ann, default));
        Assert.False(await store.SetDisabledAsync(Ann, true, default));
    }

    [SkippableFact]
    public async Task SetDisabled_SignIn_RefusedWithoutSessionUntilEnabled()
    {
        await using var store = await CreateAsync();
        var first = await store.RecordSignInAsync(NewSignIn("s1"), default);
        await store.SetDisabledAsync(Ann, true, default);

        var refused = await store.RecordSignInAsync(NewSignIn("s2"), default);
        Assert.True(refused.Disabled);
        Assert.True(store.Revocations.IsRevoked("s1", Ann, first.Epoch));
        Assert.Empty(await store.ListSessionsAsync(Ann, default));

        await store.SetDisabledAsync(Ann, false, default);
        Assert.False((await store.RecordSignInAsync(NewSignIn("s3"), default)).Disabled);
    }

    [SkippableFact]
    public async Task Audit_Events_NewestFirstAndFiltered()
    {
        await using var store = await CreateAsync();
        store.Audit(new()
        {
            At = Start,
            Actor = Ann,
            Action = "workspace.start",
            Target = "workspaces/a",
            Outcome = "allowed",
            RequestId = "r1"
        });
        store.Audit(new() { At = Start.AddSeconds(1), Action = "signin.refused", Outcome = "refused" });
        store.Audit(new()
        {
            At = Start.AddSeconds(2),
            Actor = Ann,
            Action = "workspace.stop",
            Target = "workspaces/b\0",
            Outcome = "allowed"
        });
        await store.FlushAsync(default);

        Assert.Equal(["workspace.stop", "signin.refused", "workspace.start"], (await store.ListAuditAsync(new(), default))
            .Select(e => e.Action));
        Assert.Equal(["workspace.stop"], (await store.ListAuditAsync(new() { Actor = Ann, Limit = 1 }, default)).Select(e => e.Action));
        var one = Assert.Single(await store.ListAuditAsync(new() { Target = "workspaces/a" }, default));
        Assert.Equal((Ann, "allowed", "r1", Start), (one.Actor, one.Outcome, one.RequestId, one.At));
    }
}
