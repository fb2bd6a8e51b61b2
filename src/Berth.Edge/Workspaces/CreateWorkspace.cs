using Berth.Resources;

namespace Berth.Edge;

/// <summary>What somebody who creates a workspace wishes for. Everything is optional.</summary>
internal sealed record CreateWorkspace
{
    /// <summary>
    /// Appended to the person's own name: 1 to 40 lower-case letters, digits and dashes. Absent: made from <see cref="DisplayName"/>;
    /// without both, the default workspace.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>Name for people, up to 100 characters.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Template; absent: the installation's default.</summary>
    public string? Template { get; init; }

    /// <summary>Values for the template's parameters.</summary>
    public IReadOnlyDictionary<string, string>? Parameters { get; init; }

    /// <summary>Wishes for cpu, memory and storage.</summary>
    public WorkspaceResources? Resources { get; init; }

    /// <summary>
    /// False creates it stopped; absent or true starts it. (Nullable, since generated JSON code does not keep the defaults of init
    /// properties.)
    /// </summary>
    public bool? Start { get; init; }
}
