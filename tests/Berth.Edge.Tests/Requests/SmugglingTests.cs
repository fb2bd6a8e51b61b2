namespace Berth.Edge.Tests.Requests;

/// <summary>
/// Requests that two servers in a row could cut in different places (CVE-2025-55315 and its kin): 400, and the connection ends, so that
/// nothing behind them is ever read as a request.
/// </summary>
public class SmugglingTests
{
    private const string Next = "GET /smuggled HTTP/1.1\r\nHost: ws-one.localhost:8080\r\n\r\n";

    private const string Get = "GET / HTTP/1.1\r\nHost: HOST\r\n";
    private const string Post = "POST / HTTP/1.1\r\nHost: HOST\r\n";

    public static TheoryData<string, string> Requests() => new()
    {
        { "bare LF ends the request line", "GET / HTTP/1.1\nHost: HOST\r\nCOOKIE\r\n\r\n" },
        { "bare LF ends a header", "GET / HTTP/1.1\r\nHost: HOST\nCOOKIE\r\n\r\n" },
        { "bare LF ends the headers", Get + "COOKIE\r\n\n" },
        { "LF in a value", Get + "X-A: b\nX-C: d\r\nCOOKIE\r\n\r\n" },
        { "bare CR in a value", Get + "X-A: b\rX-C: d\r\nCOOKIE\r\n\r\n" },
        { "bare CR ends a header", "GET / HTTP/1.1\r\nHost: HOST\rCOOKIE\r\n\r\n" },
        { "NUL in a value", Get + "X-A: b\0c\r\nCOOKIE\r\n\r\n" },
        { "obs-fold", Get + "X-A: b\r\n c\r\nCOOKIE\r\n\r\n" },
        { "obs-fold of the first header", "GET / HTTP/1.1\r\n Host: HOST\r\nCOOKIE\r\n\r\n" },
        { "space before the colon", Post + "Content-Length : 5\r\nCOOKIE\r\n\r\nhello" },
        { "header without a name", Get + ": x\r\nCOOKIE\r\n\r\n" },
        { "two hosts", Get + "Host: HOST\r\nCOOKIE\r\n\r\n" },
        { "TE and CL", Post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\nCOOKIE\r\n\r\n0\r\n\r\n" },
        { "CL and TE", Post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\nCOOKIE\r\n\r\n0\r\n\r\n" },
        { "CL twice, different", Post + "Content-Length: 3\r\nContent-Length: 5\r\nCOOKIE\r\n\r\nhello" },
        { "CL twice, the same", Post + "Content-Length: 5\r\nContent-Length: 5\r\nCOOKIE\r\n\r\nhello" },
        { "CL as a list", Post + "Content-Length: 5, 5\r\nCOOKIE\r\n\r\nhello" },
        { "CL below zero", Post + "Content-Length: -5\r\nCOOKIE\r\n\r\nhello" },
        { "CL in hex", Post + "Content-Length: 0x5\r\nCOOKIE\r\n\r\nhello" },
        { "TE chunked, identity", Post + "Transfer-Encoding: chunked, identity\r\nCOOKIE\r\n\r\n0\r\n\r\n" },
        { "TE identity, chunked", Post + "Transfer-Encoding: identity, chunked\r\nCOOKIE\r\n\r\n0\r\n\r\n" },
        { "TE gzip, chunked", Post + "Transfer-Encoding: gzip, chunked\r\nCOOKIE\r\n\r\n0\r\n\r\n" },
        { "TE identity", Post + "Transfer-Encoding: identity\r\nCOOKIE\r\n\r\n0\r\n\r\n" },
        { "TE xchunked", Post + "Transfer-Encoding: xchunked\r\nCOOKIE\r\n\r\n0\r\n\r\n" },
        { "TE twice", Post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\nCOOKIE\r\n\r\n0\r\n\r\n" },
        { "TE with an underscore", Post + "Content-Length: 5\r\nTransfer_Encoding: chunked\r\nCOOKIE\r\n\r\n0\r\n\r\n" },
        { "CL with an underscore", Post + "Content_Length: 5\r\nCOOKIE\r\n\r\n" },
        { "upgrade with a body", Get + "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\nCOOKIE\r\n\r\nhello" },
    };

    public static TheoryData<string, string> Chunks() => new()
    {
        { "LF in an extension", "5;a\nb\r\nhello\r\n0\r\n\r\n" },
        { "LF ends an extension", "5;a\nhello\r\n0\r\n\r\n" },
        { "CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n" },
        { "LF ends a size", "5\nhello\r\n0\r\n\r\n" },
        { "size with a prefix", "0x5\r\nhello\r\n0\r\n\r\n" },
        { "size below zero", "-5\r\nhello\r\n0\r\n\r\n" },
        { "size that is none", "x\r\nhello\r\n0\r\n\r\n" },
        { "size beyond 64 bits", "10000000000000005\r\nhello\r\n0\r\n\r\n" },
        { "data that is too long", "3\r\nhello\r\n0\r\n\r\n" },
        { "LF ends the data", "5\r\nhello\n0\r\n\r\n" },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Request_ThatCanBeCutInTwoWays_Is400AndTheEnd(string what, string request)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();
        foreach (var host in (string[])["ws-one.localhost:8080", "localhost:8080", "berth-edge.test"])
        {
            // Until the edge closes: that it does is half of the test.
            var cookie = host == "berth-edge.test" ? "X-None: 1" : $"Cookie: {browser.CookieHeader(host.Split(':')[0])}";
            var answer = await edge.RawAsync(request.Replace("HOST", host, StringComparison.Ordinal)
                .Replace("COOKIE", cookie, StringComparison.Ordinal) + Next);

            Assert.True(answer.StartsWith("HTTP/1.1 400", StringComparison.Ordinal), $"{what} on {host}: {answer.Split('\r')[0]}");
            Assert.Equal(1, answer.Split("HTTP/1.1 ").Length - 1);
        }

        Assert.Empty(edge.Upstream.Requests);
    }

    // The server reads +5 as 5 and keeps no trace of the sign. Whoever is behind reads a plain number and the same body.
    [Fact]
    public async Task ContentLength_WithASign_GoesOnAsThePlainNumber()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        await edge.RawAsync("POST / HTTP/1.1\r\nHost: ws-one.localhost:8080\r\nConnection: close\r\nContent-Length: +5\r\n"
            + $"Origin: {EdgeFixture.WorkspaceOrigin}\r\nCookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}\r\n\r\nhello{Next}");

        var seen = edge.Upstream.Requests.Single();
        Assert.Equal(("5", 5), (seen.Headers["Content-Length"].Single(), seen.BodyLength));
    }

    // What is wrong shows only while the body is passed on: the application may have seen its beginning, and never a second request.
    [Theory]
    [MemberData(nameof(Chunks))]
    public async Task Chunk_ThatCanBeCutInTwoWays_Is400AndTheEnd(string what, string body)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        var answer = await edge.RawAsync("POST /upload HTTP/1.1\r\nHost: ws-one.localhost:8080\r\nTransfer-Encoding: chunked\r\n"
            + $"Origin: {EdgeFixture.WorkspaceOrigin}\r\nCookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}\r\n\r\n{body}{Next}");

        Assert.True(answer.StartsWith("HTTP/1.1 400", StringComparison.Ordinal), $"{what}: {answer.Split('\r')[0]}");
        Assert.Equal(1, answer.Split("HTTP/1.1 ").Length - 1);
        Assert.DoesNotContain(edge.Upstream.Requests, r => r.Target == "/smuggled");
    }
}
