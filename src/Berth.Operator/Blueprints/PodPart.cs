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

    internal static Pod Make(UserWorkspace workspace, WorkspaceTemplate template, ResolvedTemplate resolved, BlueprintSettings settings,
        string claimName)
    {
        var spec = template.Spec;
        var user = spec.SecurityContext?.RunAsUser ?? TemplateSecurity.DefaultId;
        var group = spec.SecurityContext?.RunAsGroup ?? user;
        var labels = Children.LabelsOf(workspace);
        labels[Labels.Template] = template.Metadata.Name!;
        var environment = ContainerParts.Environment(workspace, template, resolved, settings);
        return new Pod
        {
            Metadata = Children.Owned(workspace) with { Labels = labels, Annotations = ParameterAnnotations(resolved) },
            Spec = new PodSpec
            {
                InitContainers = Further(spec.InitContainers),
                Containers = [Application(template, resolved, environment, settings), .. Further(spec.Sidecars) ?? []],
                Volumes = Volumes(claimName, template, resolved),
                RestartPolicy = "Never",
                TerminationGracePeriodSeconds = spec.TerminationGracePeriodSeconds ?? WorkspaceTemplateSpec.DefaultGraceSeconds,
                NodeSelector = spec.Scheduling?.NodeSelector,
                Tolerations = spec.Scheduling?.Tolerations,
                PriorityClassName = spec.Scheduling?.PriorityClassName,
                RuntimeClassName = spec.Scheduling?.RuntimeClassName,
                ServiceAccountName = spec.ServiceAccountName,
                ImagePullSecrets = spec.ImagePullSecrets is { Count: > 0 } secrets
                    ? [.. secrets.Select(s => new LocalObjectReference { Name = s.Name })]
                    : null,
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

        IReadOnlyList<Container>? Further(IReadOnlyList<TemplateContainer>? containers) => containers is { Count: > 0 }
            ? [.. containers.Select(c => ContainerParts.Further(c, template, resolved, environment, settings))]
            : null;
    }

    private static Container Application(
        WorkspaceTemplate template, ResolvedTemplate resolved, List<EnvVar> environment, BlueprintSettings settings)
    {
        var spec = template.Spec;
        return new Container
        {
            Name = Blueprint.ContainerName,
            Image = spec.Image,
            ImagePullPolicy = spec.ImagePullPolicy ?? settings.ImagePullPolicy,
            Command = spec.Command,
            Args = spec.Args,
            Ports = [new ContainerPort { Name = Blueprint.PortName, Port = resolved.Port, Protocol = "TCP" }],

            // Last, so that nothing of the template can be put together from them.
            Env = [.. environment, .. resolved.Personal],
            Resources = resolved.Resources,
            VolumeMounts = ContainerParts.Mounts(template, resolved, volume: true),
            StartupProbe = spec.Probes?.Liveness is null ? null : MakeStartupProbe(spec.Probes.Readiness ?? new TemplateProbe()),
            ReadinessProbe = MakeProbe(spec.Probes?.Readiness ?? new TemplateProbe(), period: 2, failures: 3),
            LivenessProbe = spec.Probes?.Liveness is { } liveness ? MakeProbe(liveness, period: 10, failures: 6) : null,
            SecurityContext = ContainerParts.Restricted(template),
        };
    }

    private static List<Volume> Volumes(string claimName, WorkspaceTemplate template, ResolvedTemplate resolved)
    {
        List<Volume> volumes =
        [
            new Volume
            {
                Name = ContainerParts.VolumeName,
                PersistentVolumeClaim = new PersistentVolumeClaimVolumeSource { ClaimName = claimName },
            },
            WorkspaceInfo.Volume,
        ];
        if (ContainerParts.IsReadOnly(template))
        {
            volumes.Add(new Volume { Name = ContainerParts.TemporaryName, EmptyDir = new EmptyDirVolumeSource { SizeLimit = "1Gi" } });
        }

        if (ApiTokenPart.IsWanted(template))
        {
            volumes.Add(ApiTokenPart.Volume);
        }

        if (resolved.Files is not null)
        {
            volumes.Add(ContainerParts.ParameterFiles(resolved.Files.Keys));
        }

        return volumes;
    }

    private static Dictionary<string, string>? ParameterAnnotations(ResolvedTemplate resolved) => resolved.Files is { Count: > 0 } files
        ? files.ToDictionary(f => Annotations.ParameterPrefix + f.Key, f => f.Value, StringComparer.Ordinal)
        : null;

    /// <summary>
    /// Hash of what makes a restart worth while: the specification with the values of parameters that are files, and neither who
    /// owns the pod nor which claim it uses.
    /// </summary>
    internal static string Revision(Pod pod) => Hashes.Of(
        new Pod { Metadata = new ObjectMeta { Annotations = pod.Metadata.Annotations }, Spec = PodForm.WithClaim(pod.Spec!, "") },
        Pod.JsonTypeInfo);

    /// <summary>Adds what does not belong to the revision: the revision itself, and the restart that this pod answers.</summary>
    internal static Pod Stamp(Pod pod, UserWorkspace workspace, string revision, string url)
    {
        var annotations = new Dictionary<string, string>(pod.Metadata.Annotations ?? new Dictionary<string, string>(),
            StringComparer.Ordinal)
        {
            [Annotations.Revision] = revision,
            [Annotations.WorkspaceUrl] = url,
            [Annotations.Identity] = ChildIdentity.For(workspace).ToAnnotation(pod.Metadata.Labels![Labels.Template]),
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

    // Until the application has answered once there is nothing to be alive: an editor that unpacks its extensions for minutes is
    // not to be ended for it. Each second, because a person is waiting and readiness is asked only afterwards.
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
