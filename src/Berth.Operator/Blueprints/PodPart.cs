using System.Globalization;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// The pod. It meets the restricted Pod Security Standard, and it is never restarted in place: the operator owns restarts and their
/// backoff.
/// </summary>
internal static class PodPart
{
    // As long as a large image's first start on a slow disk; a kubelet then ends the container, which counts as a failed attempt.
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(10);

    private const string VolumeName = "workspace";
    private const string TemporaryName = "tmp";

    internal static Pod Make(UserWorkspace workspace, WorkspaceTemplate template, ResolvedTemplate resolved, BlueprintSettings settings,
        string claimName)
    {
        var spec = template.Spec;
        var readOnly = spec.SecurityContext?.ReadOnlyRootFilesystem == true;
        var user = spec.SecurityContext?.RunAsUser ?? TemplateSecurity.DefaultId;
        var group = spec.SecurityContext?.RunAsGroup ?? user;
        var labels = Children.LabelsOf(workspace);
        labels[Labels.Template] = template.Metadata.Name!;

        List<VolumeMount> mounts = [new VolumeMount { Name = VolumeName, MountPath = resolved.MountPath }, WorkspaceInfo.Mount];
        List<Volume> volumes =
        [
            new Volume
            {
                Name = VolumeName,
                PersistentVolumeClaim = new PersistentVolumeClaimVolumeSource { ClaimName = claimName },
            },
            WorkspaceInfo.Volume,
        ];
        if (readOnly)
        {
            mounts.Add(new VolumeMount { Name = TemporaryName, MountPath = "/tmp" });
            volumes.Add(
                new Volume
                {
                    Name = TemporaryName,
                    EmptyDir = new EmptyDirVolumeSource { SizeLimit = "1Gi" },
                }
            );
        }

        return new Pod
        {
            Metadata = Children.Owned(workspace) with { Labels = labels },
            Spec = new PodSpec
            {
                Containers =
                [
                    new Container
                    {
                        Name = Blueprint.ContainerName,
                        Image = spec.Image,
                        ImagePullPolicy = spec.ImagePullPolicy ?? settings.ImagePullPolicy,
                        Command = spec.Command,
                        Args = spec.Args,
                        Ports =
                        [
                            new ContainerPort
                            {
                                Name = Blueprint.PortName,
                                Port = resolved.Port,
                                Protocol = "TCP",
                            },
                        ],
                        Env = Environment(workspace, resolved, settings),
                        Resources = resolved.Resources,
                        VolumeMounts = mounts,
                        StartupProbe = spec.Probes?.Liveness is null
                            ? null
                            : MakeStartupProbe(spec.Probes.Readiness ?? new TemplateProbe()),
                        ReadinessProbe = MakeProbe(spec.Probes?.Readiness ?? new TemplateProbe(), period: 2, failures: 3),
                        LivenessProbe = spec.Probes?.Liveness is { } liveness ? MakeProbe(liveness, period: 10, failures: 6) : null,
                        SecurityContext = new SecurityContext
                        {
                            RunAsNonRoot = true,
                            AllowPrivilegeEscalation = false,
                            ReadOnlyRootFilesystem = readOnly,
                            Capabilities = new Capabilities { Drop = ["ALL"] },
                        },
                    },
                ],
                Volumes = volumes,
                RestartPolicy = "Never",
                TerminationGracePeriodSeconds = spec.TerminationGracePeriodSeconds ?? WorkspaceTemplateSpec.DefaultGraceSeconds,
                AutomountServiceAccountToken = false,
                EnableServiceLinks = false,
                SecurityContext = new PodSecurityContext
                {
                    RunAsNonRoot = true,
                    RunAsUser = user,
                    RunAsGroup = group,
                    FsGroup = spec.SecurityContext?.FsGroup ?? group,

                    // A home of a million files is not walked at every start.
                    FsGroupChangePolicy = "OnRootMismatch",
                    SeccompProfile = new SeccompProfile { Type = "RuntimeDefault" },
                },
            },
        };
    }

    /// <summary>Hash of what makes a restart worth while: the specification, and neither who owns the pod nor which claim it uses.</summary>
    internal static string Revision(Pod pod) => Hashes.Of(new Pod { Spec = PodForm.WithClaim(pod.Spec!, "") }, Pod.JsonTypeInfo);

    /// <summary>Adds what does not belong to the revision: the revision itself, and the restart that this pod answers.</summary>
    internal static Pod Stamp(Pod pod, UserWorkspace workspace, string revision, string url)
    {
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal) 
        {
            [Annotations.Revision] = revision,
            [Annotations.WorkspaceUrl] = url,
        };
        if (workspace.Metadata.Annotations?.GetValueOrDefault(Annotations.RestartedAt) is { } restarted)
        {
            annotations[Annotations.RestartedAt] = restarted;
        }

        return pod with
        {
            Metadata = pod.Metadata with { Annotations = annotations },
        };
    }

    // Berth's own variables come first, so that those of a template may refer to them as $(NAME).
    private static List<EnvVar> Environment(UserWorkspace workspace, ResolvedTemplate resolved, BlueprintSettings settings)
    {
        var url = settings.Urls.Origin(workspace.Metadata.Name!);
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
        variables.AddRange(resolved.Variables.Select(v => new EnvVar { Name = v.Name, Value = v.Value }));
        return variables;
    }

    // Until the application has answered once there is nothing to be alive: an editor that unpacks its extensions for minutes is not to be ended for it.
    // Each second, because a person is waiting and readiness is asked only afterwards.
    private static Probe MakeStartupProbe(TemplateProbe readiness) =>
        MakeProbe(readiness, period: 1, failures: 1) with
        {
            PeriodSeconds = 1,
            FailureThreshold = (int)StartLimit.TotalSeconds,
        };

    private static Probe MakeProbe(TemplateProbe probe, int period, int failures) =>
        new()
        {
            HttpGet = probe.Path is null
                ? null
                : new HttpGetAction
                {
                    Path = probe.Path,
                    Port = Blueprint.PortName,
                    Scheme = "HTTP",
                },
            TcpSocket = probe.Path is null ? new TcpSocketAction { Port = Blueprint.PortName } : null,
            InitialDelaySeconds = probe.InitialDelaySeconds,
            PeriodSeconds = probe.PeriodSeconds ?? period,
            TimeoutSeconds = probe.TimeoutSeconds ?? 2,
            FailureThreshold = probe.FailureThreshold ?? failures,
        };
}
