using System.Globalization;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// The containers of a pod: the application, those that run before it and those that run beside it. All of them are restricted alike.
/// </summary>
internal static class ContainerParts
{
    /// <summary>Folder in containers that is Berth's own, with a slash at the end; no volume may be mounted there.</summary>
    internal const string OwnFolder = "/run/berth/";

    /// <summary>Folder with a file for each parameter that names one; given as WORKSPACE_PARAMETERS.</summary>
    internal const string ParametersFolder = OwnFolder + "parameters";

    internal const string VolumeName = "workspace";
    internal const string TemporaryName = "tmp";
    internal const string ParametersName = "parameters";

    internal static SecurityContext Restricted(WorkspaceTemplate template) => new()
    {
        RunAsNonRoot = true,
        AllowPrivilegeEscalation = false,
        ReadOnlyRootFilesystem = IsReadOnly(template),
        Capabilities = new Capabilities { Drop = ["ALL"] },
    };

    internal static bool IsReadOnly(WorkspaceTemplate template) => template.Spec.SecurityContext?.ReadOnlyRootFilesystem == true;

    /// <summary>What is mounted, with the volume or without it.</summary>
    internal static List<VolumeMount> Mounts(WorkspaceTemplate template, ResolvedTemplate resolved, bool volume)
    {
        List<VolumeMount> mounts = volume ? [new VolumeMount { Name = VolumeName, MountPath = resolved.MountPath }] : [];
        mounts.Add(WorkspaceInfo.Mount);
        if (IsReadOnly(template))
        {
            mounts.Add(new VolumeMount { Name = TemporaryName, MountPath = "/tmp" });
        }

        if (ApiTokenPart.IsWanted(template))
        {
            mounts.Add(ApiTokenPart.Mount);
        }

        if (resolved.Files is not null)
        {
            mounts.Add(new VolumeMount { Name = ParametersName, MountPath = ParametersFolder, ReadOnly = true });
        }

        return mounts;
    }

    /// <summary>A container beside the application, or one that runs before it.</summary>
    internal static Container Further(
        TemplateContainer container,
        WorkspaceTemplate template,
        ResolvedTemplate resolved,
        IReadOnlyList<EnvVar> environment,
        BlueprintSettings settings)
    {
        var own = container.Env ?? [];
        return new Container
        {
            Name = container.Name,
            Image = container.Image ?? template.Spec.Image,
            ImagePullPolicy = template.Spec.ImagePullPolicy ?? settings.ImagePullPolicy,
            Command = container.Command,
            Args = container.Args,

            // Its own come last, so that they may refer to the others, and in place of the application's of that name.
            Env =
            [
                .. environment.Where(e => own.All(v => v.Name != e.Name)),
                .. own.Select(v => new EnvVar { Name = v.Name, Value = v.Value }),
            ],
            Resources = ResourceResolution.Of(container.Resources),
            VolumeMounts = Mounts(template, resolved, container.MountVolume != false),
            SecurityContext = Restricted(template),
        };
    }

    // Berth's own variables come first, so that those of a template may refer to them as $(NAME).
    internal static List<EnvVar> Environment(
        UserWorkspace workspace, WorkspaceTemplate template, ResolvedTemplate resolved, BlueprintSettings settings)
    {
        var url = settings.Urls.Url(workspace.Metadata.Name!);
        List<EnvVar> variables =
        [
            new EnvVar { Name = "PORT", Value = resolved.Port.ToString(CultureInfo.InvariantCulture) },
            new EnvVar { Name = "WORKSPACE_NAME", Value = workspace.Metadata.Name },
            new EnvVar { Name = "WORKSPACE_ROOT", Value = resolved.MountPath },
            new EnvVar { Name = WorkspaceInfo.Variable, Value = WorkspaceInfo.Folder },
            new EnvVar { Name = "WORKSPACE_URL", Value = url },
            new EnvVar { Name = "WORKSPACE_IDENTITY_ISSUER", Value = settings.IdentityIssuer },
            new EnvVar { Name = "WORKSPACE_IDENTITY_AUDIENCE", Value = url },
            new EnvVar { Name = "WORKSPACE_IDENTITY_JWKS", Value = settings.IdentityJwks },
        ];
        if (ApiTokenPart.IsWanted(template))
        {
            variables.AddRange(ApiTokenPart.Environment(settings));
        }

        if (resolved.Files is not null)
        {
            variables.Add(new EnvVar { Name = "WORKSPACE_PARAMETERS", Value = ParametersFolder });
        }

        variables.AddRange(resolved.Variables.Select(v => new EnvVar { Name = v.Name, Value = v.Value }));
        return variables;
    }

    /// <summary>
    /// The files of parameters, projected from annotations of the pod: no further object that could be left behind, and nothing
    /// that is not gone with the pod.
    /// </summary>
    internal static Volume ParameterFiles(IEnumerable<string> files) => new()
    {
        Name = ParametersName,
        DownwardAPI = new DownwardApiVolumeSource
        {
            Items =
            [
                .. files.Select(f => new DownwardApiFile
                {
                    Path = f,
                    FieldRef = new ObjectFieldSelector { FieldPath = $"metadata.annotations['{Annotations.ParameterPrefix}{f}']" },
                }),
            ],
        },
    };
}
