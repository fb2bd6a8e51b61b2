using System.Net;
using Berth.Accounts;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Berth.Edge.Tests.PersonalTokens;

public sealed class PersonalTokenAuthenticatorTests : IDisposable
{
    private static readonly PersonKey Ann = new("https://idp.example", "ann");
    private readonly FakeTimeProvider _clock = new();
    private readonly BrokenAccounts _accounts;
    private readonly CountingTokens _counting;
    private readonly EdgeMetrics _metrics = new();
    private readonly CurrentRequest _http = new();
    private readonly PersonalTokenAuthenticator _authenticator;

    public PersonalTokenAuthenticatorTests()
    {
        _accounts = new BrokenAccounts(_clock);
        _counting = new CountingTokens(_accounts.PersonalTokens);
        _accounts.Tokens = _counting;
        var audit = new AuditTrail(_accounts, _http, _metrics, _clock, NullLogger<AuditTrail>.Instance);
        _authenticator = new PersonalTokenAuthenticator(
            _accounts, EdgeSettingsParser.Parse(EdgeFixture.Options(Ann.Issuer)), new PersonalTokenOptions(), audit, _http, _clock,
            NullLogger<PersonalTokenAuthenticator>.Instance);
    }

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task Authenticate_GoodToken_ThePersonWithItsScopes()
    {
        var (id, secret) = await CreateAsync(Ann, "api:read", "proxy");
        var (caller, error) = await _authenticator.AuthenticateAsync(secret, default);

        Assert.Equal(TokenError.None, error);
        Assert.Equal((CallerKind.Bearer, Ann.Issuer, "ann", (Guid?)id, "Ann", false),
            (caller!.Kind, caller.Issuer, caller.Subject, caller.PersonalToken, caller.Name, caller.IsAdministrator));
        Assert.Equal(["api:read", "proxy"], caller.Scopes.AsEnumerable());
        Assert.Equal(_clock.GetUtcNow(), (await _accounts.PersonalTokens.ListAsync(Ann, default)).Single().LastUsedAt);
    }

    [Theory]
    [InlineData("admin", "admin", true)]
    [InlineData("admin", "api:read", false)]
    [InlineData("ann", "admin", false)]
    public async Task Authenticate_Administrator_OnlyWithTheScopeAndInTheConfiguration(string subject, string scope, bool expected)
    {
        var (_, secret) = await CreateAsync(new PersonKey(Ann.Issuer, subject), scope);
        Assert.Equal(expected, (await _authenticator.AuthenticateAsync(secret, default)).Caller!.IsAdministrator);
    }

    [Fact]
    public async Task Authenticate_Typo_NobodyIsAsked()
    {
        var (_, secret) = await CreateAsync(Ann, "api:read");
        var (caller, error) = await _authenticator.AuthenticateAsync(secret[..^1] + (secret[^1] == 'a' ? 'b' : 'a'), default);

        Assert.Equal((null, TokenError.Malformed, 0), (caller, error, _counting.Finds));
    }

    [Fact]
    public async Task Authenticate_MadeUpToken_RefusedAndAskedAboutOnceInTenSeconds()
    {
        await CreateAsync(Ann, "api:read");
        var made = PersonalTokenSecret.New();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal((null, TokenError.NoSuchToken), await _authenticator.AuthenticateAsync(made, default));
        }

