using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>A person's variables as the application finds them: told by the pod, not by how the operator makes it.</summary>
internal static class Environments
{
    private static readonly string[] Names = ["EDITOR", "PRICE", SimulatedPeople.DeniedVariable];

    /// <summary>Whether a pod has what a workspace wishes for, and what the template does not take not at all.</summary>
    internal static bool Has(Pod pod, UserWorkspace workspace) => Names.All(name =>
        ValueOf(pod, name) == (name == SimulatedPeople.DeniedVariable ? null
            : workspace.Spec.Environment?.SingleOrDefault(v => v.Name == name)?.Value));

    internal static string Of(Pod pod) => string.Join(", ", Names.Select(n => $"{n}={ValueOf(pod, n)}"));

    private static string? ValueOf(Pod pod, string name) =>
        pod.Spec!.Containers[0].Env!.SingleOrDefault(e => e.Name == name)?.Value is { } value ? ParameterTests.Node(value) : null;
}
