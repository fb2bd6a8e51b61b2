using Testing;

namespace Berth.Accounts.Tests.InMemory;

public class InMemoryAccountStoreTests : AccountStoreContract
{
    protected override Task<IAccountStore> CreateAsync() =>
        Task.FromResult<IAccountStore>(new InMemoryAccountStore(new FakeTimeProvider(Start)));
}
