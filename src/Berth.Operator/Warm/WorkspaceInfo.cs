using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// The folder that tells a pod whose it is: files <c>name</c> and <c>url</c>, made by the downward API of the pod's own label and
/// annotation. A pod from a warm pool is started before anybody knows, so its files are empty until a workspace claims it; its environment
/// could not follow.
/// </summary>
internal static class WorkspaceInfo
{
    /// <summary>Where the folder is mounted; given as <see cref="Variable"/>.</summary>
    internal const string Folder = "/etc/workspace-info";

    /// <summary>Variable that names the folder.</summary>
    internal const string Variable = "WORKSPACE_INFO";

    private const string VolumeName = "workspace-info";

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
                    DownwardAPI = new DownwardApiProjection
                    {
                        Items =
                        [
                            File("name", $"metadata.labels['{Labels.Workspace}']"),
                            File("url", $"metadata.annotations['{Annotations.WorkspaceUrl}']"),
                        ],
                    },
                },
            ],
        },
    };

    private static DownwardApiFile File(string path, string field) =>
        new() { Path = path, FieldRef = new ObjectFieldSelector { FieldPath = field } };
}
