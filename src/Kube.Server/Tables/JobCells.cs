using System.Globalization;
using System.Text.Json.Nodes;

namespace Kube.Server.Tables;

/// <summary>Cells of jobs.</summary>
internal static class JobCells
{
    internal static string State(JsonObject job)
    {
        foreach (var (type, text) in (ReadOnlySpan<(string, string)>)[("Complete", "Complete"), ("Failed", "Failed"), ("Suspended",
            "Suspended")])
        {
            if (Json.Objects(Json.At(job, "status", "conditions")).Any(c => Json.Text(c, "type") == type && Json.Text(c,
                "status") == "True"))
            {
                return text;
            }
        }

        return Json.At(job, "metadata", "deletionTimestamp") is null ? "Running" : "Terminating";
    }

    internal static string Completions(JsonObject job)
    {
        var succeeded = Json.AsLong(Json.At(job, "status", "succeeded")) ?? 0;
        if (Json.AsLong(Json.At(job, "spec", "completions")) is { } wanted)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{succeeded}/{wanted}");
        }

        var parallel = Json.AsLong(Json.At(job, "spec", "parallelism")) ?? 0;
        return parallel > 1
            ? string.Create(CultureInfo.InvariantCulture, $"{succeeded}/1 of {parallel}")
            : string.Create(CultureInfo.InvariantCulture, $"{succeeded}/1");
    }

    internal static string Duration(JsonObject job, DateTimeOffset now)
    {
        if (Json.Text(job, "status", "startTime") is not { } start)
        {
            return "";
        }

        var end = DateTimeOffset.TryParse(
            Json.Text(job, "status", "completionTime"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var completed)
            ? completed : now;
        return ComputedCells.Since(start, end);
    }
}
