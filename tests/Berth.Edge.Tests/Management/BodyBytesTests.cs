using System.Net;
using System.Net.WebSockets;
using System.Text;
using Berth.Edge.Tests.Proxy;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Berth.Edge.Tests.Management;

/// <summary>Bytes by route are what passed, whether or not somebody stated how much that would be.</summary>
public class BodyBytesTests
{
    [Fact]
    public async Task Answer_Chunked_IsCounted()
    {
        await using var edge = await ProductFixture.StartAsync();
        await using var upstream = await Upstream.StartAsync();
        using var api = await edge.WithWorkspaceAsync("user1", upstream.Port);
        using var answer = await api.GetAsync(edge.HostOf("user1") + "/");

        Assert.True(answer.Headers.TransferEncodingChunked);
        Assert.Equal("from the workspace".Length, Of(edge, "workspace").Went);
        Assert.Equal(0, Of(edge, "workspace").Came);
    }

    [Fact]
    public async Task Answer_EventStream_IsCountedWhileItIsOpen()
    {
        await using var edge = await ProductFixture.StartAsync();
        await using var upstream = await Upstream.StartAsync();
        using var api = await edge.WithWorkspaceAsync("user1", upstream.Port);
        using var answer = await api.GetAsync(edge.HostOf("user1") + "/events", HttpCompletionOption.ResponseHeadersRead);
        await ProductFixture.Until(() => Of(edge, "workspace").Went == "data: one\n\n".Length);

        upstream.Gate.SetResult();
        await answer.Content.ReadAsStringAsync();
        Assert.Equal(2 * "data: one\n\n".Length, Of(edge, "workspace").Went);
    }

    [Fact]
    public async Task Answer_OwnEventStream_IsCountedWhileItIsOpen()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using var answer = await api.GetAsync("/api/workspaces/events", HttpCompletionOption.ResponseHeadersRead);
        await using var stream = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte[16];
        await stream.ReadExactlyAsync(buffer.AsMemory(0, "retry: 2000\n\n".Length));

