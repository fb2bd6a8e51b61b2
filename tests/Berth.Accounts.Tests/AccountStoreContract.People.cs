namespace Berth.Accounts.Tests;

public abstract partial class AccountStoreContract
{
    [SkippableFact]
    public async Task ListPeople_Filters_LastSeenFirst()
    {
        await using var store = await CreateAsync();
        var bob = new PersonKey(Ann.Issuer, "bob");
        var other = new PersonKey("https://other.example", "ann");
        await store.RecordSignInAsync(NewSignIn("s1", email: "Ann@Example.com"), default);
        await store.RecordSignInAsync(NewSignIn("s2", bob, Start.AddMinutes(2)), default);
        await store.RecordSignInAsync(NewSignIn("s3", other, Start.AddMinutes(1), "ann@example.com"), default);
        await store.SetDisabledAsync(bob, true, default);

        async Task<PersonKey[]> List(PeopleQuery query) => [.. (await store.ListPeopleAsync(query, default)).Select(p => p.Key)];
        Assert.Equal([bob, other, Ann], await List(new()));
        Assert.Equal([Ann], await List(new() { Issuer = Ann.Issuer, Subject = "ann" }));
        Assert.Equal([other, Ann], await List(new() { Subject = "ann" }));
        Assert.Equal([other, Ann], await List(new() { Email = "ANN@example.com" }));
        Assert.Equal([bob], await List(new() { Disabled = true }));
        Assert.Equal([other, Ann], await List(new() { Disabled = false }));
        Assert.Equal([other], await List(new() { Before = Start.AddMinutes(2).ToOffset(TimeSpan.FromHours(2)), Limit = 1 }));
        Assert.Empty(await List(new() { Subject = "%" }));
        var found = Assert.Single(await store.ListPeopleAsync(new() { Disabled = true }, default));
        Assert.Equal((Start, Start.AddMinutes(2)), (found.DisabledAt, found.LastSeenAt));
    }
}
