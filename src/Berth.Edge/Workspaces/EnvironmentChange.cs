using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Accounts;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>What has to be written so that a workspace has the variables that its owner prefers; pure functions.</summary>
/// <remarks>
/// An annotation says what the edge wrote last. So it takes away what it gave when the person no longer wants it, and leaves alone what
/// somebody wrote by hand for a person who has no variables, or after the edge.
/// </remarks>
internal static class EnvironmentChange
{
    /// <summary>The variables as they are written, by name; those that the rules of today refuse are left out.</summary>
    public static IReadOnlyList<WorkspaceVariable> Wanted(PreferenceWish preferred) =>
    [
        .. preferred.Environment
            .Where(v => EnvironmentRules.Problem(v.Key, v.Value) is null)
            .OrderBy(v => v.Key, StringComparer.Ordinal)
            .Select(v => new WorkspaceVariable { Name = v.Key, Value = v.Value }),
    ];

    /// <summary>Value of <see cref="Annotations.Environment"/> for variables that are written; null for none.</summary>
    public static string? Mark(IReadOnlyList<WorkspaceVariable> variables)
    {
        if (variables.Count == 0)
        {
            return null;
        }

        // Neither a name nor a value has a NUL.
        var text = string.Concat(variables.Select(v => $"{v.Name}\0{v.Value}\0"));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }

    /// <summary>Adds what has to be written to a merge patch; false when nothing has to be.</summary>
    /// <param name="patch">The patch, which may write other things as well.</param>
    /// <param name="workspace">The workspace, of the version that the patch is for.</param>
    /// <param name="preferred">Preferences of its owner that were read after the workspace was.</param>
    public static bool AddTo(JsonObject patch, UserWorkspace workspace, PreferenceWish preferred)
    {
        var wanted = Wanted(preferred);
        var mark = Mark(wanted);
        var written = workspace.Metadata.Annotations?.GetValueOrDefault(Annotations.Environment);

        // A definition of an earlier version drops the field and keeps the annotation.
        if (mark == written && (mark is null || workspace.Spec.Environment is { Count: > 0 }))
        {
            return false;
        }

        Part(patch, "spec")["environment"] = mark is null ? null : JsonSerializer.SerializeToNode(
            new UserWorkspaceSpec { Environment = wanted }, BerthJson.Default.UserWorkspaceSpec)!["environment"]!.DeepClone();
        Part(Part(patch, "metadata"), "annotations")[Annotations.Environment] = mark;
        return true;
    }

    private static JsonObject Part(JsonObject of, string name)
    {
        if (of[name] is not JsonObject part)
        {
            of[name] = part = [];
        }

        return part;
    }
}
