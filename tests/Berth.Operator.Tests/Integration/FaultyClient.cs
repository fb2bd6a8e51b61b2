using Kube.Client;
using Kube.Client.Models;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>
/// A client whose writes go: done, refused with 500 before they are done, done, done but answered with 500. So each write of the operator
/// is at some time its last, as if it had been killed there. Leases and events are spared: they have tests of their own, and long pauses.
/// </summary>
internal sealed class FaultyClient(IKubeClient inner) : DelegatingKubeClient(inner)
{
    private int _writes;

    protected override async Task<TAnswer> PassAsync<T, TAnswer>(string verb, Func<Task<TAnswer>> send)
    {
        if (!IsWrite(verb) || T.Descriptor.Kind is "Lease" or "Event")
        {
            return await send();
        }

        var turn = Interlocked.Increment(ref _writes) % 4;
        if (turn == 2)
        {
            throw Fault();
        }

        var result = await send();
        return turn == 0 ? throw Fault() : result;
    }

    private static KubeException Fault() => new(new Status { Code = 500, Reason = "InternalError", Message = "a fault for the test" });
}
