using System.Net;
using System.Net.Sockets;
using System.Text;
using Berth.Accounts;
using Microsoft.AspNetCore.Http;

namespace Berth.Edge.Tests.ApiProxy;

public class ProxyCallTests
{
    [Fact]
    public async Task Call_WithBearerToken_ReachesTheApiWithTheVaultsTokenAndTheSameTarget()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        using var client = proxy.As("user1");

        using var answer = await client.GetAsync("/proxy/api/items/a%20b?x=%2F1&y=/proxy");

        Assert.Equal((HttpStatusCode.OK, "ok"), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
        Assert.Equal("upstream", answer.Headers.GetValues("Berth-Answer").Single());
        var seen = Assert.Single(proxy.Calls);
        Assert.Equal("/v1/items/a%20b?x=%2F1&y=/proxy", seen.Target);
        Assert.Equal("Bearer secret-user1-1", seen.Header("Authorization"));
        Assert.Equal(new Uri(proxy.ApiOrigin).Authority, seen.Header("Host"));
    }

    // Kestrel sends no trailers over HTTP/1.1: the API is a socket.
    [Fact]
    public async Task Call_AnswerWithTrailers_ArrivesWithoutThem()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var api = AnswerAsync(listener);
        await using var proxy = await ProxyFixture.StartAsync(o => o with { BaseAddress = $"http://{listener.LocalEndpoint}/v1" });
        using var client = proxy.As("user1");

        using var answer = await client.GetAsync("/proxy/api/items/1");
        await api;

        Assert.Equal("ok", await answer.Content.ReadAsStringAsync());
        Assert.Empty(answer.TrailingHeaders);
        Assert.Empty(answer.Headers.Trailer);

