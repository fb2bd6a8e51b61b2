namespace Berth.Edge;

/// <summary>What people may do with workspaces: section <c>Berth:Edge:Workspaces</c>.</summary>
public sealed record WorkspaceOptions
{
    /// <summary>Namespace of the UserWorkspaces and WorkspaceTemplates this edge serves. The default is <c>berth-workspaces</c>.</summary>
    public string Namespace { get; init; } = "berth-workspaces";

    /// <summary>Template of a person's default workspace. The default is <c>studio</c>.</summary>
    public string DefaultTemplate { get; init; } = "studio";

    /// <summary>
    /// Most workspaces of one person, the default one included. The default is 5: enough for a few projects, few enough that a script that
    /// runs wild does not fill the storage. Two replicas that are asked at the same moment may let one more through; a quota of the cluster
    /// is what is exact.
    /// </summary>
    public int MaximumPerPerson { get; init; } = 5;

    /// <summary>
    /// Name of the BerthPolicy that counts, the same as the operator's. The default is <c>default</c>. The edge works without the right to
    /// read it.
    /// </summary>
    public string PolicyName { get; init; } = Resources.BerthPolicy.DefaultName;

    /// <summary>Adds a sentence to <paramref name="problems"/> for each value that cannot be used.</summary>
    internal void Check(ICollection<string> problems)
    {
        if (!Resources.WorkspaceNames.IsValid(Namespace))
        {
            problems.Add(
                $"Berth:Edge:Workspaces:Namespace is '{Namespace}': give the name of a namespace (lower-case letters, digits and dashes).");
        }

        if (string.IsNullOrWhiteSpace(DefaultTemplate))
        {
            problems.Add("Berth:Edge:Workspaces:DefaultTemplate is empty: give the name of a WorkspaceTemplate.");
        }

        if (!Resources.WorkspaceNames.IsValid(PolicyName))
        {
            problems.Add(
                $"Berth:Edge:Workspaces:PolicyName is '{PolicyName}': give the name of a BerthPolicy (letters, digits, dashes).");
        }

        if (MaximumPerPerson is < 1 or > 1000)
        {
            problems.Add($"Berth:Edge:Workspaces:MaximumPerPerson is {MaximumPerPerson}: give a number from 1 to 1000.");
        }
    }
}
