using Kube.Client;
using Kube.Client.Models;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>
/// A client that dies: after a number of writes for workspaces, none that follows reaches the API. What a pool is filled with does not
/// count, nor do leases and events.
/// </summary>
internal sealed class CrashingClient(IKubeClient inner) : DelegatingKubeClient(inner)
{
    private int _left = int.MaxValue;
    private int _dead;

    internal TaskCompletionSource Crashed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A kind whose patches the API refuses.</summary>
    internal string? Refused { get; set; }

    internal void CrashAfter(int writes) => Interlocked.Exchange(ref _left, writes);

    public override async Task<T> CreateAsync<T>(T obj, WriteOptions? options, CancellationToken cancellationToken)
    {
        if (!obj.Metadata.Name!.StartsWith("pool-", StringComparison.Ordinal))
        {
            return await base.CreateAsync(obj, options, cancellationToken);
        }

        ThrowIfDead();
        return await Inner.CreateAsync(obj, options, cancellationToken);
    }

    protected override async Task<TAnswer> PassAsync<T, TAnswer>(string verb, Func<Task<TAnswer>> send)
    {
        if (!IsWrite(verb) || T.Descriptor.Kind is "Lease" or "Event")
        {
            return await send();
        }

        if (verb == "patch" && T.Descriptor.Kind == Refused)
        {
            throw new KubeException(new Status { Code = 403, Reason = "Forbidden", Message = "not today" });
        }

        if (Interlocked.Decrement(ref _left) < 0)
        {
            Volatile.Write(ref _dead, 1);
            Crashed.TrySetResult();
        }

        ThrowIfDead();
        try
        {
            return await send();
        }
        catch (KubeException)
        {
            // A lost race, which is tried again; only what was written counts.
            Interlocked.Increment(ref _left);
            throw;
        }
    }

    private void ThrowIfDead()
    {
        if (Volatile.Read(ref _dead) == 1)
        {
            throw new KubeException(new Status { Code = 500, Reason = "InternalError", Message = "the operator is dead" });
        }
    }
}
