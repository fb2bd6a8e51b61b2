using Berth.Resources;

namespace Berth.Edge;

/// <summary>Notes use in the table, by the rules of the workspace's template.</summary>
internal sealed class ActivityMeter(ActivityTable table, WorkspaceWatch watch, TimeProvider clock) : IActivityMeter
{
    /// <inheritdoc/>
    public UseInProgress? Begin(WorkspaceEntry workspace, string path)
    {
        var rules = watch.Find(workspace.Name) is { } known ? watch.TemplateOf(known)?.Spec.Activity : null;
        if (IsIgnored(rules, path))
        {
            return null;
        }

        var use = table.Of(workspace.Name);
        use.Touch(UseSource.Request, clock.GetUtcNow());
        return new UseInProgress(use, rules?.IgnoreMessagesBelow ?? 0, clock);
    }

    /// <summary>Whether a path begins with one of those that are no use. An empty beginning would be all of them: passed over.</summary>
    internal static bool IsIgnored(TemplateActivity? rules, string path)
    {
        foreach (var beginning in rules?.IgnorePaths ?? [])
        {
            if (beginning.Length > 0 && path.StartsWith(beginning, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}
