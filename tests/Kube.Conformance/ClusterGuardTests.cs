using System.Text;
using Testing;

namespace Kube.Conformance;

/// <summary>The guard itself: a wrong answer of it ends a cluster, or tests nothing.</summary>
public sealed class ClusterGuardTests
{
    [Theory]
    [InlineData("20", "go1.19.8", false, true)]
    [InlineData("20+", "go1.18", false, true)]
    [InlineData("20", "go1.19.8", true, false)]
    [InlineData("20", "go1.15.1", false, false)]
    [InlineData("24", "go1.18.1", false, false)]
    [InlineData("33", "", false, false)]
    public void NoCustomResources_Builds_RefusesOnlyThoseThatDie(string minor, string go, bool patched, bool refused)
    {
        var version = Encoding.UTF8.GetBytes($$"""{"major":"1","minor":"{{minor}}","goVersion":"{{go}}"}""");
        Assert.Equal(refused, ClusterGuard.NoCustomResources(version, patched) is not null);
    }

    [Fact]
    public void NoCustomResources_VersionWithoutDetails_IsAccepted() => Assert.Null(ClusterGuard.NoCustomResources("{}"u8, patched: false));
}