        await ProductFixture.Until(() => Of(edge, "api").Went >= "retry: 2000\n\n".Length);
    }

    [Fact]
    public async Task WebSocket_BothWays_AreCountedWhileItIsOpen()
    {
        await using var edge = await ProductFixture.StartAsync();
        await using var upstream = await Upstream.StartAsync();
        using var api = await edge.WithWorkspaceAsync("user1", upstream.Port);
        using var socket = await edge.ConnectAsync(api, "user1");
        await socket.SendAsync("hello"u8.ToArray().AsMemory(), WebSocketMessageType.Text, true, CancellationToken.None);
        await socket.ReceiveAsync(new byte[64].AsMemory(), CancellationToken.None);

        // A frame's head has 2 bytes, and 4 more where it is masked.
        await ProductFixture.Until(() => Of(edge, "workspace").Went > 0);
        Assert.Equal(("hello".Length + 6, "echo hello".Length + 2), (Of(edge, "workspace").Came, Of(edge, "workspace").Went));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Upload_WithAndWithoutLength_IsCountedOnce(bool chunked)
    {
        await using var edge = await ProductFixture.StartAsync();
        await using var upstream = await Upstream.StartAsync();
        using var api = await edge.WithWorkspaceAsync("user1", upstream.Port);
        using var request = new HttpRequestMessage(HttpMethod.Post, edge.HostOf("user1") + "/upload");
        request.Content = new ByteArrayContent(new byte[100_000]);
        request.Headers.TransferEncodingChunked = chunked ? true : null;
        using var answer = await api.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await ProductFixture.Until(() => Of(edge, "workspace").Came > 0);
        Assert.Equal(100_000, Of(edge, "workspace").Came);
    }

    [Theory]
    [InlineData("GET", 2)]
    [InlineData("HEAD", 0)]
    public async Task Answer_StatedLength_IsCountedWhereItCame(string method, int expected)
    {
        await using var edge = await ProductFixture.StartAsync();
        using var upstream = new RawUpstream(answer: method == "GET" ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
        using var api = await edge.WithWorkspaceAsync("user1", upstream.Port);
        using var request = new HttpRequestMessage(new HttpMethod(method), edge.HostOf("user1") + "/");
        using var answer = await api.SendAsync(request);

        Assert.Equal(2, answer.Content.Headers.ContentLength);
        var count = Of(edge, "workspace");
        await edge.StopAsync();
        Assert.Equal(expected, count.Went);
    }

    [Fact]
    public async Task Answer_Http2WithoutLength_IsCounted()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        var before = edge.Get<BodyBytes>().Of("workspace").Went;
        using var handler = Loopback.Handler(edge.Http2Port);
        using var http = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, EdgeFixture.WorkspaceOrigin + "/")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("Cookie", browser.CookieHeader(EdgeFixture.WorkspaceHost));
        using var answer = await http.SendAsync(request);

        Assert.Equal("from the workspace", await answer.Content.ReadAsStringAsync());
        Assert.Equal(before + "from the workspace".Length, edge.Get<BodyBytes>().Of("workspace").Went);
    }

    [Fact]
    public async Task OwnPages_AllOfThem_StateTheirLength()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        foreach (var path in new[] { "/tos", "/dashboard", "/nothing-here", "/api/me/sessions", "/api/nothing", "/api/me/tokens" })
        {
            using var page = await browser.GetAsync(ProductFixture.Origin + path);
            Assert.True(page.Content.Headers.ContentLength > 0, path);
        }
    }

    [Fact]
    public void Count_LengthIsStated_ReplacesAndAllocatesNothing()
    {
        var bytes = new BodyBytes();
        var context = Context("POST", 30);
        context.Response.ContentLength = 7;
        var (request, answer) = (context.Request.Body, context.Features.Get<IHttpResponseBodyFeature>());
        Count();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Count();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Same(request, context.Request.Body);
        Assert.Same(answer, context.Features.Get<IHttpResponseBodyFeature>());
        Assert.Equal((60, 14), (bytes.Of("workspace").Came, bytes.Of("workspace").Went));

        void Count()
        {
            bytes.CountRequest(context);
            bytes.CountAnswer(context);
            bytes.Ended(context, "workspace");
        }
    }

    // What is switched to a WebSocket is counted there, and what has no body has nothing to count.
    [Theory]
    [InlineData("CONNECT", 200)]
    [InlineData("GET", 101)]
    [InlineData("GET", 204)]
    [InlineData("GET", 304)]
    [InlineData("HEAD", 200)]
    public void CountAnswer_NoBodyOrASwitch_ReplacesNothing(string method, int status)
    {
        var bytes = new BodyBytes();
        var context = Context(method, null);
        context.Response.StatusCode = status;
        var (request, answer) = (context.Request.Body, context.Features.Get<IHttpResponseBodyFeature>());
        bytes.CountAnswer(context);
        Assert.Same(answer, context.Features.Get<IHttpResponseBodyFeature>());
        bytes.CountRequest(context);
        Assert.Equal(method == "CONNECT", ReferenceEquals(request, context.Request.Body));
    }

    // An answer that fails before it begins is replaced by a page of the edge's own, which must not count twice.
    [Fact]
    public async Task CountAnswer_ReplacedByAPageWithALength_CountsItOnce()
    {
        var bytes = new BodyBytes();
        var context = Context("GET", null);
        context.Response.Body = new MemoryStream();
        bytes.CountAnswer(context);
        await StatedBody.WriteAsync(context, Encoding.UTF8.GetBytes("a page"));
        bytes.Ended(context, RequestMetrics.RouteOf(context.State()));
        Assert.Equal("a page".Length, bytes.Answers().Sum(m => m.Value));
    }

    private static DefaultHttpContext Context(string method, long? length)
    {
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpRequestBodyDetectionFeature>(new HasBody());
        context.Request.Method = method;
        context.Request.ContentLength = length;
        return context;
    }

    private static BodyBytes.Count Of(ProductFixture edge, string route) => edge.Get<EdgeMetrics>().Bytes.Of(route);

    private sealed class HasBody : IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => true;
    }
}
