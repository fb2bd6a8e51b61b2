using System.Net;
using System.Net.Sockets;

namespace Berth.Edge.Tests.Requests;

/// <summary>
/// What a request says of itself, plain, upgraded and as a proxy's question, as bytes on the wire: one reading, and no header or spelling
/// that grants anything.
/// </summary>
public class RequestFormTests
{
    public static TheoryData<Way> All => [Way.Plain, Way.Upgrade, Way.Question, Way.UpgradeQuestion];

    // CVE-2025-64484, CVE-2026-39858: case, separator, doubled, with a space, with and without x-.
    [Theory]
    [MemberData(nameof(All))]
    public async Task IdentityHeaders_InEverySpelling_AreTheEdgesAloneOrRefused(Way way)
    {
        await using var edge = await EdgeFixture.StartAsync(options: Ways.Trusting);
        var own = await InsideAsync(edge);
        string[] names = ["Workspace-Identity", "Forwarded-User", "Forwarded-Email", "Auth-Request-User", "Remote-User", "WebAuth-User"];
        foreach (var name in names.SelectMany(n => (string[])[n, "X-" + n]).Where(n => n != "Forwarded-User" && n != "Forwarded-Email"))
        {
            foreach (var (line, refused) in ((string, bool)[])
                [
                    ($"{name}: forged", false), ($"{name.ToUpperInvariant()}: forged", false),
                    ($"{name.ToLowerInvariant()}: forged", false),
                    ($"{name}: forged\r\n{name}: forged", false), ($"{name.Replace('-', '_')}: forged", true),
                    ($"{name.Replace('-', '.')}: forged", true), ($"{name} : forged", true), ($"{name}\t: forged", true),
                ])
            {
                edge.Upstream.Requests.Clear();
                var answer = await edge.AskAsync(way, [.. own, line]);

                Assert.Equal((line, refused ? 400 : way.Success()), (line, answer.Status));
                Assert.DoesNotContain("forged", answer.Text, StringComparison.Ordinal);
                Assert.All(edge.Upstream.Requests, r =>
                {
                    Assert.DoesNotContain(r.Headers, h => h.Value.Any(v => v.Contains("forged", StringComparison.Ordinal)));
                    Assert.Single(r.Headers["X-Workspace-Identity"]);
                });
                Assert.Equal(!refused && (way is Way.Plain or Way.Upgrade) ? 1 : 0, edge.Upstream.Requests.Count);
            }
        }
    }

    // mod_auth_openidc 2.4.20.2: no branch comes before the stripping.
    [Theory]
    [InlineData("OPTIONS")]
    [InlineData("HEAD")]
    [InlineData("GET")]
    public async Task IdentityHeaders_WhateverTheMethod_NeverArrive(string method)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var own = await InsideAsync(edge);

        var answer = await edge.AskAsync(Way.Plain, [.. own, "X-Workspace-Identity: forged", "Remote-User: forged"], "/a", method);
        var stranger = await edge.AskAsync(Way.Plain, ["X-Workspace-Identity: forged", "Accept: application/json"], "/a", method);

