using Berth.Accounts;
using Testing;

namespace Berth.Edge.Tests.ApiProxy;

/// <summary>A call of another API ends with what allowed it, and with nothing else.</summary>
public class UpstreamOpenCallsTests
{
    private static readonly PersonKey Ann = new("https://idp.example", "ann");

    [Theory]
    [InlineData("token", true, false)]
    [InlineData("other-token", false, false)]
    [InlineData("session", false, true)]
    [InlineData("person", true, true)]
    [InlineData("other-person", false, false)]
    public async Task Revoked_OnlyWhatItNames_IsCut(string what, bool token, bool session)
    {
        var clock = new FakeTimeProvider();
        await using var accounts = new InMemoryAccountStore(clock);
        using var calls = new UpstreamOpenCalls(accounts, clock);
        var id = await TokenAsync(accounts, clock, Ann);
        var other = await TokenAsync(accounts, clock, Ann);
        using var byToken = calls.Add(Caller(clock) with { Kind = CallerKind.Bearer, PersonalToken = id }, TimeSpan.FromHours(1));
        using var bySession = calls.Add(Caller(clock) with { SessionId = "s1" }, TimeSpan.FromHours(1));

        await (what switch
        {
            "token" => accounts.PersonalTokens.RevokeAsync(Ann, id, default),
            "other-token" => accounts.PersonalTokens.RevokeAsync(Ann, other, default),
            "session" => accounts.RevokeSessionAsync("s1", clock.GetUtcNow().AddHours(1), default),
            "person" => accounts.SetDisabledAsync(Ann, true, default),
            _ => accounts.SetDisabledAsync(Ann with { Subject = "bob" }, true, default),
        });

        Assert.Equal((token, session), (byToken.IsRevoked, bySession.IsRevoked));
        await ProductFixture.Until(() => (byToken.Token.IsCancellationRequested, bySession.Token.IsCancellationRequested) == (token, session));
    }

    private static Caller Caller(TimeProvider clock) => new()
    {
        Kind = CallerKind.Session,
        Issuer = Ann.Issuer,
        Subject = Ann.Subject,
        ExpiresAt = clock.GetUtcNow().AddHours(8),
    };

    private static async Task<Guid> TokenAsync(InMemoryAccountStore accounts, TimeProvider clock, PersonKey person)
    {
        await accounts.RecordSignInAsync(
            new SignIn { Person = person, SessionId = "s1", At = clock.GetUtcNow(), ExpiresAt = clock.GetUtcNow().AddHours(8) }, default);
        await accounts.RecordSignInAsync(
            new SignIn
            {
                Person = person with { Subject = "bob" },
                SessionId = "s2",
                At = clock.GetUtcNow(),
                ExpiresAt = clock.GetUtcNow().AddHours(8),
            },
            default);
        var id = Guid.CreateVersion7();
        await accounts.PersonalTokens.CreateAsync(
            person,
            new NewPersonalToken
            {
                Id = id,
                Name = "a",
                SecretHash = PersonalTokenSecret.Hash(PersonalTokenSecret.New()),
                Scopes = ["proxy"],
                CreatedAt = clock.GetUtcNow(),
                ExpiresAt = clock.GetUtcNow().AddDays(1),
            },
            default);
        return id;
    }
}
