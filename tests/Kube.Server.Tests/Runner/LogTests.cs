using System.Text;
using Kube.Server.Runner.Logs;
using Testing;

namespace Kube.Server.Tests.Runner;

public sealed class LogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("log-test-").FullName;
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Pump_Lines_AreStampedInCriFormat()
    {
        using var log = New();

        await log.PumpAsync(Text("one\ntwo"), "stderr");

        Assert.Equal("2030-01-01T00:00:00.000000000Z stderr F one\n2030-01-01T00:00:00.000000000Z stderr P two\n",
            await File.ReadAllTextAsync(log.Path));
    }

    [Fact]
    public async Task Read_LongLine_ComesBackWhole()
    {
        using var log = New();
        var line = new string('x', 50_000) + "\n";

        await log.PumpAsync(Text(line), "stdout");

        Assert.Equal(line, await ReadAsync(log));
    }

    [Theory]
    [InlineData(0, "")]
    [InlineData(2, "b\nc\n")]
    [InlineData(9, "a\nb\nc\n")]
    public async Task Read_TailLines_GivesTheLast(int lines, string expected)
    {
        using var log = New();
        await log.PumpAsync(Text("a\nb\nc\n"), "stdout");

        Assert.Equal(expected, await ReadAsync(log, r => r with { TailLines = lines }));
    }

    [Fact]
    public async Task Read_SinceTimestampsAndLimit_Apply()
    {
        using var log = New();
        await log.PumpAsync(Text("old\n"), "stdout");
        _clock.Advance(TimeSpan.FromMinutes(1));
        await log.PumpAsync(Text("new\n"), "stdout");

        Assert.Equal("2030-01-01T00:01:00.000000000Z new\n",
            await ReadAsync(log, r => r with { Since = _clock.GetUtcNow(), Timestamps = true }));
        Assert.Equal("old\nn", await ReadAsync(log, r => r with { LimitBytes = 5 }));
    }

    [Fact]
    public async Task Rotate_AtTheLimit_KeepsOneFileAndReadsBoth()
    {
        using var log = New(maxBytes: 400);

        await log.PumpAsync(Text(string.Concat(Enumerable.Range(0, 30).Select(i => $"{i}\n"))), "stdout");

        Assert.True(log.Generation > 1);
        Assert.True(new FileInfo(log.Path).Length <= 400);
        var text = await ReadAsync(log);
        Assert.EndsWith("28\n29\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\n0\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Follow_OverRotations_GivesEveryLineAndEndsWithTheLog()
    {
        using var log = New(maxBytes: 2000);
        var reading = ReadAsync(log, r => r with { Follow = true }, log);
        var expected = new StringBuilder();
        for (var i = 0; i < 200; i++)
        {
            expected.Append(i).Append('\n');
            await log.PumpAsync(Text($"{i}\n"), "stdout");
            await Task.Delay(1);
        }

        log.Complete();

        Assert.Equal(expected.ToString(), await reading.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ContainerLog New(long maxBytes = ContainerLog.DefaultMaxBytes) => new(Path.Combine(_folder, "c.log"), _clock, maxBytes);

    private static MemoryStream Text(string text) => new(Encoding.UTF8.GetBytes(text));

    private static async Task<string> ReadAsync(ContainerLog log, Func<PodLogRequest, PodLogRequest>? change = null,
        ContainerLog? live = null)
    {
        var request = new PodLogRequest { Namespace = "n", Pod = "p", Uid = "u", Container = "c" };
        var text = new StringBuilder();
        await foreach (var chunk in ContainerLogReader.ReadAsync(log.Path, live, change?.Invoke(request) ?? request, default))
        {
            text.Append(Encoding.UTF8.GetString(chunk.Span));
        }

        return text.ToString();
    }
}
