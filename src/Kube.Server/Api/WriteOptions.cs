namespace Kube.Server;

/// <summary>Options of a write. All have the API's defaults.</summary>
public sealed record WriteOptions
{
    /// <summary>Who writes, for managedFields. Default <c>kube-server</c>.</summary>
    public string FieldManager { get; init; } = "kube-server";

    /// <summary>Run everything except the store.</summary>
    public bool DryRun { get; init; }

    /// <summary>Server-side apply only: take over fields others own.</summary>
    public bool Force { get; init; }

    internal FieldValidation FieldValidation { get; init; } = FieldValidation.Ignore;

    /// <summary>Warnings raised on the way are collected here when set.</summary>
    internal List<string>? Warnings { get; init; }
}

internal enum FieldValidation
{
    Ignore,
    Warn,
    Strict,
}

/// <summary>What happens to the dependents of a deleted object.</summary>
public enum DeletionPropagation
{
    /// <summary>The garbage collector removes dependents later. The default.</summary>
    Background,

    /// <summary>Finalizer <c>foregroundDeletion</c>: the owner goes after its blocking dependents.</summary>
    Foreground,

    /// <summary>Finalizer <c>orphan</c>: dependents stay, without their owner reference.</summary>
    Orphan,
}

/// <summary>Options of a delete.</summary>
public sealed record DeleteOptions
{
    /// <summary>Seconds a pod gets to end. Null: the pod's own terminationGracePeriodSeconds. Other kinds ignore it.</summary>
    public long? GracePeriodSeconds { get; init; }

    /// <summary>What to do with dependents; null means Background.</summary>
    public DeletionPropagation? Propagation { get; init; }

    /// <summary>Delete only the object with this uid (409 otherwise).</summary>
    public string? PreconditionUid { get; init; }

    /// <summary>Delete only this resource version (409 otherwise).</summary>
    public string? PreconditionResourceVersion { get; init; }

    /// <summary>Run everything except the store.</summary>
    public bool DryRun { get; init; }
}
