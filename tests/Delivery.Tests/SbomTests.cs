using System.Text;
using System.Text.Json.Nodes;
using Berth.Images.Sbom;

namespace Delivery.Tests;

/// <summary>Bills of materials, by the program as the image scripts call it.</summary>
public sealed class SbomTests : IDisposable
{
    private static readonly byte[] Hash = [.. Enumerable.Range(0, 64).Select(i => (byte)i)];
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
        Assert.Equal(Convert.ToHexStringLower(Hash), (string?)npgsql["hashes"]![0]!["content"]);
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

        // The image and the program in it have one name and version, and are two things all the same.
        Assert.Equal("pkg:oci/berth-edge?tag=1.0", (string?)bill["metadata"]!["component"]!["purl"]);
    }

    [Fact]
    public async Task Image_OfUbuntu_ItsPackagesAreUbuntus()
    {
        Write("root/usr/lib/os-release", "ID=ubuntu\nVERSION_ID=\"24.04\"\n");
        Package("libc6");

        Assert.Equal("pkg:deb/ubuntu/libc6@1?arch=amd64&distro=ubuntu-24.04", (string?)(await ImageAsync())["components"]![0]!["purl"]);
    }

    [Theory]
    [InlineData("Expat", "id:MIT")]
    [InlineData("GPL-2", "id:GPL-2.0-only")]
    [InlineData("GPL-2+", "id:GPL-2.0-or-later")]
    [InlineData("LGPL-2.1+", "id:LGPL-2.1-or-later")]
    [InlineData("GFDL-NIV-1.3+", "id:GFDL-1.3-no-invariants-or-later")]
    [InlineData("BSD-3-clause", "id:BSD-3-Clause")]
    [InlineData("zlib", "id:Zlib")]
    [InlineData("GPL-9+", "name:GPL-9+")]
    [InlineData("MIT", "name:MIT")]
    [InlineData("public-domain", "name:public-domain")]
    [InlineData("GPL-3+ with Bison exception", "name:GPL-3+ with Bison exception")]
    [InlineData("GPL-2+ or Expat", "expression:GPL-2.0-or-later OR MIT")]
    [InlineData("GPL-2+ and Expat or ISC", "expression:GPL-2.0-or-later AND MIT OR ISC")]
    [InlineData("GPL-2+ and ISC", "id:GPL-2.0-or-later", "id:ISC")]
    [InlineData("GPL-2+ or ISC, and Expat", "name:GPL-2+ or ISC, and Expat")]
    [InlineData("GPL-2+ or", "name:GPL-2+ or")]
    [InlineData("Artistic or GPL-1+", "name:Artistic or GPL-1+")]
    public async Task Image_LicenseOfAPackage_IsSpdxWhereThatIsCertainAndElseAName(string license, params string[] expected)
    {
        Package("x", $"{Dep5}\n\nFiles: *\nCopyright: somebody\nLicense: {license}\n in many words\n");

        Assert.Equal(expected, Licenses(await ImageAsync()));
    }

    [Fact]
    public async Task Image_LicensesOfSeveralFiles_AreNamedOnceAndTextsOfLicensesAreNoLicenses()
    {
        Package("x", $"""
            {Dep5}
            License: GPL-2+

            Files: *
            Copyright: somebody
            License: GPL-2+

            Files: debian/*
            License: Expat or ISC

            Files: more/*
            License: ISC

            License: Apache-2.0
             what GPL-2+ is not

            """);

        Assert.Equal(["expression:GPL-2.0-or-later AND ISC AND (MIT OR ISC)"], Licenses(await ImageAsync()));

        Package("x", $"{Dep5}\n\nFiles: *\nLicense: Expat or ISC\n\nFiles: y\nLicense: permissive\n\nFiles: z\nLicense: ISC\n");
        Assert.Equal(["id:ISC", "name:MIT OR ISC", "name:permissive"], Licenses(await ImageAsync()));
    }

    [Theory]
    [InlineData("This package was debianised by somebody.\nLicense: GPL-2+\n")]
    [InlineData("")]
    [InlineData(Dep5 + "\n\nFiles: *\nLicense:\n only a text\n")]
    [InlineData(Dep5 + "\n\nLicense: GPL-2+\n and no files\n")]
    [InlineData(Dep5 + "\n\nFiles: *\nLicense: a\u0007b\n")]
    public async Task Image_CopyrightThatNoProgramCanRead_SaysNothing(string text)
    {
        Package("x", text);

        Assert.Empty(Licenses(await ImageAsync()));
    }

    [Fact]
    public async Task Image_CopyrightThatIsHuge_LeavesThatOneOut()
    {
        Package("x", $"{Dep5}\n\nFiles: *\nLicense: ISC\n{new string('x', 5 << 20)}\n");
        Package("y", $"{Dep5}\n\nFiles: *\nLicense: ISC\n");

        var bill = await ImageAsync();

        Assert.Empty(Licenses(bill));
        Assert.Equal(["id:ISC"], Licenses(bill, 1));
    }

    [Fact]
    public async Task Image_CopyrightOfBrokenBytes_IsReadAsFarAsItCanBe()
    {
        Package("x");
        Directory.CreateDirectory(In("root/usr/share/doc/x"));
        await File.WriteAllBytesAsync(
            In("root/usr/share/doc/x/copyright"), [.. Encoding.ASCII.GetBytes(Dep5 + "\n\nFiles: *\nLicense: ISC\n"), 0xff, 0xfe, 0, 0xc3, (byte)'\n']);

        Assert.Equal(["id:ISC"], Licenses(await ImageAsync()));
    }

    // Packages share folders of documents by links; others lead to this machine's own files, or nowhere.
    [Theory]
    [InlineData("y", "../doc/y", true)]
    [InlineData("y", "/usr/share/doc/y", true)]
    [InlineData("y", "y", true)]
    [InlineData("y", "../../../../../../usr/share/doc/y", true)]
    [InlineData("y", "FOLDER/outside", false)]
    [InlineData("y", "../../../../outside", false)]
    [InlineData("y", "x", false)]
    public async Task Image_LinkedDocuments_AreTheImagesOwn(string with, string target, bool isRead)
    {
        Write("outside/copyright", Dep5 + "\n\nFiles: *\nLicense: ISC\n");
        Package("x");
        Package(with, Dep5 + "\n\nFiles: *\nLicense: Expat\n");
        File.CreateSymbolicLink(In("root/usr/share/doc/x"), target.Replace("FOLDER", _folder.FullName, StringComparison.Ordinal));

        Assert.Equal(isRead ? ["id:MIT"] : [], Licenses(await ImageAsync()));
    }

    [Theory]
    [InlineData("../../../outside")]
    [InlineData("./../../../outside")]
    public async Task Image_PackageNamedAsAPath_ReadsNoOtherFolder(string name)
    {
        Write("root/outside/copyright", Dep5 + "\n\nFiles: *\nLicense: ISC\n");
        Write("root/var/lib/dpkg/status", $"Package: {name}\nVersion: 1\nArchitecture: amd64\n");
        Directory.CreateDirectory(In("root/usr/share/doc"));

        Assert.Empty(Licenses(await ImageAsync()));
    }

    [Theory]
    [InlineData("{", "is not JSON")]
    [InlineData("[]", "no CycloneDX document")]
    [InlineData("""{"bomFormat":7}""", "no CycloneDX document")]
    [InlineData("""{"bomFormat":"CycloneDX","components":[{"name":"x"}]}""", "a component without version")]
    [InlineData("""{"bomFormat":"CycloneDX","components":[{"name":["x"]}]}""", "a component without name")]
    public async Task Image_BillOfTheProgramIsBroken_SaysSo(string bill, string expected)
    {
        Write("root/app/sbom.cdx.json", bill);

        var (code, _, errors) = await RunAllAsync(ImageArguments);

        Assert.Equal(2, code);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Image_BillOfTheProgramOfOtherShapes_TakesWhatItKnows()
    {
        Write("root/app/sbom.cdx.json", """
            {"bomFormat":"CycloneDX","metadata":[],"dependencies":[{"ref":"a","dependsOn":[1,"b"]},{"ref":"a"},7],
             "components":[7,{"name":"x","version":"1","purl":"pkg:generic/x@1","licenses":[{"license":{"name":"own"}},{"license":7}],"hashes":{}}]}
            """);

        var bill = await ImageAsync();

        Assert.Equal(["name:own"], Licenses(bill));
    }

    [Theory]
    [InlineData("""<license type="expression">MIT OR Apache-2.0</license>""", "expression:MIT OR Apache-2.0")]
    [InlineData("""<license type="expression">LicenseRef-Own</license>""", "expression:LicenseRef-Own")]
    [InlineData("""<license type="expression">a &lt; b</license>""", "name:a < b")]
    [InlineData("""<license type="file">LICENSE.txt</license><licenseUrl>https://aka.ms/deprecateLicenseUrl</licenseUrl>""", "name:LICENSE.txt of the package")]
    [InlineData("<licenseUrl>https://example.com/license</licenseUrl>", "name:https://example.com/license")]
    public async Task App_LicenseOfAPackage_IsWhatItsNuspecSays(string said, params string[] expected)
    {
        var (_, bill) = await AppAsync(license: said);

        Assert.Equal(expected, Licenses(bill, 1));
    }

    [Theory]
    [InlineData("<!DOCTYPE x [<!ENTITY a 'b'>]><package/>")]
    [InlineData("<package>")]
    public async Task App_NuspecThatIsBroken_SaysWhich(string nuspec)
    {
        await AppAsync();
        Write("packages/npgsql/10.0.0/npgsql.nuspec", nuspec);

        var (code, _, errors) = await RunAllAsync("app", "--assets", In("assets.json"), "--name", "x", "--version", "1", "--revision", "r", "--time", "0");

        Assert.Equal(2, code);
        Assert.Contains("npgsql.nuspec cannot be read", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "is not JSON")]
    [InlineData("""{"targets":{"net10.0":{}}}""", "has 0 targets with a runtime")]
    [InlineData("""{"targets":{"net10.0/linux-x64":[]}}""", "is not what NuGet writes")]
    [InlineData("""{"targets":{"net10.0/linux-x64":{"x":{"type":"package","runtime":{"a.dll":{}}}}}}""", "is not what NuGet writes")]
    [InlineData("""{"targets":{"net10.0/linux-x64":{"x/1":{"type":"package","runtime":{"a.dll":{}}}}},"libraries":{"x/1":{"sha512":"AP8="}}}""", "a sha512 that is none")]
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

    private async Task<(int Code, JsonNode Bill)> AppAsync(string version = "1.0", string license = "<license type=\"expression\">PostgreSQL</license>")
    {
        Write("packages/npgsql/10.0.0/npgsql.nuspec", $"<package><metadata>{license}</metadata></package>");
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
              "libraries": { "Npgsql/10.0.0": { "sha512": "{{Convert.ToBase64String(Hash)}}", "path": "npgsql/10.0.0" } },
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

    private const string Dep5 = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/";

    private string[] ImageArguments => ["image", "--root", In("root"), "--name", "berth-edge", "--version", "1.0", "--time", "0"];

    private async Task<JsonNode> ImageAsync() => (await RunAsync(ImageArguments)).Bill;

    private void Package(string name, string? copyright = null)
    {
        Write($"root/var/lib/dpkg/status.d/{name}", $"Package: {name}\nVersion: 1\nArchitecture: amd64\n");
        if (copyright is not null)
        {
            Write($"root/usr/share/doc/{name}/copyright", copyright);
        }
    }

    private static IEnumerable<string> Licenses(JsonNode bill, int component = 0) => (bill["components"]![component]!["licenses"]?.AsArray() ?? [])
        .Select(l => (l!["license"] ?? l)!.AsObject().Single()).Select(p => $"{p.Key}:{(string?)p.Value}");

    private async Task<(int Code, JsonNode Bill)> RunAsync(params string[] args)
    {
        var (code, bill, errors) = await RunAllAsync(args);
        Assert.Equal("", errors);
        var read = JsonNode.Parse(bill)!;
        CycloneDx.Check(read);
        return (code, read);
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
