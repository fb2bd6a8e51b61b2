using Kube.Client;

namespace Kube.Runtime;

/// <summary>Brings the world in line with one object.</summary>
public interface IReconciler
{
    /// <summary>
    /// Reads the present state from stores (the object may be gone), acts, and returns. Must be idempotent: it is called for any reason or
    /// none. Never called for the same key twice at a time. What it throws is logged and tried again with a growing delay, except
    /// <see cref="TerminalException"/>.
    /// </summary>
    /// <param name="key">The object.</param>
    /// <param name="cancellationToken">Cancelled at once when the controller is to stop or leadership is lost: pass it to every
    /// write.</param>
    Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken);
}
