using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Berth.Edge.Tests;

public class CookieTests
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    [Fact]
    public async Task Session_AnyCharacterChanged_IsRefused()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        var good = browser.Cookies[("localhost", "berth")];
        var cookies = edge.Get<SessionCookies>();
        var protector = edge.Get<CookieProtector>();
        Assert.NotNull(protector.Unprotect(ProtectionPurpose.EdgeSession, cookies.Names.Session, good));
        for (var i = 0; i < good.Length; i++)
        {
            // Every other value of the last character, one neighbour of the others: the last one may hold bits that a lax decoder ignores.
            foreach (var c in i == good.Length - 1
                ? Alphabet : Alphabet[(Alphabet.IndexOf(good[i], StringComparison.Ordinal) + 1) % 64].ToString())
            {
                if (c != good[i])
                {
                    var bad = good[..i] + c + good[(i + 1)..];
                    Assert.Null(protector.Unprotect(ProtectionPurpose.EdgeSession, cookies.Names.Session, bad));
                }
            }
        }

        // And through the front door, for a sample.
        for (var i = 0; i < good.Length; i += 37)
        {
            browser.Cookies[("localhost", "berth")] = good[..i] + (good[i] == 'A' ? 'B' : 'A') + good[(i + 1)..];
            using var answer = await browser.GetAsync($"{EdgeFixture.Origin}/whoami");
            Assert.Equal("stranger", await answer.Content.ReadAsStringAsync());
        }
    }

    [Theory]
    [InlineData(ProtectionPurpose.EdgeSession)]
    [InlineData(ProtectionPurpose.WorkspaceSession)]
    [InlineData(ProtectionPurpose.SignInFlow)]
    [InlineData(ProtectionPurpose.WorkspaceTicket)]
    internal void Protected_AnyBitFlippedOrCut_IsRefused(ProtectionPurpose purpose)
    {
        var protector = new CookieProtector([[.. RandomNumberGenerator.GetBytes(32)]]);
        var bytes = StrictBase64Url.Decode(protector.Protect(purpose, "name", "some payload"u8))!;
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var bad = (byte[])bytes.Clone();
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(protector.Unprotect(purpose, "name", StrictBase64Url.Encode(bad)));
        }

        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Null(protector.Unprotect(purpose, "name", StrictBase64Url.Encode(bytes.AsSpan(0, length))));
        }
    }

    [Fact]
    public void Protected_ForOnePurposeAndBinding_OpensForNoOther()
    {
        var protector = new CookieProtector([[.. RandomNumberGenerator.GetBytes(32)]]);
        foreach (var made in Enum.GetValues<ProtectionPurpose>())
        {
            var text = protector.Protect(made, "a", "x"u8);
            foreach (var used in Enum.GetValues<ProtectionPurpose>())
            {
                Assert.Equal(made == used, protector.Unprotect(used, "a", text) is not null);
                Assert.Null(protector.Unprotect(used, "b", text));
            }
        }
    }

    [Fact]
    public void Keys_Rotated_OldCookiesOpenUntilTheKeyIsGone()
    {
        ImmutableArray<byte> one = [.. RandomNumberGenerator.GetBytes(32)];
        ImmutableArray<byte> two = [.. RandomNumberGenerator.GetBytes(32)];
        var old = new CookieProtector([one]).Protect(ProtectionPurpose.EdgeSession, "n", "x"u8);

        Assert.NotNull(new CookieProtector([two, one]).Unprotect(ProtectionPurpose.EdgeSession, "n", old));
        Assert.Null(new CookieProtector([two]).Unprotect(ProtectionPurpose.EdgeSession, "n", old));
    }

    [Theory]
    [InlineData(20, 20, 20, 20)]
    [InlineData(200, 255, 254, 400)]
    [InlineData(255, 255, 254, 400)]
    public void Session_AnySize_StaysBelowOneKibibyteAndKeepsTheIdentity(int issuer, int subject, int email, int name)
    {
        var session = Session() with
        {
            Issuer = new string('i', issuer),
            Subject = new string('s', subject),
            Email = new string('e', email),
            Name = string.Concat(Enumerable.Repeat("é", name / 2)),
        };

        var bytes = SessionCodec.Write(session);
        var read = SessionCodec.Read(bytes)!;

        var text = new CookieProtector([[.. RandomNumberGenerator.GetBytes(32)]])
            .Protect(ProtectionPurpose.EdgeSession, "__Host-berth", bytes);
        Assert.True("__Host-berth".Length + 1 + text.Length <= 1024, $"{text.Length}");
        Assert.Equal((session.Id, session.Issuer, session.Subject, session.Epoch), (read.Id, read.Issuer, read.Subject, read.Epoch));
    }

    [Fact]
    public void Session_WrittenAndRead_IsTheSame()
    {
        var session = Session();
        Assert.Equal(session, SessionCodec.Read(SessionCodec.Write(session)));
    }

    [Fact]
    public async Task CrossUse_NothingPassesForAnother()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        string flow;
        using (var login = await edge.NewBrowser().GetAsync($"{EdgeFixture.Origin}/login"))
        {
            flow = login.Headers.GetValues("Set-Cookie").Single().Split(';')[0].Split('=', 2)[1];
        }

        var edgeSession = browser.Cookies[("localhost", "berth")];
        var workspaceSession = browser.Cookies[(EdgeFixture.WorkspaceHost, "berth-ws")];
        var hop = "AAAAAAAAAAAAAAAAAAAAAA";
        var ticket = edge.Get<WorkspaceTickets>().Issue(EdgeFixture.WorkspaceHost, WorkspaceTickets.HashOfHop(hop), "/", Session() with
        {
            Issuer = edge.Provider.Issuer,
            RenewedAt = edge.Clock.GetUtcNow(),
            ExpiresAt = edge.Clock.GetUtcNow().AddHours(1),
        });
        var identity = edge.Upstream.Requests.Last().Headers["X-Workspace-Identity"].Single();
        string[] all = [edgeSession, workspaceSession, flow, ticket, identity];

        foreach (var value in all.Where(v => v != edgeSession))
        {
            Assert.Equal("stranger", await TextAsync(edge, $"{EdgeFixture.Origin}/whoami", ("Cookie", "berth=" + value)));
        }

        foreach (var value in all.Where(v => v != workspaceSession))
        {
            Assert.Equal(HttpStatusCode.Unauthorized,
                await StatusAsync(edge, $"{EdgeFixture.WorkspaceOrigin}/", ("Cookie", "berth-ws=" + value)));
        }

        foreach (var value in all.Where(v => v != ticket))
        {
            Assert.Equal(HttpStatusCode.BadRequest,
                await StatusAsync(edge, $"{EdgeFixture.WorkspaceOrigin}/.berth/session?ticket={value}", ("Cookie", "berth-hop=" + hop)));
        }

        foreach (var value in all)
        {
            Assert.Equal(HttpStatusCode.Unauthorized,
                await StatusAsync(edge, $"{EdgeFixture.Origin}/whoami", ("Authorization", "Bearer " + value)));
        }

        Assert.Equal(HttpStatusCode.SeeOther,
            await StatusAsync(edge, $"{EdgeFixture.WorkspaceOrigin}/.berth/session?ticket={ticket}", ("Cookie", "berth-hop=" + hop)));
    }

    [Fact]
    public async Task WorkspaceSession_OpenedOnItsHostBefore_IsNoneOnAnother()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        var cookie = ("Cookie", "berth-ws=" + browser.Cookies[(EdgeFixture.WorkspaceHost, "berth-ws")]);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(edge, $"{EdgeFixture.WorkspaceOrigin}/", cookie));

        var other = EdgeFixture.WorkspaceOrigin.Replace(EdgeFixture.WorkspaceHost, "ws-none.localhost", StringComparison.Ordinal);

        // A stranger's answer; who is known is told that there is no such workspace.
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(edge, $"{other}/", cookie));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(edge, $"{EdgeFixture.WorkspaceOrigin}/", cookie));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("berth=a", "a")]
    [InlineData("x=1; berth= a ; berth-ws=2", "a")]
    [InlineData("berth=a; berth=b", "")]
    [InlineData("berth=a; berth=a", "")]
    [InlineData("berthe=a; =b; berth", "")]
    public void SoleValue_OfAHeader_OnlyWhereThereIsOne(string header, string expected)
    {
        IHeaderDictionary headers = new HeaderDictionary();
        headers.Cookie = header;
        Assert.Equal(expected, CookieHeader.SoleValueOf(headers, "berth").ToString());

        // In two lines it is two cookies, whatever the names.
        headers.Cookie = new StringValues([header, "y=1"]);
        Assert.Equal("", CookieHeader.SoleValueOf(headers, "berth").ToString());
    }

    [Theory]
    [InlineData("twice")]
    [InlineData("late")]
    [InlineData("other-host")]
    [InlineData("other-browser")]
    [InlineData("no-hop")]
    [InlineData("revoked")]
    [InlineData("given-twice")]
    public async Task Ticket_NotAsIssued_IsRefused(string how)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var hop = "AAAAAAAAAAAAAAAAAAAAAA";
        var session = Session() with
        {
            Issuer = edge.Provider.Issuer,
            RenewedAt = edge.Clock.GetUtcNow(),
            ExpiresAt = edge.Clock.GetUtcNow()
            .AddHours(1)
        };
        var ticket = edge.Get<WorkspaceTickets>().Issue(EdgeFixture.WorkspaceHost, WorkspaceTickets.HashOfHop(hop), "/", session);
        var url = $"{EdgeFixture.WorkspaceOrigin}/.berth/session?ticket={ticket}";
        switch (how)
        {
            case "twice":
                Assert.Equal(HttpStatusCode.SeeOther, await StatusAsync(edge, url, ("Cookie", "berth-hop=" + hop)));
                break;
            case "late":
                edge.Clock.Advance(WorkspaceTickets.Lifetime);
                break;
            case "other-host":
                url = url.Replace(EdgeFixture.WorkspaceOrigin, EdgeFixture.OtherOrigin, StringComparison.Ordinal);
                break;
            case "other-browser":
                hop = "BAAAAAAAAAAAAAAAAAAAAA";
                break;
            case "no-hop":
                hop = "";
                break;
            case "revoked":
                await edge.Get<ISessionState>().RevokeAsync(session.Key, session.ExpiresAt, CancellationToken.None);
                break;
            default:
                url += "&ticket=x";
                break;
        }

        Assert.Equal(HttpStatusCode.BadRequest, await StatusAsync(edge, url, ("Cookie", "berth-hop=" + hop)));
    }

    [Fact]
    public async Task Session_Idle_EndsAndUsed_IsRenewedUntilTheAbsoluteEnd()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var idle = await edge.SignedInAsync("user1");
        var busy = await edge.SignedInAsync("user1");
        var before = busy.Cookies[("localhost", "berth")];
        for (var hour = 0; hour < 23; hour++)
        {
            edge.Clock.Advance(TimeSpan.FromHours(1));
            using var answer = await busy.GetAsync($"{EdgeFixture.Origin}/whoami");
            Assert.Equal("Session user1 False", await answer.Content.ReadAsStringAsync());
        }

        Assert.NotEqual(before, busy.Cookies[("localhost", "berth")]);
        using var late = await idle.GetAsync($"{EdgeFixture.Origin}/whoami");
        Assert.Equal("stranger", await late.Content.ReadAsStringAsync());
        edge.Clock.Advance(TimeSpan.FromHours(1));
        using var end = await busy.GetAsync($"{EdgeFixture.Origin}/whoami");
        Assert.Equal("stranger", await end.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Session_RenewedOnAWorkspacesAnswer_MayNotBeCached()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Answer.Add(("Cache-Control", "public, max-age=600"));
        using var plain = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");
        edge.Clock.Advance(TimeSpan.FromHours(1));
        using var renewed = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/");

        Assert.True(plain.Headers.CacheControl!.Public);
        Assert.True(renewed.Headers.CacheControl!.NoStore);
        Assert.Contains(renewed.Headers.GetValues("Set-Cookie"), c => c.StartsWith("berth-ws=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Cookies_OverHttps_HaveTheHostPrefixAndAllAttributes()
    {
        await using var edge = await EdgeFixture.StartAsync(options: o =>
            o with { PublicOrigin = "https://berth.test", WorkspaceDomain = "workspaces.test" });
        var answer = await edge.RawAsync("GET /login HTTP/1.1\r\nHost: berth.test\r\nAccept: text/html\r\nConnection: close\r\n\r\n");

        var cookie = answer.Split("\r\n").Single(l => l.StartsWith("Set-Cookie: ", StringComparison.Ordinal));
        Assert.StartsWith("Set-Cookie: __Host-berth-flow-", cookie, StringComparison.Ordinal);
        foreach (var attribute in (string[])["; path=/", "; secure", "; httponly", "; samesite=lax"])
        {
            Assert.Contains(attribute, cookie, StringComparison.OrdinalIgnoreCase);
        }

        Assert.DoesNotContain("domain", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Strict-Transport-Security", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Session_PlantedCookieOfTheSameName_DoesNotHideTheRealOne()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");

        var text = await TextAsync(edge, $"{EdgeFixture.Origin}/whoami",
            ("Cookie", $"berth=junk; berth={browser.Cookies[("localhost", "berth")]}"));

        Assert.Equal("Session user1 False", text);
    }

    [Fact]
    public void OneTimeIds_Full_RefusesUntilSomeAreTooOld()
    {
        var clock = new global::Testing.FakeTimeProvider();
        var ids = new OneTimeIds(clock, TimeSpan.FromSeconds(30), 2);

        Assert.Equal([true, false, true, false], [ids.TryUse("a"), ids.TryUse("a"), ids.TryUse("b"), ids.TryUse("c")]);
        clock.Advance(TimeSpan.FromSeconds(31));
        Assert.True(ids.TryUse("c"));
    }

    private static EdgeSession Session() => new()
    {
        Id = EdgeSession.NewId(),
        Issuer = "https://idp.example.test",
        Subject = "user1",
        Email = "a@b.test",
        Name = "Ä B",
        ProviderSessionId = "sid",
        IsAdministratorByClaim = true,
        RenewedAt = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero),
        ExpiresAt = new DateTimeOffset(2030, 1, 2, 0, 0, 0, TimeSpan.Zero),
        Epoch = 7,
    };

    private static async Task<HttpStatusCode> StatusAsync(EdgeFixture edge, string url, (string, string) header)
    {
        using var answer = await edge.NewBrowser().GetAsync(url, header, ("Accept", "application/json"));
        return answer.StatusCode;
    }

    private static async Task<string> TextAsync(EdgeFixture edge, string url, (string, string) header)
    {
        using var answer = await edge.NewBrowser().GetAsync(url, header);
        return await answer.Content.ReadAsStringAsync();
    }
}
