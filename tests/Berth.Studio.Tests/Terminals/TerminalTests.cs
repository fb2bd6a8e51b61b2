using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Studio.Terminals;
using Microsoft.Extensions.DependencyInjection;
using Testing;

namespace Berth.Studio.Tests.Terminals;

/// <summary>Real shells in real pseudo-terminals, through real WebSockets.</summary>
public sealed class TerminalTests
{
    [Fact]
    public async Task Shell_IsARealTerminalOfItsOwnSession()
    {
        await using var server = await StudioServer.StartAsync();
        await using var terminal = await TerminalClientForTests.OpenAsync(server, "?cols=90&rows=30");

        Assert.StartsWith("/dev/pts/", await terminal.RunAsync("tty"), StringComparison.Ordinal);
        Assert.Equal("30 90", await terminal.RunAsync("stty size"));
        await terminal.CommandAsync("""{"type":"resize","cols":123,"rows":45}""");
        Assert.Equal("45 123", await terminal.RunAsync("stty size"));
        Assert.Equal(server.Root, await terminal.RunAsync("pwd"));
        Assert.Equal("xterm-256color", await terminal.RunAsync("echo $TERM"));
        Assert.Equal("ws-test::", await terminal.RunAsync("echo $WORKSPACE_NAME:$PORT:$WORKSPACE_IDENTITY_ISSUER"));
        Assert.Equal("äöü€😀", await terminal.RunAsync("echo äöü€😀"));

        // Leader of its session, with the terminal as its controlling one: /dev/tty opens, and process, group and session are one.
        Assert.Equal("yes", await terminal.RunAsync("true < /dev/tty && echo yes"));
        Assert.Equal("same", await terminal.RunAsync("set -- $(cat /proc/$$/stat); [ $1 = $5 ] && [ $1 = $6 ] && echo same"));
    }

    [Fact]
    public async Task Shell_SignalsAreAsAShellExpectsThem()
    {
        await using var server = await StudioServer.StartAsync();
        await using var terminal = await TerminalClientForTests.OpenAsync(server);

        // The runtime ignores SIGPIPE; a shell that inherited it would let `yes | head` go on.
        Assert.Equal("0000000000000000", await terminal.RunAsync("grep SigIgn /proc/self/status | cut -f2"));
        Assert.Equal("0000000000000000", await terminal.RunAsync("grep SigBlk /proc/self/status | cut -f2"));
    }

