using System.Net;
using System.Net.Sockets;
using Testing;

namespace Berth.EndToEnd;

/// <summary>What Berth says when it cannot start.</summary>
public sealed class StartTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("berth-start").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Start_SeveralSettingsWrong_NamesAllAndEnds()
    {
        var output = await FailAsync(new() { ["PORT"] = "eighty", ["BERTH_LOG"] = "loud", ["OIDC_CLIENT_ID"] = "x" });

        Assert.Contains("PORT is \"eighty\"", output, StringComparison.Ordinal);
        Assert.Contains("BERTH_LOG", output, StringComparison.Ordinal);
        Assert.Contains("OIDC_ISSUER", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PORT")]
    [InlineData("IDP_PORT")]
    [InlineData("KUBE_PORT")]
    public async Task Start_PortInUse_NamesThePortAndTheRemedy(string variable)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var free = LoopbackPort.Free(2);
        var environment = new Dictionary<string, string> { ["PORT"] = $"{free[0]}", ["IDP_PORT"] = $"{free[1]}", [variable] = $"{port}" };

        var output = await FailAsync(environment);

        Assert.Contains($"{port}", output, StringComparison.Ordinal);
        Assert.Contains("in use", output, StringComparison.Ordinal);
        Assert.Contains(variable, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.Empty(Processes.Touching(_folder));
    }

    private async Task<string> FailAsync(Dictionary<string, string> environment)
    {
        environment["BERTH_DATA"] = _folder;
        environment["BERTH_POSTGRES"] = "off";
        await using var berth = BerthProcess.Start(environment);
        await Assert.ThrowsAsync<InvalidOperationException>(berth.ReadyAsync);
        await berth.ExitAsync();
        Assert.NotEqual(0, berth.ExitCode);
        return berth.Output;
    }
}
