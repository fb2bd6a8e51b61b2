namespace Kube.Server.Kinds;

/// <summary>Columns of the built-in kinds. A path that starts with <c>@</c> names a computed cell (Tables/ComputedCells.cs).</summary>
internal static class BuiltinColumns
{
    private static readonly ColumnInfo Age = new("Age", "string", "", "Time since creation", 0, "@age");

    public static IReadOnlyList<ColumnInfo> For(string group, string kind) => (group, kind) switch
    {
        ("", "Pod") => [C("Ready", "@pod-ready"), C("Status", "@pod-status"), C("Restarts", "@pod-restarts"), Age, W("IP", ".status.podIP"),
            W("Node", ".spec.nodeName"), W("Nominated Node", ".status.nominatedNodeName"), W("Readiness Gates", "@none")],
        ("", "Namespace") => [C("Status", ".status.phase"), Age],
        ("", "Service") =>
            [C("Type", ".spec.type"), C("Cluster-IP", ".spec.clusterIP"), C("External-IP", "@external-ip"), C("Port(s)", "@service-ports"),
            Age, W("Selector", "@selector")],
        ("", "Endpoints") => [C("Endpoints", "@endpoints"), Age],
        ("", "ConfigMap") => [C("Data", "@data"), Age],
        ("", "Secret") => [C("Type", ".type"), C("Data", "@data"), Age],
        ("", "ServiceAccount") => [C("Secrets", "@secrets"), Age],
        ("", "PersistentVolumeClaim") =>
            [C("Status", "@claim-status"), C("Volume", ".spec.volumeName"), C("Capacity", ".status.capacity.storage"),
            C("Access Modes", "@access-modes"), C("StorageClass", ".spec.storageClassName"), C("VolumeAttributesClass", "@unset"), Age,
            W("VolumeMode", ".spec.volumeMode")],
        ("", "PersistentVolume") =>
            [C("Capacity", ".spec.capacity.storage"), C("Access Modes", "@access-modes"),
            C("Reclaim Policy", ".spec.persistentVolumeReclaimPolicy"), C("Status", ".status.phase"), C("Claim", "@claim"),
            C("StorageClass", ".spec.storageClassName"), C("Reason", ".status.reason"), Age],
        ("", "Node") => [C("Status", "@node-status"), C("Roles", "@node-roles"), Age, C("Version", ".status.nodeInfo.kubeletVersion"),
            W("Internal-IP", "@internal-ip")],
        ("", "Event") =>
            [C("Last Seen", "@last-seen"), C("Type", ".type"), C("Reason", ".reason"), C("Object", "@event-object"),
            W("Subobject", ".involvedObject.fieldPath"), W("Source", "@event-source"), C("Message", ".message"),
            W("First Seen", "@first-seen"), W("Count", ".count"), W("Name", ".metadata.name")],
        ("events.k8s.io", "Event") =>
            [C("Last Seen", "@last-seen"), C("Type", ".type"), C("Reason", ".reason"), C("Object", "@event-object"), C("Message", ".note")],
        ("batch", "Job") => [C("Status", "@job-status"), C("Completions", "@job-completions"), C("Duration", "@job-duration"), Age],
        ("coordination.k8s.io", _) => [C("Holder", ".spec.holderIdentity"), Age],
        ("storage.k8s.io", _) =>
            [C("Provisioner", ".provisioner"), C("ReclaimPolicy", ".reclaimPolicy"), C("VolumeBindingMode", ".volumeBindingMode"),
            C("AllowVolumeExpansion", ".allowVolumeExpansion"), Age],
        ("networking.k8s.io", "NetworkPolicy") => [C("Pod-Selector", "@pod-selector"), Age],
        ("networking.k8s.io", "Ingress") =>
            [C("Class", ".spec.ingressClassName"), C("Hosts", "@ingress-hosts"), C("Address", ".status.loadBalancer.ingress[*].ip"),
            C("Ports", "@ingress-ports"), Age],
        ("rbac.authorization.k8s.io", "Role" or "ClusterRole") =>
            [new("Created At", "date", "", "Creation", 0, ".metadata.creationTimestamp")],
        ("rbac.authorization.k8s.io", _) => [C("Role", "@role"), Age],
        ("policy", _) =>
            [C("Min Available", ".spec.minAvailable"), C("Max Unavailable", ".spec.maxUnavailable"),
            C("Allowed Disruptions", ".status.disruptionsAllowed"), Age],
        ("scheduling.k8s.io", _) => [C("Value", ".value"), C("Global-Default", ".globalDefault"), Age],
        ("apiextensions.k8s.io", _) => [new("Created At", "date", "", "Creation", 0, "@created-at")],
        _ => [Age],
    };

    private static ColumnInfo C(string name, string path) => new(name, "string", "", name, 0, path);

    private static ColumnInfo W(string name, string path) => new(name, "string", "", name, 1, path);
}