    [Fact]
    public async Task CtrlC_EndsWhatRuns()
    {
        await using var server = await StudioServer.StartAsync();
        await using var terminal = await TerminalClientForTests.OpenAsync(server);

        // The word comes from the program itself: between two commands a shell may miss the key.
        await terminal.TypeAsync("sh -c \"echo st''arted; exec sleep 1000\"; echo not''reached\n");
        await terminal.UntilAsync(t => t.Contains("started", StringComparison.Ordinal));
        await terminal.TypeAsync("\u0003");

        Assert.Equal("back", await terminal.RunAsync("echo back"));
        Assert.DoesNotContain("notreached", terminal.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exit 7", 7)]
    [InlineData("kill -9 $$", 137)]
    public async Task Exit_IsToldWithItsCode(string command, int code)
    {
        await using var server = await StudioServer.StartAsync();
        await using var terminal = await TerminalClientForTests.OpenAsync(server);

        await terminal.TypeAsync($"echo la''st; {command}\n");
        var exit = await terminal.EventAsync();

        Assert.Equal(("exit", code), ((string)exit["type"]!, (int)exit["code"]!));
        Assert.Contains("last", terminal.Text, StringComparison.Ordinal);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, await terminal.ClosedAsync());
        Assert.Equal(0, server.Services.GetRequiredService<TerminalRegistry>().Count);
    }

    [Fact]
    public async Task Reconnect_ConnectionLost_FindsTheSameShellAndSeesItsOutputAgain()
    {
        await using var server = await StudioServer.StartAsync();
        string id;
        await using (var first = await TerminalClientForTests.OpenAsync(server))
        {
            id = first.Id;
            await first.RunAsync("x=kept; echo before");
            first.Abort();
        }

        await using var second = await TerminalClientForTests.OpenAsync(server, "?id=" + id);
        Assert.True(second.Resumed);
        await second.UntilAsync(t => t.Contains("before", StringComparison.Ordinal));
        Assert.Equal("kept", await second.RunAsync("echo $x"));
    }

    [Fact]
    public async Task Reconnect_AfterALot_ReplaysTheLast64KiB()
    {
        await using var server = await StudioServer.StartAsync();
        string id;
        await using (var first = await TerminalClientForTests.OpenAsync(server))
        {
            id = first.Id;
            await first.RunAsync(
                "stty -echo; i=0; while [ $i -lt 3000 ]; do echo \"line $i ................ äöü\"; i=$((i+1)); done; echo fin''ished"
            );
            await first.UntilAsync(t => t.Contains("finished", StringComparison.Ordinal));
        }

        await using var second = await TerminalClientForTests.OpenAsync(server, "?id=" + id);
        await second.UntilAsync(t => t.Contains("finished", StringComparison.Ordinal));

        Assert.InRange(second.Bytes, 60 * 1024, TerminalSession.ScrollbackBytes);
        Assert.DoesNotContain("line 0 ", second.Text, StringComparison.Ordinal);
        Assert.DoesNotContain('\ufffd', second.Text);
    }

    [Fact]
    public async Task Reconnect_SecondWindow_TakesOverAndTheFirstIsTold()
    {
        await using var server = await StudioServer.StartAsync();
        await using var first = await TerminalClientForTests.OpenAsync(server);
        await using var second = await TerminalClientForTests.OpenAsync(server, "?id=" + first.Id);

        Assert.Equal(TerminalEndpoint.CloseReplaced, (int)(await first.ClosedAsync())!);
        Assert.Equal("mine", await second.RunAsync("echo mine"));
    }

    [Theory]
    [InlineData("bob", "use")]
    [InlineData("bob", "admin")]
    public async Task Reconnect_ByAnotherPerson_IsRefusedAsIfItWereNotThere(string subject, string role)
    {
        await using var server = await StudioServer.StartAsync();
        await using var mine = await TerminalClientForTests.OpenAsync(server);
        using var socket = await server.ConnectAsync("?id=" + mine.Id, subject, role);
        await using var other = new TerminalClientForTests(socket);

        var answer = await other.EventAsync();
        Assert.Equal(("error", "urn:studio:problem:no-such-terminal"), ((string)answer["type"]!, (string)answer["error"]!));
        Assert.Equal(TerminalEndpoint.CloseRefused, (int)(await other.ClosedAsync())!);
        Assert.Equal("fine", await mine.RunAsync("echo fine"));
    }

    [Fact]
    public async Task Grace_NobodyComesBack_TheShellIsHungUp()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var server = await StudioServer.StartAsync(time: time);
        var registry = server.Services.GetRequiredService<TerminalRegistry>();
        string pid;
        await using (var terminal = await TerminalClientForTests.OpenAsync(server))
        {
            pid = await terminal.RunAsync("echo $$");
        }

        time.Advance(TimeSpan.FromSeconds(59));
        Assert.True(Directory.Exists("/proc/" + pid));

        // The clock starts when the server has seen the connection go; until then advancing it does nothing.
        await UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return registry.Count == 0;
        });
        await UntilAsync(() => !Directory.Exists("/proc/" + pid));
    }

    [Fact]
    public async Task Close_ByThePage_EndsTheShellAtOnce()
    {
        await using var server = await StudioServer.StartAsync();
        await using var terminal = await TerminalClientForTests.OpenAsync(server);
        var pid = await terminal.RunAsync("echo $$");

        await terminal.CommandAsync("""{"type":"close"}""");

        await UntilAsync(() => !Directory.Exists("/proc/" + pid));
        Assert.Equal(0, server.Services.GetRequiredService<TerminalRegistry>().Count);
    }

    [Fact]
    public async Task Stop_OfTheProgram_LeavesNoProcessNotEvenADaemon()
    {
        string daemon;
        string shell;
        {
            await using var server = await StudioServer.StartAsync();
            await using var terminal = await TerminalClientForTests.OpenAsync(server);
            shell = await terminal.RunAsync("echo $$");
            daemon = await terminal.RunAsync("setsid nohup sleep 1000 >/dev/null 2>&1 & echo $!");
            await UntilAsync(() => Directory.Exists("/proc/" + daemon));
        }

        await UntilAsync(() => !IsAlive(shell) && !IsAlive(daemon));
    }

    [Fact]
    public async Task Flow_ClientThatTakesNothingIn_GetsNoMoreThanTheWindow()
    {
        await using var server = await StudioServer.StartAsync();
        await using var terminal = await TerminalClientForTests.OpenAsync(server);
        await terminal.RunAsync("echo ready");
        terminal.Acknowledges = false;

        var before = terminal.Bytes;
        await terminal.TypeAsync("yes 0123456789\n");
        await terminal.UntilBytesAsync(TerminalSession.Window);
        await terminal.CommandAsync($$"""{"type":"ack","bytes":{{TerminalSession.Window}}}""");
        await terminal.UntilBytesAsync(TerminalSession.Window);

        // Two windows came, one was acknowledged: until the connection ends nothing more may come, however much `yes` has to say.
        await terminal.CommandAsync("nonsense");
        Assert.Equal(WebSocketCloseStatus.InvalidPayloadData, await terminal.ClosedAsync());
        Assert.Equal(2 * TerminalSession.Window, terminal.Bytes - before);
    }

    [Fact]
    public async Task Limit_OneTooMany_IsToldAndAnEndedOneMakesRoom()
    {
        await using var server = await StudioServer.StartAsync(o => o with { MaxTerminals = 2 });
        await using var first = await TerminalClientForTests.OpenAsync(server);
        await using var second = await TerminalClientForTests.OpenAsync(server);
        using var socket = await server.ConnectAsync();
        await using var third = new TerminalClientForTests(socket);

        var answer = await third.EventAsync();
        Assert.Equal("urn:studio:problem:too-many-terminals", (string)answer["error"]!);
        Assert.NotEmpty((string)answer["remedy"]!);

        await first.TypeAsync("exit\n");
        Assert.Equal("exit", (string)(await first.EventAsync())["type"]!);
        await using var again = await TerminalClientForTests.OpenAsync(server);
        Assert.Equal("ok", await again.RunAsync("echo ok"));
    }

    [Theory]
    [InlineData("http://evil.test", "owner", 403)]
    [InlineData("", "owner", 403)]
    [InlineData(null, "view", 403)]
    public async Task Upgrade_FromAnotherOriginOrByAReader_IsRefusedBeforeIt(string? origin, string role, int status)
    {
        await using var server = await StudioServer.StartAsync();

        var e = await Assert.ThrowsAsync<WebSocketException>(() => server.ConnectAsync("", "alice", role, origin));

        Assert.Contains(status.ToString(), e.Message, StringComparison.Ordinal);
        Assert.Equal(0, server.Services.GetRequiredService<TerminalRegistry>().Count);
    }

    [Fact]
    public async Task Upgrade_WithoutIdentity_Is401()
    {
        await using var server = await StudioServer.StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", server.Address.GetLeftPart(UriPartial.Authority));

        var e = await Assert.ThrowsAsync<WebSocketException>(() =>
            socket.ConnectAsync(new Uri($"ws://{server.Address.Authority}/api/terminal"), default)
        );

        Assert.Contains("401", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("""{"type":"resize","cols":0,"rows":5}""")]
    [InlineData("""{"type":"format"}""")]
    public async Task Control_Nonsense_ClosesWithAReason(string frame)
    {
        await using var server = await StudioServer.StartAsync();
        await using var terminal = await TerminalClientForTests.OpenAsync(server);

        await terminal.CommandAsync(frame);

        Assert.Equal(WebSocketCloseStatus.InvalidPayloadData, await terminal.ClosedAsync());
        Assert.NotEmpty(terminal.CloseReason!);
    }

    private static bool IsAlive(string pid)
    {
        try
        {
            // A zombie (state Z) has ended; somebody else's init collects it.
            return !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
