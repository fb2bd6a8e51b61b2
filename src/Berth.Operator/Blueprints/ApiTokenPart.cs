using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// The token by which a program in a workspace calls APIs through the edge: a service account token for the edge alone, bound to the pod,
/// which the kubelet renews. The API server does not accept it, so a pod gains nothing in the cluster by it.
/// </summary>
/// <remarks>
/// It is no Secret, and nobody writes it: there is nothing to rotate, to leak from a backup or to leave behind. It names the pod and not
/// the workspace, so pods of warm pools have it before anybody knows whose they will be.
/// </remarks>
internal static class ApiTokenPart
{
    private const string VolumeName = "api-token";
    private const string Folder = ContainerParts.OwnFolder + "api";
    private const string FileName = "token";

    internal static VolumeMount Mount { get; } = new() { Name = VolumeName, MountPath = Folder, ReadOnly = true };

    internal static Volume Volume { get; } = new()
    {
        Name = VolumeName,
        Projected = new ProjectedVolumeSource
        {
            Sources =
            [
                new VolumeProjection
                {
                    ServiceAccountToken = new ServiceAccountTokenProjection
                    {
                        Audience = ApiAccess.Audience,
                        ExpirationSeconds = ApiAccess.LifetimeSeconds,
                        Path = FileName,
                    },
                },
            ],
        },
    };

    /// <summary>Whether a template opens connections.</summary>
    internal static bool IsWanted(WorkspaceTemplate template) => template.Spec.Connections is { Count: > 0 };

    internal static IEnumerable<EnvVar> Environment(BlueprintSettings settings) =>
    [
        new EnvVar { Name = ApiAccess.UrlVariable, Value = settings.ProxyUrl },
        new EnvVar { Name = ApiAccess.TokenFileVariable, Value = $"{Folder}/{FileName}" },
    ];
}
