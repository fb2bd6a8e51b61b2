using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Berth.Local.Hosting;
using Berth.Local.Identity;

namespace Berth.Local.Tests.Hosting;

/// <summary>What the embedded API tells edge and operator that run as programs of their own.</summary>
[SupportedOSPlatform("linux")]
public sealed class ExportFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("export").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("localhost", 1)]
    [InlineData("idp.localhost", 0)]
    public async Task Write_EdgeAndOperator_TakeItAsItIs(string host, int connections)
    {
        await WriteAsync(host);

        // Both check their configuration before they look for a cluster, so a complaint about that alone is what a good one leads to.
        foreach (var (program, arguments) in new[] { ("Berth.Edge", new[] { "--config", In("edge.json") }), ("Berth.Operator", ["run", "--config", In("operator.json")]) })
        {
            var said = await RunAsync(program, arguments);
            Assert.True(said.Contains("no-such-kubeconfig", StringComparison.Ordinal), said);
            Assert.DoesNotContain("Berth:", said, StringComparison.OrdinalIgnoreCase);
        }

        var edge = JsonNode.Parse(await File.ReadAllTextAsync(In("edge.json")))!["Berth"]!["Edge"]!;
        Assert.Equal(connections, edge["Connections"]!.AsObject().Count);
        Assert.StartsWith($"http://{host}:", (string?)edge["Issuers"]![0]!["Issuer"], StringComparison.Ordinal);
        Assert.Equal(In("identity-key.pem"), (string?)edge["Identity"]!["KeyFiles"]![0]);
    }

    [Fact]
    public async Task Edge_KeyThatItDoesNotKnow_IsSaid()
    {
        // What makes the test above mean something.
        await WriteAsync();
        await File.WriteAllTextAsync(In("edge.json"), (await File.ReadAllTextAsync(In("edge.json"))).Replace("WorkspaceDomain", "WorkspaceDomian", StringComparison.Ordinal));

        Assert.Contains("WorkspaceDomian", await RunAsync("Berth.Edge", ["--config", In("edge.json")]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_Files_AreReadByTheirOwnerAlone()
    {
        await WriteAsync();

        Assert.All(["kubeconfig", "edge.json", "operator.json", "identity-key.pem"],
            f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(In(f))));
    }

    [Fact]
    public async Task Open_WhatARunBeforeSaid_IsNotTrueAnyMore()
    {
        var export = await WriteAsync();
        Assert.True(File.Exists(In("ready")));

        ExportFolder.Open(In(""));
        Assert.False(File.Exists(In("ready")));

        export.Withdraw();
    }

    [Fact]
    public void Open_FolderThatCannotBe_NamesTheSetting()
    {
        File.WriteAllText(Path.Combine(_folder, "file"), "");

        var error = Assert.Throws<LocalConfigurationException>(() => ExportFolder.Open(Path.Combine(_folder, "file", "below")));

        Assert.Contains("BERTH_EXPORT", error.Message, StringComparison.Ordinal);
    }

    private async Task<ExportFolder> WriteAsync(string host = "localhost")
    {
        var options = new LocalOptions { DataDirectory = Path.Combine(_folder, "data"), Export = In(""), ProviderPort = 0, KubePort = 1, ProviderHost = host };
        using var data = DataFolder.Open(options.DataDirectory);
        var providerOptions = Configuration.Provider(options, data);
        await using var provider = await DevelopmentProvider.StartAsync(providerOptions, null, TimeProvider.System, default);
        var export = ExportFolder.Open(In(""));
        export.Write(options, data, provider, providerOptions, "apiVersion: v1");
        return export;
    }

    private static async Task<string> RunAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, program + ".dll"), .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["KUBECONFIG"] = "/no-such-kubeconfig";

        // The token vault needs one; which, only the edge is told.
        start.Environment["Berth__Edge__Database__ConnectionString"] = "Host=127.0.0.1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return errors + await output;
    }

    private string In(string name) => Path.Combine(_folder, "export", name);
}
