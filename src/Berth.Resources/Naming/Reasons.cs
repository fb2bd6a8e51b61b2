namespace Berth.Resources;

/// <summary>Reasons in conditions, failures and events. CamelCase, stable: programs may compare them.</summary>
public static class Reasons
{
    /// <summary>The template was found and takes the parameters.</summary>
    public const string Resolved = "Resolved";

    /// <summary>The template is retired, and its successor takes its place from the next start on.</summary>
    public const string Redirected = "Redirected";

    /// <summary>The template is retired without a successor, and takes no new workspaces.</summary>
    public const string TemplateRetired = "TemplateRetired";

    /// <summary>No template of that name.</summary>
    public const string TemplateNotFound = "TemplateNotFound";

    /// <summary>The template itself cannot be used.</summary>
    public const string InvalidTemplate = "InvalidTemplate";

    /// <summary>A parameter is unknown, missing or not of its type.</summary>
    public const string InvalidParameter = "InvalidParameter";

    /// <summary>A resource wish is not a quantity, or is above the template's ceiling.</summary>
    public const string InvalidResources = "InvalidResources";

    /// <summary>A variable of <c>spec.environment</c> cannot be set.</summary>
    public const string InvalidEnvironment = "InvalidEnvironment";

    /// <summary>The workspace's own name cannot be used for a host.</summary>
    public const string InvalidName = "InvalidName";

    /// <summary>An object of that name is there and belongs to somebody else.</summary>
    public const string NameClash = "NameClash";

    /// <summary>
    /// The volume of the workspace's name holds another person's files: the owner was changed, or the name was used again.
    /// </summary>
    public const string OwnerMismatch = "OwnerMismatch";

    /// <summary>The API refused an object.</summary>
    public const string Refused = "Refused";

    /// <summary>The volume is bound.</summary>
    public const string Bound = "Bound";

    /// <summary>The volume is being made.</summary>
    public const string Provisioning = "Provisioning";

    /// <summary>The data behind the volume is lost.</summary>
    public const string VolumeLost = "VolumeLost";

    /// <summary>The volume cannot become smaller.</summary>
    public const string ShrinkRefused = "ShrinkRefused";

    /// <summary>The volume cannot become larger.</summary>
    public const string GrowthRefused = "GrowthRefused";

    /// <summary>The volume is larger; its file system follows at the next start.</summary>
    public const string ResizePending = "ResizePending";

    /// <summary>The volume is being made larger.</summary>
    public const string Growing = "Growing";

    /// <summary>A backup is being restored; nothing else may use the volume.</summary>
    public const string Restoring = "Restoring";

    /// <summary>A backup was restored.</summary>
    public const string Restored = "Restored";

    /// <summary>A backup could not be restored.</summary>
    public const string RestoreFailed = "RestoreFailed";

    /// <summary>A backup was made.</summary>
    public const string BackedUp = "BackedUp";

    /// <summary>A backup could not be made.</summary>
    public const string BackupFailed = "BackupFailed";

    /// <summary>The schedule of backups cannot be read.</summary>
    public const string InvalidSchedule = "InvalidSchedule";

    /// <summary>The pod has a node.</summary>
    public const string Scheduled = "Scheduled";

    /// <summary>Waiting for a node.</summary>
    public const string Scheduling = "Scheduling";

    /// <summary>No node can take the pod.</summary>
    public const string Unschedulable = "Unschedulable";

    /// <summary>The container is being started.</summary>
    public const string Starting = "Starting";

    /// <summary>The container answers.</summary>
    public const string Answering = "Answering";

    /// <summary>A start was asked for.</summary>
    public const string Started = "Started";

    /// <summary>The pod is ending.</summary>
    public const string Stopping = "Stopping";

    /// <summary>The workspace is stopped.</summary>
    public const string Stopped = "Stopped";

    /// <summary>The pod ends in order to be made anew.</summary>
    public const string Restarting = "Restarting";

    /// <summary>Waiting for the time of the next attempt.</summary>
    public const string BackingOff = "BackingOff";

    /// <summary>Another attempt is made.</summary>
    public const string Retrying = "Retrying";

    /// <summary>An earlier pod on the same volume has not ended yet.</summary>
    public const string WaitingForFormerPod = "WaitingForFormerPod";

    /// <summary>Traefik leads to the workspace and asks the edge about each request.</summary>
    public const string ForwardAuth = "ForwardAuth";

    /// <summary>Traefik leads to the edge.</summary>
    public const string ThroughEdge = "ThroughEdge";

    /// <summary>The cluster does not serve Traefik's kinds, or they are not wanted: the edge itself is what people reach.</summary>
    public const string EdgeServes = "EdgeServes";

