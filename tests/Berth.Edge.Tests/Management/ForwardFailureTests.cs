using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Testing;
using Yarp.ReverseProxy.Forwarder;

namespace Berth.Edge.Tests.Management;

/// <summary>What forwarding leaves in the log: nothing for what the edge or the client ended, one short line for a failure.</summary>
public class ForwardFailureTests
{
    private static readonly string Ours = typeof(ForwardFailures).FullName!;

    [Fact]
    public async Task Sockets_CutOrLeft_LogNothing()
    {
        var log = new LineLog();
        await using var edge = await StartAsync(log);
        await using var upstream = await Upstream.StartAsync();
        using var api = await edge.WithWorkspaceAsync("user1", upstream.Port);
        var sockets = new List<ClientWebSocket>();
        for (var i = 0; i < 5; i++)
        {
            sockets.Add(await edge.ConnectAsync(api, "user1"));
        }

        sockets[0].Abort();
        edge.Get<IOpenConnections>().CutAll();
        foreach (var socket in sockets.Skip(1))
        {
            var end = await socket.ReceiveAsync(new byte[64].AsMemory(), CancellationToken.None);
            Assert.Equal(WebSocketMessageType.Close, end.MessageType);
            socket.Abort();
        }

        // Nothing is served any more after this, so nothing is logged.
        await edge.StopAsync();
        Assert.All(sockets, s => s.Dispose());
        Assert.DoesNotContain(log.Lines, IsOfForwarding);
        Assert.DoesNotContain(log.Lines, l => l.Level >= LogLevel.Warning && l.HasException);
    }

    [Fact]
    public async Task Process_TakesNoConnections_LogsOneLineAndThenTheirNumber()
    {
        var log = new LineLog();
        await using var edge = await StartAsync(log);
        using var api = await edge.WithWorkspaceAsync("user1", ClosedPort());
        using var first = await api.GetAsync(edge.HostOf("user1") + "/one");
        using var second = await api.GetAsync(edge.HostOf("user1") + "/two");
        Assert.Equal((HttpStatusCode.BadGateway, HttpStatusCode.BadGateway), (first.StatusCode, second.StatusCode));

        await ProductFixture.Until(() => log.Lines.Any(IsOfForwarding));
        var failures = edge.Get<ForwardFailures>();
        await edge.StopAsync();

        failures.Flush();
        var lines = log.Lines.Where(IsOfForwarding).ToList();
        Assert.Equal(2, lines.Count);
        Assert.All(lines, l => Assert.Equal((Ours, LogLevel.Warning, false), (l.Category, l.Level, l.HasException)));
        var host = new Uri(edge.HostOf("user1")).Host;
        var failed = $"Forwarding to {host} failed: Request/ConnectionError/ConnectionRefused";
        Assert.Equal($"{failed} (request {first.Headers.GetValues("X-Request-Id").Single()}).", lines[0].Text);
        Assert.Equal($"{failed} (1 more within a minute).", lines[1].Text);
    }

