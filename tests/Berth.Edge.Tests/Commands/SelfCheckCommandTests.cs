using System.Net;
using System.Text.Json.Nodes;
using Testing;

namespace Berth.Edge.Tests.Commands;

public class SelfCheckCommandTests
{
    [Fact]
    public async Task Run_TheRealEdge_PassesAllOfThem()
    {
        await using var deployment = await SelfCheckDeployment.StartAsync();

        var (code, lines, errors) = await deployment.RunAsync(deployment.Port);

        Assert.Equal("", errors);
        Assert.Equal([], lines[..^1].Where(l => !l.StartsWith("pass ", StringComparison.Ordinal)));
        Assert.Equal(SelfCheck.All.Count + 1, lines.Length);
        Assert.Equal($"{SelfCheck.All.Count} passed, 0 failed, 0 skipped", lines[^1]);
        Assert.Equal(0, code);
    }

    [Fact]
    public async Task Run_TheRealEdge_NothingIsChangedAndNothingReachesTheWorkspace()
    {
        await using var deployment = await SelfCheckDeployment.StartAsync();
        var before = deployment.Standing();
        var asked = deployment.Workspace.Requests.Count;

        await deployment.RunAsync(deployment.Port);

        Assert.Equal(before, deployment.Standing());
        Assert.Equal(asked, deployment.Workspace.Requests.Count);
    }

    [Fact]
    public async Task Run_NothingButTheAddress_TheRestIsSkippedAndSaysWhatItNeeds()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var output = new StringWriter();

        var code = await SelfCheckCommand.RunAsync(
            [ProductFixture.Origin, "--connect", $"127.0.0.1:{edge.Port}", "--json"], output, TextWriter.Null, TimeProvider.System,
                default);

        var document = JsonNode.Parse(output.ToString())!;
        var skipped = document["checks"]!.AsArray().Where(c => (string?)c!["result"] == "skipped").ToList();
        Assert.Equal(0, code);
        Assert.Equal(0, (int)document["failed"]!);
        Assert.Equal(SelfCheck.All.Count(c => c.Needs != SelfCheckNeeds.None), skipped.Count);
        Assert.All(skipped, c => Assert.StartsWith("needs --", (string)c!["came"]!, StringComparison.Ordinal));
    }

    public static TheoryData<string> Names() => [.. SelfCheck.All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Run_WeakInOnePlace_FailsThereAndNowhereElse(string check)
    {
        await using var deployment = await SelfCheckDeployment.StartAsync();
        Assert.True(SelfCheckWeakness.All.TryGetValue(check, out var weakness), $"No weakness shows that {check} can fail.");
        await using var weak = new WeakServer(deployment.Port, check, weakness);

        var (code, lines, _) = await deployment.RunAsync(weak.Port);

        var failed = Assert.Single(lines, l => l.StartsWith("FAIL ", StringComparison.Ordinal));
        Assert.StartsWith($"FAIL {check} – expected ", failed, StringComparison.Ordinal);
        Assert.Contains("; remedy: ", failed, StringComparison.Ordinal);
        Assert.Equal(1, code);
    }

    [Theory]
    [InlineData()]
    [InlineData("berth.example.com")]
    [InlineData("https://berth.example.com/path")]
    [InlineData("ftp://berth.example.com")]
    [InlineData("https://berth.example.com", "--nothing")]
    [InlineData("https://berth.example.com", "--token")]
    [InlineData("https://berth.example.com", "--token", "a", "--token", "b")]
    [InlineData("https://berth.example.com", "--token", "a\r\nX: y")]
    [InlineData("https://berth.example.com", "--token", "@/nothing/here")]
    [InlineData("https://berth.example.com", "--workspace", "ws-one")]
    [InlineData("https://berth.example.com", "--connect", "somewhere")]
    [InlineData("https://berth.example.com", "--timeout", "0")]
    public async Task Run_CannotBeUnderstood_TwoAndNothingIsSent(params string[] args)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();

        Assert.Equal(2, await SelfCheckCommand.RunAsync(args, output, errors, TimeProvider.System, default));
        Assert.Equal("", output.ToString());
        Assert.NotEqual("", errors.ToString());
    }

    [Fact]
    public async Task Run_NobodyThere_Two()
    {
        using var errors = new StringWriter();

        var code = await SelfCheckCommand.RunAsync(
            [$"http://localhost:{LoopbackPort.Free()}"], TextWriter.Null, errors, TimeProvider.System, default);

        Assert.Equal(2, code);
        Assert.Contains("cannot be reached", errors.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "200 then 404")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 400 Bad\r\n\r\n", "200 then 400")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\nHTTP/1.1 304 Same\r\n\r\n", "204 then 304")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\ncut", "200")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\ncut", "200")]
    [InlineData("rubbish", "connection closed")]
    [InlineData("", "connection closed")]
    public void Parse_AnswersAsTheyCame_TakenApart(string bytes, string expected) =>
        Assert.Equal(expected, RawExchange.Parse(System.Text.Encoding.Latin1.GetBytes(bytes), isClosed: true).Came);
}
