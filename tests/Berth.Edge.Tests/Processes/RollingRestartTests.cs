using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Testing;

namespace Berth.Edge.Tests.Processes;

/// <summary>WebSockets on two replicas of the shipped program: one is replaced, and a session ends at the other.</summary>
public class RollingRestartTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private const int Sockets = 500;

    private static readonly (string Name, string Value)[] Environment =
    [
        ("Berth__Edge__Drain__Lead", "00:00:01"), ("Berth__Edge__Drain__Grace", "00:00:08"),
        ("Berth__Edge__Limits__WebSocketsPerPerson", "0"), ("Berth__Edge__Limits__WebSocketsPerWorkspace", "0"),
    ];

    [SkippableFact]
    public async Task Terminated_OneOfTwo_ItsSocketsStayThenEndWith1001_NewOnesGoToTheOther()
    {
        await using var berth = await EdgeInstallation.CreateAsync(postgres);
        await using var upstream = await Upstream.StartAsync();
        var leaving = await berth.NewEdgeAsync(Environment);
        var staying = await berth.NewEdgeAsync(Environment);
        var (browser, host) = await EnterAsync(berth, upstream, leaving, staying);
        using var balancer = new Balancer(leaving, staying);
        browser = new Browser(Loopback.Handler(balancer.Port)).With(browser);
        var sockets = await OpenAsync(browser, host, Sockets);
        await EachAsync(sockets, EchoAsync);
        var onLeaving = balancer.Of(leaving);
        Assert.Equal(Sockets / 2, onLeaving);

        leaving.Terminate();
        await UntilAsync(async () => !await leaving.IsReadyAsync());

        // It is leaving, and takes nothing away yet: all go on, and who comes now is on the other.
        var late = await OpenAsync(browser, host, 10);
        await EachAsync([.. sockets, .. late], EchoAsync);
        Assert.Equal((onLeaving, (Sockets / 2) + 10), (balancer.Of(leaving), balancer.Of(staying)));

        var codes = new ConcurrentQueue<int>();
        var ends = sockets.Concat(late).Select(s => EndAsync(s, codes)).ToList();
        Assert.Equal(0, await leaving.ExitAsync());
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (codes.Count < onLeaving)
        {
            await Task.WhenAny(Task.WhenAll(ends), Task.Delay(20, limit.Token));
            limit.Token.ThrowIfCancellationRequested();
        }

        // Nobody was cut, and those on the other replica did not notice.
        await EachAsync([.. sockets.Concat(late).Where(s => s.State == WebSocketState.Open)], SendAsync);
        await Task.WhenAll(ends);
        Assert.Equal(onLeaving, codes.Count(c => c == 1001));
        Assert.Equal((Sockets / 2) + 10, codes.Count(c => c == 0));
        Assert.Equal(Sockets + 10, codes.Count);
    }

    // pomerium#1279: a WebSocket must not survive the sign-out, on whichever replica it is.
    [SkippableTheory]
    [InlineData("logout", 4001)]
    [InlineData("everywhere", 4001)]
    [InlineData("unshared", 1008)]
    public async Task Withdrawn_AtOneReplica_SocketsOfBothEndWithinFiveSeconds(string how, int code)
    {
        await using var berth = await EdgeInstallation.CreateAsync(postgres);
        await using var upstream = await Upstream.StartAsync();
        var one = await berth.NewEdgeAsync();
        var two = await berth.NewEdgeAsync();
        var (browser, host) = await EnterAsync(berth, upstream, one, two);
        var guest = how == "unshared" ? "bob" : "ann";
        if (how == "unshared")
        {
            await berth.ShareAsync("ann", guest);
            var other = new Browser(Loopback.Handler(one.Port));
            await berth.SignInAsync(other, guest);
            await UntilAsync(() => InAsync(other, host));
            browser = other;
        }

        var here = Assert.Single(await OpenAsync(new Browser(Loopback.Handler(one.Port)).With(browser), host, 1));
        var there = Assert.Single(await OpenAsync(new Browser(Loopback.Handler(two.Port)).With(browser), host, 1));
        await EachAsync([here, there], EchoAsync);

        if (how == "unshared")
        {
            await berth.ShareAsync("ann", null);
        }
        else if (how == "everywhere")
        {
            await berth.ExecuteAsync("UPDATE berth.people SET epoch = epoch + 1 WHERE subject = 'ann'");
        }
        else
        {
            using var answer = await browser.SendAsync($"{ProductFixture.Origin}/logout",
                HttpMethod.Post, headers: [("Origin", ProductFixture.Origin)]);
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        foreach (var socket in new[] { here, there })
        {
            var message = await socket.ReceiveAsync(new byte[64], limit.Token);
            Assert.Equal((WebSocketMessageType.Close, code), (message.MessageType, (int)socket.CloseStatus!.Value));
        }
    }

    private static async Task<(Browser Browser, string Host)> EnterAsync(
        EdgeInstallation berth, Upstream upstream, params EdgeProcess[] edges)
    {
        var host = await berth.RunWorkspaceAsync(edges[0], "ann", upstream.Port);
        var browser = new Browser(Loopback.Handler(edges[0].Port));
        await berth.SignInAsync(browser, "ann");
        foreach (var edge in edges)
        {
            // Each replica has to have seen that it runs.
            var there = new Browser(Loopback.Handler(edge.Port)).With(browser);
            await UntilAsync(() => InAsync(there, host));
            browser.With(there);
        }

        return (browser, host);
    }

    private static Task UntilAsync(Func<Task<bool>> condition) => Cluster.ClusterFixture.Until(condition);

    private static async Task<bool> InAsync(Browser browser, string host)
    {
        using var answer = await browser.FollowAsync($"http://{host}:8080/");
        return await answer.Content.ReadAsStringAsync() == "from the workspace";
    }

    private static async Task<List<ClientWebSocket>> OpenAsync(Browser browser, string host, int count)
    {
        var sockets = new ConcurrentBag<ClientWebSocket>();
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, _) =>
        {
            var socket = await browser.ConnectAsync($"ws://{host}:8080/socket", $"http://{host}:8080");
            Assert.Equal(WebSocketState.Open, socket.State);
            sockets.Add(socket);
        });
        return [.. sockets];
    }

    private static Task EachAsync(IReadOnlyCollection<ClientWebSocket> sockets, Func<ClientWebSocket, Task> what) =>
        Parallel.ForEachAsync(sockets, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (s, _) => await what(s));

    private static Task SendAsync(ClientWebSocket socket) => socket.SendAsync("x"u8.ToArray(), WebSocketMessageType.Text, true, default);

    private static async Task EchoAsync(ClientWebSocket socket)
    {
        await SendAsync(socket);
        var buffer = new byte[64];
        var message = await socket.ReceiveAsync(buffer, default);
        Assert.Equal("echo x", Encoding.UTF8.GetString(buffer, 0, message.Count));
    }

    // 0 for a message, the code of a close frame, -1 for a connection that broke.
    private static async Task EndAsync(ClientWebSocket socket, ConcurrentQueue<int> codes)
    {
        try
        {
            var message = await socket.ReceiveAsync(new byte[64], default);
            if (message.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
            }

            codes.Enqueue(message.MessageType == WebSocketMessageType.Close ? (int)socket.CloseStatus!.Value : 0);
        }
        catch (WebSocketException)
        {
            codes.Enqueue(-1);
        }
    }

    /// <summary>A TCP balancer as a cluster's Service is one: in turn, to those that say they are ready.</summary>
    private sealed class Balancer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly EdgeProcess[] _edges;
        private readonly int[] _counts;
        private int _next;

        public Balancer(params EdgeProcess[] edges)
        {
            (_edges, _counts) = (edges, new int[edges.Length]);
            _listener.Start(Sockets);
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public int Of(EdgeProcess edge) => _counts[Array.IndexOf(_edges, edge)];

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var client = await _listener.AcceptSocketAsync();
                    _ = PassAsync(client, await PickAsync());
                }
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // The end.
            }
        }

        private async Task<EdgeProcess> PickAsync()
        {
            while (true)
            {
                var turn = _next++ % _edges.Length;
                if (await _edges[turn].IsReadyAsync())
                {
                    _counts[turn]++;
                    return _edges[turn];
                }
            }
        }

        private static async Task PassAsync(Socket client, EdgeProcess edge)
        {
            using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            client.NoDelay = true;
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, edge.Port);
                await using var near = new NetworkStream(client, ownsSocket: true);
                await using var far = new NetworkStream(server);
                await Task.WhenAny(near.CopyToAsync(far), far.CopyToAsync(near));
            }
            catch (Exception error) when (error is IOException or SocketException)
            {
                client.Dispose();
            }
        }
    }
}
