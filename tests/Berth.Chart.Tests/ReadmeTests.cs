namespace Berth.Chart.Tests;

/// <summary>The chart's README, made from its values.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public void Readme_IsWhatTheValuesGive()
    {
        var made = Readme.Make(Chart.ReadFile("values.yaml"));
        if (Chart.UpdatesGolden)
        {
            File.WriteAllText(Path.Combine(Chart.Folder, "README.md"), made);
        }

        Assert.True(File.Exists(Path.Combine(Chart.Folder, "README.md")) && Chart.ReadFile("README.md") == made,
            "charts/berth/README.md is not what values.yaml gives: run this test with UPDATE_GOLDEN=1.");
    }

    [Fact]
    public void Readme_HasARowForEachValue_WithItsComment()
    {
        var page = Readme.Make("""
            # -- First
            one: 1
            two:
              # -- Inside
              three: {a: 1}
              four: "x|y"
            """);
        Assert.Contains("| one | `1` | First |\n", page, StringComparison.Ordinal);
        Assert.Contains("## two\n\n| value | default | meaning |\n|---|---|---|\n", page, StringComparison.Ordinal);
        Assert.Contains("| two.three | `{a: 1}` | Inside |\n| two.four | `\"x\\|y\"` |  |\n", page, StringComparison.Ordinal);
    }

    // A value that nobody explains is one that nobody finds.
    [Fact]
    public void Values_OfFirstOrder_AreExplained()
    {
        var page = Chart.ReadFile("README.md");
        Assert.All((string[])["publicOrigin", "workspaceDomain", "issuers", "trustedProxies", "database.mode", "tls.mode", "templates",
            "secrets.existingSecret"],
            name => Assert.Matches($"\\| {name.Replace(".", "\\.", StringComparison.Ordinal)} \\| .* \\| .{{20,}} \\|", page));
    }
}
