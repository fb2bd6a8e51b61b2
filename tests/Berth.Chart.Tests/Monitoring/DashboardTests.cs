using System.Text.Json;

namespace Berth.Chart.Tests.Monitoring;

/// <summary>The dashboards are such as Grafana takes, wherever its data source is called what.</summary>
public sealed class DashboardTests
{
    [Fact]
    public void Dashboards_HaveNamesOfTheirOwn_ThatDoNotChange() => Assert.Equal(
        ["berth-cost", "berth-edge", "berth-operator", "berth-overview"],
        Dashboards.All.Select(d => d.Root.GetProperty("uid").GetString()).Order());

    [Fact]
    public void Panels_DoNotOverlap_AndHaveIdsOfTheirOwn()
    {
        foreach (var board in Dashboards.All)
        {
            var panels = board.Root.GetProperty("panels").EnumerateArray().ToList();
            Assert.Equal(panels.Count, panels.Select(p => p.GetProperty("id").GetInt32()).Distinct().Count());
            var cells = panels.SelectMany(p => Cells(p.GetProperty("gridPos"))).ToList();
            Assert.Equal(cells.Count, cells.Distinct().Count());
            Assert.All(cells, c => Assert.InRange(c.X, 0, 23));
        }
    }

    // An exported dashboard names the data source of whoever made it, and shows nothing elsewhere.
    [Fact]
    public void DataSource_IsTheVariable_Everywhere()
    {
        foreach (var board in Dashboards.All)
        {
            var sources = Properties(board.Root, "datasource").Select(s => s.GetProperty("uid").GetString()).Distinct();
            Assert.Equal(["${datasource}"], sources);
            Assert.Contains(board.Root.GetProperty("templating").GetProperty("list").EnumerateArray(),
                v => v.GetProperty("name").GetString() == "datasource");
        }
    }

    // Every replica of an operator tells of the same workspaces, and operators of two installations of different ones.
    [Fact]
    public void Workspaces_AreCountedOnceAReplica_AndAddedUpOverInstallations()
    {
        var queries = Dashboards.All.SelectMany(d => Properties(d.Root, "expr")).Select(e => e.GetString()!)
            .Where(q => q.Contains("berth_operator_workspaces{", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(queries);
        Assert.All(queries, q => Assert.Matches(@"^sum( by \(phase\) )?\(max by \(namespace(, phase)?\) \(berth_operator_workspaces\{", q));
    }

    private static IEnumerable<(int X, int Y)> Cells(JsonElement at)
    {
        var (x, y) = (at.GetProperty("x").GetInt32(), at.GetProperty("y").GetInt32());
        return Enumerable.Range(0, at.GetProperty("w").GetInt32())
            .SelectMany(i => Enumerable.Range(0, at.GetProperty("h").GetInt32()).Select(j => (x + i, y + j)));
    }

    private static IEnumerable<JsonElement> Properties(JsonElement element, string name) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => p.NameEquals(name) ? [p.Value] : Properties(p.Value, name)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(e => Properties(e, name)),
        _ => [],
    };
}
