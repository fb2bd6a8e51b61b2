using System.Globalization;
using System.Text.Json;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator;

/// <summary>Jobs that make and restore archives.</summary>
internal static class StorageJobs
{
    private const string VolumePath = "/volume";
    private const string ArchivePath = "/backup";
    private const string ResultPath = "/dev/termination-log";

    // A day, for a look at its log; the operator deletes them before where it can.
    private const int TtlSeconds = 86400;

    internal static Job Backup(Observation seen, BlueprintSettings settings, string backup, string cause, int @try, int keep)
    {
        // A running workspace's volume is mounted where its pod is: most volumes are for one node at a time.
        var node = seen.Pod is { Metadata.DeletionTimestamp: null } pod && Children.Owns(seen.Workspace, pod.Metadata)
            ? pod.Spec?.NodeName : null;
        List<string> arguments = ["archive", "create", "--root", VolumePath, "--name", backup];
        arguments.AddRange(["--keep", (seen.Workspace.Spec.Administration?.LegalHold == true ? 0
            : keep).ToString(CultureInfo.InvariantCulture)]);
        return Make(seen, settings, backup, cause, @try, arguments, node, readOnly: true);
    }

    internal static Job Restore(Observation seen, BlueprintSettings settings, string backup, string cause, int @try)
    {
        // What a volume can hold, a hundredfold: holes in files are not written. Room itself is bounded by the volume.
        var capacity = Quantity.TryParse(seen.Volume?.Status?.Capacity?.GetValueOrDefault("storage"), out var size)
            ? Math.Clamp(size.Value, 1L << 30, 1L << 50) : 1L << 40;
        return Make(seen, settings, backup, cause, @try,
            ["archive", "restore", "--root", VolumePath, "--name", backup, "--id", IdOf(cause),
                "--max-bytes", (capacity * 100).ToString(CultureInfo.InvariantCulture)],
            null, readOnly: false);
    }

    internal static async Task DeleteAsync(IKubeClient client, Job job, CancellationToken cancellationToken)
    {
        try
        {
            await client.DeleteAsync<Job>(
                job.Metadata.Namespace,
                job.Metadata.Name!,
                new DeleteOptions { Uid = job.Metadata.Uid, PropagationPolicy = "Background" },
                cancellationToken);
        }
        catch (KubeException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone already.
        }
    }

    /// <summary>Labels of all that is about a workspace's storage and not a part of it.</summary>
    internal static Dictionary<string, string> LabelsOf(UserWorkspace workspace) => new(StringComparer.Ordinal)
    {
        [Labels.ManagedBy] = Labels.ManagedByValue,
        [Labels.StorageOf] = workspace.Metadata.Name!,
        [Labels.Owner] = WorkspaceNames.OwnerHash(workspace.Spec.Owner.Issuer, workspace.Spec.Owner.Subject),
    };

