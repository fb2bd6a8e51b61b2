namespace Berth.Resources;

/// <summary>Labels on everything that belongs to a workspace.</summary>
public static class Labels
{
    /// <summary>Who keeps the object; <see cref="ManagedByValue"/> on ours.</summary>
    public const string ManagedBy = "app.kubernetes.io/managed-by";

    /// <summary>Value of <see cref="ManagedBy"/>.</summary>
    public const string ManagedByValue = "berth";

    /// <summary>Name of the UserWorkspace.</summary>
    public const string Workspace = "berth.dev/workspace";

    /// <summary>
    /// Hash of the owner's identity, see <see cref="WorkspaceNames.OwnerHash"/>; whoever creates a UserWorkspace may set it there too, so
    /// that a person's can be listed.
    /// </summary>
    public const string Owner = "berth.dev/owner";

    /// <summary>
    /// On Jobs, their pods and snapshots: name of the workspace whose volume they are about. Not <see cref="Workspace"/>, by which Services
    /// and network policies find a workspace's own pod.
    /// </summary>
    public const string StorageOf = "berth.dev/storage-of";

    /// <summary>Name of the template, on pods.</summary>
    public const string Template = "berth.dev/template";

    /// <summary>
    /// Name of the template whose warm pool made the object. It stays when a workspace claims it; <see cref="Workspace"/> is what tells a
    /// claimed one.
    /// </summary>
    public const string Pool = "berth.dev/pool";
}

/// <summary>What each replica of the edge says of itself in a Lease, so that nothing is stopped on old evidence.</summary>
public static class EdgeLeases
{
    /// <summary>Label on the Leases of edge replicas, with value <see cref="ComponentValue"/>.</summary>
    public const string Component = "app.kubernetes.io/component";

    /// <summary>Value of <see cref="Component"/>.</summary>
    public const string ComponentValue = "edge-activity";

    /// <summary>Namespace of workspaces that the replica looks after; absent or empty: all.</summary>
    public const string WorkspaceNamespace = "berth.dev/workspace-namespace";

    /// <summary>
    /// Annotation (RFC 3339): all use that the replica saw before this time and that bears on a stop is written to the workspaces. Written
    /// after the writes, together with <c>renewTime</c>.
    /// </summary>
    public const string ActivityWrittenUntil = "berth.dev/activity-written-until";

    /// <summary>Seconds between two renewals; <c>leaseDurationSeconds</c> is three times that.</summary>
    public const int RenewSeconds = 10;
}

/// <summary>Annotations that people, the edge and the operator write.</summary>
public static class Annotations
{
    /// <summary>
    /// On a UserWorkspace: restart asked for at this time (RFC 3339). The operator copies it to the pod; another value means another
    /// restart.
    /// </summary>
    public const string RestartedAt = "berth.dev/restartedAt";

    /// <summary>
    /// On a UserWorkspace: hash of what the edge wrote as <c>spec.environment</c>. The edge changes what it wrote itself, and nothing that
    /// somebody wrote by hand for a person without variables of their own.
    /// </summary>
    public const string Environment = "berth.dev/environment";

    /// <summary>
    /// On a pod or a volume: name of the workspace, hash of its owner, and on a pod the name of the template, separated by slashes. A
    /// second record of the labels, by which damaged ones are put right.
    /// </summary>
    public const string Identity = "berth.dev/identity";

    /// <summary>On a pod: hash of the specification it was made from, see <c>status.templateRevision</c>.</summary>
    public const string Revision = "berth.dev/revision";

    /// <summary>On a child that is applied: hash of what was applied, so that an unchanged one costs no write.</summary>
    public const string AppliedHash = "berth.dev/applied-hash";

    /// <summary>On a pod: origin of the workspace, from where the file <c>url</c> in the folder WORKSPACE_INFO comes.</summary>
    public const string WorkspaceUrl = "berth.dev/workspace-url";

    /// <summary>On a pod from a warm pool: audience of the identity header that it accepts, see <c>status.identityAudience</c>.</summary>
    public const string IdentityAudience = "berth.dev/identity-audience";

    /// <summary>On a pod from a warm pool: when a workspace claimed it (RFC 3339).</summary>
    public const string ClaimedAt = "berth.dev/claimed-at";

    /// <summary>
    /// On a pod from a warm pool: hash of everything it was made from but its own name. A workspace takes it only when its own pod would
    /// have the same.
    /// </summary>
    public const string PoolRevision = "berth.dev/pool-revision";

    /// <summary>
    /// On a network policy: hash of what it lets out, so that somebody else's change of it is told from what was applied.
    /// </summary>
    public const string EgressHash = "berth.dev/egress-hash";

    /// <summary>On a pod: the value of a parameter that is a file, with the name of the file behind it.</summary>
    public const string ParameterPrefix = "parameter.berth.dev/";

    /// <summary>On a pod: why the operator deletes it, written into events.</summary>
    public const string StopReason = "berth.dev/stop-reason";

    /// <summary>
    /// On a volume: since when (RFC 3339) it has no workspace. The undelete window counts from it; gone once a workspace has the volume
    /// again.
    /// </summary>
    public const string ReleasedAt = "berth.dev/released-at";

    /// <summary>
    /// On a volume: name of the volume that took its place when a snapshot was restored. It is kept as a released one, and never taken
    /// by itself.
    /// </summary>
    public const string ReplacedBy = "berth.dev/replaced-by";

    /// <summary>
    /// On a volume or a backup: <c>true</c> while the workspace's <c>spec.administration.legalHold</c> is. The operator deletes nothing
    /// that bears it; after the workspace is gone only an administrator takes it away.
    /// </summary>
    public const string LegalHold = "berth.dev/legal-hold";

    /// <summary>On a Job or a snapshot: name of the backup that it makes or restores.</summary>
    public const string Backup = "berth.dev/backup";

    /// <summary>On a Job, a snapshot or a restored volume: what it was made for, such as <c>Schedule 2026-11-21T03:00:00Z</c>.</summary>
    public const string StorageCause = "berth.dev/storage-cause";

    /// <summary>On a Job or a snapshot: which try it is, from 1.</summary>
    public const string StorageTry = "berth.dev/storage-try";

    /// <summary>On a Job: the node that it is bound to, where the workspace's pod was when it was made.</summary>
    public const string StorageNode = "berth.dev/storage-node";

    /// <summary>
    /// On a UserWorkspace that is being deleted, by a person: <c>true</c> deletes its volume although no backup of it could be made.
    /// </summary>
    public const string DeleteWithoutBackup = "berth.dev/delete-without-backup";
}

/// <summary>Finalizers on UserWorkspaces.</summary>
public static class WorkspaceFinalizers
{
    /// <summary>
    /// Held on the workspace and on its volume while <c>spec.administration.legalHold</c> is true: no deletion comes to its end.
    /// </summary>
    public const string LegalHold = "berth.dev/legal-hold";

    /// <summary>
    /// Held while <c>spec.storage.deletionPolicy</c> is Delete: the volume has no owner reference, so garbage collection does not remove
    /// it.
    /// </summary>
    public const string Storage = "berth.dev/storage";
}