        Assert.Equal(1, _counting.Finds);
        _clock.Advance(TimeSpan.FromSeconds(10));
        await _authenticator.AuthenticateAsync(made, default);
        Assert.Equal(2, _counting.Finds);
    }

    [Fact]
    public async Task Authenticate_AfterItsEnd_RefusedAlsoFromTheCache()
    {
        var (_, secret) = await CreateAsync(Ann, "api:read");
        _clock.Advance(TimeSpan.FromDays(90) - TimeSpan.FromSeconds(1));
        Assert.NotNull((await _authenticator.AuthenticateAsync(secret, default)).Caller);

        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((null, TokenError.Time), await _authenticator.AuthenticateAsync(secret, default));
        Assert.Equal(1, _counting.Finds);
    }

    [Fact]
    public async Task Authenticate_Revoked_RefusedAtOnceAlsoFromTheCache()
    {
        var (id, secret) = await CreateAsync(Ann, "api:read");
        await _authenticator.AuthenticateAsync(secret, default);
        await _accounts.PersonalTokens.RevokeAsync(Ann, id, default);

        Assert.Equal((null, TokenError.NoSuchToken), await _authenticator.AuthenticateAsync(secret, default));
        Assert.Equal(1, _counting.Finds);
    }

    [Fact]
    public async Task Authenticate_PersonDisabled_Refused()
    {
        var (_, secret) = await CreateAsync(Ann, "api:read");
        await _accounts.SetDisabledAsync(Ann, true, default);
        Assert.Equal((null, TokenError.PersonDisabled), await _authenticator.AuthenticateAsync(secret, default));
    }

    [Fact]
    public async Task Authenticate_DatabaseAway_KnownOnesForThirtySecondsOthersCannotBeVerified()
    {
        var (_, known) = await CreateAsync(Ann, "api:read");
        var (_, other) = await CreateAsync(Ann, "api:read");
        await _authenticator.AuthenticateAsync(known, default);
        _accounts.IsDown = true;

        _clock.Advance(TimeSpan.FromSeconds(29));
        Assert.NotNull((await _authenticator.AuthenticateAsync(known, default)).Caller);
        Assert.Equal((null, TokenError.Unverifiable), await _authenticator.AuthenticateAsync(other, default));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((null, TokenError.Unverifiable), await _authenticator.AuthenticateAsync(known, default));

        _accounts.IsDown = false;
        Assert.NotNull((await _authenticator.AuthenticateAsync(other, default)).Caller);
    }

    [Fact]
    public async Task Authenticate_ManyAtOnce_OneQuestionPerTokenAndNoMoreThanSixtyFour()
    {
        var (_, secret) = await CreateAsync(Ann, "api:read");
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _counting.Gate = gate.Task;
        var same = Enumerable.Range(0, 20).Select(_ => _authenticator.AuthenticateAsync(secret, default).AsTask()).ToArray();
        var others = Enumerable.Range(0, 63)
            .Select(_ => _authenticator.AuthenticateAsync(PersonalTokenSecret.New(), default).AsTask()).ToArray();

        Assert.Equal((null, TokenError.Unverifiable), await _authenticator.AuthenticateAsync(PersonalTokenSecret.New(), default));
        gate.SetResult();
        Assert.All(await Task.WhenAll(same), a => Assert.NotNull(a.Caller));
        Assert.All(await Task.WhenAll(others), a => Assert.Equal(TokenError.NoSuchToken, a.Error));
        Assert.Equal(64, _counting.Finds);
    }

    [Fact]
    public async Task Authenticate_FromAddresses_AuditedOnceADayEach()
    {
        var (id, secret) = await CreateAsync(Ann, "api:read");
        foreach (var address in (string[])["192.0.2.1", "192.0.2.1", "192.0.2.2"])
        {
            var context = new DefaultHttpContext();
            using var served = _http.Begin(context);
            context.State().Canonical = new CanonicalRequest
            {
                Scheme = "http",
                Host = "localhost",
                HostKind = HostKind.Edge,
                Path = "/",
                Query = "",
                ClientAddress = IPAddress.Parse(address),
                IsUpgrade = false,
                IsNavigation = false,
            };
            await _authenticator.AuthenticateAsync(secret, default);
        }

        var events = await _accounts.ListAuditAsync(new() { Actor = Ann }, default);
        Assert.Equal([$"personal-tokens/{id} from 192.0.2.2", $"personal-tokens/{id} from 192.0.2.1"],
            events.Where(e => e.Action == "token.use").Select(e => e.Target));
        Assert.DoesNotContain(events, e => e.Target!.Contains(PersonalTokenSecret.Prefix, StringComparison.Ordinal));
    }

    private async Task<(Guid Id, string Secret)> CreateAsync(PersonKey person, params string[] scopes)
    {
        var now = _clock.GetUtcNow();
        await _accounts.RecordSignInAsync(
            new() { Person = person, Name = "Ann", SessionId = $"{Guid.NewGuid()}", At = now, ExpiresAt = now.AddDays(1) }, default);
        var secret = PersonalTokenSecret.New();
        var token = new NewPersonalToken
        {
            Id = Guid.CreateVersion7(),
            Name = "t",
            SecretHash = PersonalTokenSecret.Hash(secret),
            Scopes = scopes,
            CreatedAt = now,
            ExpiresAt = now.AddDays(90),
        };
        Assert.Equal(PersonalTokenResult.Created, await _accounts.PersonalTokens.CreateAsync(person, token, default));
        return (token.Id, secret);
    }
}
