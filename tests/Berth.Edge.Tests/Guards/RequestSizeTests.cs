using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Edge.Tests;

/// <summary>Too much of a request: what is said, and that nothing more is read.</summary>
public class RequestSizeTests
{
    [Theory]
    [InlineData("localhost", "/whoami")]
    [InlineData(EdgeFixture.WorkspaceHost, "/")]
    [InlineData("berth-edge.test", "/auth/forward/ws-one")]
    public async Task Headers_MoreThanTheEdgeReads_Are431InWords(string host, string path)
    {
        await using var edge = await EdgeFixture.StartAsync();

        var large = await edge.RawAsync(Request(host, path, $"Cookie: a={new string('x', 33 * 1024)}\r\nAccept: application/json\r\n"));
        var page = await edge.RawAsync(Request(host, path, $"Cookie: a={new string('x', 33 * 1024)}\r\nAccept: text/html\r\n"));
        var many = await edge.RawAsync(Request(host, path, string.Concat(Enumerable.Range(0, 101).Select(i => $"X-{i}: 1\r\n"))));

        Assert.All([large, page, many], a => Assert.StartsWith("HTTP/1.1 431 ", a, StringComparison.Ordinal));
        Assert.Contains("\"reason\":\"headers-too-large\"", large, StringComparison.Ordinal);
        Assert.Contains("Delete the cookies", page, StringComparison.Ordinal);
        Assert.Contains("text/html", page, StringComparison.Ordinal);
        Assert.Empty(edge.Upstream.Requests);
    }

    [Fact]
    public async Task Headers_UpToTheLimit_Pass()
    {
        await using var edge = await EdgeFixture.StartAsync();

        var answer = await edge.RawAsync(Request("localhost", "/whoami", $"Cookie: a={new string('x', 31 * 1024)}\r\n"));

        Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_BeyondTheServersLimit_EndTheConnection()
    {
        await using var edge = await EdgeFixture.StartAsync();

        var answer = await edge.RawAsync($"GET /whoami HTTP/1.1\r\nHost: localhost:8080\r\nX-A: {new string('x', 70 * 1024)}\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 431 ", answer, StringComparison.Ordinal);
    }

    // The body is never sent: the answer, and the end of the connection, come without it.
    [Theory]
    [InlineData("")]
    [InlineData("Expect: 100-continue\r\n")]
    public async Task OwnBody_LengthBeyondTheLimit_IsRefusedUnread(string more)
    {
        await using var edge = await EdgeFixture.StartAsync();

        var answer = await edge.RawAsync("POST /change HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: http://localhost:8080\r\n"
            + $"Accept: application/json\r\nContent-Length: 1048577\r\n{more}\r\n");

        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"reason\":\"body-too-large\"", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("changed", answer.Split("\r\n\r\n")[1].Replace("Nothing was changed", "", StringComparison.Ordinal),
            StringComparison.Ordinal);
        Assert.Contains("Connection: close", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OwnBody_OfUnknownLength_IsReadToTheLimitOnly()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, edge.Port);
        var stream = client.GetStream();

        // A chunk that never ends.
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /api/workspaces HTTP/1.1\r\nHost: localhost:8080\r\nAuthorization: {api.DefaultRequestHeaders.Authorization}\r\n"
            + $"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFF\r\n{new string(' ', 66 * 1024)}"));
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var reader = new StreamReader(stream);
        var buffer = new char[8192];
        var answer = "";
        int read;
        while (!answer.EndsWith('}') && (read = await reader.ReadAsync(buffer, deadline.Token)) > 0)
        {
            answer += new string(buffer, 0, read).TrimEnd('\r', '\n', '0');
        }

        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"reason\":\"body-too-large\"", answer, StringComparison.Ordinal);
    }

    // To the edge itself, in pieces that say nothing of the whole: what is beyond is not waited for.
    [Fact]
    public async Task OwnBody_ChunkedBeyondTheLimit_IsRefusedAndEndsTheConnection()
    {
        await using var edge = await EdgeFixture.StartAsync(services: s => s.AddSingleton<IEdgePages, PlainEdgePages>());
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, edge.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            "POST /logout HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: http://localhost:8080\r\nAccept: application/json\r\n"
            + "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"));
        var piece = Encoding.ASCII.GetBytes($"10000\r\n{new string('a', 0x10000)}\r\n");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var sent = 0;
        try
        {
            // The server ends the connection long before; without a limit this would go on to the end of the loop.
            for (; sent < 512; sent++)
            {
                await stream.WriteAsync(piece, deadline.Token);
            }
        }
        catch (IOException)
        {
        }

        Assert.InRange(sent, 0, 511);
    }

    [Fact]
    public async Task WorkspaceReservedPath_BodyBeyondTheLimit_IsRefusedAndReachesNobody()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();

        var answer = await edge.RawAsync($"POST /.berth/start HTTP/1.1\r\nHost: {EdgeFixture.WorkspaceHost}:8080\r\n"
            + $"Origin: {EdgeFixture.WorkspaceOrigin}\r\nCookie: {browser.CookieHeader(EdgeFixture.WorkspaceHost)}\r\n"
            + "Accept: application/json\r\nContent-Length: 1048577\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"reason\":\"body-too-large\"", answer, StringComparison.Ordinal);
        Assert.Empty(edge.Upstream.Requests);
    }

    private static string Request(string host, string path, string headers) =>
        $"GET {path} HTTP/1.1\r\nHost: {host}:8080\r\nConnection: close\r\n{headers}\r\n";
}
