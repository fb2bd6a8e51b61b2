using Testing;

namespace Berth.Operator.Tests;

public sealed class CrdFilesTests
{
    [Fact]
    public void Crds_InTheRepository_AreWhatTheTypesGive()
    {
        var folder = Checkout.Path("crds");
        foreach (var (name, yaml) in CrdFiles.All())
        {
            Assert.True(File.ReadAllText(Path.Combine(folder, name)) == yaml, $"crds/{name} is not what the types give: run 'make crds'.");
        }

        Assert.Equal(CrdFiles.All().Select(f => f.Name).Order(), Directory.GetFiles(folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Crds_WithoutCel_HoldNoRules() =>
        Assert.All(CrdFiles.All(celRules: false), f => Assert.DoesNotContain("x-kubernetes-validations", f.Yaml, StringComparison.Ordinal));
}
