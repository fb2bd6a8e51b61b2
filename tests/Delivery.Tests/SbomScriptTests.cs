using System.Diagnostics;
using System.Runtime.Versioning;

namespace Delivery.Tests;

/// <summary>src/images/sbom: what of an image reaches the program that reads it, with programs in the place of docker and dotnet.</summary>
[SupportedOSPlatform("linux")]
public sealed class SbomScriptTests : IDisposable
{
    private const string Docker = """
        case "$1" in
            create) echo c1 ;;
            export) cat "$IMAGE"; exit "${EXPORT:-0}" ;;
            image) echo berth-x ;;
        esac
        """;

    private readonly Stubs _stubs = new();
    private readonly Dictionary<string, string> _environment;

    public SbomScriptTests()
    {
        _environment = new() { ["IMAGE"] = _stubs.In("image.tar") };
        _stubs.Add("docker", Docker)
            .Add("dotnet", $"while [ $# -gt 0 ]; do [ \"$1\" = --root ] && cp -a \"$2\" '{_stubs.In("seen")}'; shift; done");
        foreach (var file in (string[])["var/lib/dpkg/status", "usr/share/doc/x/copyright", "usr/share/doc/x/changelog.gz", "etc/shadow", "app/sbom.cdx.json"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_stubs.In("image/" + file))!);
            File.WriteAllText(_stubs.In("image/" + file), file);
        }

        File.CreateSymbolicLink(_stubs.In("image/usr/share/doc/y"), "x");
        using var tar = Process.Start("tar", ["-C", _stubs.In("image"), "-cf", _stubs.In("image.tar"), "."]);
        tar.WaitForExit();
    }

    public void Dispose() => _stubs.Dispose();

    [Fact]
    public async Task Sbom_OfAnImage_UnpacksWhatIsReadAndNothingElse()
    {
        var (code, _, errors) = await RunAsync();

        Assert.True(code == 0, errors);
        Assert.Equal(
            ["app/sbom.cdx.json", "usr/share/doc/x/copyright", "usr/share/doc/y", "var/lib/dpkg/status"],
            Directory.EnumerateFileSystemEntries(_stubs.In("seen"), "*", SearchOption.AllDirectories)
                .Where(f => new FileInfo(f).LinkTarget is not null || File.Exists(f))
                .Select(f => Path.GetRelativePath(_stubs.In("seen"), f)).Where(f => !f.StartsWith("usr/share/doc/y/", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal));
        Assert.Contains("docker rm c1", _stubs.Calls);
    }

    // A bill of half an image would look like a whole one.
    [Fact]
    public async Task Sbom_ExportFails_WritesNoneAndLeavesNoContainer()
    {
        _environment["EXPORT"] = "1";

        Assert.NotEqual(0, (await RunAsync()).Code);

        Assert.DoesNotContain(_stubs.Calls, c => c.StartsWith("dotnet", StringComparison.Ordinal));
        Assert.Contains("docker rm c1", _stubs.Calls);
    }

    private Task<(int Code, string Output, string Errors)> RunAsync() =>
        _stubs.RunAsync("src/images/sbom", ["berth-x:dev", _stubs.In("x.cdx.json")], _environment);
}
