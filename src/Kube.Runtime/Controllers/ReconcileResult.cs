namespace Kube.Runtime;

/// <summary>How a reconcile ended well; it ends badly by throwing.</summary>
/// <param name="RequeueAfter">When to look again although nothing may have changed; null: only when something changes.</param>
public readonly record struct ReconcileResult(TimeSpan? RequeueAfter)
{
    /// <summary>Nothing more to do until something changes.</summary>
    public static ReconcileResult Done => default;

    /// <summary>Look again after a while; a change before that is handled at once.</summary>
    public static ReconcileResult After(TimeSpan delay) => new(delay);
}

/// <summary>Reconciling failed in a way that trying again cannot mend: it is logged and counted, and the object waits for its next
/// change.</summary>
public sealed class TerminalException(string message, Exception? innerException = null) : Exception(message, innerException);
