using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>A template with a workspace's parameters and wishes put in.</summary>
internal sealed record ResolvedTemplate
{
    /// <summary>What is wrong; nothing else counts when there is something.</summary>
    public ImmutableArray<BlueprintProblem> Problems { get; init; } = [];

    public int Port { get; init; }

    public string MountPath { get; init; } = "";

    public string Storage { get; init; } = "";

    public string? StorageClassName { get; init; }

    public ResourceRequirements? Resources { get; init; }

    /// <summary>
    /// Variables of parameters, then of the template; values as they go into a pod, where <c>$$</c> stands for a dollar sign.
    /// </summary>
    public ImmutableArray<TemplateVariable> Variables { get; init; } = [];

    /// <summary>Variables of the workspace's owner, for the application alone.</summary>
    public ImmutableArray<EnvVar> Personal { get; init; } = [];

    /// <summary>Variables of the workspace's owner that the template has itself, or does not take.</summary>
    public ImmutableArray<string> LeftOutVariables { get; init; } = [];

    /// <summary>Values by name of the file that carries them; null where the template has no parameter with a file.</summary>
    public ImmutableSortedDictionary<string, string>? Files { get; init; }

    /// <summary>Parameters of the workspace that the template, being the successor of another one, does not know.</summary>
    public ImmutableArray<string> LeftOut { get; init; } = [];
}

/// <summary>What is wrong with a template or with a workspace's wishes, in words.</summary>
internal static class TemplateProblems
{
    internal static BlueprintProblem Template(WorkspaceTemplate template, string what) =>
        new(FailureClasses.Template, Reasons.InvalidTemplate,
            $"Template '{template.Metadata.Name}' {what}. Ask whoever keeps the template to mend it.");

    internal static BlueprintProblem Parameter(string message) => new(FailureClasses.User, Reasons.InvalidParameter, message);

    internal static BlueprintProblem Environment(string message) => new(FailureClasses.User, Reasons.InvalidEnvironment, message);

    internal static BlueprintProblem Resources(string message) => new(FailureClasses.User, Reasons.InvalidResources, message);

    internal static string Shorten(string text) => text.Length <= 40 ? text : string.Concat(text.AsSpan(0, 40), "…");
}
