using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace Architecture.Tests;

/// <summary>Who may know whom: docs/architecture.md explains it, this table holds it.</summary>
public sealed class ReferenceTests
{
    private static readonly Dictionary<string, (string[] Projects, string[] Packages)> Allowed = new()
    {
        ["Kube.Client"] = ([], ["YamlDotNet", "Microsoft.Extensions.Logging.Abstractions"]),
        ["Kube.Runtime"] = (
            ["Kube.Client"],
            ["YamlDotNet", "Microsoft.Extensions.Logging.Abstractions", "OpenTelemetry", "OpenTelemetry.Exporter.OpenTelemetryProtocol"]),
        ["Kube.Server"] = ([], ["YamlDotNet"]),
        ["Berth.Resources"] = (["Kube.Client"], []),
        ["Berth.Operator"] = (["Kube.Client", "Kube.Runtime", "Berth.Resources"], []),
        ["Berth.Accounts"] = (
            [],
            [
                "Npgsql.EntityFrameworkCore.PostgreSQL",
                "Microsoft.EntityFrameworkCore",
                "Microsoft.EntityFrameworkCore.Relational",
                "Npgsql",
                "Polly.Core",
            ]
        ),
        ["Berth.Edge"] = (["Kube.Client", "Kube.Runtime", "Berth.Resources", "Berth.Accounts"], ["Polly.Core"]),
        ["Berth.Studio"] = ([], []),
        ["Berth.Local"] = (
            [
                "Kube.Client",
                "Kube.Runtime",
                "Kube.Server",
                "Berth.Resources",
                "Berth.Operator",
                "Berth.Accounts",
                "Berth.Edge",
                "Berth.Studio",
            ],
            []
        ),
    };

    public static TheoryData<string> Projects() => [.. Repository.Projects];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_References_AreAllowed(string project)
    {
        var allowed = Assert.Contains(project, (IDictionary<string, (string[] Projects, string[] Packages)>)Allowed);
        var xml = XDocument.Load(Path.Combine(Repository.Root, "src", project, project + ".csproj"));

        var projects = xml.Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(((string)r.Attribute("Include")!).Replace('\\', '/')));
        var packages = xml.Descendants("PackageReference").Select(r => (string)r.Attribute("Include")!);

        Assert.Empty(projects.Except(allowed.Projects));
        Assert.Empty(packages.Except(allowed.Packages));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Assembly_References_AreAllowed(string project)
    {
        // Project references flow on, so what a project really uses shows only in its assembly.
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, project + ".dll"));
        using var image = new PEReader(file);
        var metadata = image.GetMetadataReader();
        var own = metadata
            .AssemblyReferences.Select(r => metadata.GetString(metadata.GetAssemblyReference(r).Name))
            .Where(Repository.Projects.Contains);

        Assert.Empty(own.Except(Allowed[project].Projects));
    }

    [Fact]
    public void TopLevel_Entries_AreTheAgreedOnes()
    {
        string[] agreed =
        [
            "src",
            "charts",
            "crds",
            "tests",
            "docs",
            ".github",
            ".ci",
            "global.json",
            "Operator.sln",
            "Makefile",
            "README.md",
            "LICENSE",
            ".editorconfig",
            ".gitignore",
            ".dockerignore",
            "Directory.Build.props",
            "Directory.Build.targets",
            "Directory.Packages.props",
        ];

        var entries = Repository.TrackedFiles().Select(f => f.Split('/')[0]).Distinct();

        Assert.Empty(entries.Except(agreed));
    }
}
