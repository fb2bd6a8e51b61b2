using System.Text.Json.Nodes;
using Berth.Images.Sbom;

namespace Delivery.Tests;

public sealed class SbomTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("berth-sbom-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task App_AssetsOfAProject_GivesWhatIsShippedAndNoBuildTools()
    {
        var (code, bill) = await AppAsync();

        Assert.Equal(0, code);
        Assert.Equal(
            ["pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@10.0.12", "pkg:nuget/Npgsql@10.0.0", "pkg:nuget/Polly.Core@8.9.1"],
            bill["components"]!.AsArray().Select(c => (string?)c!["purl"]));
        var npgsql = bill["components"]![1]!;
        Assert.Equal("PostgreSQL", (string?)npgsql["licenses"]![0]!["license"]!["id"]);
        Assert.Equal("00ff", (string?)npgsql["hashes"]![0]!["content"]);
        Assert.Equal("CycloneDX", (string?)bill["bomFormat"]);
        Assert.Equal("2026-01-01T00:00:00Z", (string?)bill["metadata"]!["timestamp"]);
    }

    [Fact]
    public async Task App_Dependencies_LeadFromTheProgramToWhatItNeeds()
    {
        var (_, bill) = await AppAsync();

        string[] Of(string start) => [.. bill["dependencies"]!.AsArray().Single(d => ((string)d!["ref"]!).StartsWith(start, StringComparison.Ordinal))!["dependsOn"]!.AsArray().Select(n => (string)n!)];
        Assert.Equal(["pkg:nuget/Polly.Core@8.9.1"], Of("pkg:nuget/Npgsql"));
        Assert.Equal(["pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@10.0.12", "pkg:nuget/Npgsql@10.0.0"], Of("pkg:generic/"));
    }

    [Fact]
    public async Task App_Twice_GivesTheSameBytesAndOtherwiseAnotherNumber()
    {
        var first = (await AppAsync()).Bill.ToJsonString();
        var second = (await AppAsync()).Bill.ToJsonString();
        var other = (await AppAsync("2.0")).Bill;

        Assert.Equal(first, second);
        Assert.NotEqual((string?)JsonNode.Parse(first)!["serialNumber"], (string?)other["serialNumber"]);
        Assert.Matches("^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", (string?)other["serialNumber"]);
    }

    [Fact]
    public async Task Image_DpkgAndProgram_AreOneBill()
    {
        var (_, app) = await AppAsync();
        Write("root/app/sbom.cdx.json", app.ToJsonString());
        Write("root/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
        Write("root/var/lib/dpkg/status.d/libc6", "Package: libc6\nVersion: 2.36-9+deb12u14\nArchitecture: amd64\nDescription: x\n goes: on\n");
        Write("root/var/lib/dpkg/status", """
            Package: bash
            Status: install ok installed
            Version: 1:5.2
            Architecture: amd64

            Package: gone
            Status: deinstall ok config-files
            Version: 1

            """);

        var (code, bill) = await RunAsync("image", "--root", In("root"), "--name", "berth-edge", "--version", "1.0", "--time", "0");

        Assert.Equal(0, code);
        var purls = bill["components"]!.AsArray().Select(c => (string)c!["purl"]!).ToList();
        Assert.Equal(6, purls.Count);
        Assert.Contains("pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12", purls);
        Assert.Contains("pkg:deb/debian/bash@1%3A5.2?arch=amd64&distro=debian-12", purls);
        Assert.Contains("pkg:generic/berth-edge@1.0", purls);
        Assert.DoesNotContain(purls, p => p.Contains("gone", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{", "is not JSON")]
    [InlineData("""{"targets":{"net10.0":{}}}""", "has 0 targets with a runtime")]
    public async Task App_NotRestoredForARuntime_SaysSo(string assets, string expected)
    {
        Write("assets.json", assets);

        var (code, _, errors) = await RunAllAsync("app", "--assets", In("assets.json"), "--name", "x", "--version", "1", "--revision", "r", "--time", "0");

        Assert.Equal(2, code);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--time is the number", "--time", "now")]
    [InlineData("'--other' is no option", "--other", "x")]
    [InlineData("--assets is missing", "--name", "x")]
    public async Task App_WrongArguments_NamesTheOne(string expected, params string[] args)
    {
        var (code, _, errors) = await RunAllAsync(["app", .. args, .. args[0] == "--time" ? new[] { "--assets", "a", "--name", "n", "--version", "1", "--revision", "r" } : []]);

        Assert.Equal(2, code);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
    }

    private async Task<(int Code, JsonNode Bill)> AppAsync(string version = "1.0")
    {
        Write("packages/npgsql/10.0.0/npgsql.nuspec", "<package><metadata><license type=\"expression\">PostgreSQL</license></metadata></package>");
        Write("assets.json", $$"""
            {
              "targets": {
                "net10.0": {},
                "net10.0/linux-x64": {
                  "Npgsql/10.0.0": { "type": "package", "dependencies": { "Polly.Core": "8.9.1", "NotThere": "1" }, "runtime": { "lib/net10.0/Npgsql.dll": {} } },
                  "Polly.Core/8.9.1": { "type": "package", "runtime": { "lib/net8.0/Polly.Core.dll": {} } },
                  "Some.Analyzers/1.0.0": { "type": "package", "build": {} },
                  "Meeting.Point/1.0.0": { "type": "package", "runtime": { "lib/net10.0/_._": {} } },
                  "Kube.Client/0.1.0": { "type": "project", "runtime": { "bin/placeholder/Kube.Client.dll": {} } }
                }
              },
              "libraries": { "Npgsql/10.0.0": { "sha512": "AP8=", "path": "npgsql/10.0.0" } },
              "packageFolders": { "{{In("packages")}}": {} },
              "project": { "frameworks": { "net10.0": { "downloadDependencies": [
                { "name": "Microsoft.NETCore.App.Runtime.linux-x64", "version": "[10.0.12, 10.0.12]" },
                { "name": "Microsoft.NETCore.App.Crossgen2.linux-x64", "version": "[10.0.12, 10.0.12]" },
                { "name": "Microsoft.AspNetCore.App.Ref", "version": "[10.0.12, 10.0.12]" }
              ] } } }
            }
            """);
        return await RunAsync("app", "--assets", In("assets.json"), "--name", "berth-edge", "--version", version, "--revision", "abc", "--time", "1767225600");
    }

    private async Task<(int Code, JsonNode Bill)> RunAsync(params string[] args)
    {
        var (code, bill, errors) = await RunAllAsync(args);
        Assert.Equal("", errors);
        return (code, JsonNode.Parse(bill)!);
    }

    private async Task<(int Code, string Bill, string Errors)> RunAllAsync(params string[] args)
    {
        var output = In("out.json");
        using var start = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(
            "dotnet", [typeof(Bill).Assembly.Location, .. args, .. args[1] == "--name" ? [] : new[] { "--output", output }])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var errors = await start.StandardError.ReadToEndAsync();
        await start.StandardOutput.ReadToEndAsync();
        await start.WaitForExitAsync();
        return (start.ExitCode, File.Exists(output) ? await File.ReadAllTextAsync(output) : "", errors);
    }

    private string In(string name) => Path.Combine(_folder.FullName, name);

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(In(name))!);
        File.WriteAllText(In(name), text);
    }
}
