using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>Puts a workspace's parameters and wishes into its template, and says all that is wrong with either at once.</summary>
internal static partial class TemplateResolution
{
    /// <summary>Resolves a template.</summary>
    /// <param name="workspace">The workspace.</param>
    /// <param name="template">The template in effect.</param>
    /// <param name="redirected">It took the place of the one that the workspace names, see <see cref="TemplateChain"/>.</param>
    internal static ResolvedTemplate Resolve(UserWorkspace workspace, WorkspaceTemplate template, bool redirected = false)
    {
        var problems = ImmutableArray.CreateBuilder<BlueprintProblem>();
        CheckTemplate(template, problems);
        ParameterResolution.Check(template, problems);
        var parameters = ParameterResolution.Resolve(workspace, template, redirected, problems);
        ImmutableArray<TemplateVariable> variables = [.. parameters.Variables, .. template.Spec.Env ?? []];
        CheckVariables(template, variables, "", problems);
        CheckContainers(template, problems);
        EnvironmentResolution.Check(template, problems);
        var personal = EnvironmentResolution.Resolve(workspace, template, problems);

        return new ResolvedTemplate
        {
            Port = template.Spec.Port ?? WorkspaceTemplateSpec.DefaultPort,
            MountPath = template.Spec.Storage?.MountPath ?? TemplateStorage.DefaultMountPath,
            Resources = ResourceResolution.Compute(workspace, template, problems),
            Storage = ResourceResolution.Storage(workspace, template, problems),
            StorageClassName = template.Spec.Storage?.StorageClassName,
            Variables = variables,
            Personal = personal.Variables,
            LeftOutVariables = personal.LeftOut,
            Files = parameters.Files,
            LeftOut = parameters.LeftOut,
            Problems = problems.ToImmutable(),
        };
    }

    private static void CheckTemplate(WorkspaceTemplate template, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        if (string.IsNullOrWhiteSpace(template.Spec.Image))
        {
            problems.Add(TemplateProblems.Template(template, "names no image; set spec.image"));
        }

        if (template.Spec.Storage?.MountPath is { } mount && !IsMountPath(mount))
        {
            problems.Add(TemplateProblems.Template(template,
                $"mounts the volume at '{mount}'; use an absolute path of its own, such as {TemplateStorage.DefaultMountPath}"));
        }
    }

    private static bool IsMountPath(string mount) =>
        mount is not ("/" or "/tmp") && mount.StartsWith('/') && !mount.Contains(':', StringComparison.Ordinal)
        && !mount.Split('/').Contains("..")
        && !$"{mount.TrimEnd('/')}/".StartsWith(ContainerParts.OwnFolder, StringComparison.Ordinal)
        && !$"{mount.TrimEnd('/')}/".StartsWith(WorkspaceInfo.Folder + "/", StringComparison.Ordinal);

    private static void CheckContainers(WorkspaceTemplate template, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { Blueprint.ContainerName };
        foreach (var container in (template.Spec.InitContainers ?? []).Concat(template.Spec.Sidecars ?? []))
        {
            var name = TemplateProblems.Shorten(container.Name);
            if (!ContainerName().IsMatch(container.Name))
            {
                problems.Add(TemplateProblems.Template(template,
                    $"has a container named '{name}'; use at most 63 lower-case letters, digits and dashes"));
            }
            else if (!names.Add(container.Name))
            {
                problems.Add(TemplateProblems.Template(template, container.Name == Blueprint.ContainerName
                    ? $"has a further container named '{name}', which is the application's own name"
                    : $"has two containers named '{name}'"));
            }

            var where = $" in container '{name}'";
            CheckVariables(template, container.Env ?? [], where, problems);
            foreach (var (field, value) in (ReadOnlySpan<(string, string?)>)
            [
                ("limits.cpu", container.Resources?.Limits?.Cpu), ("limits.memory", container.Resources?.Limits?.Memory),
                ("requests.cpu", container.Resources?.Requests?.Cpu), ("requests.memory", container.Resources?.Requests?.Memory),
            ])
            {
                ResourceResolution.CheckQuantity(template, field + where, value, problems);
            }
        }
    }

    private static void CheckVariables(
        WorkspaceTemplate template,
        IReadOnlyList<TemplateVariable> variables,
        string where,
        ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var variable in variables)
        {
            if (!VariableName().IsMatch(variable.Name))
            {
                problems.Add(TemplateProblems.Template(template,
                    $"sets '{TemplateProblems.Shorten(variable.Name)}'{where}, which is no name of an environment variable"));
            }
            else if (variable.Name is "PORT" or ApiAccess.UrlVariable or ApiAccess.TokenFileVariable
                || variable.Name.StartsWith("WORKSPACE_", StringComparison.Ordinal))
            {
                problems.Add(TemplateProblems.Template(template, $"sets {variable.Name}{where}, which Berth sets itself; take another "
                    + $"name"));
            }
            else if (!seen.Add(variable.Name))
            {
                problems.Add(TemplateProblems.Template(template, $"sets {variable.Name}{where} twice"));
            }
        }
    }

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex VariableName();

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\z")]
    private static partial Regex ContainerName();
}
