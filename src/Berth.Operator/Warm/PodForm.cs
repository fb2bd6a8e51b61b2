using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>Reads and changes the parts of a pod that differ between one made for a workspace and one made for a pool.</summary>
internal static class PodForm
{
    /// <summary>The claim a pod uses; pods of workspaces have one.</summary>
    internal static string? ClaimOf(Pod pod) =>
        pod.Spec?.Volumes?.Select(v => v.PersistentVolumeClaim?.ClaimName).FirstOrDefault(n => !string.IsNullOrEmpty(n));

    /// <summary>The same specification on another claim.</summary>
    internal static PodSpec WithClaim(PodSpec spec, string claim) => spec with
    {
        Volumes = spec.Volumes is null ? null :
        [
            .. spec.Volumes.Select(v => v.PersistentVolumeClaim is { } source
                ? v with { PersistentVolumeClaim = source with { ClaimName = claim } }
                : v),
        ],
    };

    /// <summary>The same specification with another environment in all containers.</summary>
    internal static PodSpec WithEnvironment(PodSpec spec, Func<EnvVar, EnvVar?> change)
    {
        return spec with { Containers = Map(spec.Containers)!, InitContainers = Map(spec.InitContainers) };

        IReadOnlyList<Container>? Map(IReadOnlyList<Container>? containers) => containers is null ? null :
            [.. containers.Select(c => c.Env is null ? c : c with { Env = [.. c.Env.Select(change).OfType<EnvVar>()] })];
    }
}