        Assert.Equal((200, 401), (answer.Status, stranger.Status));
        Assert.DoesNotContain(edge.Upstream.Requests.Single().Headers, h => h.Value.Contains("forged"));
    }

    // CVE-2024-45410: who names a header of ours as hop-by-hop wants it dropped.
    [Theory]
    [MemberData(nameof(All))]
    public async Task IdentityHeaders_NominatedByConnection_AreNotDropped(Way way)
    {
        await using var edge = await EdgeFixture.StartAsync(options: Ways.Trusting);
        var own = await InsideAsync(edge);
        foreach (var name in (string[])["X-Workspace-Identity", "X-Forwarded-For", "x-forwarded-host", "Cookie", "Host", "Authorization"])
        {
            edge.Upstream.Requests.Clear();
            var answer = await edge.AskAsync(way, [.. own, $"Connection: {name}"]);

            // The server forgets what stands beside "close"; else the request is refused. Either way nothing of ours is missing.
            Assert.True(answer.Status == 400 || answer.Status == way.Success(), $"{name}: {answer.Status}");
            Assert.All(edge.Upstream.Requests, r => Assert.Single(r.Headers["X-Workspace-Identity"]));
            Assert.All(edge.Upstream.Requests, r => Assert.Single(r.Headers["X-Forwarded-For"]));
        }
    }

    // CVE-2026-40575, GHSA-5hvv-m4w4-gf6v, GHSA-7rh7-c77v-6434: no header, and nothing behind the question mark, opens a path.
    [Theory]
    [MemberData(nameof(All))]
    public async Task Stranger_NoHeaderOrQueryGrantsAccess(Way way)
    {
        await using var edge = await EdgeFixture.StartAsync(options: o => way is Way.Plain or Way.Upgrade ? o : Ways.Trusting(o));
        string[] lines =
        [
            "User-Agent: kube-probe/1.30", "User-Agent: GoogleHC/1.0", "User-Agent: ELB-HealthChecker/2.0", "X-Original-URI: /assets/x.css",
            "X-Rewrite-URL: /login", "X-Http-Method-Override: OPTIONS", "X-Forwarded-User: user1", "X-Workspace-Identity: x.y.z",
            "X-Forwarded-Prefix: /.well-known", "Sec-Purpose: prefetch", "Cookie: berth-ws=AAAA", "Cookie: berth-ws=", "Referer: /login",
        ];
        foreach (var line in lines)
        {
            foreach (var target in (string[])
                ["/livez", "/readyz", "/metrics", "/x?/.well-known/workspace-identity/jwks.json", "/?p=/login"])
            {
                var answer = await edge.AskAsync(way, [line, "Accept: application/json"], target);
                Assert.Equal((line, target, 401), (line, target, answer.Status));
            }
        }

        Assert.Empty(edge.Upstream.Requests);
    }

    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Upgrade)]
    public async Task ForwardedHeaders_OfAnybodyElse_ChangeNothing(Way way)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var own = await InsideAsync(edge);
        edge.Upstream.Requests.Clear();

        var answer = await edge.AskAsync(way,
            [.. own, "X-Forwarded-Host: ws-two.localhost", "X-Forwarded-Uri: /.berth/x", "X-Forwarded-Proto: https",
                "X-Forwarded-For: 1.2.3.4"],
            "/here");

        Assert.Equal(way.Success(), answer.Status);
        var seen = edge.Upstream.Requests.Single();
        Assert.Equal(("/here", "ws-one.localhost:8080", "127.0.0.1", "http"), (seen.Target, seen.Headers["X-Forwarded-Host"].Single(),
            seen.Headers["X-Forwarded-For"].Single(), seen.Headers["X-Forwarded-Proto"].Single()));
    }

    // GHSA-pxq7-h93f-9jrg, CVE-2023-45539: a fragment never travels, so whoever sends one means somebody to read another path.
    [Theory]
    [MemberData(nameof(All))]
    public async Task Target_WithAFragmentOrAnotherForm_Is400(Way way)
    {
        await using var edge = await EdgeFixture.StartAsync(options: Ways.Trusting);
        var own = await InsideAsync(edge);
        edge.Upstream.Requests.Clear();
        string[] targets =
        [
            "/a#b", "/#", "/a?b#c", "/a\\b", "http://ws-two.localhost:8080/", "http://evil.example/", "//evil.example\\@x", "a/b",
            "/a/../b", "/a/%2e%2E/b", "/a/..;/b",
        ];
        foreach (var target in targets)
        {
            Assert.Equal((target, 400), (target, (await edge.AskAsync(way, own, target)).Status));
        }

        Assert.Empty(edge.Upstream.Requests);
    }

    // CVE-2025-66490: seven encodings in three spellings. What cannot occur in a file name is refused everywhere; the four that can go on
    // to workspaces exactly as they were decided on, and are refused on the edge's own origin.
    [Theory]
    [MemberData(nameof(All))]
    public async Task Target_EncodedReservedCharacters_AreRefusedOrPassAsTheyWereRead(Way way)
    {
        await using var edge = await EdgeFixture.StartAsync(options: Ways.Trusting);
        var own = await InsideAsync(edge);
        foreach (var code in (string[])["2f", "5c", "00", "3b", "3f", "23", "25"])
        {
            var isOfFileNames = code is "3b" or "3f" or "23" or "25";
            foreach (var (escape, passes) in ((string, bool)[])
                [("%" + code, isOfFileNames), ("%" + code.ToUpperInvariant(), isOfFileNames), ("%25" + code, true)])
            {
                edge.Upstream.Requests.Clear();
                var answer = await edge.AskAsync(way, own, $"/a{escape}b");
                Assert.Equal((escape, passes ? way.Success() : 400), (escape, answer.Status));
                Assert.All(edge.Upstream.Requests, r => Assert.Equal($"/a{escape[..3].ToUpperInvariant()}{escape[3..]}b", r.Target));
                Assert.Equal(passes && (way is Way.Plain or Way.Upgrade) ? 1 : 0, edge.Upstream.Requests.Count);

                var onOwnOrigin = await edge.RawAsync(
                    $"GET /whoami{escape} HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n\r\n");
                Assert.StartsWith("HTTP/1.1 400", onOwnOrigin, StringComparison.Ordinal);
            }
        }
    }

    // GHSA-6jwx-7vp4-9847, GHSA-pvrc-wvj2-f59p: what was decided on is what goes on, for any path at all.
    [Fact]
    public async Task Target_Generated_IsForwardedAsItWasDecidedOnOrRefused()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var own = await InsideAsync(edge);
        string[] pieces =
        [
            "/", "a", "B", ".", "..", "%2e", "%2F", "%41", "%7e", "%c3%a4", "%25", "%3f", ";", "=", ":", "@", "//", "|", "~", "-", "berth",
            "%zz",
        ];
        var random = new Random(20261121);
        var (passed, refused) = (0, 0);
        for (var i = 0; i < 200; i++)
        {
            var path = "/" + string.Concat(Enumerable.Range(0, random.Next(1, 7)).Select(_ => pieces[random.Next(pieces.Length)]));
            edge.Upstream.Requests.Clear();
            var canonical = CanonicalPath.Make(path, PathStrictness.Workspace);

            var answer = await edge.AskAsync(Way.Plain, own, path + "?q=%2F");

            if (canonical is null)
            {
                refused++;
                Assert.Equal((path, 400), (path, answer.Status));
                Assert.Empty(edge.Upstream.Requests);
                continue;
            }

            passed++;
            Assert.Equal((path, 200), (path, answer.Status));
            Assert.Equal(canonical + "?q=%2F", edge.Upstream.Requests.Single().Target);
            Assert.Equal(canonical, CanonicalPath.Make(canonical, PathStrictness.Workspace));
        }

        Assert.True(passed > 40 && refused > 20, $"{passed} and {refused} are too few to show anything.");
    }

    // CVE-2026-48794: one host, however it is spelt.
    [Theory]
    [InlineData("WS-One.LocalHost:8080")]
    [InlineData("ws-one.localhost.:8080")]
    [InlineData("ws-one.localhost")]
    public async Task Host_InAnotherSpelling_IsTheSameForEveryForm(string host)
    {
        await using var edge = await EdgeFixture.StartAsync(options: Ways.Trusting);
        var own = await InsideAsync(edge);
        foreach (var way in Enum.GetValues<Way>())
        {
            string[] lines = [.. own];
            var head = way is Way.Upgrade or Way.UpgradeQuestion
                ? "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" : "";
            var request = way switch
            {
                Way.Plain => $"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n",
                Way.Upgrade => $"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
                _ => "GET /auth/forward/ws-one HTTP/1.1\r\nHost: berth-edge.test\r\nConnection: close\r\nX-Forwarded-Method: GET\r\n"
                    + $"X-Forwarded-Proto: http\r\nX-Forwarded-Uri: /\r\nX-Forwarded-Host: {host}\r\n",
            };
            string Send(IEnumerable<string> more) => request + head + string.Concat(more.Select(l => l + "\r\n")) + "\r\n";

            Assert.Equal((way, way.Success()), (way, RawAnswer.Read(await edge.RawAsync(Send(lines), way == Way.Upgrade)).Status));
            Assert.Equal((way, 401),
                (way, RawAnswer.Read(await edge.RawAsync(Send(["Accept: application/json"]), way == Way.Upgrade)).Status));
        }
    }

    // GHSA-59jp-rwph-878r: of a request that is denied not a byte leaves the edge.
    [Theory]
    [InlineData("stranger", 401)]
    [InlineData("origin", 403)]
    [InlineData("person", 403)]
    [InlineData("viewer", 403)]
    [InlineData("token", 401)]
    [InlineData("path", 400)]
    [InlineData("smuggled", 400)]
    [InlineData("reserved", 404)]
    public async Task Denied_WithABody_NothingIsSentOn(string why, int expected)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var own = await InsideAsync(edge);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var entry = edge.Directory[EdgeFixture.WorkspaceHost] with
        {
            Target = new WorkspaceTarget("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port),
        };
        edge.Directory.Put(why switch
        {
            "person" => entry with { OwnerSubject = "user2" },
            "viewer" => entry with { OwnerSubject = "user2", Shares = [new WorkspaceShare("user1", null, "view", null)] },
            _ => entry,
        });
        string[] lines = why switch
        {
            "stranger" => ["Accept: application/json"],
            "origin" => [own[0], "Origin: http://evil.example"],
            "token" => [.. own, "Authorization: Bearer garbage"],
            "smuggled" => [.. own, "Transfer-Encoding: chunked"],
            _ => own,
        };
        var target = why switch { "path" => "/a%2fb", "reserved" => "/.berth/nothing", _ => "/" };

        var answer = RawAnswer.Read(await edge.RawAsync(
            $"POST {target} HTTP/1.1\r\nHost: ws-one.localhost:8080\r\nConnection: close\r\nContent-Length: 6\r\n"
                + $"{string.Concat(lines.Select(l => l + "\r\n"))}\r\nsecret"));

        Assert.Equal(expected, answer.Status);
        Assert.False(listener.Pending());
    }

    /// <summary>Header lines of user1 with a session on their workspace's host.</summary>
    internal static async Task<string[]> InsideAsync(EdgeFixture edge)
    {
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();
        return [$"Cookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}", $"Origin: {EdgeFixture.WorkspaceOrigin}"];
    }
}
