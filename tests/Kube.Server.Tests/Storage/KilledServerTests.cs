using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kube.Server.Tests.Storage;

/// <summary>The process of a server ends at any moment (SIGKILL): nothing it had acknowledged is lost.</summary>
public sealed class KilledServerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kube-killed-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(40)]
    [InlineData(333)]
    [InlineData(1500)]
    public async Task Killed_WhileWriting_EveryAcknowledgedWriteIsThere(int writes)
    {
        // One folder through three lives: each begins with what the kill before left.
        for (var life = 0; life < 3; life++)
        {
            var acknowledged = await RunAndKillAsync(writes);
            await using var server = await KubeServer.StartAsync(WritingProgram.Options(_folder), NullLoggerFactory.Instance,
                TimeProvider.System);
            foreach (var (name, last) in acknowledged)
            {
                var map = server.Api.Get(GroupResource.ConfigMaps, "default", name);
                var found = map is null ? "gone" : map["data"]!["n"]!.ToString();
                Assert.True(Possible(last).Contains(found), $"{name}: {last} was acknowledged, {found} was found");
                if (map is not null)
                {
                    await server.Api.DeleteAsync(GroupResource.ConfigMaps, "default", name);
                }
            }
            Assert.Equal(WritingProgram.Writers, acknowledged.Count);
        }
    }

    // What was said last, or one write further: that one was on disk and its answer still on the way.
    private static string[] Possible(string last)
    {
        var n = int.Parse(last.Replace("gone", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        var next = (n + 1).ToString(CultureInfo.InvariantCulture);
        return last.StartsWith("gone", StringComparison.Ordinal) ? ["gone", next] : [last, n % 50 == 49 ? "gone" : next];
    }

    private async Task<Dictionary<string, string>> RunAndKillAsync(int writes)
    {
        var start = new ProcessStartInfo("dotnet",
            [typeof(KilledServerTests).Assembly.Location, "writes", _folder])
        { RedirectStandardOutput = true };
        using var host = Process.Start(start)!;
        var acknowledged = new Dictionary<string, string>();
        var count = 0;
        while (await host.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)) is { } line)
        {
            // What was written to the pipe before the kill was acknowledged, so the rest is read too.
            var words = line.Split(' ');
            acknowledged[words[0]] = words[1];
            if (++count == writes)
            {
                host.Kill();
            }
        }
        await host.WaitForExitAsync();
        return acknowledged;
    }
}
