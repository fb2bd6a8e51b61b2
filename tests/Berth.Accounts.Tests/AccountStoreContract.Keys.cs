namespace Berth.Accounts.Tests;

public abstract partial class AccountStoreContract
{
    [SkippableFact]
    public async Task KeyUse_SeenAgain_TheFirstUseStays_AndEachKeyHasItsOwn()
    {
        await using var store = await CreateAsync();
        var first = await store.KeyUses.FirstUseAsync("session", "0a0b0c0d", default);
        var again = await store.KeyUses.FirstUseAsync("session", "0a0b0c0d", default);
        await store.KeyUses.FirstUseAsync("session", "ffffffff", default);
        await store.KeyUses.FirstUseAsync("identity", "0a0b0c0d", default);

        Assert.Equal((Start, Start), (first, again));
    }
}
