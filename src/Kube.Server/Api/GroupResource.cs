namespace Kube.Server;

/// <summary>Names a collection of the API without its version: what "pods" or "userworkspaces.berth.dev" means.</summary>
/// <param name="Group">API group; empty for the core group.</param>
/// <param name="Plural">Plural, lower-case resource name, as in a URL.</param>
public readonly record struct GroupResource(string Group, string Plural)
{
    /// <summary>core/v1 pods.</summary>
    public static readonly GroupResource Pods = new("", "pods");

    /// <summary>core/v1 services.</summary>
    public static readonly GroupResource Services = new("", "services");

    /// <summary>core/v1 endpoints.</summary>
    public static readonly GroupResource Endpoints = new("", "endpoints");

    /// <summary>core/v1 nodes (cluster-scoped).</summary>
    public static readonly GroupResource Nodes = new("", "nodes");

    /// <summary>core/v1 namespaces (cluster-scoped).</summary>
    public static readonly GroupResource Namespaces = new("", "namespaces");

    /// <summary>core/v1 events; events.k8s.io/v1 reads and writes the same objects.</summary>
    public static readonly GroupResource Events = new("", "events");

    /// <summary>core/v1 configmaps.</summary>
    public static readonly GroupResource ConfigMaps = new("", "configmaps");

    /// <summary>core/v1 secrets.</summary>
    public static readonly GroupResource Secrets = new("", "secrets");

    /// <summary>core/v1 persistentvolumeclaims.</summary>
    public static readonly GroupResource PersistentVolumeClaims = new("", "persistentvolumeclaims");

    /// <summary>core/v1 persistentvolumes (cluster-scoped).</summary>
    public static readonly GroupResource PersistentVolumes = new("", "persistentvolumes");

    /// <summary>storage.k8s.io/v1 storageclasses (cluster-scoped).</summary>
    public static readonly GroupResource StorageClasses = new("storage.k8s.io", "storageclasses");

    /// <summary>apiextensions.k8s.io/v1 customresourcedefinitions (cluster-scoped).</summary>
    public static readonly GroupResource CustomResourceDefinitions = new("apiextensions.k8s.io", "customresourcedefinitions");

    /// <summary>batch/v1 jobs.</summary>
    public static readonly GroupResource Jobs = new("batch", "jobs");

    /// <summary>coordination.k8s.io/v1 leases.</summary>
    public static readonly GroupResource Leases = new("coordination.k8s.io", "leases");

    /// <summary>The name Kubernetes uses in messages: <c>pods</c>, <c>leases.coordination.k8s.io</c>.</summary>
    public override string ToString() => Group.Length == 0 ? Plural : $"{Plural}.{Group}";
}