    /// <summary>Everything a person needs is there.</summary>
    public const string Ready = "Ready";

    /// <summary>Another condition is not true yet.</summary>
    public const string NotReady = "NotReady";

    /// <summary>The image cannot be pulled.</summary>
    public const string ImagePull = "ImagePull";

    /// <summary>The image's name cannot be read.</summary>
    public const string InvalidImageName = "InvalidImageName";

    /// <summary>The container cannot be made from its configuration.</summary>
    public const string ContainerConfig = "ContainerConfig";

    /// <summary>The container's command cannot be started.</summary>
    public const string CannotRun = "CannotRun";

    /// <summary>The program ended with an error.</summary>
    public const string Crashed = "Crashed";

    /// <summary>The program ended by itself without an error.</summary>
    public const string Ended = "Ended";

    /// <summary>The program used more memory than it may.</summary>
    public const string OutOfMemory = "OutOfMemory";

    /// <summary>The volume cannot be mounted.</summary>
    public const string FailedMount = "FailedMount";

    /// <summary>The node pushed the pod out.</summary>
    public const string Evicted = "Evicted";

    /// <summary>The node does not answer, or was shut down.</summary>
    public const string NodeLost = "NodeLost";

    /// <summary>The node would not take the pod.</summary>
    public const string NodeRefused = "NodeRefused";

    /// <summary>The pod ended without telling why.</summary>
    public const string PodFailed = "PodFailed";

    /// <summary>A pod that was waiting was taken.</summary>
    public const string Claimed = "Claimed";

    /// <summary>A child was created.</summary>
    public const string Created = "Created";

    /// <summary>The volume was found again from an earlier workspace of the same owner.</summary>
    public const string VolumeFound = "VolumeFound";

    /// <summary>The volume was kept or deleted with the workspace.</summary>
    public const string VolumeDeleted = "VolumeDeleted";

    /// <summary>Somebody changed or removed labels or owner references that say whose an object is; they were put back.</summary>
    public const string LabelsRepaired = "LabelsRepaired";

    /// <summary>The workspace failed.</summary>
    public const string Failed = "Failed";

    /// <summary>A field of the policy cannot be used; its last good value stays in effect.</summary>
    public const string InvalidPolicy = "InvalidPolicy";

    /// <summary>A stop was announced.</summary>
    public const string StopAnnounced = "StopAnnounced";

    /// <summary>An announced stop does not take place.</summary>
    public const string StopWithdrawn = "StopWithdrawn";

    /// <summary>What is known of use is fresh.</summary>
    public const string Fresh = "Fresh";

    /// <summary>What is known of use is not fresh, or nobody reports it.</summary>
    public const string Stale = "Stale";

    /// <summary>A start makes no progress.</summary>
    public const string NoProgress = "NoProgress";

    /// <summary>The program ended again and again.</summary>
    public const string CrashLoop = "CrashLoop";

    /// <summary>A container that prepares the workspace failed.</summary>
    public const string InitContainerFailed = "InitContainerFailed";

    /// <summary>A container beside the application failed.</summary>
    public const string SidecarFailed = "SidecarFailed";

    /// <summary>A startup or liveness probe failed for too long.</summary>
    public const string ProbeFailed = "ProbeFailed";

    /// <summary>The pod reached its deadline.</summary>
    public const string DeadlineExceeded = "DeadlineExceeded";

    /// <summary>The pod had to make room for a more important one.</summary>
    public const string Preempted = "Preempted";

    /// <summary>A quota of the namespace is used up.</summary>
    public const string QuotaExceeded = "QuotaExceeded";

    /// <summary>The namespace's Pod Security level does not allow the pod.</summary>
    public const string PodSecurity = "PodSecurity";

    /// <summary>The volume cannot be made.</summary>
    public const string ProvisioningFailed = "ProvisioningFailed";

    /// <summary>The wished template failed, and the workspace was made from the one that it names for this case.</summary>
    public const string Fallback = "Fallback";

    /// <summary>It has its place under the ceilings.</summary>
    public const string Admitted = "Admitted";

    /// <summary>It waits for a place under a ceiling.</summary>
    public const string Queued = "Queued";

    /// <summary>It asks for more than a ceiling is, so no wait can help.</summary>
    public const string ExceedsCeiling = "ExceedsCeiling";

    /// <summary>An administrator froze it.</summary>
    public const string Frozen = "Frozen";

    /// <summary>A legal hold keeps it from being deleted.</summary>
    public const string LegalHold = "LegalHold";

    /// <summary>80 or 100 % of a monthly budget are used.</summary>
    public const string BudgetReached = "BudgetReached";

    /// <summary>An object of ours belongs to no workspace.</summary>
    public const string Orphan = "Orphan";
}