    internal static Dictionary<string, string> AnnotationsOf(string backup, string cause, int @try) => new(StringComparer.Ordinal)
    {
        [Annotations.Backup] = backup,
        [Annotations.StorageCause] = cause,
        [Annotations.StorageTry] = @try.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>
    /// Where the archives of a workspace are: below its own name and its owner's, so that no other person's are in reach.
    /// </summary>
    internal static string FolderOf(UserWorkspace workspace) =>
        $"{workspace.Metadata.Name}-{WorkspaceNames.OwnerHash(workspace.Spec.Owner.Issuer, workspace.Spec.Owner.Subject)}";

    /// <summary>Names what a restore leaves on the volume while it is under way.</summary>
    internal static string IdOf(string cause) => Hash(cause)[..12];

    private static Job Make(
        Observation seen,
        BlueprintSettings settings,
        string backup,
        string cause,
        int @try,
        List<string> arguments,
        string? node,
        bool readOnly)
    {
        var workspace = seen.Workspace;
        var backups = settings.Backup;
        var template = seen.PodTemplate ?? seen.Template;
        var user = template?.Spec.SecurityContext?.RunAsUser ?? TemplateSecurity.DefaultId;
        var group = template?.Spec.SecurityContext?.RunAsGroup ?? user;
        List<VolumeMount> mounts =
        [
            new VolumeMount { Name = "volume", MountPath = VolumePath, ReadOnly = readOnly ? true : null },
            new VolumeMount { Name = "tmp", MountPath = "/tmp" },
        ];
        List<Volume> volumes =
        [
            new Volume
            {
                Name = "volume",
                PersistentVolumeClaim = new PersistentVolumeClaimVolumeSource { ClaimName = seen.Volume!.Metadata.Name! },
            },
            new Volume { Name = "tmp", EmptyDir = new EmptyDirVolumeSource() },
        ];
        List<EnvVar>? environment = null;
        List<EnvFromSource>? secrets = null;
        if (backups.Claim is { } claim)
        {
            arguments.AddRange(["--folder", ArchivePath]);
            volumes.Add(new Volume
            {
                Name = "backup",
                PersistentVolumeClaim = new PersistentVolumeClaimVolumeSource { ClaimName = claim },
            });
            mounts.Add(new VolumeMount { Name = "backup", MountPath = ArchivePath, SubPath = FolderOf(workspace) });
        }
        else if (backups.ObjectStore is { } store)
        {
            var prefix = store.Prefix.Trim('/');
            arguments.AddRange(["--prefix",
                $"{prefix}{(prefix.Length == 0 ? "" : "/")}{workspace.Metadata.Namespace}/{FolderOf(workspace)}"]);
            environment =
            [
                new EnvVar { Name = "BERTH_S3_ENDPOINT", Value = store.Endpoint.ToString().TrimEnd('/') },
                new EnvVar { Name = "BERTH_S3_BUCKET", Value = store.Bucket },
                new EnvVar { Name = "BERTH_S3_REGION", Value = store.Region },
            ];
            secrets = [new EnvFromSource { SecretRef = new EnvFromReference { Name = store.Secret } }];
        }

        arguments.AddRange(["--result", ResultPath]);
        var annotations = AnnotationsOf(backup, cause, @try);
        if (node is { Length: > 0 })
        {
            annotations[Annotations.StorageNode] = node;
        }

        return new Job
        {
            Metadata = new ObjectMeta
            {
                Name = NameOf(workspace, cause, @try),
                Namespace = workspace.Metadata.Namespace,
                Labels = LabelsOf(workspace),
                Annotations = annotations,
            },
            Spec = new JobSpec
            {
                // Tries are counted by the operator, which can tell a full volume from a lost node.
                BackoffLimit = 0,
                ActiveDeadlineSeconds = (long)backups.Deadline.TotalSeconds,
                TtlSecondsAfterFinished = TtlSeconds,
                Template = new PodTemplateSpec
                {
                    Metadata = new ObjectMeta { Labels = LabelsOf(workspace) },
                    Spec = new PodSpec
                    {
                        RestartPolicy = "Never",
                        TerminationGracePeriodSeconds = 10,
                        AutomountServiceAccountToken = false,
                        EnableServiceLinks = false,
                        Affinity = node is { Length: > 0 } ? OnNode(node) : null,
                        Tolerations = seen.Pod?.Spec?.Tolerations ?? template?.Spec.Scheduling?.Tolerations,
                        NodeSelector = template?.Spec.Scheduling?.NodeSelector,
                        SecurityContext = new PodSecurityContext
                        {
                            RunAsNonRoot = true,
                            RunAsUser = user,
                            RunAsGroup = group,
                            FsGroup = template?.Spec.SecurityContext?.FsGroup ?? group,
                            FsGroupChangePolicy = "OnRootMismatch",
                            SeccompProfile = new SeccompProfile { Type = "RuntimeDefault" },
                        },
                        Containers =
                        [
                            new Container
                            {
                                Name = "archive",
                                Image = backups.Image,
                                ImagePullPolicy = backups.ImagePullPolicy,
                                Args = arguments,
                                Env = environment,
                                EnvFrom = secrets,
                                VolumeMounts = mounts,
                                TerminationMessagePath = ResultPath,
                                Resources = new ResourceRequirements
                                {
                                    Requests = new Dictionary<string, string> { ["cpu"] = "50m", ["memory"] = "64Mi" },
                                    Limits = new Dictionary<string, string> { ["cpu"] = backups.Cpu, ["memory"] = backups.Memory },
                                },
                                SecurityContext = new SecurityContext
                                {
                                    RunAsNonRoot = true,
                                    AllowPrivilegeEscalation = false,
                                    ReadOnlyRootFilesystem = true,
                                    Capabilities = new Capabilities { Drop = ["ALL"] },
                                },
                            },
                        ],
                        Volumes = volumes,
                    },
                },
            },
        };
    }

    // Of the workspace and the cause, so that the same try has the same name: who died after making it makes no second one.
    private static string NameOf(UserWorkspace workspace, string cause, int @try)
    {
        var name = workspace.Metadata.Name!;
        var verb = cause.StartsWith(StorageCause.RestoreWord, StringComparison.Ordinal) ? "restore" : "backup";
        return $"{name[..Math.Min(name.Length, 40)].TrimEnd('-')}-{verb}-{Hash($"{workspace.Metadata.Uid}/{cause}/{@try}")[..10]}";
    }

    private static string Hash(string text) => Hashes.Of(System.Text.Encoding.UTF8.GetBytes(text));

    // By affinity and not by nodeName, which passes the scheduler by and with it a node that is full or going down.
    private static JsonElement OnNode(string node)
    {
        using var affinity = JsonDocument.Parse($$$$$"""
            {"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchFields":[
             {"key":"metadata.name","operator":"In","values":["{{{{{JsonEncodedText.Encode(node)}}}}}"]}]}]}}}
            """);
        return affinity.RootElement.Clone();
    }
}

/// <summary>The informer of Jobs about storage.</summary>
internal sealed class StorageJobCache
{
    private const string WorkspaceIndex = "storage-of";
    private readonly SharedInformer<Job> _jobs;

    internal StorageJobCache(InformerFactory informers, string? ns)
    {
        Options = new InformerOptions<Job>
        {
            Watcher = new WatcherOptions
            {
                Namespace = ns,
                LabelSelector = $"{Labels.ManagedBy}={Labels.ManagedByValue},{Labels.StorageOf}"
            },
        };
        _jobs = informers.Get(Options);
        _jobs.EnsureIndex(WorkspaceIndex, static j => KeyOf(j).Select(k => $"{k.Namespace}/{k.Name}"));
    }

    internal InformerOptions<Job> Options { get; }

    internal SharedInformer<Job> Informer => _jobs;

    internal IReadOnlyList<Job> Of(ResourceKey workspace) => _jobs.Store.ByIndex(WorkspaceIndex, $"{workspace.Namespace}/{workspace.Name}");

    internal static IEnumerable<ResourceKey> KeyOf(Job job) =>
        job.Metadata.Labels?.GetValueOrDefault(Labels.StorageOf) is { Length: > 0 } name
            ? [new ResourceKey(job.Metadata.Namespace ?? "", name)] : [];
}
