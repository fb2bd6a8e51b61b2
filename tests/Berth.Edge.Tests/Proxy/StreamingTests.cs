using System.Net;

namespace Berth.Edge.Tests.Proxy;

/// <summary>Bodies of any size pass as they come: whoever is slow makes the other side wait, and nothing is kept here.</summary>
public class StreamingTests
{
    private const long Size = 128L << 20;

    // What kernels keep for two connections (some megabytes each way) and the buffers of server and client; far less than what is sent.
    private const long MostUnderWay = 48L << 20;

    private static readonly byte[] Chunk = new byte[256 * 1024];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Download_ReaderStops_SoDoesTheWorkspace(int version)
    {
        var (written, read) = (0L, 0L);
        using var upstream = new RawUpstream(
            answer: $"HTTP/1.1 200 OK\r\nContent-Length: {Size}\r\n\r\n",
            then: async (stream, _, end) =>
            {
                for (var sent = 0L; sent < Size; sent += Chunk.Length)
                {
                    await stream.WriteAsync(Chunk, end);
                    Interlocked.Add(ref written, Chunk.Length);
                }
            });
        await using var edge = await EdgeFixture.StartAsync();
        using var http = await ClientAsync(edge, upstream, version);
        using var request = Request(HttpMethod.Get, version);
        using var answer = await http.SendAsync(request, default);
        await using var body = await answer.Content.ReadAsStreamAsync();

        await StandsStillAsync(() => Interlocked.Read(ref written));
        Assert.InRange(Interlocked.Read(ref written), 1, MostUnderWay);

        var buffer = new byte[256 * 1024];
        int length;
        while ((length = await body.ReadAsync(buffer)) > 0)
        {
            read += length;
            Assert.InRange(Interlocked.Read(ref written) - read, -Chunk.Length, MostUnderWay);
        }

        Assert.Equal(Size, read);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Upload_WorkspaceStopsReading_SoDoesTheClient(int version)
    {
        var (written, read) = (0L, 0L);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var upstream = new RawUpstream(answer: "", then: async (stream, _, end) =>
        {
            await gate.Task.WaitAsync(end);
            var buffer = new byte[256 * 1024];
            while (read < Size)
            {
                read += await stream.ReadAsync(buffer, end);
            }

            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nkept"u8.ToArray(), end);
        });
        await using var edge = await EdgeFixture.StartAsync();
        using var http = await ClientAsync(edge, upstream, version);
        using var request = Request(HttpMethod.Put, version);
        request.Content = new Body(n => Interlocked.Add(ref written, n));
        var pending = http.SendAsync(request, default);

        await StandsStillAsync(() => Interlocked.Read(ref written));
        Assert.InRange(Interlocked.Read(ref written), 1, MostUnderWay);
        gate.SetResult();

        using var answer = await pending;
        Assert.Equal("kept", await answer.Content.ReadAsStringAsync());
        Assert.Equal((Size, Size), (written, read));
    }

    // Whoever would not stop is not found standing still before all is sent.
    private static async Task StandsStillAsync(Func<long> count)
    {
        var (last, times) = (-1L, 0);
        await ProductFixture.Until(() =>
        {
            var now = count();
            times = now == last && now > 0 ? times + 1 : 0;
            last = now;
            return times >= 30;
        });
    }

    private static HttpRequestMessage Request(HttpMethod method, int version)
    {
        var request = new HttpRequestMessage(method, $"{EdgeFixture.WorkspaceOrigin}/file")
        {
            Version = new Version(version, version == 1 ? 1 : 0),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Add("Origin", EdgeFixture.WorkspaceOrigin);
        return request;
    }

    private static async Task<HttpMessageInvoker> ClientAsync(EdgeFixture edge, RawUpstream upstream, int version)
    {
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Directory.Put(edge.Directory[EdgeFixture.WorkspaceHost] with { Target = new WorkspaceTarget("127.0.0.1", upstream.Port) });
        return new HttpMessageInvoker(new WithCookie(
            browser.CookieHeader(EdgeFixture.WorkspaceHost), Loopback.Handler(version == 1 ? edge.Port : edge.Http2Port)));
    }

    private sealed class WithCookie(string cookie, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Add("Cookie", cookie);
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class Body(Action<int> written) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var sent = 0L; sent < Size; sent += Chunk.Length)
            {
                await stream.WriteAsync(Chunk);
                written(Chunk.Length);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = Size;
            return true;
        }
    }
}