    [Fact]
    public async Task Process_EndsInTheMiddleOfAnAnswer_IsLogged()
    {
        var log = new LineLog();
        await using var edge = await StartAsync(log);
        using var upstream = new RawUpstream(
            answer: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok", then: (_, _, _) => Task.CompletedTask);
        using var api = await edge.WithWorkspaceAsync("user1", upstream.Port);

        await Assert.ThrowsAsync<HttpRequestException>(() => api.GetAsync(edge.HostOf("user1") + "/"));

        await ProductFixture.Until(() => log.Lines.Any(IsOfForwarding));
        var line = Assert.Single(log.Lines, IsOfForwarding);
        Assert.Contains("failed: ResponseBodyDestination/ResponseEnded (request ", line.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Configuration_AsksForTheForwardersOwnLines_HasThem()
    {
        var log = new LineLog();
        await using var edge = await StartAsync(log, LogLevel.Warning);
        using var api = await edge.WithWorkspaceAsync("user1", ClosedPort());
        using var answer = await api.GetAsync(edge.HostOf("user1") + "/");

        Assert.Contains(log.Lines, l => l.Category == ForwardFailures.ForwarderCategory);
    }

    [Theory]
    [InlineData(ForwarderError.RequestTimedOut, false, "RequestTimedOut")]
    [InlineData(ForwarderError.RequestCanceled, true, "RequestTimedOut")]
    [InlineData(ForwarderError.RequestCanceled, false, null)]
    [InlineData(ForwarderError.RequestBodyCanceled, false, null)]
    [InlineData(ForwarderError.RequestBodyClient, false, null)]
    [InlineData(ForwarderError.ResponseBodyCanceled, false, null)]
    [InlineData(ForwarderError.ResponseBodyClient, false, null)]
    [InlineData(ForwarderError.UpgradeRequestCanceled, false, null)]
    [InlineData(ForwarderError.UpgradeRequestClient, false, null)]
    [InlineData(ForwarderError.UpgradeResponseCanceled, false, null)]
    [InlineData(ForwarderError.UpgradeResponseClient, false, null)]
    [InlineData(ForwarderError.UpgradeActivityTimeout, false, null)]
    [InlineData(ForwarderError.UpgradeResponseDestination, false, "UpgradeResponseDestination/ConnectionReset")]
    public void KindOf_Error_IsAFailureOfTheOtherSideOnly(ForwarderError error, bool hasRunOut, string? kind)
    {
        var cause = new IOException("a secret", new SocketException((int)SocketError.ConnectionReset));
        Assert.Equal(kind, ForwardFailures.KindOf(error, error == ForwarderError.RequestTimedOut ? null : cause, hasRunOut));
    }

    [Fact]
    public void Note_ManyHosts_LinesOfAMinuteAreBounded()
    {
        var log = new LineLog();
        using var logging = LoggerFactory.Create(b => b.AddProvider(log));
        var clock = new FakeTimeProvider();
        using var failures = new ForwardFailures(logging.CreateLogger<ForwardFailures>(), clock);
        for (var i = 0; i < 1000; i++)
        {
            failures.Note($"ws-{i}.localhost", "Request", "id");
        }

        Assert.Equal(ForwardFailures.MaximumKinds + 1, log.Lines.Count);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(ForwardFailures.MaximumKinds + 2, log.Lines.Count);
        var others = 1000 - ForwardFailures.MaximumKinds - 1;
        Assert.EndsWith($"({others} more within a minute).", log.Lines.Last().Text, StringComparison.Ordinal);

        failures.Note("ws-1.localhost", "Request", "id");
        Assert.Equal(ForwardFailures.MaximumKinds + 3, log.Lines.Count);
    }

    private static bool IsOfForwarding(Line line) =>
        line.Category == Ours || line.Category.StartsWith("Yarp.", StringComparison.Ordinal);

    private static int ClosedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static Task<ProductFixture> StartAsync(LineLog log, LogLevel? forwarder = null) => ProductFixture.StartAsync(services: s =>
    {
        s.AddSingleton<ILoggerProvider>(log);
        s.AddLogging(b => b.AddFilter("Yarp", LogLevel.Warning));
        if (forwarder is { } level)
        {
            s.AddLogging(b => b.AddFilter(ForwardFailures.ForwarderCategory, level));
        }
    });

    private sealed record Line(string Category, LogLevel Level, string Text, bool HasException);

    private sealed class LineLog : ILoggerProvider
    {
        public ConcurrentQueue<Line> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => new Log(this, categoryName);

        public void Dispose()
        {
        }

        private sealed class Log(LineLog owner, string category) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
                Func<TState, Exception?, string> formatter) =>
                owner.Lines.Enqueue(new Line(category, logLevel, formatter(state, exception), exception is not null));
        }
    }
}