        static async Task AnswerAsync(TcpListener listener)
        {
            using var socket = await listener.AcceptSocketAsync();
            await socket.ReceiveAsync(new byte[8192]);
            await socket.SendAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Echo\r\n\r\n"
                + "2\r\nok\r\n0\r\nX-Echo: Bearer secret-user1-1\r\n\r\n"));
        }
    }

    [Fact]
    public async Task Call_OtherTokenHeader_CarriesItThereAndNowhereElse()
    {
        await using var proxy = await ProxyFixture.StartAsync(o => o with { TokenHeader = "X-Api-Key", TokenScheme = "" });
        using var client = proxy.As("user1");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/proxy/api/items/1");
        request.Headers.Add("X-Api-Key", "mine");
        request.Headers.Add("X_Api_Key", "mine too");

        using var answer = await client.SendAsync(request);

        var seen = Assert.Single(proxy.Calls);
        Assert.Equal("secret-user1-1", seen.Header("X-Api-Key"));
        Assert.Null(seen.Header("X_Api_Key"));
        Assert.Null(seen.Header("Authorization"));
    }

    [Theory]
    [InlineData("Cookie", "berth=x; other=y")]
    [InlineData("Proxy-Authorization", "Basic eA==")]
    [InlineData("DPoP", "proof")]
    [InlineData("Referer", "http://localhost:8080/secret-page")]
    [InlineData("Sec-Fetch-Site", "same-origin")]
    [InlineData("X-Forwarded-For", "10.1.2.3")]
    [InlineData("X-Workspace-Identity", "forged")]
    [InlineData("X-Auth-Request-User", "admin")]
    [InlineData("X-HTTP-Method-Override", "DELETE")]
    [InlineData("X-Method-Override", "DELETE")]
    [InlineData("Baggage", "user=1")]
    [InlineData("Upgrade", "h2c")]
    [InlineData("TE", "trailers, gzip")]
    [InlineData("Keep-Alive", "timeout=5")]
    [InlineData("X-SSL-Client-Verify", "SUCCESS")]
    public async Task Call_HeadersThatAreNotForAnApi_DoNotArrive(string name, string value)
    {
        await using var proxy = await ProxyFixture.StartAsync();
        using var client = proxy.As("user1");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/proxy/api/items/1");
        request.Headers.TryAddWithoutValidation(name, value);
        request.Headers.TryAddWithoutValidation("X-Mine", "kept");

        using var answer = await client.SendAsync(request);

        var seen = Assert.Single(proxy.Calls);
        Assert.Null(seen.Header(name));
        Assert.Equal("kept", seen.Header("X-Mine"));
    }

    [Fact]
    public async Task Call_AnswerWithCredentialsAndRules_LosesThem()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        string[] gone =
        [
            "Set-Cookie", "WWW-Authenticate", "Proxy-Authenticate", "Authentication-Info", "Authorization", "Clear-Site-Data", "Alt-Svc",
            "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Service-Worker-Allowed", "Refresh", "X-Workspace-Identity",
            "Content-Security-Policy-Report-Only", "X-Echo", "Strict-Transport-Security", "Server",
        ];
        proxy.Answer = (context, seen) =>
        {
            foreach (var name in gone)
            {
                context.Response.Headers[name] = name == "X-Echo" ? seen.Header("Authorization") : "something";
            }

            context.Response.Headers.ContentSecurityPolicy = "script-src *";
            context.Response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
            context.Response.Headers["X-Kept"] = "yes";
            context.Response.Headers.ETag = "\"1\"";
            context.Response.Headers.CacheControl = "public, max-age=60, s-maxage=600";
            return context.Response.WriteAsync("<script>alert(1)</script>");
        };
        using var client = proxy.As("user1");

        using var answer = await client.GetAsync("/proxy/api/items/1");

        Assert.All(gone, name => Assert.False(answer.Headers.Contains(name), name));
        Assert.DoesNotContain(answer.Headers, h => h.Value.Any(v => v.Contains("secret-", StringComparison.Ordinal)));
        Assert.Equal("yes", answer.Headers.GetValues("X-Kept").Single());
        Assert.Equal("\"1\"", answer.Headers.ETag!.Tag);
        Assert.Equal("default-src 'none'; frame-ancestors 'none'; sandbox", answer.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Equal("same-origin", answer.Headers.GetValues("Cross-Origin-Resource-Policy").Single());
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.True(answer.Headers.CacheControl is { Private: true, Public: false, SharedMaxAge: null });
    }

    [Theory]
    [InlineData(null, 401, "not-authenticated")]
    [InlineData("Bearer garbage", 401, "invalid-token")]
    [InlineData("Basic dXNlcjpwYXNz", 401, "invalid-token")]
    public async Task Call_WithoutIdentity_IsRefusedAndReachesNobody(string? authorization, int status, string code)
    {
        await using var proxy = await ProxyFixture.StartAsync();
        using var client = proxy.Anonymous();
        if (authorization is not null)
        {
            client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", authorization);
        }

        using var known = await client.GetAsync("/proxy/api/items/1");
        using var unknown = await client.GetAsync("/proxy/no-such/items/1");

        Assert.Equal((status, code), await CodeAsync(known));
        Assert.Equal((status, code), await CodeAsync(unknown));
        Assert.StartsWith("Bearer", known.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Empty(proxy.Calls);
        Assert.Empty(proxy.Vault.Asked);
    }

    [Theory]
    [InlineData("GET", "/proxy/no-such/items/1", 404, "connection-not-found")]
    [InlineData("GET", "/proxy/tokens-only/items/1", 404, "connection-not-found")]
    [InlineData("GET", "/proxy/API/items/1", 404, "connection-not-found")]
    [InlineData("GET", "/proxy//items/1", 404, "connection-not-found")]
    [InlineData("DELETE", "/proxy/api/items/1", 405, "method-not-allowed")]
    [InlineData("POST", "/proxy/api/only-get", 405, "method-not-allowed")]
    [InlineData("GET", "/proxy/api/admin", 403, "path-not-allowed")]
    [InlineData("GET", "/proxy/api/ITEMS/1", 403, "path-not-allowed")]
    [InlineData("GET", "/proxy/api/items//admin", 400, "bad-path")]
    [InlineData("GET", "/proxy/api/items/%C0%AE%C0%AE/x", 400, "bad-path")]
    public async Task Call_ThatIsOnNoList_IsRefusedByName(string method, string path, int status, string code)
    {
        await using var proxy = await ProxyFixture.StartAsync();
        using var client = proxy.As("user1");

        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var answer = await client.SendAsync(request);

        Assert.Equal((status, code), await CodeAsync(answer));
        Assert.Equal(status == 405, answer.Content.Headers.Allow.Count > 0);
        Assert.Empty(proxy.Calls);
        Assert.Empty(proxy.Vault.Asked);
    }

    [Theory]
    [InlineData("GET /proxy/api/items/../../admin HTTP/1.1")]
    [InlineData("GET /proxy/api/items/%2e%2e/admin HTTP/1.1")]
    [InlineData("GET /proxy/api/items/..%2fadmin HTTP/1.1")]
    [InlineData("GET /proxy/api/items/a%252fb HTTP/1.1")]
    [InlineData("GET /proxy/api/items/..;/admin HTTP/1.1")]
    [InlineData("GET /proxy/api/items\\..\\admin HTTP/1.1")]
    [InlineData("GET http://other.example/proxy/api/items/1 HTTP/1.1")]
    [InlineData("GET http://localhost:8080@other.example/proxy/api/items/1 HTTP/1.1")]
    public async Task Call_TargetThatCanBeReadInTwoWays_NeverLeavesTheEdge(string line)
    {
        await using var proxy = await ProxyFixture.StartAsync();
        using var client = proxy.As("user1");
        var token = client.DefaultRequestHeaders.Authorization!.ToString();

        var answer = await proxy.RawAsync($"{line}\r\nHost: localhost:8080\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Empty(proxy.Calls);
    }

    [Fact]
    public async Task Call_Upgrade_IsRefused()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        using var client = proxy.As("user1");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/proxy/api/items/1");
        request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");

        using var answer = await client.SendAsync(request);

        Assert.Equal((403, "upgrade-not-allowed"), await CodeAsync(answer));
        Assert.Empty(proxy.Calls);
    }

    [Fact]
    public async Task Call_TwoPeopleInterleaved_EachHasTheirOwnTokenOnly()
    {
        await using var proxy = await ProxyFixture.StartAsync(o => o with { RateLimit = new() { Requests = 1000, Concurrent = 100 } });
        proxy.Answer = (context, seen) => context.Response.WriteAsync(seen.Target + " " + seen.Header("Authorization")!.Replace("secret", "s"));
        using var one = proxy.As("user1");
        using var two = proxy.As("user2");

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
            (Who: i % 2 == 0 ? "user1" : "user2", Text: await (i % 2 == 0 ? one : two).GetStringAsync($"/proxy/api/items/{i}"), Number: i)));

        Assert.All(answers, a => Assert.Equal($"/v1/items/{a.Number} Bearer s-{a.Who}-1", a.Text));
    }

    [Fact]
    public async Task Call_MoreThanTheRate_IsRefusedForThatPersonOnly()
    {
        await using var proxy = await ProxyFixture.StartAsync(
            o => o with { RateLimit = new() { Requests = 2, Window = TimeSpan.FromHours(1) } });
        using var one = proxy.As("user1");
        using var two = proxy.As("user2");
        for (var i = 0; i < 2; i++)
        {
            using var good = await one.GetAsync("/proxy/api/items/1");
            Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        }

        using var refused = await one.GetAsync("/proxy/api/items/1");
        using var other = await two.GetAsync("/proxy/api/items/1");

        var (status, code, details) = await ProxyFixture.ErrorAsync(refused);
        Assert.Equal((429, "too-many-requests"), (status, code));
        Assert.True(refused.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        Assert.Equal((int)refused.Headers.RetryAfter.Delta!.Value.TotalSeconds, (int)details["retryAfterSeconds"]!);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        Assert.Equal(3, proxy.Calls.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Call_BodyAboveTheLimit_IsRefused(bool chunked)
    {
        await using var proxy = await ProxyFixture.StartAsync(o => o with { MaximumBody = 1000 });
        using var client = proxy.As("user1");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/proxy/api/items/1") { Content = new ByteArrayContent(new byte[5000]) };
        request.Headers.TransferEncodingChunked = chunked;

        using var answer = await client.SendAsync(request);

        Assert.Equal((413, "body-too-large"), await CodeAsync(answer));
        Assert.Empty(proxy.Calls);
    }

    [Fact]
    public async Task Call_LargeBodyBelowTheLimit_IsStreamedWhole()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        using var client = proxy.As("user1");
        var bytes = new byte[1_000_000];
        Random.Shared.NextBytes(bytes);

        using var answer = await client.PostAsync("/proxy/api/items/1", new ByteArrayContent(bytes));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(bytes, Assert.Single(proxy.Calls).Body);
    }

    [Fact]
    public async Task Call_EventStream_ArrivesWhileItIsWritten()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        var gate = new TaskCompletionSource();
        proxy.Answer = async (context, _) =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync("data: 1\n\n");
            await context.Response.Body.FlushAsync();
            await gate.Task;
            await context.Response.WriteAsync("data: 2\n\n");
        };
        using var client = proxy.As("user1");

        using var answer = await client.GetAsync("/proxy/api/items/1", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(), Encoding.UTF8);
        var first = await reader.ReadLineAsync();
        gate.SetResult();
        var rest = await reader.ReadToEndAsync();

        Assert.Equal("data: 1", first);
        Assert.Equal("\ndata: 2\n\n", rest);
    }

    [Fact]
    public async Task Call_RevokedWhileItStreams_IsCut()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        var cut = new TaskCompletionSource();
        proxy.Answer = async (context, _) =>
        {
            await context.Response.WriteAsync("begin");
            await context.Response.Body.FlushAsync();
            context.RequestAborted.Register(cut.SetResult);
            await cut.Task;
        };
        using var client = proxy.As("user1");
        await proxy.Edge.Get<IAccountStore>().RecordSignInAsync(
            new SignIn
            {
                Person = proxy.Person("user1"),
                SessionId = "s",
                At = TimeProvider.System.GetUtcNow(),
                ExpiresAt = TimeProvider.System.GetUtcNow().AddHours(1),
            },
            CancellationToken.None);

        using var answer = await client.GetAsync("/proxy/api/items/1", HttpCompletionOption.ResponseHeadersRead);
        await proxy.Edge.Get<IAccountStore>().SetDisabledAsync(proxy.Person("user1"), true, CancellationToken.None);

        await Assert.ThrowsAnyAsync<Exception>(() => answer.Content.ReadAsStringAsync());
        await cut.Task.WaitAsync(TimeSpan.FromSeconds(30));
        using var next = await client.GetAsync("/proxy/api/items/1");
        Assert.Equal((401, "invalid-token"), await CodeAsync(next));
    }

    [Fact]
    public async Task Call_ApiThatDoesNotListen_IsUnreachable()
    {
        await using var proxy = await ProxyFixture.StartAsync(o => o with { BaseAddress = "http://127.0.0.1:1/v1" });
        using var client = proxy.As("user1");

        using var answer = await client.GetAsync("/proxy/api/items/1");

        Assert.Equal((502, "upstream-unreachable"), await CodeAsync(answer));
    }

    [Fact]
    public async Task Call_ApiThatNeverAnswers_TimesOut()
    {
        await using var proxy = await ProxyFixture.StartAsync(o => o with { ResponseHeaderTimeout = TimeSpan.FromSeconds(1) });
        proxy.Answer = (context, _) =>
        {
            var never = new TaskCompletionSource();
            context.RequestAborted.Register(() => never.TrySetResult());
            return never.Task;
        };
        using var client = proxy.As("user1");

        using var answer = await client.GetAsync("/proxy/api/items/1");

        Assert.Equal((504, "upstream-timeout"), await CodeAsync(answer));
    }

    [Fact]
    public async Task Call_ErrorsOfTheApi_ArePassedOnAsTheyAre()
    {
        await using var proxy = await ProxyFixture.StartAsync();
        proxy.Answer = (context, _) =>
        {
            context.Response.StatusCode = 422;
            context.Response.ContentType = "application/problem+json";
            return context.Response.WriteAsync("""{"title":"no"}""");
        };
        using var client = proxy.As("user1");

        using var answer = await client.PostAsync("/proxy/api/items/1", ProxyFixture.Text("x"));

        Assert.Equal(422, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("""{"title":"no"}""", await answer.Content.ReadAsStringAsync());
        Assert.Equal("upstream", answer.Headers.GetValues("Berth-Answer").Single());
    }

    [Theory]
    [InlineData("169.254.169.254", false, false)]
    [InlineData("::ffff:169.254.169.254", false, false)]
    [InlineData("fe80::1", false, false)]
    [InlineData("fd00:ec2::254", false, false)]
    [InlineData("0.0.0.0", false, false)]
    [InlineData("224.0.0.1", false, false)]
    [InlineData("127.0.0.1", false, false)]
    [InlineData("::1", false, false)]
    [InlineData("127.0.0.1", true, true)]
    [InlineData("10.0.0.7", false, true)]
    [InlineData("93.184.216.34", false, true)]
    [InlineData("2606:2800::1", false, true)]
    public void IsAllowed_AddressThatANameLeadsTo_IsNeverMetadataOrThisMachine(string address, bool loopback, bool expected) =>
        Assert.Equal(expected, UpstreamClients.IsAllowed(IPAddress.Parse(address), loopback));

    internal static async Task<(int Status, string Code)> CodeAsync(HttpResponseMessage answer)
    {
        var (status, code, _) = await ProxyFixture.ErrorAsync(answer);
        return (status, code);
    }
}
