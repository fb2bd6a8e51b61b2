using System.Text;

namespace Berth.Accounts.Tests.Vault;

public class VaultCacheTests
{
    [Fact]
    public void Put_Token_OpensAgainAndIsNotThereInPlain()
    {
        using var cache = new VaultCache(10);
        var token = Token(cache, Guid.NewGuid(), 1);
        cache.Put(token);

        Assert.Equal("a secret token", cache.Open(cache.Find(token.Id)!));
        Assert.Equal(-1, token.Sealed.AsSpan().IndexOf("secret"u8));
    }

    [Fact]
    public void Open_EntryOfAnotherPersonOrVersion_Fails()
    {
        using var cache = new VaultCache(10);
        var token = Token(cache, Guid.NewGuid(), 1);
        CachedToken[] others =
            [token with { Owner = VaultWorld.Bob }, token with { Version = 2 }, token with { Id = Guid.NewGuid() }];

        Assert.All(others, o => Assert.ThrowsAny<System.Security.Cryptography.CryptographicException>(() => cache.Open(o)));
    }

    [Fact]
    public void Put_MoreThanTheCapacity_StaysBounded()
    {
        using var cache = new VaultCache(10);
        for (var i = 0; i < 1000; i++)
        {
            cache.Put(Token(cache, Guid.NewGuid(), 1));
            Assert.InRange(cache.Count, 1, 10);
        }
    }

    [Fact]
    public void Put_OlderThanTheNews_IsNotKeptInWhateverOrderTheyArrive()
    {
        using var cache = new VaultCache(10);
        var id = Guid.NewGuid();
        cache.Put(Token(cache, id, 1));
        cache.Learn(id, 2, live: true);
        Assert.Null(cache.Find(id));

        cache.Put(Token(cache, id, 1));
        Assert.Null(cache.Find(id));
        cache.Put(Token(cache, id, 2));
        Assert.NotNull(cache.Find(id));

        cache.Learn(id, 2, live: false);
        Assert.Null(cache.Find(id));
        cache.Put(Token(cache, id, 2));
        Assert.Null(cache.Find(id));

        // A new consent raises the version, and lives.
        cache.Put(Token(cache, id, 3));
        Assert.NotNull(cache.Find(id));
        cache.Put(Token(cache, id, 2));
        Assert.Equal(3, cache.Find(id)!.Version);
    }

    [Fact]
    public void Forget_Owner_LeavesOthers()
    {
        using var cache = new VaultCache(10);
        cache.Put(VaultWorld.Ann, "c", Guid.NewGuid(), 0);
        cache.Put(VaultWorld.Bob, "c", Guid.NewGuid(), 0);

        cache.Forget(VaultCache.OwnerHash(VaultWorld.Ann));

        Assert.Null(cache.Find(VaultWorld.Ann, "c"));
        Assert.NotNull(cache.Find(VaultWorld.Bob, "c"));
    }

    [Fact]
    public void Put_WhatWasReadBeforeEverythingWasForgotten_IsNotKept()
    {
        using var cache = new VaultCache(10);
        var early = Token(cache, Guid.NewGuid(), 1) with { At = 4 };
        var late = Token(cache, Guid.NewGuid(), 1) with { At = 6 };

        cache.Clear(5);
        cache.Put(early);
        cache.Put(late);
        cache.Put(VaultWorld.Ann, "c", early.Id, 4);
        cache.Put(VaultWorld.Bob, "c", late.Id, 6);

        Assert.Null(cache.Find(early.Id));
        Assert.NotNull(cache.Find(late.Id));
        Assert.Null(cache.Find(VaultWorld.Ann, "c"));
        Assert.Equal(late.Id, cache.Find(VaultWorld.Bob, "c"));
    }

    private static CachedToken Token(VaultCache cache, Guid id, long version) => new()
    {
        Id = id,
        Owner = VaultWorld.Ann,
        Connection = "c",
        TokenType = "Bearer",
        Scope = "",
        Version = version,
        Lifetime = TimeSpan.FromHours(1),
        At = 0,
        RemainingAt = TimeSpan.FromHours(1),
        Sealed = cache.Seal(Encoding.UTF8.GetBytes("a secret token"), id, VaultWorld.Ann, version),
    };
}
