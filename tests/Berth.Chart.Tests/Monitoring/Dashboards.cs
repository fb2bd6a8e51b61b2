using System.Text.Json;
using Testing;

namespace Berth.Chart.Tests.Monitoring;

/// <summary>A query of a panel.</summary>
public sealed record DashboardQuery(string Panel, string Expression, string Legend);

/// <summary>A dashboard of the chart.</summary>
public sealed record Dashboard(string File, JsonElement Root, IReadOnlyList<DashboardQuery> Queries);

/// <summary>The dashboards in charts/berth/dashboards.</summary>
public static class Dashboards
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<Dashboard> All { get; } =
    [
        .. Directory.EnumerateFiles(Checkout.Path("charts", "berth", "dashboards"), "*.json").Order(StringComparer.Ordinal).Select(Read),
    ];

    private static Dashboard Read(string file)
    {
        var root = JsonDocument.Parse(File.ReadAllText(file)).RootElement;
        var queries = root.GetProperty("panels").EnumerateArray()
            .Where(p => p.TryGetProperty("targets", out _))
            .SelectMany(p => p.GetProperty("targets").EnumerateArray().Select(t => new DashboardQuery(
                p.GetProperty("title").GetString()!, t.GetProperty("expr").GetString()!, t.GetProperty("legendFormat").GetString()!)))
            .ToList();
        return new Dashboard(System.IO.Path.GetFileName(file), root, queries);
    }
}
