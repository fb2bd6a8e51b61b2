using System.Text.Json;

namespace Berth.Edge.Tests;

/// <summary>Identities that are signed once and given again for a moment: what they say is never another's, and their times stay right.</summary>
public sealed class SignedIdentityTests : IDisposable
{
    private static readonly WorkspaceAccess Access = new(
        EdgeFixture.Entry(EdgeFixture.WorkspaceHost, "https://issuer.test", "ann", 1), Ann(), "owner");

    private readonly Testing.FakeTimeProvider _clock = new();
    private WorkspaceIdentitySigner? _signer;

    [Fact]
    public void Sign_SameAgain_IsTheSameTokenForAsLongAsConfigured()
    {
        var signer = Signer(TimeSpan.FromSeconds(10));
        var first = signer.Sign(Access);
        _clock.Advance(TimeSpan.FromSeconds(9.9));
        var again = signer.Sign(Access with { Workspace = Access.Workspace with { Phase = "Other" } });
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        var later = signer.Sign(Access);

        Assert.Same(first, again);
        Assert.NotEqual(first, later);
        Assert.Equal(10, Claims(later).GetProperty("iat").GetInt64() - Claims(first).GetProperty("iat").GetInt64());
        Assert.Equal(300, Claims(later).GetProperty("exp").GetInt64() - Claims(later).GetProperty("iat").GetInt64());
        Assert.NotEqual(Claims(first).Text("jti"), Claims(later).Text("jti"));
    }

    [Fact]
    public void Sign_ReuseOff_SignsEachTime()
    {
        var signer = Signer(TimeSpan.Zero);

        Assert.NotEqual(signer.Sign(Access), signer.Sign(Access));
    }

    public static TheoryData<string> Differences() =>
        ["subject", "issuer", "role", "email", "no-email", "name", "workspace", "audience", "origin"];

    [Theory]
    [MemberData(nameof(Differences))]
    public void Sign_AnyClaimDiffers_IsAnotherToken(string what)
    {
        var signer = Signer(TimeSpan.FromSeconds(10));
        var first = signer.Sign(Access);
        var (caller, workspace) = (Access.Caller, Access.Workspace);
        var other = what switch
        {
            "subject" => Access with { Caller = caller with { Subject = "bob" } },
            "issuer" => Access with { Caller = caller with { Issuer = "https://other.test" } },
            "role" => Access with { Role = "use" },
            "email" => Access with { Caller = caller with { Email = "bob@example.test" } },
            "no-email" => Access with { Caller = caller with { Email = null } },
            "name" => Access with { Caller = caller with { Name = "Bob" } },
            "workspace" => Access with { Workspace = workspace with { Name = "ws-two" } },
            "audience" => Access with { Workspace = workspace with { Audience = "urn:berth:pod:people:pool-1" } },
            _ => Access with { Workspace = workspace with { Url = "http://ws-two.localhost:8080" } },
        };

        var second = signer.Sign(other);

        Assert.NotEqual(first, second);
        Assert.NotEqual(Said(first), Said(second));
    }

    [Fact]
    public void Sign_ClockSetBack_SignsAnew()
    {
        var cache = new SignedIdentities(TimeSpan.FromSeconds(10));
        var now = _clock.GetUtcNow();
        var key = SignedIdentities.Key.Of(Access);
        cache.Add(key, "token", now);

        Assert.Equal("token", cache.Find(key, now));
        Assert.Null(cache.Find(key, now - TimeSpan.FromTicks(1)));
        Assert.Null(cache.Find(key, now + TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void Add_ManyPeople_StaysBounded()
    {
        var cache = new SignedIdentities(TimeSpan.FromSeconds(10), capacity: 100);
        for (var i = 0; i < 1050; i++)
        {
            var access = Access with { Caller = Access.Caller with { Subject = $"p{i}" } };
            cache.Add(SignedIdentities.Key.Of(access), "token", _clock.GetUtcNow());
            Assert.InRange(cache.Count, 1, 100);
        }
    }

    // Whoever is no longer let in gets nothing, however young the identity that was signed for them.
    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Upgrade)]
    [InlineData(Way.Question)]
    public async Task Decision_Changed_CountsAtOnce(Way way)
    {
        await using var edge = await EdgeFixture.StartAsync(options: Ways.Trusting);
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        string[] lines = [$"Cookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}", $"Origin: {EdgeFixture.WorkspaceOrigin}"];
        Assert.Equal(way.Success(), (await edge.AskAsync(way, lines)).Status);

        edge.Directory.Put(edge.Directory[EdgeFixture.WorkspaceHost] with { OwnerSubject = "user2" });
        Assert.Equal(403, (await edge.AskAsync(way, lines)).Status);
        edge.Directory.Put(edge.Directory[EdgeFixture.WorkspaceHost] with { Shares = [new("user1", null, "use", null)] });
        var shared = await edge.AskAsync(way, lines);
        var token = shared["X-Workspace-Identity"] ?? edge.Upstream.Requests.Last().Headers["X-Workspace-Identity"].Single();
        Assert.Equal((way.Success(), "use"), (shared.Status, Claims(token).Text("role")));

        using (await browser.SendAsync($"{EdgeFixture.Origin}/logout", HttpMethod.Post, headers: [("Origin", EdgeFixture.Origin)]))
        {
        }

        Assert.Equal(401, (await edge.AskAsync(way, [.. lines, "Accept: application/json"])).Status);
    }

    public void Dispose() => _signer?.Dispose();

    private WorkspaceIdentitySigner Signer(TimeSpan reuse) => _signer = new WorkspaceIdentitySigner(
        EdgeSettingsParser.Parse(EdgeFixture.Options("https://issuer.test") with
        {
            Identity = new WorkspaceIdentityOptions { GenerateKey = true, ReuseFor = reuse },
        }),
        _clock);

    private static Caller Ann() => new()
    {
        Kind = CallerKind.Session,
        Issuer = "https://issuer.test",
        Subject = "ann",
        Email = "ann@example.test",
        Name = "Ann",
        ExpiresAt = DateTimeOffset.MaxValue,
    };

    private static JsonElement Claims(string token) =>
        JsonDocument.Parse(StrictBase64Url.Decode(token.Split('.')[1])!).RootElement;

    private static string Said(string token) => string.Join(' ',
        Claims(token).EnumerateObject().Where(p => p.Name is not ("jti" or "iat" or "nbf" or "exp")).Select(p => $"{p.Name}={p.Value}"));
}
