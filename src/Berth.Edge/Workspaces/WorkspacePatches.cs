using System.Text.Json.Nodes;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>Merge patches of a UserWorkspace; pure functions.</summary>
internal static class WorkspacePatches
{
    /// <summary>The wish that it runs or is stopped.</summary>
    /// <param name="desired">One of <see cref="DesiredStates"/>.</param>
    /// <param name="by">One of <see cref="RequestedBy"/>.</param>
    /// <param name="reason">One of <see cref="RequestReasons"/>.</param>
    /// <param name="restart">Wish for a new pod as well.</param>
    /// <param name="now">Time of the wish.</param>
    public static JsonObject Request(string desired, string by, string reason, bool restart, DateTimeOffset now)
    {
        var patch = new JsonObject
        {
            ["spec"] = new JsonObject
            {
                ["desiredState"] = desired,
                ["lastRequest"] = new JsonObject
                {
                    ["by"] = by,
                    ["reason"] = reason,
                    ["at"] = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'")
                },
            },
        };
        if (restart)
        {
            // To the fraction: two restarts within a second are two.
            Metadata(patch)["annotations"] = new JsonObject
            {
                [Annotations.RestartedAt] = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'"),
            };
        }

        return patch;
    }

    /// <summary>Lets the patch act on one version only; null for any.</summary>
    public static void ForVersion(JsonObject patch, string? version)
    {
        if (version is not null)
        {
            Metadata(patch)["resourceVersion"] = version;
        }
    }

    private static JsonObject Metadata(JsonObject patch)
    {
        if (patch["metadata"] is not JsonObject metadata)
        {
            patch["metadata"] = metadata = [];
        }

        return metadata;
    }
}
