using System.Text.RegularExpressions;
using Testing;

namespace Delivery.Tests;

/// <summary>What every image keeps to.</summary>
public sealed partial class DockerfileTests
{
    public static TheoryData<string> Files() =>
    [
        .. Directory.EnumerateFiles(Checkout.Path("src"), "Dockerfile", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Checkout.Root, f)).Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Dockerfile_User_IsANumberAndNotRoot(string file)
    {
        var users = Lines(file).Where(l => l.StartsWith("USER ", StringComparison.Ordinal)).ToList();

        // RUN steps before may need root; what counts is who the program runs as.
        Assert.Matches(@"^USER [1-9]\d*:[1-9]\d*$", users[^1]);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Dockerfile_Start_IsNotBehindAShell(string file)
    {
        var entry = Assert.Single(Lines(file), l => l.StartsWith("ENTRYPOINT", StringComparison.Ordinal));

        // Without the brackets a shell would be process 1, and signals would end there.
        Assert.StartsWith("ENTRYPOINT [", entry, StringComparison.Ordinal);
        Assert.DoesNotContain(Lines(file), l => l.StartsWith("CMD ", StringComparison.Ordinal) && !l.StartsWith("CMD [", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Dockerfile_Labels_SayWhatItIs(string file)
    {
        var text = Checkout.Read(file);

        Assert.All(["title", "description", "licenses", "vendor", "source", "version", "revision"],
            l => Assert.Contains($"org.opencontainers.image.{l}=", text, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Dockerfile_Bases_AreOfOneVersion(string file) => Assert.All(
        Lines(file).Select(l => BaseLine().Match(l)).Where(m => m.Success).Select(m => m.Groups["image"].Value),
        b => Assert.Matches(@"^[a-z0-9.]+\.[a-z]+/[a-z0-9./-]+:(?!latest)([\w.-]*\d[\w.-]*|(bookworm|trixie)[\w-]*)$", b));

    [Theory]
    [InlineData("Operator")]
    [InlineData("Edge")]
    [InlineData("Studio")]
    [InlineData("Local")]
    public void Dockerfile_OfAProgram_CanBeCutWhereTheBuildScriptCutsIt(string program)
    {
        var lines = Lines(Path.Combine("src", $"Berth.{program}", "Dockerfile")).ToList();
        var cut = lines.FindIndex(l => l.StartsWith("# The image.", StringComparison.Ordinal));

        Assert.Equal("FROM ${BASE}", lines[cut + 1]);
        Assert.Single(lines, l => l == "COPY --from=build /out/ /app/");
        Assert.DoesNotContain(lines[(cut + 1)..], l => l.Contains("SDK", StringComparison.Ordinal));
        Assert.Contains(lines[..cut], l => l == $"RUN src/images/publish {program.ToLowerInvariant()} \"linux-$TARGETARCH\" /out");
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Dockerfile_IsInTheBakeFile(string file)
    {
        var bake = Checkout.Read("src", "images", "docker-bake.hcl");
        var folder = Path.GetDirectoryName(file)!.Replace('\\', '/');

        Assert.True(
            bake.Contains($"dockerfile = \"{folder}/Dockerfile\"", StringComparison.Ordinal) || bake.Contains($"= \"{folder}\"", StringComparison.Ordinal),
            $"src/images/docker-bake.hcl has no target for {file}");
    }

    [Fact]
    public void Dockerignore_KeepsOutWhatIsNoSource()
    {
        var lines = File.ReadAllLines(Checkout.Path(".dockerignore"));

        Assert.All([".git", ".local", "artifacts", "**/bin", "**/obj"], l => Assert.Contains(l, lines));

        // Berth.Local has it inside.
        Assert.Contains("!docs/examples/template-studio.yaml", lines);
    }

    private static IEnumerable<string> Lines(string file) => File.ReadLines(Checkout.Path(file));

    [GeneratedRegex(@"^ARG (BASE|SDK)=(?<image>\S+)$")]
    private static partial Regex BaseLine();
}
