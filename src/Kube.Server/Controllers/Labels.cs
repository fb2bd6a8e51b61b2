using System.Text.Json.Nodes;
using Kube.Server.Runner;

namespace Kube.Server.Controllers;

/// <summary>Equality selectors: a map of which every entry must be among the labels.</summary>
internal static class Labels
{
    public static bool Match(JsonObject? holder, string selector, JsonObject? labels) =>
        holder.Map(selector).All(want => labels.Text(want.Key) == want.Value);
}
